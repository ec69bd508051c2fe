//! A small OpenID Connect issuer that insists on what the standard says, and lies when it is told to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::*};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use ringdown::{clock::Clock, server::settings::OidcSettings};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::PUBLIC_URL;

pub const CLIENT: &str = "ringdown at example";
pub const SECRET: &str = "a secret: with / and %";

type Pairs = Vec<(String, String)>;

/// In what it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    Nonce,
    Audience,
    Issuer,
    Signature,
    NoAlgorithm,
    Expired,
    Unverified,
    /// No address in the token; `/userinfo` has it.
    Thin,
    /// The same, and `/userinfo` is about somebody else.
    SomebodyElse,
    /// Another `iss` beside the code.
    MixUp,
    Refuses,
}

struct Key {
    id: String,
    signs: EncodingKey,
    public: Jwk,
}

fn key(id: &str) -> Key {
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new());
    let signs = EncodingKey::from_ec_der(pair.expect("a key").as_ref());
    let mut public = Jwk::from_encoding_key(&signs, Algorithm::ES256).expect("a public key");
    public.common.key_id = Some(id.into());
    Key { id: id.into(), signs, public }
}

struct Book {
    /// Where whom it serves is reached.
    client_url: String,
    email: String,
    lie: Option<Lie>,
    post: bool,
    keys: Vec<Key>,
    /// Codes that were given out and not exchanged yet: with the request for them.
    codes: Vec<(String, Pairs)>,
    exchanged: u32,
    keys_asked: u32,
    violations: Vec<String>,
}

/// The issuer. Cheap to clone.
#[derive(Clone)]
pub struct Issuer {
    address: SocketAddr,
    clock: Clock,
    book: Arc<Mutex<Book>>,
}

fn value<'p>(pairs: &'p Pairs, name: &str) -> &'p str {
    pairs.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
}

impl Issuer {
    /// One where somebody with this address is signed in.
    pub async fn start(clock: Clock, email: &str) -> Issuer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let book = Book {
            client_url: PUBLIC_URL.into(),
            email: email.into(),
            lie: None,
            post: false,
            keys: vec![key("first")],
            codes: Vec::new(),
            exchanged: 0,
            keys_asked: 0,
            violations: Vec::new(),
        };
        let issuer =
            Issuer { address: listener.local_addr().expect("an address"), clock, book: Arc::new(Mutex::new(book)) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .route("/userinfo", get(user_info))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().expect("the book")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// As it is written in ringdown.toml.
    pub fn settings(&self) -> OidcSettings {
        OidcSettings {
            issuer: self.url(),
            client_id: CLIENT.into(),
            client_secret: SECRET.to_owned().into(),
            name: "Sign in with Example".into(),
            claim: "email".into(),
        }
    }

    /// Whom it serves is reached elsewhere.
    #[allow(dead_code, reason = "one of the test binaries uses it")]
    pub fn serves(&self, public_url: &str) {
        self.book().client_url = public_url.into();
    }

    /// Somebody else is signed in there now.
    pub fn knows(&self, email: &str) {
        self.book().email = email.into();
    }

    pub fn lies(&self, lie: Option<Lie>) {
        self.book().lie = lie;
    }

    /// Takes the secret in the form alone.
    pub fn wants_post(&self) {
        self.book().post = true;
    }

    /// Signs with a key that it did not have before.
    pub fn turns_key(&self, id: &str) {
        self.book().keys.insert(0, key(id));
    }

    pub fn keys_asked(&self) -> u32 {
        self.book().keys_asked
    }

    /// What it was asked wrongly.
    pub fn violations(&self) -> Vec<String> {
        self.book().violations.clone()
    }

    fn wrong(&self, what: impl Into<String>) -> Response {
        self.book().violations.push(what.into());
        (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_request"}))).into_response()
    }
}

async fn discovery(State(issuer): State<Issuer>) -> Json<Value> {
    let (url, post) = (issuer.url(), issuer.book().post);
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize?tenant=example"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "token_endpoint_auth_methods_supported":
            if post { json!(["client_secret_post"]) } else { json!(["client_secret_post", "client_secret_basic"]) },
    }))
}

/// Whoever comes is signed in already, and says yes.
async fn authorize(State(issuer): State<Issuer>, Query(asked): Query<Pairs>) -> Response {
    let is = |name: &str| value(&asked, name);
    let back = format!("{}/sign-in/oidc/callback", issuer.book().client_url);
    let scopes: Vec<&str> = is("scope").split(' ').collect();
    for (fine, what) in [
        (is("tenant") == "example", "the endpoint's own query is gone"),
        (is("response_type") == "code", "response_type"),
        (is("client_id") == CLIENT, "client_id"),
        (is("redirect_uri") == back, "redirect_uri"),
        (scopes.contains(&"openid") && scopes.contains(&"email"), "scope"),
        (is("code_challenge_method") == "S256", "code_challenge_method"),
        (is("code_challenge").len() == 43, "code_challenge"),
        (is("state").len() >= 32, "state"),
        (is("nonce").len() >= 32 && is("nonce") != is("state"), "nonce"),
    ] {
        if !fine {
            return issuer.wrong(format!("authorize: {what}"));
        }
    }
    let state = is("state").to_owned();
    let mut back = form_urlencoded::Serializer::new(format!("{}?", is("redirect_uri")));
    let mut book = issuer.book();
    if book.lie == Some(Lie::Refuses) {
        back.append_pair("error", "access_denied");
    } else {
        let code = format!("code-{}", book.codes.len() + book.exchanged as usize);
        back.append_pair("code", &code);
        book.codes.push((code, asked.clone()));
    }
    let iss = if book.lie == Some(Lie::MixUp) { "https://another.example".into() } else { issuer.url() };
    let to = back.append_pair("state", &state).append_pair("iss", &iss).finish();
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

async fn token(State(issuer): State<Issuer>, headers: HeaderMap, Form(given): Form<Pairs>) -> Response {
    let is = |name: &str| value(&given, name);
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET))));
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    let client = match issuer.book().post {
        true => shown.is_none() && is("client_id") == CLIENT && is("client_secret") == SECRET,
        false => shown == Some(basic.as_str()) && is("client_secret").is_empty(),
    };
    if !client || is("grant_type") != "authorization_code" {
        return issuer.wrong("token: the client did not show who it is");
    }
    let asked = {
        let mut book = issuer.book();
        let at = book.codes.iter().position(|(code, _)| code == is("code"));
        at.map(|at| book.codes.remove(at).1)
    };
    let Some(asked) = asked else { return issuer.wrong("token: a code that is not known, or was exchanged") };
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(is("code_verifier").as_bytes()));
    if challenge != value(&asked, "code_challenge") || is("redirect_uri") != value(&asked, "redirect_uri") {
        return issuer.wrong("token: the verifier or the redirect_uri is another");
    }
    let mut book = issuer.book();
    book.exchanged += 1;
    let (lie, now) = (book.lie, issuer.clock.now().timestamp());
    let lies = |this: Lie| lie == Some(this);
    let mut claims = json!({
        "iss": if lies(Lie::Issuer) { "https://another.example".into() } else { issuer.url() },
        "aud": if lies(Lie::Audience) { "another client" } else { CLIENT },
        "sub": "user 1",
        "nonce": if lies(Lie::Nonce) { "another nonce" } else { value(&asked, "nonce") },
        "iat": if lies(Lie::Expired) { now - 900 } else { now },
        "exp": if lies(Lie::Expired) { now - 600 } else { now + 300 },
        "email": book.email,
        "email_verified": !lies(Lie::Unverified),
    });
    if lies(Lie::Thin) || lies(Lie::SomebodyElse) {
        claims.as_object_mut().expect("an object").remove("email");
    }
    let signing = if lies(Lie::Signature) { &key("first").signs } else { &book.keys[0].signs };
    let header = Header { kid: Some(book.keys[0].id.clone()), ..Header::new(Algorithm::ES256) };
    let mut token = jsonwebtoken::encode(&header, &claims, signing).expect("a token");
    if lies(Lie::NoAlgorithm) {
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        token = format!("{}.{}.", part(json!({"alg": "none"})), part(claims));
    }
    Json(json!({"id_token": token, "access_token": "an access token", "token_type": "Bearer"})).into_response()
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let mut book = issuer.book();
    book.keys_asked += 1;
    let mut keys: Vec<Value> = book.keys.iter().map(|key| json!(key.public)).collect();
    keys.push(json!({"kty": "of a kind that nobody has heard of", "kid": "odd"}));
    Json(json!({"keys": keys}))
}

async fn user_info(State(issuer): State<Issuer>, headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|token| token != "Bearer an access token") {
        return issuer.wrong("userinfo: without the access token");
    }
    let book = issuer.book();
    let sub = if book.lie == Some(Lie::SomebodyElse) { "user 2" } else { "user 1" };
    Json(json!({"sub": sub, "email": book.email, "email_verified": true})).into_response()
}
