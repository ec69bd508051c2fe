//! A browser: it keeps cookies, says where its forms come from, and follows nothing by itself.

use std::collections::BTreeMap;

use ringdown::{
    access::{Role, sign_in},
    server::App,
};

use super::{PUBLIC_URL, World};

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    pub location: Option<String>,
    /// `Set-Cookie` headers, whole.
    pub set: Vec<String>,
    pub text: String,
}

impl Page {
    /// What a hidden field of its forms holds.
    pub fn hidden(&self, name: &str) -> Option<String> {
        let (_, rest) = self.text.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(rest.split('"').next()?.to_owned())
    }

    /// Where it leads, which is to be another page of ours.
    pub fn to(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.location.as_deref().expect("a place to go")
    }
}

/// One browser of one person.
#[derive(Clone, Debug)]
pub struct Browser {
    pub http: reqwest::Client,
    pub base: String,
    pub cookies: BTreeMap<String, String>,
    /// Sent with forms.
    pub origin: String,
    pub site: Option<String>,
    /// Behind a proxy on this machine, from this address.
    pub from: Option<String>,
}

impl Browser {
    pub fn of(world: &World) -> Browser {
        Browser::at(world.url(""), PUBLIC_URL)
    }

    /// One for a service at `base`, whose pages are at `origin` for whoever looks at them.
    pub fn at(base: String, origin: &str) -> Browser {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).pool_max_idle_per_host(0);
        Browser {
            http: http.redirect(reqwest::redirect::Policy::none()).build().expect("a client"),
            base,
            cookies: BTreeMap::new(),
            origin: origin.into(),
            site: Some("same-origin".into()),
            from: None,
        }
    }

    /// Somebody who came in by a link of this machine's.
    pub async fn signed_in(world: &World, person: Option<&str>, role: Option<Role>) -> Browser {
        let mut browser = Browser::of(world);
        browser.enter(&world.running().app, person, role).await;
        browser
    }

    /// Comes in by a link of the service's machine.
    pub async fn enter(&mut self, app: &App, person: Option<&str>, role: Option<Role>) {
        let link = made(app, person, role).await;
        assert_eq!(self.post(&link, &[]).await.to(), "/");
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.into() } else { format!("{}{path}", self.base) }
    }

    async fn answer(&self, request: reqwest::RequestBuilder, ours: bool) -> reqwest::Response {
        let mut request = request.header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
        if ours {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if !cookies.is_empty() {
                request = request.header("cookie", cookies.join("; "));
            }
            if let Some(from) = &self.from {
                request = request.header("x-forwarded-for", from);
            }
        }
        request.send().await.expect("an answer")
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, ours: bool) -> Page {
        let response = self.answer(request, ours).await;
        let headers = response.headers().clone();
        let texts = |name: &str| -> Vec<String> {
            headers.get_all(name).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
        };
        let (status, set) = (response.status().as_u16(), texts("set-cookie"));
        for cookie in set.iter().filter(|_| ours) {
            let (pair, rules) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            if rules.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        let location = texts("location").pop();
        Page { status, location, set, text: response.text().await.expect("a body") }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let ours = !path.starts_with("http");
        self.send(self.http.get(self.url(path)), ours).await
    }

    /// An answer that does not end: it is read chunk by chunk.
    pub async fn stream(&self, path: &str) -> reqwest::Response {
        self.answer(self.http.get(self.url(path)), true).await
    }

    /// Sends a form of a page of ours.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut request = self.http.post(self.url(path)).form(fields).header("origin", &self.origin);
        if let Some(site) = &self.site {
            request = request.header("sec-fetch-site", site);
        }
        self.send(request, true).await
    }

    /// The hidden field of every form, as any page has it.
    pub async fn csrf(&mut self) -> String {
        self.get("/sign-in/sessions").await.hidden("csrf").expect("somebody who is signed in")
    }

    /// Sends a form with the hidden field.
    pub async fn act(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf().await;
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.post(path, &fields).await
    }

    /// Sends a form as `page` has it, lets the world come to rest, and goes where that leads.
    pub async fn fill(&mut self, world: &World, page: &str, to: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get(page).await.hidden("csrf").expect("a page with forms");
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        let sent = self.post(to, &fields).await;
        world.settle().await;
        match &sent.location {
            Some(next) => self.get(next.split('#').next().expect("a path")).await,
            None => sent,
        }
    }

    /// Whether it shows the board.
    pub async fn is_in(&mut self) -> bool {
        self.get("/").await.status == 200
    }
}

/// A link as `ringdown sign-in` prints it, without the host.
pub async fn link(world: &World, person: Option<&str>, role: Option<Role>) -> String {
    made(&world.running().app, person, role).await
}

async fn made(app: &App, person: Option<&str>, role: Option<Role>) -> String {
    let mut tx = app.db.begin().await.expect("the database");
    let (person, now) = (person.map(Into::into), app.clock.now());
    let token = sign_in::make_link(&mut tx, person.as_ref(), "a guest", role, now).await.expect("a link");
    tx.commit().await.expect("the database");
    format!("/sign-in/link/{token}")
}
