//! Variables that look like settings and are none: read by nobody, they would be believed to hold.

use std::collections::BTreeSet;

use crate::config::finding::nearest;

const OURS: &str = "RINGDOWN_";

/// A carrier's settings begin like this; nothing else does.
const CARRIER: &str = "RINGDOWN_CARRIERS__";

/// What is read elsewhere.
const ELSEWHERE: [&str; 4] = ["RINGDOWN_CONFIG", "RINGDOWN_LOG", "RINGDOWN_TOKEN", "RINGDOWN_URL"];

/// One of them, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stray {
    /// It can be nothing but a setting, so the settings are not what somebody meant.
    Error(String),
    /// Perhaps a typing mistake, perhaps somebody else's: Kubernetes sets `RINGDOWN_PORT` for a service of our name.
    Warning(String),
}

/// The variables among `given` that reading the settings did not ask for.
pub fn strays(given: impl IntoIterator<Item = String>, asked: &BTreeSet<String>) -> Vec<Stray> {
    let known = || asked.iter().map(String::as_str).chain(ELSEWHERE).filter_map(|name| name.strip_prefix(OURS));
    let mut strays = Vec::new();
    for name in given {
        let Some(own) = name.strip_prefix(OURS) else { continue };
        if asked.contains(&name) || ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let near = nearest(own, known()).map(|near| format!("; did you mean `{OURS}{near}`?"));
        if let Some(rest) = name.strip_prefix(CARRIER) {
            let carrier = rest.split("__").next().unwrap_or_default().to_lowercase();
            let mend = near.unwrap_or_else(|| {
                format!("; if `{carrier}` is a carrier, name it in the file or in RINGDOWN_CARRIERS=\"{carrier}\"")
            });
            strays.push(Stray::Error(format!("the environment: {name}: no carrier has such a setting{mend}")));
        } else if let Some(near) = near {
            strays.push(Stray::Warning(format!("the environment: {name} is no setting of ours{near}")));
        }
    }
    strays
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(given: &[&str]) -> Vec<Stray> {
        let asked = ["RINGDOWN_LISTEN", "RINGDOWN_CARRIERS", "RINGDOWN_CARRIERS__TWILIO__AUTH_TOKEN", "HOME"];
        let asked = asked.map(String::from).into_iter().collect();
        strays(given.iter().map(|name| name.to_string()), &asked)
    }

    #[test]
    fn a_carriers_setting_that_nobody_reads_is_an_error() {
        let Stray::Error(said) = &found(&["RINGDOWN_CARRIERS__VONAGE__KIND"])[0] else { panic!() };
        insta::assert_snapshot!(said, @r#"the environment: RINGDOWN_CARRIERS__VONAGE__KIND: no carrier has such a setting; if `vonage` is a carrier, name it in the file or in RINGDOWN_CARRIERS="vonage""#);
        let Stray::Error(said) = &found(&["RINGDOWN_CARRIERS__TWILIO__AUTH_TOKN"])[0] else { panic!() };
        assert!(said.ends_with("did you mean `RINGDOWN_CARRIERS__TWILIO__AUTH_TOKEN`?"), "{said}");
    }

    #[test]
    fn a_likely_typing_mistake_is_a_warning() {
        let Stray::Warning(said) = &found(&["RINGDOWN_LISTNE"])[0] else { panic!() };
        assert!(said.ends_with("did you mean `RINGDOWN_LISTEN`?"), "{said}");
    }

    #[test]
    fn what_is_read_and_what_is_somebody_elses_is_let_be() {
        let ours = ["RINGDOWN_LISTEN", "RINGDOWN_URL", "RINGDOWN_LOG", "HOME", "PATH"];
        let kubernetes = ["RINGDOWN_SERVICE_HOST", "RINGDOWN_PORT", "RINGDOWN_PORT_8080_TCP_ADDR"];
        assert_eq!(found(&ours), []);
        assert_eq!(found(&kubernetes), []);
    }
}
