//! The house rules that a compiler does not know: who may know whom, where SQL lives, how long a file is.

use std::path::{Path, PathBuf};

/// Files and folders that only decide: no input, no output, no clock of their own.
const PURE: &[&str] = &[
    "access/code.rs",
    "access/cookie.rs",
    "access/csrf.rs",
    "access/link.rs",
    "access/limit.rs",
    "access/network.rs",
    "access/oidc/flow.rs",
    "access/oidc/identity.rs",
    "access/origin.rs",
    "incident/decide.rs",
    "incident/draft.rs",
    "incident/acts.rs",
    "incident/due.rs",
    "incident/fold.rs",
    "incident/agenda.rs",
    "incident/state.rs",
    "incident/event.rs",
    "incident/command.rs",
    "incident/effect.rs",
    "incident/words.rs",
    "incident/rehearsal.rs",
    "incident/timeline.rs",
    "incident/untried.rs",
    "incident/explain.rs",
    "incident/ledger.rs",
    "incident/ledger/",
    "sla/",
    "escalation/",
    "oncall/",
    "paging/rules.rs",
    "paging/throttle.rs",
    "paging/progress.rs",
    "paging/breaker.rs",
    "paging/message.rs",
    "paging/grammar.rs",
    "paging/script.rs",
    "paging/dispatch.rs",
    "paging/attempt.rs",
    "paging/answer.rs",
    "paging/claimed.rs",
    "paging/meant.rs",
    "paging/draft.rs",
    "intake/events_v1.rs",
    "intake/events_v2.rs",
    "intake/alertmanager.rs",
    "intake/generic.rs",
    "intake/signal.rs",
    "intake/phone/conversation.rs",
    "intake/phone/about.rs",
    "intake/phone/live.rs",
    "intake/phone/script.rs",
    "intake/phone/phrases.rs",
    "intake/phone/report.rs",
    "mail/compose.rs",
    "mail/draft.rs",
    "node/presence.rs",
    "node/skew.rs",
    "quarantine/hold.rs",
    "report/chart.rs",
    "report/compliance.rs",
    "report/csv.rs",
    "report/downtime.rs",
    "report/judge.rs",
    "report/page.rs",
    "report/period.rs",
    "report/signed/check.rs",
    "report/signed/contents.rs",
    "report/signed/words.rs",
    "report/table.rs",
    "report/tally.rs",
    "report/wording.rs",
    "carrier/document.rs",
    "carrier/status.rs",
    "carrier/segment.rs",
    "carrier/smtp/letter.rs",
    "carrier/smtp/reply.rs",
    "carrier/twilio/request.rs",
    "carrier/twilio/signature.rs",
    "carrier/twilio/twiml.rs",
    "carrier/twilio/errors.rs",
    "carrier/twilio/words.rs",
    "readiness/",
    "span.rs",
    "watch/beat.rs",
    "watch/health.rs",
    "watch/stall.rs",
    "watch/step.rs",
    "web/handsets/guide.rs",
    "web/handsets/phone.rs",
    "web/handsets/shelf.rs",
    "web/intake/snippet.rs",
    "web/intake/trial.rs",
];

/// What a pure file does not say.
const IMPURE: &[&str] = &[
    "tokio::",
    "use tokio",
    "sqlx",
    "axum",
    "reqwest",
    "async fn",
    "async move",
    ".await",
    "Utc::now",
    "Instant::now",
    "SystemTime",
    "Local::now",
    "rand::",
    "std::fs",
    "std::net",
];

const LONGEST: usize = 600;

/// A source file without its tests.
struct Source {
    /// Below `src/`.
    name: String,
    text: String,
    lines: usize,
    test: bool,
}

impl Source {
    /// The code of it: no comments, no tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.match_indices("\n#[cfg(test)]\n").find_map(|(at, _)| {
            let after = self.text[at + 1..].lines().nth(1)?;
            (after.contains("mod ") && after.ends_with('{')).then_some(at)
        });
        let end = end.unwrap_or(self.text.len());
        self.text[..end].lines().enumerate().map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
    }

    fn is(&self, listed: &str) -> bool {
        if listed.ends_with('/') { self.name.starts_with(listed) } else { self.name == listed }
    }
}

fn sources() -> Vec<Source> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("src") {
            let path = entry.expect("src").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    found.sort();
    assert!(found.len() > 100, "the sources are not where they were");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).expect("below src").to_str().expect("UTF-8").to_owned();
        let text = std::fs::read_to_string(&path).expect("a source");
        let test = name.contains("tests") || name.ends_with("arbitrary.rs");
        Source { lines: text.lines().count(), test, name, text }
    };
    found.into_iter().map(read).collect()
}

/// Every place in product code where one of `words` stands, in files that `wanted` picks.
fn places(wanted: impl Fn(&Source) -> bool, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources().iter().filter(|source| !source.test && wanted(source)) {
        for (number, line) in source.code() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                places.push(format!("src/{}:{number}: {word}", source.name));
            }
        }
    }
    places
}

#[test]
fn pure_files_do_no_input_and_output_and_do_not_ask_the_time() {
    let sources = sources();
    for listed in PURE {
        assert!(sources.iter().any(|source| source.is(listed)), "src/{listed} is not there any more");
    }
    let pure = |source: &Source| PURE.iter().any(|listed| source.is(listed)) && !source.name.ends_with("/store.rs");
    assert_eq!(places(pure, IMPURE), [""; 0]);
}

#[test]
fn sql_lives_in_stores_alone() {
    let elsewhere = |source: &Source| {
        !source.name.ends_with("/store.rs") && !source.name.starts_with("store/") && source.name != "timer/claim.rs"
    };
    assert_eq!(places(elsewhere, &["sqlx::query", "Sql::same(", "Sql {"]), [""; 0]);
}

/// A later release may add one: PostgreSQL then refuses what a connection has prepared with `*`.
#[test]
fn columns_are_read_by_their_names() {
    assert_eq!(places(|_| true, &["select *", "returning *"]), [""; 0]);
}

#[test]
fn only_carriers_and_the_command_line_speak_http_to_others() {
    // An issuer that people sign in with is asked who they are. And one file of the watch: a dead-man service outside is told by HTTP that we are well, and a heartbeat that did
    // not knock at our own port from outside would not see that nobody answers there.
    let allowed = |source: &Source| {
        let files = ["watch/outside.rs", "access/oidc.rs"];
        source.name.starts_with("carrier/") || source.name.starts_with("cli/") || files.contains(&source.name.as_str())
    };
    let elsewhere = |source: &Source| !allowed(source);
    assert_eq!(places(elsewhere, &["reqwest"]), [""; 0]);
}

#[test]
fn only_carriers_speak_smtp() {
    // An address is read where addresses are.
    let elsewhere = |source: &Source| !source.name.starts_with("carrier/smtp/") && source.name != "people/mail.rs";
    assert_eq!(places(elsewhere, &["lettre"]), [""; 0]);
    let addresses = |source: &Source| source.name == "people/mail.rs";
    assert_eq!(places(addresses, &["transport", "Smtp"]), [""; 0]);
}

#[test]
fn business_time_comes_from_the_clock_that_was_handed_in() {
    let elsewhere = |source: &Source| source.name != "clock.rs" && !source.name.starts_with("cli/");
    assert_eq!(places(elsewhere, &["Utc::now", "Local::now", "SystemTime::now"]), [""; 0]);
    let queries = |source: &Source| source.name.ends_with("/store.rs") || source.name == "timer/claim.rs";
    assert_eq!(places(queries, &["datetime(", "now()", "current_timestamp", "julianday"]), [""; 0]);
}

#[test]
fn only_the_server_and_the_command_line_know_the_rest_interface() {
    // The handsets have an `api` of their own.
    let inside = ["api/", "server/", "cli/", "web/", "carrier/handsets/"];
    let elsewhere = |source: &Source| !inside.iter().any(|folder| source.name.starts_with(folder));
    // The one error that every door of ours answers with.
    let allowed: Vec<String> =
        places(elsewhere, &["api::Problem", "api::{Problem"]).iter().map(|place| line_of(place)).collect();
    let mut others = places(elsewhere, &["api::"]);
    // Signing in has pages of its own, and whoever is not let in is told so by a page.
    let pages = |source: &Source| {
        elsewhere(source) && !source.name.starts_with("access/web") && source.name != "access/refused.rs"
    };
    others.extend(places(pages, &["crate::web"]));
    others.retain(|place| !allowed.contains(&line_of(place)));
    assert_eq!(others, [""; 0]);
}

/// `src/x.rs:7`
fn line_of(place: &str) -> String {
    place.split(": ").next().unwrap_or_default().into()
}

#[test]
fn no_file_is_longer_than_six_hundred_lines() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| source.lines > LONGEST)
        .map(|source| format!("src/{} has {} lines", source.name, source.lines))
        .collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn nothing_is_left_to_do() {
    assert_eq!(places(|_| true, &["todo!", "unimplemented!", "dbg!(", "FIXME", "XXX"]), [""; 0]);
}

#[test]
fn the_schedule_and_the_pin_do_not_reach_a_log() {
    // Numbers are masked by their type; whoever takes one out of it must not log it.
    let logged = ["tracing::info!", "tracing::warn!", "tracing::error!", "tracing::debug!"];
    let bad: Vec<String> = sources()
        .iter()
        .filter(|source| !source.test)
        .flat_map(|source| {
            let lines: Vec<(usize, &str)> = source.code().collect();
            let found = lines.iter().filter(|(_, line)| {
                logged.iter().any(|log| line.contains(log))
                    && [
                        "number.as_str()",
                        "address.as_str()",
                        "mail.address",
                        "mail.subject",
                        "mail.body",
                        "from.as_str()",
                        "token",
                        "pin_hash",
                    ]
                    .iter()
                    .any(|secret| line.contains(&format!("= {secret}")) || line.contains(&format!("%{secret}")))
            });
            found.map(|(number, _)| format!("src/{}:{number}", source.name)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(bad, [""; 0]);
}

#[test]
fn every_store_is_among_those_whose_statements_are_prepared() {
    let stores = sources().iter().filter(|source| source.text.contains("pub const STATEMENTS")).count();
    assert_eq!(stores, crate::statements::ALL.len(), "a store is not in the list");
}

#[test]
fn a_statement_that_is_written_is_listed() {
    for source in sources().iter().filter(|source| source.text.contains("pub const STATEMENTS")) {
        let (body, list) = source.text.split_once("pub const STATEMENTS").expect("the list");
        let written =
            body.lines().chain(list.lines()).filter_map(|line| line.strip_prefix("const ")?.split_once(": Sql"));
        for (name, _) in written {
            let listed = list.split("];").next().is_some_and(|list| list.contains(&format!(", {name})")));
            assert!(listed, "src/{}: {name} is not in STATEMENTS", source.name);
        }
    }
}
