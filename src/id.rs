//! Names of things: the keys people write in `schedules/`, and the ids the service makes.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $name(text.into())
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok($name(text.into()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                $name(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

text_id!(/// A person's key in `schedules/people.toml`.
    PersonKey);
text_id!(/// A team's key in `schedules/teams.toml`.
    TeamKey);
text_id!(/// An on-call schedule's key.
    ScheduleKey);
text_id!(/// An escalation policy's key.
    PolicyKey);
text_id!(/// A plan's key: the name of its file in `schedules/plans/`, with the tier where it has tiers: `clickhelp:growth`.
    PlanKey);
text_id!(/// A business calendar's key in `schedules/calendars.toml`.
    CalendarKey);
text_id!(/// A holiday set's key: the name of its file in `schedules/holidays/`.
    HolidaySetKey);
text_id!(/// A customer's key in `schedules/customers.toml`.
    CustomerKey);
text_id!(/// A hotline's key.
    HotlineKey);
text_id!(/// An integration's key.
    IntegrationKey);
text_id!(/// A carrier's key in the settings.
    CarrierKey);
text_id!(/// An incident's long id, `inc_…`, sorted by time.
    IncidentId);
text_id!(/// One page: the incident's id and the page's number in it, `inc_….3`.
    PageId);
text_id!(/// One request to one carrier, `att_…`.
    AttemptId);
text_id!(/// One mail to one address, `mai_…`.
    MailId);
text_id!(/// One inbound call on a hotline, `cal_…`.
    CallId);
text_id!(/// One payload kept by intake, `int_…`.
    IntakeId);

/// A new id with this prefix: 26 characters of base 32 after it, sorted by the time it was made.
pub fn fresh(prefix: &str) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = Uuid::now_v7().as_u128();
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    for place in (0..26).rev() {
        text.push(DIGITS[((bits >> (place * 5)) & 31) as usize] as char);
    }
    text
}

impl PageId {
    /// The id of the `number`th page of an incident.
    pub fn of(incident: &IncidentId, number: u32) -> Self {
        format!("{incident}.{number}").into()
    }

    /// The incident and the number this id was made of; `None` if it is not of that form.
    pub fn parts(&self) -> Option<(IncidentId, u32)> {
        let (incident, number) = self.0.rsplit_once('.')?;
        Some((incident.into(), number.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let earlier = fresh("inc");
        std::thread::sleep(std::time::Duration::from_millis(2));
        let later = fresh("inc");
        assert!(earlier < later);
        assert_eq!(later.len(), 30);
    }

    #[test]
    fn a_page_id_gives_back_its_incident_and_number() {
        let incident = IncidentId::from("inc_x");
        assert_eq!(PageId::of(&incident, 3).parts(), Some((incident, 3)));
    }
}
