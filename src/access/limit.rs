//! How often it may be tried to sign in, and when again. Pure.
//!
//! What is counted is the name that was given, known or not, so that the answers tell nobody which names there are.
//! First the name is counted with the network it is tried from: whoever guesses or asks for codes holds up nobody but
//! themselves. What is held up or refused does not count with the name any more, and still with the network. Only many
//! more tries than one network has hold a name up as a whole, and then not for a network it was signed in from.

use chrono::TimeDelta;

use crate::clock::Time;

/// So many wrong tries are anybody's.
const FREE: i64 = 5;
/// The same from everywhere.
const FREE_EVERYWHERE: i64 = 50;
/// Whatever the name: so many wrong tries from one network within [`NETWORK_SPAN`].
pub const WRONG_OF_NETWORK: i64 = 30;
pub const NETWORK_SPAN: TimeDelta = TimeDelta::minutes(15);

/// How far back wrong tries count.
pub const SPAN: TimeDelta = TimeDelta::hours(24);
pub const SPAN_EVERYWHERE: TimeDelta = TimeDelta::hours(1);
/// How long a network is one that a name was signed in from.
pub const KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// Codes to one person, asked for from one network, within [`CODES_SPAN`]; and, refused ones too, whatever the person.
pub const CODES: i64 = 3;
pub const CODES_OF_NETWORK: i64 = 10;
pub const CODES_SPAN: TimeDelta = TimeDelta::minutes(15);
/// Codes to one person from everywhere, within an hour, but for a network they signed in from. One network gets 12.
pub const CODES_EVERYWHERE: i64 = 30;
pub const CODES_SPAN_EVERYWHERE: TimeDelta = TimeDelta::hours(1);

/// The first pause and the longest.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// Wrong tries, and when the last was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    pub count: i64,
    pub last: Option<Time>,
}

impl Wrong {
    /// Until when no further try counts, after so many with one name from one network.
    pub fn until(self) -> Option<Time> {
        self.pause(FREE, 1)
    }

    /// The same for tries from everywhere.
    pub fn until_everywhere(self) -> Option<Time> {
        self.pause(FREE_EVERYWHERE, 10)
    }

    /// From `free` tries on, 30 seconds; twice as long after each `step` more, up to a quarter of an hour.
    fn pause(self, free: i64, step: i64) -> Option<Time> {
        let over = self.count.checked_sub(free).filter(|over| *over >= 0)?;
        let doubled = PAUSE * 2i32.pow((over / step).min(6) as u32);
        Some(self.last? + doubled.min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Time {
        "2026-11-02T12:00:00Z".parse().unwrap()
    }

    fn seconds(until: Option<Time>) -> i64 {
        until.map_or(0, |until| (until - at()).num_seconds())
    }

    #[test]
    fn the_pause_grows_from_the_fifth_wrong_try_to_a_quarter_of_an_hour() {
        let pause = |count| seconds(Wrong { count, last: Some(at()) }.until());
        let pauses: Vec<i64> = [0, 4, 5, 6, 7, 8, 9, 10, 1000, i64::MAX].map(pause).into();
        assert_eq!(pauses, [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(Wrong::default().until(), None);
    }

    #[test]
    fn no_two_networks_keep_a_person_from_being_sent_a_code_elsewhere() {
        let spans = CODES_SPAN_EVERYWHERE.num_seconds() / CODES_SPAN.num_seconds();
        assert!(2 * CODES * spans < CODES_EVERYWHERE);
    }

    #[test]
    fn one_network_cannot_hold_a_name_up_as_a_whole() {
        let (mut count, mut now) = (0, at());
        while now < at() + SPAN_EVERYWHERE {
            now = Wrong { count, last: Some(now) }.until().unwrap_or(now);
            count += 1;
        }
        assert!(count < FREE_EVERYWHERE / 2, "{count}");
    }

    #[test]
    fn a_name_as_a_whole_is_held_up_much_later() {
        let pause = |count| seconds(Wrong { count, last: Some(at()) }.until_everywhere());
        assert_eq!([49, 50, 59, 60, 99, 100, 1000].map(pause), [0, 30, 30, 60, 480, 900, 900]);
    }
}
