//! The cookies we set, and how they are found again. Pure.

use chrono::TimeDelta;

/// No header is read further, and no more cookies of one name are looked at.
const LONGEST_HEADER: usize = 16 * 1024;
const MOST: usize = 4;

/// A cookie of ours: its name, and how it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: String,
    secure: bool,
}

impl Cookie {
    /// The cookie `name` of a service that people reach at `public_url`. Over https a browser takes it from this very
    /// host alone (`__Host-`, RFC 6265bis, 4.1.3.2) and never sends it in the clear. Over http it is a plain one, on
    /// this machine too: Safari keeps no `Secure` cookie of `http://localhost`.
    pub fn of(public_url: &str, name: &str) -> Cookie {
        let secure = public_url.starts_with("https://");
        Cookie { name: format!("{}{name}", if secure { "__Host-" } else { "" }), secure }
    }

    /// As it stands in a request.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values under its name in one `Cookie` header.
    pub fn values<'h>(&'h self, header: &'h str) -> impl Iterator<Item = &'h str> {
        let header = if header.len() > LONGEST_HEADER { "" } else { header };
        let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| value).take(MOST)
    }

    /// A `Set-Cookie` header that a browser keeps for `age`. `value` is made of letters, digits, `-`, `_` and `.`.
    pub fn set(&self, value: &str, age: TimeDelta) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", self.name, age.num_seconds())
    }

    /// A `Set-Cookie` header that makes a browser forget it.
    pub fn clear(&self) -> String {
        self.set("", TimeDelta::zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_bound_to_its_host_and_to_https_where_there_is_https() {
        let set = |url: &str| Cookie::of(url, "ringdown").set("abc", TimeDelta::hours(12));
        assert_eq!(
            set("https://r.example.com/x"),
            "__Host-ringdown=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200; Secure"
        );
        for plain in ["http://r.example.com", "http://127.0.0.1:8080"] {
            assert_eq!(set(plain), "ringdown=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200");
        }
        assert!(Cookie::of("http://a", "ringdown").clear().starts_with("ringdown=; "));
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let cookie = Cookie::of("https://r.example.com", "ringdown");
        let found = |header: &str| cookie.values(header).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found("a=1; __Host-ringdown=abc; ringdown=x;__Host-ringdown=d=e"), ["abc", "d=e"]);
        assert_eq!(found("ringdown=x; __Host-ringdown2=y; x__Host-ringdown=z; __host-ringdown=w; ;=;"), [""; 0]);
        assert_eq!(found(&"__Host-ringdown=a;".repeat(9)).len(), MOST);
        assert_eq!(found(&"__Host-ringdown=a;".repeat(9_000)), [""; 0]);
    }
}
