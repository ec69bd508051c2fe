//! The calendars a plan counts in, kept with it whole.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Amount, Calendar, Compiled, calendar::ALWAYS};
use crate::{clock::Time, id::CalendarKey};

/// Calendars by key, each compiled once and shared by every copy. `always` need not be among them.
#[derive(Clone, Default)]
pub struct Calendars(BTreeMap<CalendarKey, Arc<Compiled>>);

impl Calendars {
    /// Takes in a calendar under its own key.
    pub fn insert(&mut self, calendar: Arc<Calendar>) {
        if calendar.key.as_str() != ALWAYS {
            self.0.entry(calendar.key.clone()).or_insert_with(|| Arc::new(Compiled::new(calendar)));
        }
    }

    /// Takes in one that was compiled before, to share what it knows.
    pub fn share(&mut self, calendar: &Arc<Compiled>) {
        let key = &calendar.calendar().key;
        if key.as_str() != ALWAYS {
            self.0.entry(key.clone()).or_insert_with(|| calendar.clone());
        }
    }

    /// The calendar of this key, ready for questions; `None` for `always` and for one that is not here.
    pub fn get(&self, key: &CalendarKey) -> Option<&Arc<Compiled>> {
        self.0.get(key)
    }

    /// All but `always`.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Calendar>> {
        self.0.values().map(|compiled| compiled.calendar())
    }

    /// How much open time an amount is in this calendar.
    pub fn length(&self, key: &CalendarKey, amount: Amount) -> TimeDelta {
        let day = self.get(key).map_or(crate::span::Span::minutes(24 * 60), |compiled| compiled.calendar().day);
        TimeDelta::seconds(amount.seconds(day))
    }

    /// When so much open time has passed since `from`. A calendar that cannot say (one that is hardly ever open, an
    /// instant out of reach) is read as open around the clock: a promise is rather kept too early than lost.
    pub fn due(&self, key: &CalendarKey, from: Time, open: TimeDelta) -> Time {
        let counted = self.get(key).and_then(|compiled| compiled.due_in(from, open).ok());
        counted.or_else(|| from.checked_add_signed(open)).unwrap_or(Time::MAX_UTC)
    }

    /// The open time between two instants, not negative.
    pub fn elapsed(&self, key: &CalendarKey, from: Time, to: Time) -> TimeDelta {
        let counted = self.get(key).and_then(|compiled| compiled.elapsed(from, to).ok());
        counted.unwrap_or(to - from).max(TimeDelta::zero())
    }

    /// `at`, or the next opening after it.
    pub fn next_open(&self, key: &CalendarKey, at: Time) -> Time {
        self.get(key).and_then(|compiled| compiled.next_open(at).ok()).unwrap_or(at)
    }
}

impl fmt::Debug for Calendars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Calendars {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Calendars {}

impl Serialize for Calendars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Calendars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut calendars = Calendars::default();
        Vec::<Calendar>::deserialize(deserializer)?
            .into_iter()
            .for_each(|calendar| calendars.insert(Arc::new(calendar)));
        Ok(calendars)
    }
}
