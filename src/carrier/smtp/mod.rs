//! Mail by SMTP: any server that takes what we hand it, over TLS or on this machine.

mod letter;
mod reply;

use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{PoolConfig, authentication::Credentials},
};
use secrecy::ExposeSecret;

use crate::{
    id::CarrierKey,
    mail::{Letter, Mailer, Refused},
    server::settings::SmtpSettings,
};

/// How long one step of the conversation may take.
const STEP: Duration = Duration::from_secs(10);

/// How many connections to one server.
const CONNECTIONS: u32 = 4;

/// A mail server that takes what we send.
#[derive(Debug)]
pub struct Smtp {
    key: CarrierKey,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

impl Smtp {
    /// Nothing is asked yet. Fails on settings that no server could be reached by.
    pub fn new(key: CarrierKey, settings: &SmtpSettings) -> anyhow::Result<Self> {
        // The error would show the address, never the password: that is not in it.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url)
            .with_context(|| format!("carriers.{key}.url cannot be used"))?;
        let mut builder = builder.timeout(Some(STEP)).pool_config(PoolConfig::new().max_size(CONNECTIONS));
        if let (Some(username), Some(password)) = (&settings.username, &settings.password) {
            builder = builder.credentials(Credentials::new(username.clone(), password.expose_secret().to_owned()));
        }
        let read = |text: &str, setting: &str| {
            text.parse::<Mailbox>().with_context(|| format!("carriers.{key}.{setting} is not a mailbox"))
        };
        let from = read(&settings.from, "from")?;
        let reply_to = settings.reply_to.as_deref().map(|text| read(text, "reply_to")).transpose()?;
        Ok(Smtp { transport: builder.build(), from, reply_to, key })
    }

    /// Greets the server, signs in if there is a password, and leaves: for `ringdown doctor`. No mail is sent.
    pub async fn test(&self) -> Result<(), Refused> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused { permanent: false, code: None, words: "the mail server hung up at once".into() }),
            Err(error) => Err(reply::refused(&error)),
        }
    }
}

impl Mailer for Smtp {
    fn key(&self) -> &CarrierKey {
        &self.key
    }

    fn domain(&self) -> &str {
        self.from.email.domain()
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            let message = letter::message(letter, &self.from, self.reply_to.as_ref()).map_err(|words| Refused {
                permanent: true,
                code: None,
                words,
            })?;
            self.transport.send(message).await.map(drop).map_err(|error| reply::refused(&error))
        })
    }
}

/// Checks the address of a mail server.
pub fn url(text: &str) -> Result<String, String> {
    let bad = || {
        "is not the address of a mail server; write `smtps://HOST`, `smtp://HOST?tls=required`, or `smtp://HOST` for \
         one on this machine"
            .to_owned()
    };
    let rest = text.strip_prefix("smtps://").or_else(|| text.strip_prefix("smtp://")).ok_or_else(bad)?;
    if rest.contains('@') {
        return Err("holds a password; write it as `username` and `password`, which are never shown".into());
    }
    let (host, query) = rest.split_once('?').map_or((rest, None), |(host, query)| (host, Some(query)));
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '/');
    let known = |query| match query {
        "tls=required" | "tls=opportunistic" => text.starts_with("smtp://"),
        _ => false,
    };
    if host.is_empty() || host.starts_with(['/', ':']) || !host.chars().all(fine) {
        return Err(bad());
    }
    match query {
        // As it is without: on a line that nobody else can read.
        Some("tls=none") if text.starts_with("smtp://") => return url(text.trim_end_matches("?tls=none")),
        Some(query) if !known(query) => {
            return Err("has a `tls` that is not known; write `required`, `opportunistic` or `none`".into());
        }
        _ => {}
    }
    // Whoever reads it in the end must take it too; the certificates are looked for only when it is used.
    let plain = format!("smtp://{host}");
    match AsyncSmtpTransport::<Tokio1Executor>::from_url(&plain) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(bad()),
    }
}

/// Whether a password would go to this address on a line that others may read: one that leaves this machine and is not
/// certain to be encrypted.
pub fn exposes(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("smtp://") else { return false };
    let here = ["localhost", "127.", "[::1]"].iter().any(|host| rest.starts_with(host));
    !here && !rest.ends_with("?tls=required")
}

/// Checks a mailbox: an address, perhaps with a name before it.
pub fn mailbox(text: &str) -> Result<String, String> {
    let read = text.parse::<Mailbox>().ok();
    match read.filter(|it| text.len() <= 320 && it.email.to_string().is_ascii() && !text.contains(char::is_control)) {
        Some(_) => Ok(text.to_owned()),
        None => Err("is not a mailbox; write `Support <support@example.com>`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_mail_server_says_how_the_line_is_encrypted() {
        for text in [
            "smtp://localhost",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:25",
            "smtps://mail.example.com",
            "smtps://mail.example.com:465/pager.example.com",
            "smtp://mail.example.com?tls=required",
            "smtp://mail.example.com:587?tls=opportunistic",
        ] {
            assert_eq!(url(text).as_deref(), Ok(text));
        }
        assert_eq!(url("smtp://localhost:25?tls=none").as_deref(), Ok("smtp://localhost:25"));
    }

    #[test]
    fn an_address_that_is_none_or_holds_a_password_is_refused() {
        for text in [
            "mail.example.com",
            "https://mail.example.com",
            "smtp://",
            "smtp://:25",
            "smtp://mail.example.com:port",
            "smtps://mail.example.com?tls=required",
            "smtp://mail.example.com?tls=maybe",
            "smtp://mail.example.com?x=y",
            "smtp://mail example.com",
        ] {
            assert!(url(text).is_err(), "{text}");
        }
        let error = url("smtps://ringdown:hush@mail.example.com").unwrap_err();
        assert!(error.contains("holds a password") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn a_mailbox_has_an_address_and_perhaps_a_name() {
        for text in ["support@example.com", "Support <support@example.com>", "\"Support, EU\" <support@example.com>"] {
            assert_eq!(mailbox(text).as_deref(), Ok(text));
        }
        for text in ["", "Support", "a@b@c", "Support <support@example.com>\r\nBcc: x@example.com", "x@bücher.example"]
        {
            assert!(mailbox(text).is_err(), "{text}");
        }
    }
}
