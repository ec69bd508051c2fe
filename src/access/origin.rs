//! Where a request comes from, as its browser says, and where it may be sent on to. Pure.

/// What a browser says of the page that made it ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'h> {
    /// `Sec-Fetch-Site`: sent over https and to this machine.
    pub site: Option<&'h str>,
    /// `Origin`: sent with every POST.
    pub origin: Option<&'h str>,
    pub host: Option<&'h str>,
}

impl Told<'_> {
    /// Whether a page of ours may have asked. A browser that says nothing at all is no browser of these years; what
    /// else is sent along has to show who it is.
    pub fn is_ours(&self, public_url: &str) -> bool {
        match (self.site, self.origin) {
            (Some("same-origin"), None | Some("null")) => true,
            (Some("same-origin" | "none") | None, Some(origin)) => self.is_own(origin, public_url),
            (Some("none") | None, None) => true,
            (Some(_), _) => false,
        }
    }

    /// A proxy in front may speak https where we hear http, so that the request's own host goes without its scheme.
    fn is_own(&self, origin: &str, public_url: &str) -> bool {
        let Some((_, place)) = origin.split_once("://") else { return false };
        let host = self.host.is_some_and(|host| !host.is_empty() && host.eq_ignore_ascii_case(place));
        host || origin_of(public_url).is_some_and(|ours| ours.eq_ignore_ascii_case(origin))
    }
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    Some(&url[..end])
}

/// The host of an address that begins with `https://`, without its port.
pub fn https_host(url: &str) -> Option<&str> {
    let place = origin_of(url)?.strip_prefix("https://")?;
    if place.starts_with('[') { None } else { place.split(':').next() }
}

/// Whether the address is of this machine alone.
pub fn is_loopback(url: &str) -> bool {
    let place = origin_of(url).and_then(|origin| origin.split_once("://")).map_or("", |(_, place)| place);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    let localhost = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    localhost || host.parse::<core::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The path, if it is one of ours: what follows a sign-in must not lead elsewhere.
pub fn local(next: &str) -> Option<&str> {
    const LONGEST: usize = 2000;
    let fine = next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= LONGEST
        // A browser reads a backslash as a slash, and leaves tabs and line ends out.
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    fine.then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_site_is_told_from_ours() {
        let ours = |site, origin, host| Told { site, origin, host }.is_ours("https://r.example.com/pager");
        let here = Some("10.0.0.7:8080");
        for (site, origin, host) in [
            (Some("same-origin"), Some("https://r.example.com"), here),
            (None, Some("https://r.example.com"), here),
            (None, Some("https://R.Example.com"), None),
            (None, Some("http://10.0.0.7:8080"), here),
            (Some("none"), None, here),
            (Some("same-origin"), None, None),
            (Some("same-origin"), Some("null"), here),
            (None, None, here),
        ] {
            assert!(ours(site, origin, host), "{site:?} {origin:?} {host:?}");
        }
        for (site, origin, host) in [
            (Some("cross-site"), Some("https://r.example.com"), here),
            (Some("same-site"), None, here),
            (Some("same-site"), Some("https://evil.example.com"), here),
            (Some("same-origin"), Some("https://evil.example.com"), here),
            (None, Some("https://evil.example.com"), here),
            (None, Some("https://r.example.com.evil.example"), here),
            (None, Some("https://r.example.com:8443"), here),
            (None, Some("http://r.example.com"), here),
            (None, Some("null"), here),
            (None, Some("null"), Some("null")),
            (None, Some(""), Some("")),
            (None, Some("http://"), Some("")),
            (Some("none"), Some("null"), here),
            (Some(""), None, here),
        ] {
            assert!(!ours(site, origin, host), "{site:?} {origin:?} {host:?}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_known() {
        for url in
            ["http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:1", "http://a.localhost", "http://127.9.9.9"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://10.0.0.1", "http://localhost.example.com", "http://127.0.0.1@evil.example", "", "127.0.0.1"]
        {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn only_a_path_of_our_own_is_gone_on_to() {
        for fine in ["/", "/incidents/4821?x=1#y", "/a/b//c", "/%2F%2Fevil.example"] {
            assert_eq!(local(fine), Some(fine));
        }
        let long = format!("/{}", "a".repeat(2000));
        for bad in [
            "",
            "incidents",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            " /",
            "/é",
            "/ ",
            "/\u{0}",
            &long,
        ] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
    }
}
