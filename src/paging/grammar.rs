//! What a text from one of our people means. Pure.
//!
//! Forgiving in form (case, punctuation, spaces, what autocorrect does), strict in meaning: only a verb with a code, or
//! a bare `ack`, does anything. Words that phone networks or phones themselves send never do.

/// What somebody wants of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Acknowledge,
    Resolve,
    PassOn,
}

/// What a text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This, for the page with this code (or the incident with this reference).
    Act { code: String, verb: Verb },
    /// `ack` and nothing else: clear only when one page is open.
    BareAck,
    /// The owner of the number wants no more texts from us; the carriers hold to that too.
    Stop,
    /// And now they do again.
    Start,
    /// A reaction to one of our texts, or an automatic answer. Nobody asked for anything.
    Reaction,
    /// Not understood.
    Unclear,
}

/// Longer texts are read no further than this.
const READ: usize = 320;

/// What a text means.
pub fn parse(body: &str) -> Reply {
    let text: String = body.chars().take(READ).flat_map(fold).collect();
    if is_reaction(&text) {
        return Reply::Reaction;
    }
    // What is quoted of ours is not what they say.
    let own: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !is_quote_header(line))
        .filter(|line| !line.starts_with('>'))
        .collect();
    let lower = own.join(" ").to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" | "arret"] => Reply::Stop,
        ["start" | "unstop"] => Reply::Start,
        ["ack" | "acknowledge" | "acknowledged" | "acked"] => Reply::BareAck,
        [one] => glued(one).unwrap_or(Reply::Unclear),
        [a, b] => act(a, b).or_else(|| act(b, a)).unwrap_or(Reply::Unclear),
        // `37 4 ok`, `ack 37 thanks`: the first two words decide, if the rest is no order of its own.
        [a, b, rest @ ..] if rest.iter().all(|word| is_courtesy(word)) => {
            act(a, b).or_else(|| act(b, a)).unwrap_or(Reply::Unclear)
        }
        _ => Reply::Unclear,
    }
}

/// A character as it would be typed plainly: full-width and other digits, quotes, spaces; marks that are not seen go.
fn fold(c: char) -> Option<char> {
    Some(match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fe0f}' => {
            return None;
        }
        // The rest of full-width ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '٠'..='٩' => digit(c, '٠'),
        '۰'..='۹' => digit(c, '۰'),
        '०'..='९' => digit(c, '०'),
        '⁰' | '⁴'..='⁹' => digit(c, '⁰'),
        '₀'..='₉' => digit(c, '₀'),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
        '‘' | '’' | '‚' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        _ => c,
    })
}

fn digit(c: char, zero: char) -> char {
    char::from_digit(c as u32 - zero as u32, 10).unwrap_or(c)
}

/// `Liked “…”`, `Reacted 👍 to “…”`: what a phone sends when a message is tapped, in the languages seen most.
fn is_reaction(text: &str) -> bool {
    const TAPS: [&str; 18] = [
        "liked",
        "loved",
        "disliked",
        "laughed at",
        "emphasized",
        "emphasised",
        "questioned",
        "reacted",
        "removed",
        "gefällt",
        "mag",
        "liebt",
        "a aimé",
        "a adoré",
        "le gustó",
        "me gusta",
        "ha messo",
        "piace",
    ];
    let lower = text.trim_start().to_lowercase();
    let tapped = TAPS.iter().any(|tap| lower.starts_with(tap)) && lower.contains('"');
    // Only pictures, no words: a reaction too.
    let wordless = !text.trim().is_empty() && !text.chars().any(char::is_alphanumeric) && !text.is_ascii();
    tapped || wordless
}

fn is_quote_header(line: &str) -> bool {
    let lower = line.to_lowercase();
    lower.starts_with("-----") || (lower.starts_with("on ") && lower.ends_with("wrote:"))
}

/// A reply code (two or three digits), or an incident's reference (four to six).
fn is_code(word: &str) -> bool {
    (2..=6).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn verb(word: &str) -> Option<Verb> {
    match word {
        "4" | "ack" | "acknowledge" | "acknowledged" | "acked" => Some(Verb::Acknowledge),
        "6" | "resolve" | "resolved" => Some(Verb::Resolve),
        "9" | "pass" => Some(Verb::PassOn),
        _ => None,
    }
}

fn act(code: &str, word: &str) -> Option<Reply> {
    // `4 37` reads as well as `37 4`: a code is never one digit, a verb never two.
    is_code(code).then(|| verb(word)).flatten().map(|verb| Reply::Act { code: code.into(), verb })
}

/// `ack42`, `42ack`: what autocorrect leaves.
fn glued(word: &str) -> Option<Reply> {
    let letters = word.trim_matches(|c: char| c.is_ascii_digit());
    let digits = word.strip_prefix(letters).or_else(|| word.strip_suffix(letters))?;
    if letters.is_empty() {
        return None;
    }
    act(digits, letters)
}

/// Whether a text says no more than thanks: what a customer writes when all is well again.
pub fn is_thanks(body: &str) -> bool {
    let text: String = body.chars().take(READ).flat_map(fold).collect();
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let kind = |word: &str| {
        matches!(
            word,
            "ok" | "okay"
                | "thanks"
                | "thank"
                | "thx"
                | "you"
                | "u"
                | "very"
                | "much"
                | "so"
                | "great"
                | "perfect"
                | "super"
                | "good"
                | "fine"
                | "cheers"
                | "all"
                | "confirmed"
                | "received"
                | "solved"
                | "resolved"
        )
    };
    words.peek().is_some() && words.all(kind)
}

fn is_courtesy(word: &str) -> bool {
    matches!(word, "ok" | "okay" | "thanks" | "thx" | "please" | "pls" | "on" | "it" | "now" | "i" | "am" | "m")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn act_of(code: &str, verb: Verb) -> Reply {
        Reply::Act { code: code.into(), verb }
    }

    #[test]
    fn a_code_and_a_verb_act() {
        use Verb::*;
        for (body, code, verb) in [
            ("37 4", "37", Acknowledge),
            (" 37  4 ", "37", Acknowledge),
            ("37 ack", "37", Acknowledge),
            ("Ack 37", "37", Acknowledge),
            ("ACK 37.", "37", Acknowledge),
            ("Ack: 37!", "37", Acknowledge),
            ("“37 4”", "37", Acknowledge),
            ("37\u{a0}4", "37", Acknowledge),
            ("３７ ４", "37", Acknowledge),
            ("٣٧ ٤", "37", Acknowledge),
            ("\u{200e}37 4", "37", Acknowledge),
            ("ack37", "37", Acknowledge),
            ("37ack", "37", Acknowledge),
            ("4 37", "37", Acknowledge),
            ("37, 4 thanks", "37", Acknowledge),
            ("ack 4821", "4821", Acknowledge),
            ("137 4", "137", Acknowledge),
            ("37 6", "37", Resolve),
            ("37 Resolved", "37", Resolve),
            ("resolve 37", "37", Resolve),
            ("37 9", "37", PassOn),
            ("pass 37", "37", PassOn),
            ("37 4\n> 4821 P1 Acme Bank: down. Reply 41 4 to ack", "37", Acknowledge),
            ("37 4\nOn 1 Nov 2026 Ringdown wrote:\nReply 41 6", "37", Acknowledge),
        ] {
            assert_eq!(parse(body), act_of(code, verb), "{body:?}");
        }
    }

    #[test]
    fn what_a_phone_or_a_network_says_by_itself_never_acts() {
        for body in [
            "Liked “4821 P1 Acme Bank: checkout down. Reply 37 4 to ack”",
            "Loved \"37 4\"",
            "Reacted 👍 to “37 4”",
            "Emphasized “ack”",
            "👍",
            "👍🏽",
        ] {
            assert_eq!(parse(body), Reply::Reaction, "{body:?}");
        }
        for body in ["STOP", "stop.", "Unsubscribe", "END", "CANCEL", "quit", "StopAll"] {
            assert_eq!(parse(body), Reply::Stop, "{body:?}");
        }
        for body in [
            "",
            "1",
            "#",
            "4",
            "6",
            "9",
            "37",
            "37 1",
            "37 #",
            "yes",
            "37 yes",
            "37 stop",
            "37 end",
            "cancel 37",
            "ok",
            "I am driving, I'll get back to you at 4",
            "did you ack 37?",
            "37 4 or 41 4",
            "do not ack",
            "37 4 6",
            "3 4",
            "1234567 4",
            "ackack",
            "call me on 37 4 please do not ack",
        ] {
            assert_eq!(parse(body), Reply::Unclear, "{body:?}");
        }
    }

    #[test]
    fn thanks_are_no_complaint_and_anything_more_may_be_one() {
        for body in ["Thanks!", "ok", "Thank you very much.", "Great, thanks", "All good", "OK 👍"] {
            assert!(is_thanks(body), "{body:?}");
        }
        for body in ["", "no", "Thanks, but it is down again", "not solved", "still broken", "👍", "ok it works not"]
        {
            assert!(!is_thanks(body), "{body:?}");
        }
    }

    #[test]
    fn a_bare_ack_is_one_word() {
        for body in ["ack", "Ack.", "ACK!", "acknowledged", "“ack”"] {
            assert_eq!(parse(body), Reply::BareAck, "{body:?}");
        }
        assert_eq!(parse("start"), Reply::Start);
    }

    proptest! {
        #[test]
        fn anything_can_be_read_and_nothing_without_a_code_acts(body in "\\PC{0,400}") {
            if let Reply::Act { code, .. } = parse(&body) {
                prop_assert!((2..=6).contains(&code.len()));
                prop_assert!(code.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn letters_alone_never_act(body in "[a-zA-Z .,!?]{0,60}") {
            let acts = matches!(parse(&body), Reply::Act { .. });
            prop_assert!(!acts);
        }
    }
}
