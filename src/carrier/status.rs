//! What a provider says of an attempt. Only moves up: receipts come late, doubled and out of order.

use serde::{Deserialize, Serialize};

/// A carrier-neutral status, ranked. A receipt moves an attempt up this order and never down; of two at the same
/// rank the first stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Taken by the provider (Twilio: accepted, scheduled, queued, initiated).
    Queued,
    /// On its way (sending), or the phone rings.
    Ringing,
    /// Handed on (sent), or the call was answered by somebody or something.
    Sent,
    InProgress,
    /// The end, badly.
    Busy,
    NoAnswer,
    Failed,
    Undelivered,
    Canceled,
    /// The end, as far as the provider can know.
    Completed,
    Delivered,
    Read,
}

impl Status {
    /// Its place in the lattice.
    pub fn rank(self) -> u8 {
        match self {
            Status::Queued => 10,
            Status::Ringing => 20,
            Status::Sent | Status::InProgress => 40,
            Status::Busy | Status::NoAnswer | Status::Failed | Status::Undelivered | Status::Canceled => 50,
            Status::Completed | Status::Delivered => 60,
            Status::Read => 70,
        }
    }

    /// What to keep of what is known and what is said now.
    pub fn merge(self, said: Status) -> Status {
        if said.rank() > self.rank() { said } else { self }
    }

    /// Nothing more will happen to the call or text.
    pub fn is_final(self) -> bool {
        self.rank() >= 50
    }

    /// The provider's word for it did not reach the phone.
    pub fn is_failure(self) -> bool {
        self.rank() == 50
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_sent_never_hides_delivered_and_delivered_mends_undelivered() {
        assert_eq!(Status::Delivered.merge(Status::Sent), Status::Delivered);
        assert_eq!(Status::Undelivered.merge(Status::Delivered), Status::Delivered);
        assert_eq!(Status::Busy.merge(Status::Failed), Status::Busy);
    }
}
