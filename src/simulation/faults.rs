//! Everything that can go wrong, and how often it did.

use std::{collections::BTreeMap, fmt};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $words:literal,)*) => {
        /// Something that can go wrong in the simulated world.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// For people.
            pub fn words(self) -> &'static str {
                match self { $(Fault::$name => $words,)* }
            }
        }
    };
}

faults! {
    /// A process is killed with a transaction open.
    CrashBeforeCommit = "killed before a commit",
    /// … committed, and nobody was told yet.
    CrashAfterCommit = "killed after a commit, before answering",
    /// … with an attempt claimed, and no carrier asked.
    CrashAfterClaim = "killed after a claim, before the request",
    /// … and a carrier has taken it, and that is not written down.
    CrashAfterTaken = "killed after the carrier took it, before that was recorded",
    /// … anywhere else.
    CrashIdle = "killed at rest",
    PauseBeforeCommit = "paused before a commit",
    PauseAfterCommit = "paused after a commit, before answering",
    PauseAfterClaim = "paused after a claim, before the request",
    PauseAfterTaken = "paused after the carrier took it, before that was recorded",
    PauseIdle = "paused at rest",
    /// A pause that is longer than the lease.
    PausePastLease = "paused for longer than a lease",
    Restart = "started again",
    ClockForward = "a node's clock stepped forward",
    ClockBack = "a node's clock stepped back",
    ClockSkew = "a node's clock that is wrong from the start",
    StoreCrash = "the database crashed",
    StoreDown = "the database was asked while it was down",
    CommitFails = "a commit failed",
    CommitUnknown = "a commit whose outcome is not known, and that was made",
    Conflict = "a transaction that had to begin anew",
    LockWait = "a row locked by another transaction",
    AnswerLost = "an answer to a client that was lost",
    NodeDown = "a request to a node that was down",
    CarrierRefuses = "a carrier: this address cannot be reached",
    CarrierConfig = "a carrier: our account is at fault",
    CarrierBusy = "a carrier: 429, with Retry-After",
    CarrierError = "a carrier: 5xx, not taken",
    CarrierErrorTaken = "a carrier: 5xx, and it was taken",
    CarrierSilent = "a carrier: no answer in time, not taken",
    CarrierSilentTaken = "a carrier: no answer in time, and it was taken",
    CarrierOutage = "a carrier that is down for a while",
    CarrierOddStatus = "a carrier that answers with a status that is not so",
    LookUpFails = "a look-up that failed",
    LookUpBlind = "a look-up that did not find what was taken",
    HangUpFails = "a call that could not be hung up",
    ReceiptEarly = "a receipt that came before the carrier's answer",
    ReceiptLate = "a receipt that came minutes late",
    ReceiptDoubled = "a receipt that came twice",
    ReceiptReordered = "a receipt that came after a later one",
    ReceiptLost = "a receipt that never came",
    ReceiptLies = "a receipt that says what is not so",
    CallWithoutEnd = "a call of which no end was ever told",
    Voicemail = "a machine that picked up",
    RangOut = "a call that rang out",
    Rejected = "a call that was rejected",
    TextLost = "a text that was lost on its way",
    WrongKey = "a key that means nothing",
    Reaction = "a tapback instead of an answer",
    WrongCode = "an answer with a wrong code",
    AnsweredLate = "a person who answered late",
    NeverAnswered = "a person who never answers",
    UpdateLate = "an update that came late",
    UpdateNever = "an update that never came",
    NotSatisfied = "a customer who is not satisfied",
    ReportedAgain = "the same trouble reported again",
    PlanEdited = "a plan edited while an incident ran under it",
    NobodyOnCall = "a schedule with nobody on it",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// How often each fault happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<Fault, u64>);

impl Counters {
    pub(super) fn count(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }

    /// How often this happened.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or(0)
    }

    /// Adds those of another world.
    pub fn add(&mut self, other: &Counters) {
        for (fault, count) in &other.0 {
            *self.0.entry(*fault).or_default() += count;
        }
    }
}
