//! `[oidc]` and `trusted_proxies`: who signs in, and from where.

use secrecy::SecretString;

use super::read::{Given, Reader};
use crate::{
    access::{network::Range, oidc},
    config::document::Fields,
};

/// An OpenID Connect issuer with whom people sign in.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// Exactly as the issuer calls itself.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// What the button says.
    pub name: String,
    /// The claim that says who somebody is: `email`, which is held against `mail` in people.toml, or another, which is
    /// held against people's keys.
    pub claim: String,
}

/// Proxies on this machine are ours.
pub(super) fn proxies() -> Vec<Range> {
    ["127.0.0.0/8", "::1"].iter().filter_map(|range| range.parse().ok()).collect()
}

impl Reader<'_> {
    /// A list in the file; with commas between in the environment.
    pub(super) fn trusted_proxies(&self, given: Given<'_, '_>) -> Vec<Range> {
        match given {
            Given::Written(node) => {
                let read = |item| self.text(Given::Written(item), |text| text.parse());
                node.items().iter().filter_map(read).collect()
            }
            Given::Environment { variable, value } => {
                let read = |text: &str| text.trim().parse().map_err(|error| self.stray(&variable, error)).ok();
                value.split(',').filter(|text| *text != "none").filter_map(read).collect()
            }
        }
    }

    /// The table, or what the environment says where the file has none.
    pub(super) fn oidc(&self, t: &Fields<'_>) -> Option<OidcSettings> {
        match t.optional("oidc") {
            Some(node) => node.fields(|t| self.oidc_fields(t)),
            None if self.has("RINGDOWN_OIDC__ISSUER") => {
                self.without_file("oidc", |node| node.fields(|t| self.oidc_fields(t)))
            }
            None => {
                // They are settings all the same, and no typing mistakes.
                for key in ["CLIENT_ID", "CLIENT_SECRET", "NAME", "CLAIM"] {
                    self.has(&format!("RINGDOWN_OIDC__{key}"));
                }
                None
            }
        }
    }

    fn oidc_fields(&self, t: &Fields<'_>) -> Option<OidcSettings> {
        let own = |key: &'static str| self.given(t, key, format!("RINGDOWN_OIDC__{}", key.to_uppercase()));
        let needed = |key: &'static str, example: &str| {
            // Asked again, the document notes that it is missing.
            own(key).or_else(|| t.required(key, example).map(Given::Written))
        };
        let issuer = needed("issuer", "\"https://login.example.com\"").and_then(|given| self.text(given, address));
        let client_id = needed("client_id", "\"ringdown\"").and_then(|given| self.text(given, |text| word(text, 200)));
        let secret = needed("client_secret", "\"env:OIDC_SECRET\"");
        let client_secret = secret.and_then(|given| self.text(given, |text| self.secret(text)));
        let name = own("name").and_then(|given| self.text(given, |text| word(text, 60)));
        let claim = own("claim").and_then(|given| self.text(given, |text| word(text, 100)));
        Some(OidcSettings {
            issuer: issuer?,
            client_id: client_id?,
            client_secret: client_secret?,
            name: name.unwrap_or_else(|| "Sign in with your organisation".into()),
            claim: claim.unwrap_or_else(|| "email".into()),
        })
    }
}

fn address(text: &str) -> Result<String, String> {
    if oidc::is_safe(text) && !text.contains(['?', '#', '@']) {
        return Ok(text.into());
    }
    Err("is not the address of an issuer; write `https://…` exactly as its discovery document does".into())
}

fn word(text: &str, most: usize) -> Result<String, String> {
    if text.chars().count() <= most { Ok(text.into()) } else { Err(format!("is longer than {most} characters")) }
}
