//! The documents Ringdown answers with, read as strictly as a carrier that refuses what it does not know.

use quick_xml::{Reader, XmlVersion, events::Event};

/// One thing to do on a call or a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    Say(String),
    Pause(i64),
    Gather {
        prompts: Vec<Verb>,
        /// 0: no limit.
        digits: usize,
        finish: String,
        timeout: i64,
        action: String,
        on_empty: bool,
    },
    Record {
        action: String,
        seconds: i64,
        callback: Option<String>,
        transcribe: Option<String>,
    },
    Dial {
        number: String,
        ring: i64,
        limit: i64,
        action: Option<String>,
    },
    /// The caller waits, hearing what is fetched from `hold`.
    Enqueue {
        queue: String,
        hold: String,
        action: String,
    },
    Leave,
    /// The first in a queue is connected; before that they hear what is fetched from `connect`.
    DialQueue {
        queue: String,
        ring: i64,
        limit: i64,
        connect: String,
        action: String,
    },
    Redirect(String),
    Hangup,
    Reject,
    Message(String),
}

/// What may stand where, and with which attributes.
const GRAMMAR: &[(&str, &[&str], &[&str])] = &[
    (
        "Response",
        &[],
        &["Say", "Pause", "Gather", "Record", "Dial", "Enqueue", "Leave", "Redirect", "Hangup", "Reject", "Message"],
    ),
    ("Say", &["voice", "language", "loop"], &[]),
    ("Pause", &["length"], &[]),
    (
        "Gather",
        &[
            "input",
            "numDigits",
            "timeout",
            "finishOnKey",
            "actionOnEmptyResult",
            "action",
            "method",
            "language",
            "hints",
            "speechTimeout",
        ],
        &["Say", "Pause"],
    ),
    (
        "Record",
        &[
            "action",
            "method",
            "maxLength",
            "playBeep",
            "timeout",
            "finishOnKey",
            "trim",
            "recordingStatusCallback",
            "recordingStatusCallbackMethod",
            "recordingStatusCallbackEvent",
            "transcribe",
            "transcribeCallback",
        ],
        &[],
    ),
    (
        "Dial",
        &["action", "method", "timeout", "timeLimit", "callerId", "answerOnBridge", "hangupOnStar"],
        &["Number", "Queue"],
    ),
    ("Enqueue", &["action", "method", "waitUrl", "waitUrlMethod"], &[]),
    ("Leave", &[], &[]),
    ("Queue", &["url", "method"], &[]),
    ("Number", &[], &[]),
    ("Redirect", &["method"], &[]),
    ("Hangup", &[], &[]),
    ("Reject", &["reason"], &[]),
    ("Message", &[], &[]),
];

struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    text: String,
}

/// Reads a document. The error says what a carrier would refuse.
pub fn parse(text: &str) -> Result<Vec<Verb>, String> {
    let root = tree(text)?;
    if root.name != "Response" {
        return Err(format!("the root is <{}>", root.name));
    }
    check(&root)?;
    root.children.iter().map(verb).collect()
}

fn tree(text: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(text);
    let top = Node { name: String::new(), attributes: vec![], children: vec![], text: String::new() };
    let mut open = vec![top];
    loop {
        match reader.read_event().map_err(|error| format!("no XML: {error}"))? {
            Event::Start(start) => open.push(node(&start)?),
            Event::Empty(start) => {
                let node = node(&start)?;
                open.last_mut().expect("open").children.push(node);
            }
            Event::End(_) => {
                let node = open.pop().expect("open");
                open.last_mut().ok_or("an end without a beginning")?.children.push(node);
            }
            Event::Text(words) => open.last_mut().expect("open").text += &words.xml10_content(),
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content().to_string();
                let letter = match (reference.resolve_char_ref(), name.as_str()) {
                    (Ok(Some(letter)), _) => letter,
                    (_, "amp") => '&',
                    (_, "lt") => '<',
                    (_, "gt") => '>',
                    (_, "quot") => '"',
                    (_, "apos") => '\'',
                    _ => return Err(format!("an unknown entity &{name};")),
                };
                open.last_mut().expect("open").text.push(letter);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => return Err(format!("something that is no element: {other:?}")),
        }
    }
    let mut top = open.pop().filter(|_| open.is_empty()).ok_or("an element is not ended")?;
    match (top.children.pop(), top.children.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => Err("not exactly one root".into()),
    }
}

fn node(start: &quick_xml::events::BytesStart<'_>) -> Result<Node, String> {
    let name = start.name().as_ref().to_owned();
    let mut attributes: Vec<(String, String)> = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("<{name}>: {error}"))?;
        let key = attribute.key.as_ref().to_owned();
        let value =
            attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| format!("<{name}>: {error}"))?;
        attributes.push((key, value.into_owned()));
    }
    Ok(Node { name, attributes, children: vec![], text: String::new() })
}

fn check(node: &Node) -> Result<(), String> {
    let (name, attributes, children) = GRAMMAR
        .iter()
        .find(|(name, ..)| *name == node.name)
        .ok_or_else(|| format!("there is no verb <{}>", node.name))?;
    for (key, value) in &node.attributes {
        if !attributes.contains(&key.as_str()) {
            return Err(format!("<{name}> has no attribute {key}"));
        }
        let numeric = ["numDigits", "timeout", "maxLength", "timeLimit", "length"].contains(&key.as_str());
        if numeric && !value.parse::<u32>().is_ok_and(|n| n > 0) {
            return Err(format!("<{name} {key}=\"{value}\"> is not a number above 0"));
        }
        let link =
            ["action", "recordingStatusCallback", "transcribeCallback", "waitUrl", "url"].contains(&key.as_str());
        if link && !absolute(value) {
            return Err(format!("<{name} {key}=\"{value}\"> is not an absolute URL"));
        }
        if ["method", "waitUrlMethod"].contains(&key.as_str()) && value != "POST" {
            return Err(format!("<{name}> asks for {value}"));
        }
    }
    for child in &node.children {
        if !children.contains(&child.name.as_str()) {
            return Err(format!("<{}> inside <{name}>", child.name));
        }
        check(child)?;
    }
    let text = node.text.trim();
    match *name {
        "Say" | "Message" if text.is_empty() => Err(format!("<{name}> without words")),
        "Say" if text.chars().count() > 4096 => Err("<Say> of more than 4096 characters".into()),
        "Message" if text.chars().count() > 1600 => Err("<Message> of more than 1600 characters".into()),
        "Redirect" if !absolute(text) => Err(format!("<Redirect>{text} is not an absolute URL")),
        "Number" if !super::form::e164(text) => Err(format!("<Number>{text} is not E.164")),
        "Enqueue" | "Queue" if !(1..=64).contains(&text.chars().count()) => Err(format!("a queue named `{text}`")),
        "Say" | "Message" | "Redirect" | "Number" | "Enqueue" | "Queue" => Ok(()),
        _ if !text.is_empty() => Err(format!("words inside <{name}>")),
        _ => Ok(()),
    }
}

fn absolute(text: &str) -> bool {
    text.parse::<reqwest::Url>().is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

impl Node {
    fn get(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn number(&self, name: &str, otherwise: i64) -> i64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    }
}

fn verb(node: &Node) -> Result<Verb, String> {
    let action = || node.get("action").ok_or_else(|| format!("<{}> without an action", node.name));
    let text = node.text.trim().to_owned();
    Ok(match node.name.as_str() {
        "Say" => Verb::Say(text),
        "Pause" => Verb::Pause(node.number("length", 1)),
        "Gather" => Verb::Gather {
            prompts: node.children.iter().map(verb).collect::<Result<_, _>>()?,
            digits: node.number("numDigits", 0) as usize,
            finish: node.get("finishOnKey").unwrap_or_else(|| "#".into()),
            timeout: node.number("timeout", 5),
            action: action()?,
            on_empty: node.get("actionOnEmptyResult").as_deref() == Some("true"),
        },
        "Record" => Verb::Record {
            action: action()?,
            seconds: node.number("maxLength", 3600),
            callback: node.get("recordingStatusCallback"),
            transcribe: node.get("transcribeCallback").filter(|_| node.get("transcribe").as_deref() == Some("true")),
        },
        "Dial" => match node.children.as_slice() {
            [queue] if queue.name == "Queue" => Verb::DialQueue {
                queue: queue.text.trim().into(),
                ring: node.number("timeout", 30),
                limit: node.number("timeLimit", 14_400),
                connect: queue.get("url").ok_or("<Queue> without a url")?,
                action: action()?,
            },
            [number] => Verb::Dial {
                number: number.text.trim().into(),
                ring: node.number("timeout", 30),
                limit: node.number("timeLimit", 14_400),
                action: node.get("action"),
            },
            _ => return Err("<Dial> without exactly one <Number> or <Queue>".into()),
        },
        "Enqueue" => Verb::Enqueue {
            queue: text,
            hold: node.get("waitUrl").ok_or("<Enqueue> without a waitUrl")?,
            action: action()?,
        },
        "Leave" => Verb::Leave,
        "Redirect" => Verb::Redirect(text),
        "Hangup" => Verb::Hangup,
        "Reject" => Verb::Reject,
        "Message" => Verb::Message(text),
        other => return Err(format!("there is no verb <{other}>")),
    })
}

/// What is heard of it until something is asked.
pub fn words(verbs: &[Verb]) -> String {
    let mut heard = Vec::new();
    for verb in verbs {
        match verb {
            Verb::Say(text) => heard.push(text.clone()),
            Verb::Gather { prompts, .. } => {
                heard.push(words(prompts));
                break;
            }
            Verb::Pause(_) | Verb::Message(_) => {}
            _ => break,
        }
    }
    heard.join(" ")
}

/// How long saying it takes, in seconds.
pub fn spoken_seconds(verbs: &[Verb]) -> i64 {
    verbs
        .iter()
        .map(|verb| match verb {
            Verb::Say(text) => (text.chars().count() as i64 / 15).max(1),
            Verb::Pause(seconds) => *seconds,
            _ => 0,
        })
        .sum()
}

#[test]
fn the_emulator_refuses_what_a_carrier_would() {
    let said = |inner: &str| parse(&format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{inner}</Response>"));
    assert_eq!(said("<Say language=\"en-US\">A &amp; B&#33;</Say>").unwrap(), [Verb::Say("A & B!".into())]);
    for refused in [
        "<Shout>x</Shout>",
        "<Say volume=\"11\">x</Say>",
        "<Say></Say>",
        "<Redirect>/relative</Redirect>",
        "<Gather action=\"/relative\"/>",
        "<Gather action=\"https://h/x\"><Hangup/></Gather>",
        "<Pause length=\"0\"/>",
        "<Dial><Number>112</Number></Dial>",
        "<Enqueue waitUrl=\"/hold\" action=\"https://h/x\">q</Enqueue>",
        "<Enqueue waitUrl=\"https://h/w\" action=\"https://h/x\"></Enqueue>",
        "<Dial><Queue music=\"on\">q</Queue></Dial>",
        "<Hangup>now</Hangup>",
        "<Say>open",
    ] {
        assert!(said(refused).is_err(), "{refused}");
    }
}
