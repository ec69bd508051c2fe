//! Which network a request comes from. Pure.

use core::{net::IpAddr, str::FromStr};
use std::fmt;

/// Proxies are not this many behind each other.
const MOST_HOPS: usize = 16;

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Range {
    start: IpAddr,
    bits: u8,
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "is not an address or a range of them; write for example `10.0.0.0/8` or `127.0.0.1`".to_owned();
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let start: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if start.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(bad)?,
            None => most,
        };
        Ok(Range { start: cut(start, bits), bits })
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.start, self.bits)
    }
}

impl Range {
    /// Whether this address is in it.
    pub fn has(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.start.is_ipv4() && cut(ip, self.bits) == self.start
    }
}

/// The first `bits` of an address, and zeros.
fn cut(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)).into()),
    }
}

/// Who asks: the one at the other end of the connection, or, where that is a proxy of ours, the one it says it asks
/// for (`X-Forwarded-For`, whose last entry is the nearest). What stands before an address that is no proxy of ours,
/// anybody may have written.
pub fn client<'h>(peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'h str>, proxies: &[Range]) -> IpAddr {
    let mut client = peer.to_canonical();
    let hops = forwarded.rev().flat_map(|header| header.rsplit(',')).take(MOST_HOPS);
    for hop in hops {
        if !proxies.iter().any(|range| range.has(client)) {
            break;
        }
        let Some(before) = address(hop.trim()) else { break };
        client = before.to_canonical();
    }
    client
}

/// `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1`, `[2001:db8::1]:567`
fn address(hop: &str) -> Option<IpAddr> {
    let socket = hop.parse::<core::net::SocketAddr>().map(|socket| socket.ip());
    hop.parse().or(socket).ok()
}

/// The network of an address, as it is counted, kept and shown: enough to tell strangers apart, and nobody's own.
pub fn network(ip: IpAddr) -> String {
    let ip = ip.to_canonical();
    if ip.is_loopback() {
        return "this machine".into();
    }
    let bits = if ip.is_ipv4() { 24 } else { 48 };
    Range { start: cut(ip, bits), bits }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_has_its_addresses_and_no_other() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "2001:db9::", "203.0.113.1"),
            ("10.1.2.3/8", "10.200.0.1", "1.10.0.0"),
        ] {
            let range: Range = range.parse().unwrap();
            assert!(range.has(ip(inside)) && !range.has(ip(outside)), "{range}");
        }
        assert!("10.0.0.0/8".parse::<Range>().unwrap().has(ip("::ffff:10.0.0.1")), "IPv4 in IPv6");
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "a", "10.0.0.0/-1"] {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed_whom_it_asks_for() {
        let proxies = ["127.0.0.1/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let client = |peer, forwarded: &[&str]| client(ip(peer), forwarded.iter().copied(), &proxies).to_string();
        assert_eq!(client("203.0.113.9", &["192.0.2.1"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["8.8.8.8, 192.0.2.1:5000, 10.1.1.1"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["8.8.8.8", "192.0.2.1", "10.1.1.1"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["8.8.8.8, unknown"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
        assert_eq!(client("::ffff:127.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &[&"10.0.0.1,".repeat(10_000)]), "127.0.0.1");
    }

    #[test]
    fn a_network_is_shown_and_not_an_address() {
        assert_eq!(network(ip("203.0.113.77")), "203.0.113.0/24");
        assert_eq!(network(ip("2001:db8:1:2:3::4")), "2001:db8:1::/48");
        assert_eq!(network(ip("::ffff:203.0.113.77")), "203.0.113.0/24");
        assert_eq!(network(ip("::1")), "this machine");
    }
}
