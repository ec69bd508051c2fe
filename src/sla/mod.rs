//! Promises measured in working time: the plans customers bought, and the zones and calendars they are counted in.
//!
//! A [`Calendar`] says when a promise's clock runs: the openings of a week in a [`Zone`], less the dates of its
//! [`HolidaySet`]s, but for dated exceptions. [`Compiled`] answers questions about it: when is this [`Amount`] of open
//! time over, and how much of it has passed. Outside its hours a clock waits; one that runs out at closing time is due
//! at closing time.

pub mod amount;
pub mod business_time;
pub mod calendar;
pub mod easter;
pub mod holiday;
pub mod ics;
pub mod outlook;
pub mod pinned;
pub mod plan;
pub mod zone;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use amount::Amount;
pub use business_time::{Compiled, NoAnswer};
pub use calendar::Calendar;
pub use holiday::HolidaySet;
pub use outlook::{NoOutlook, Outlook};
pub use pinned::Calendars;
pub use plan::{Anchor, Cadence, Higher, Idle, IntakeChannel, Pausable, Plan, Promise, Rca, Required, Term};
pub use zone::Zone;

/// How grave an incident is: P1 is the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Priority {
    P1,
    P2,
    P3,
    P4,
    P5,
    P6,
}

impl Priority {
    /// All six, gravest first.
    pub const ALL: [Priority; 6] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5, Self::P6];

    /// Whether somebody is woken for it where the plan does not say.
    pub fn pages(self) -> bool {
        self <= Priority::P2
    }

    /// 1 to 6.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.number())
    }
}

/// Not one of `P1` to `P6`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a priority; write `P1` to `P6`")]
pub struct UnknownPriority(String);

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.to_string().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownPriority(text.chars().take(20).collect()))
    }
}

#[cfg(test)]
mod tests;
