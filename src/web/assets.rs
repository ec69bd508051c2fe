//! What pages fetch: a style sheet, a script, a typeface and an icon, inside the binary. Nothing else is ever fetched.

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal as $kind:literal),* $(,)?) => {
        const ASSETS: &[Asset] =
            &[$(Asset { name: $name, kind: $kind, bytes: include_bytes!(concat!("assets/", $name)) },)*
            // A report looks the same on a page of its own.
            Asset { name: "report.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../report/report.css") }];
    };
}

assets! {
    "style.css" as "text/css; charset=utf-8",
    "board.css" as "text/css; charset=utf-8",
    "oncall.css" as "text/css; charset=utf-8",
    "handsets.css" as "text/css; charset=utf-8",
    "handsets.js" as "text/javascript; charset=utf-8",
    "phone.css" as "text/css; charset=utf-8",
    "renew.js" as "text/javascript; charset=utf-8",
    "intake.css" as "text/css; charset=utf-8",
    "intake.js" as "text/javascript; charset=utf-8",
    "live.js" as "text/javascript; charset=utf-8",
    "inter.woff2" as "font/woff2",
    "icon.svg" as "image/svg+xml",
}

/// A day in a browser's memory, and asked for again with its tag: a new release is seen by its tag.
const CACHE: &str = "public, max-age=300, stale-while-revalidate=86400";

/// `/assets/NAME`.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = tag(asset.bytes);
    let held = [(header::CACHE_CONTROL, CACHE.to_string()), (header::ETAG, tag.clone())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, held).into_response();
    }
    (held, [(header::CONTENT_TYPE, asset.kind)], asset.bytes).into_response()
}

/// What browsers ask for by themselves where no page told them of the icon: a payload, a file.
pub(super) async fn icon(headers: HeaderMap) -> Response {
    asset(Path("icon.svg".into()), headers).await
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(bytes)[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_asset_is_given_once_and_then_known_by_its_tag() {
        let first = asset(Path("style.css".into()), HeaderMap::new()).await;
        assert_eq!(
            (first.status(), &first.headers()[header::CONTENT_TYPE]),
            (StatusCode::OK, &"text/css; charset=utf-8".parse().unwrap())
        );
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())]);
        assert_eq!(asset(Path("style.css".into()), known).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(asset(Path("../mod.rs".into()), HeaderMap::new()).await.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn no_asset_names_another_host() {
        for asset in ASSETS.iter().filter(|asset| asset.kind.starts_with("text/")) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            assert!(
                !text.contains("//fonts") && !text.contains("https://") && !text.contains("url(//"),
                "{}",
                asset.name
            );
        }
    }
}
