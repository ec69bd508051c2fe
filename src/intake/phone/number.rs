//! Numbers a caller can be called back on: what the carrier says of the caller, and what the caller keys in.

use crate::people::{E164, phone::BadNumber};

/// No subscriber's number is shorter, with its country code and the `+`.
const SHORTEST: usize = 8;

/// What carriers send as the number of a caller who hides it: letters on a keypad, for the most part
/// (ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE).
const HIDDEN: [&str; 5] = ["+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"];

/// The caller's number, if it is one that can be called back. `anonymous`, `client:…`, `sip:…`, an extension and an
/// empty text are none, nor is a premium number: a caller's number can be forged, and calling back would cost us.
/// A number that our data does not know is taken: it came over the network, and the data may be older.
pub fn caller_id(from: &str) -> Option<E164> {
    if HIDDEN.contains(&from) {
        return None;
    }
    match E164::dialable(from) {
        Ok(number) => Some(number),
        Err(BadNumber::Unassigned) if from.len() > SHORTEST => E164::parse(from).ok(),
        Err(_) => None,
    }
}

/// What a caller means who keys these digits on a hotline at `hotline`: a number with an international prefix
/// (`00`, `011`), one as it is written in the hotline's own country, or one with its country code and no prefix.
/// The caller is read back what was understood.
pub fn keyed(keys: &str, hotline: &E164) -> Option<E164> {
    let digits: String = keys.chars().filter(char::is_ascii_digit).take(20).collect();
    let abroad = |prefix: &str| digits.strip_prefix(prefix).and_then(|rest| E164::dialable(&format!("+{rest}")).ok());
    abroad("00").or_else(|| abroad("011")).or_else(|| national(&digits, hotline)).or_else(|| abroad(""))
}

/// A number as it is dialled within the hotline's country.
fn national(digits: &str, hotline: &E164) -> Option<E164> {
    let country = phonenumber::parse(None, hotline.as_str()).ok()?.country().id()?;
    let number = phonenumber::parse(Some(country), digits).ok()?;
    E164::dialable(&number.format().mode(phonenumber::Mode::E164).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed_at(hotline: &str, keys: &str) -> Option<String> {
        keyed(keys, &E164::parse(hotline).unwrap()).map(|number| number.as_str().into())
    }

    #[test]
    fn a_keyed_number_is_read_as_the_hotlines_country_writes_it() {
        for (hotline, keys, meant) in [
            ("+18885550100", "2015550123", Some("+12015550123")),
            ("+18885550100", "12015550123", Some("+12015550123")),
            ("+18885550100", "011442079460958", Some("+442079460958")),
            ("+18885550100", "442079460958", Some("+442079460958")),
            ("+442079460000", "02079460958", Some("+442079460958")),
            ("+442079460000", "0012015550123", Some("+12015550123")),
            ("+493012345678", "015112345678", Some("+4915112345678")),
            ("+18885550100", "*2015550123", Some("+12015550123")),
            ("+18885550100", "5550123", None),
            ("+18885550100", "911", None),
            ("+18885550100", "9005550100", None),
            ("+18885550100", "", None),
            ("+18885550100", "99999999999999999999999999", None),
        ] {
            assert_eq!(keyed_at(hotline, keys).as_deref(), meant, "{keys} on {hotline}");
        }
    }

    #[test]
    fn a_hidden_caller_has_no_number() {
        for from in [
            "",
            "anonymous",
            "Restricted",
            "+266696687",
            "client:ann",
            "sip:ann@example.com",
            "4711",
            "+",
            "+1911",
            "+19005550100",
        ] {
            assert_eq!(caller_id(from), None, "{from}");
        }
        for from in ["+12015550123", "+15550001111"] {
            assert!(caller_id(from).is_some(), "{from}");
        }
    }
}
