//! A letter as a message of RFC 5322.

use lettre::{
    Message,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use crate::mail::Letter;

/// The message: text, UTF-8, in the thread of its incident, marked as sent by a machine (RFC 3834), so that no
/// absence notice answers it.
pub fn message(letter: &Letter, from: &Mailbox, reply_to: Option<&Mailbox>) -> Result<Message, String> {
    let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.into());
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, letter.to.clone().into()))
        .subject(letter.subject.clone())
        .message_id(Some(letter.message_id.clone()))
        .in_reply_to(letter.thread.clone())
        .references(letter.thread.clone())
        .date(letter.date.into())
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"));
    if let Some(reply_to) = reply_to {
        builder = builder.reply_to(reply_to.clone());
    }
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(letter.body.clone());
    let message = match &letter.attachment {
        None => builder.singlepart(text),
        Some((name, content)) => {
            let attachment = Attachment::new(name.clone()).body(content.clone(), content_type(name));
            builder.multipart(MultiPart::mixed().singlepart(text).singlepart(attachment))
        }
    };
    message.map_err(|error| format!("no mail can be made of it: {error}"))
}

fn content_type(name: &str) -> ContentType {
    let markdown = name.ends_with(".md").then(|| ContentType::parse("text/markdown; charset=utf-8").ok()).flatten();
    markdown.unwrap_or(ContentType::TEXT_PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::MailAddress;

    fn letter() -> Letter {
        Letter {
            message_id: "<mai_1@example.com>".into(),
            thread: "<inc_1@example.com>".into(),
            to: MailAddress::parse("ops@acme.example").unwrap(),
            subject: "[4821] Zahlungen schlagen fehl – Störung".into(),
            body: "Guten Tag, die Störung ist behoben.\n".into(),
            attachment: None,
            date: "2026-11-02T12:00:00Z".parse().unwrap(),
        }
    }

    fn written(letter: &Letter) -> String {
        let from = "Bücher Support <support@example.com>".parse().unwrap();
        let message = message(letter, &from, Some(&"desk@example.com".parse().unwrap())).unwrap();
        String::from_utf8(message.formatted()).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn a_message_is_plain_text_in_a_thread_and_marked_as_sent_by_a_machine() {
        insta::assert_snapshot!(written(&letter()), @"
        From: =?utf-8?b?QsO8Y2hlciBTdXBwb3J0?= <support@example.com>
        To: ops@acme.example
        Subject: [4821] Zahlungen schlagen fehl =?utf-8?b?4oCTIFN0w7ZydW5n?=
        Message-ID: <mai_1@example.com>
        In-Reply-To: <inc_1@example.com>
        References: <inc_1@example.com>
        Date: Mon, 02 Nov 2026 12:00:00 +0000
        Auto-Submitted: auto-generated
        X-Auto-Response-Suppress: All
        Reply-To: desk@example.com
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        Guten Tag, die St=C3=B6rung ist behoben.
        ");
    }

    #[test]
    fn the_same_letter_gives_the_same_message() {
        assert_eq!(written(&letter()), written(&letter()));
    }

    #[test]
    fn a_line_break_in_a_subject_is_no_new_header() {
        let text = written(&Letter { subject: "x\r\nBcc: all@example.com".into(), ..letter() });
        let headers = text.split("\n\n").next().unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }

    #[test]
    fn an_attachment_goes_beside_the_text() {
        let text = written(&Letter { attachment: Some(("rca-4821.md".into(), "# Cause\n".into())), ..letter() });
        assert!(text.contains("Content-Disposition: attachment; filename=\"rca-4821.md\""), "{text}");
        assert!(text.contains("Content-Type: text/markdown; charset=utf-8"), "{text}");
        assert!(text.contains("\n# Cause\n"), "{text}");
    }
}
