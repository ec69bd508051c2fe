//! What others say when they are asked: our own address, the carriers, the mail servers.

use futures::future::join_all;

use super::echo;
use crate::{
    carrier::{ErrorClass, SendError, smtp::Smtp, twilio},
    readiness::{Finding, Topic},
    server::{App, settings::CarrierSettings},
    watch::outside,
};

/// Asks all of them at once; nobody takes longer than [`outside::PATIENCE`].
pub(super) async fn ask(app: &App) -> Vec<Finding> {
    let (address, carriers, signatures, mail) = tokio::join!(
        address(app),
        join_all(app.carriers.iter().map(|carrier| async move {
            let known = tokio::time::timeout(outside::PATIENCE, carrier.check()).await;
            account(carrier.key().as_str(), known.unwrap_or_else(|_| Err(silent())))
        })),
        join_all(app.settings.carriers.iter().map(|(key, settings)| signature(app, key.as_str(), settings))),
        join_all(app.settings.carriers.iter().map(|(key, settings)| mail(key.clone(), settings))),
    );
    [address]
        .into_iter()
        .chain(carriers)
        .chain(signatures.into_iter().flatten())
        .chain(mail.into_iter().flatten())
        .collect()
}

/// Whether what answers at our address is us.
async fn address(app: &App) -> Finding {
    let nonce = hex::encode(rand::random::<[u8; echo::NONCE / 2]>());
    let base = app.settings.public_url.trim_end_matches('/');
    match outside::read(&format!("{base}/readiness/echo/{nonce}")).await {
        Ok((200, text)) if text.trim() == echo::answer(app, &nonce) => {
            Topic::Address.good(format!("{base} was asked from here, and it is us who answers"))
        }
        Ok((status, _)) => Topic::Address.bad(format!(
            "{base} was asked from here, and something else answered ({status}): look at the proxy and at public_url"
        )),
        Err(error) => Topic::Address.bad(format!(
            "{base} cannot be reached from here ({error}): carriers cannot tell us of calls and texts, unless only this \
             machine is kept from it"
        )),
    }
}

/// What a carrier says about our account.
fn account(key: &str, known: Result<(), SendError>) -> Finding {
    match known {
        Ok(()) => Topic::Carriers.good(format!("carrier {key} was asked, and knows our account")),
        Err(SendError { class: ErrorClass::PermanentConfig, code, .. }) => Topic::Carriers.bad(format!(
            "carrier {key} refuses our account{}: look at account_sid and auth_token",
            code.map(|code| format!(" (error {code})")).unwrap_or_default()
        )),
        Err(SendError { code, message, .. }) => {
            let code = code.map(|code| format!(", error {code}")).unwrap_or_default();
            Topic::Carriers.warning(format!("carrier {key} was asked and gave no clear answer: {message}{code}"))
        }
    }
}

/// Whether a request signed as the carrier signs it is taken at our address.
async fn signature(app: &App, key: &str, settings: &CarrierSettings) -> Option<Finding> {
    let CarrierSettings::Twilio(settings) = settings else { return None };
    Some(match twilio::knock(&app.settings.public_url, key, settings).await {
        Ok(200..=299) => {
            Topic::Address.good(format!("a request signed as carrier {key} signs was taken at our address"))
        }
        Ok(403) => Topic::Address.bad(format!(
            "a request signed as carrier {key} signs was refused at our address: a proxy changes it, or public_url is \
             not what the carrier is told"
        )),
        Ok(status) => {
            Topic::Address.bad(format!("a request signed as carrier {key} signs was answered {status} at our address"))
        }
        Err(error) => Topic::Address.bad(format!("a request signed as carrier {key} signs did not arrive: {error}")),
    })
}

async fn mail(key: crate::id::CarrierKey, settings: &CarrierSettings) -> Option<Finding> {
    let CarrierSettings::Smtp(smtp) = settings else { return None };
    Some(match Smtp::new(key.clone(), smtp) {
        Ok(server) => match tokio::time::timeout(outside::PATIENCE, server.test()).await {
            Ok(Ok(())) => {
                Topic::Mail.good(format!("carrier {key}: the mail server at {} takes mail from us", smtp.url))
            }
            Ok(Err(refused)) => Topic::Mail.bad(format!("carrier {key}: {}: {}", smtp.url, refused.words)),
            Err(_) => Topic::Mail.bad(format!("carrier {key}: {}: no answer in time", smtp.url)),
        },
        Err(error) => Topic::Mail.bad(format!("{error:#}")),
    })
}

fn silent() -> SendError {
    SendError { class: ErrorClass::Ambiguous, code: None, message: "no answer in time".into() }
}
