//! `X-Twilio-Signature`: whether a request was made by who knows our auth token.
//!
//! The base string is the full public URL as sent (percent-encoding untouched) and then, without separators, every
//! distinct form field and value, decoded, in byte order. HMAC-SHA1 under the auth token, in base 64. The scheme
//! carries no time: a request can be replayed, so everything behind it must bear that.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Whether `signature` was made over this URL and form under one of `tokens`. As Twilio's own libraries do, the URL
/// is tried without its port, and with the port it has or else its scheme's.
pub fn is_authentic<'t>(
    tokens: impl IntoIterator<Item = &'t str>,
    url: &str,
    form: &[(String, String)],
    signature: &str,
) -> bool {
    let Ok(claimed) = BASE64_STANDARD.decode(signature) else { return false };
    let mut pairs: Vec<_> = form.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let urls = spellings(url);
    // Every candidate is tried: how long it takes tells nothing.
    let mut authentic = false;
    for token in tokens {
        // An empty key is one that everybody knows.
        if token.is_empty() {
            continue;
        }
        for url in &urls {
            let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes keys of any length");
            mac.update(url.as_bytes());
            for (name, value) in &pairs {
                mac.update(name);
                mac.update(value);
            }
            authentic |= mac.verify_slice(&claimed).is_ok();
        }
    }
    authentic
}

/// The signature that Twilio would put under this URL and form.
pub fn sign(token: &str, url: &str, form: &[(String, String)]) -> String {
    let mut pairs: Vec<_> = form.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    for (name, value) in pairs {
        mac.update(name);
        mac.update(value);
    }
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// The URL without a port and with one. A text that is no URL is only itself.
fn spellings(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.into()] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A colon inside an IPv6 address is not before a port.
    let host_end = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[host_end..].rfind(':') {
        Some(at) => (&authority[..host_end + at], authority[host_end + at + 1..].to_owned()),
        None => (authority, if scheme == "http" { "80".into() } else { "443".into() }),
    };
    vec![format!("{scheme}://{host}{path}"), format!("{scheme}://{host}:{port}{path}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    /// Computed with Twilio's own Python library, 9.13.0: name, token, URL, form, signature.
    type Vector = (&'static str, &'static str, &'static str, Vec<(String, String)>, &'static str);

    fn vectors() -> Vec<Vector> {
        vec![
            (
                "a form",
                "12345",
                "https://mycompany.com/myapp.php?foo=1&bar=2",
                pairs(&[
                    ("CallSid", "CA1234567890ABCDE"),
                    ("Caller", "+12349013030"),
                    ("Digits", "1234"),
                    ("From", "+12349013030"),
                    ("To", "+18005551212"),
                ]),
                "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
            ),
            (
                "a text with empty fields and UTF-8",
                TOKEN,
                "https://oncall.example.com/webhooks/twilio/sms/inbound?tenant=acme%20inc&v=2",
                pairs(&[
                    ("ToCountry", "US"),
                    ("SmsMessageSid", "SM00000000000000000000000000000001"),
                    ("MessageSid", "SM00000000000000000000000000000001"),
                    ("SmsSid", "SM00000000000000000000000000000001"),
                    ("AccountSid", "AC00000000000000000000000000000001"),
                    ("NumMedia", "0"),
                    ("NumSegments", "1"),
                    ("SmsStatus", "received"),
                    ("From", "+15558675310"),
                    ("To", "+15017122661"),
                    ("Body", "ACK 42 – merci, ça marche 👍"),
                    ("FromCity", ""),
                    ("FromState", ""),
                    ("OptOutType", ""),
                ]),
                "Fnj223tWcYcOeKX02KESGAzav9s=",
            ),
            (
                "fields in byte order",
                TOKEN,
                "https://oncall.example.com/webhooks/twilio/voice/gather?page=9b2e",
                pairs(&[
                    ("AccountSid", "AC00000000000000000000000000000001"),
                    ("CallSid", "CA00000000000000000000000000000002"),
                    ("CallStatus", "in-progress"),
                    ("Digits", "4"),
                    ("Direction", "outbound-api"),
                    ("From", "+15017122661"),
                    ("To", "+15558675310"),
                    ("msg", "Gather End"),
                    ("FinishedOnKey", ""),
                ]),
                "RBsCOWold2XV4DzPb1nfQBc0Pko=",
            ),
            (
                "no form",
                "12345",
                "https://oncall.example.com/webhooks/twilio/voice?CallSid=CA00000000000000000000000000000002&From=%2B15558675310&To=%2B15017122661",
                vec![],
                "eQBDGXd2iNximNHhhhLgv20QKfw=",
            ),
        ]
    }

    #[test]
    fn a_request_signed_by_twilio_is_authentic_and_no_other() {
        for (name, token, url, form, signature) in vectors() {
            assert!(is_authentic([token], url, &form, signature), "{name}");
            assert!(is_authentic(["new", token], url, &form, signature), "{name}: the previous token");
            assert!(!is_authentic(["new"], url, &form, signature), "{name}: another token");
            assert!(!is_authentic([token], &format!("{url}&x"), &form, signature), "{name}: another URL");
            let mut more = form.clone();
            more.push(("Digits".into(), "9".into()));
            assert!(!is_authentic([token], url, &more, signature), "{name}: a field more");
            let mut twice = form.clone();
            twice.extend(form.first().cloned());
            assert!(is_authentic([token], url, &twice, signature), "{name}: doubles count once");
            assert!(!is_authentic([token], url, &form, ""), "{name}: no signature");
            assert!(!is_authentic([token], url, &form, "AAAA"), "{name}: a short signature");
            assert!(!is_authentic([token], url, &form, &signature.to_lowercase()), "{name}: another case");
        }
    }

    #[test]
    fn the_port_may_be_left_out_or_be_the_schemes_but_not_be_another() {
        let form = pairs(&[("CallSid", "CA00000000000000000000000000000002"), ("CallStatus", "completed")]);
        let (bare, on_443, on_8443) =
            ("8Vaa2BVjCxmz9tzRosGgnb2xKpc=", "6d+T+58vsACxOBmzqiEhp1Bts6g=", "SBftxtTmRRQqe3oDw3NtcsDujmQ=");
        for (port, signature, accepted) in [
            ("", bare, true),
            ("", on_443, true),
            (":8443", bare, true),
            (":8443", on_8443, true),
            (":8443", on_443, false),
            ("", on_8443, false),
            (":443", bare, true),
        ] {
            let url = format!("https://oncall.example.com{port}/v");
            assert_eq!(is_authentic(["12345"], &url, &form, signature), accepted, "{url} {signature}");
        }
    }

    #[test]
    fn a_url_has_two_spellings() {
        assert_eq!(spellings("http://h/p?x=a:b"), ["http://h/p?x=a:b", "http://h:80/p?x=a:b"]);
        assert_eq!(spellings("https://[::1]:8443/v"), ["https://[::1]/v", "https://[::1]:8443/v"]);
        assert_eq!(spellings("https://[::1]/v"), ["https://[::1]/v", "https://[::1]:443/v"]);
        assert_eq!(spellings("nonsense"), ["nonsense"]);
    }

    #[test]
    fn an_empty_token_authenticates_nobody() {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"").unwrap();
        mac.update(b"https://h/v");
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        assert!(!is_authentic([""], "https://h/v", &[], &signature));
    }
}
