//! Bugs planted on purpose, to show that the checkers would find them.

use std::{fmt, str::FromStr};

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident = $key:literal,)*) => {
        /// A bug planted on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant { $($(#[$doc])* $name,)* }

        impl Mutant {
            /// All of them.
            pub const ALL: &'static [Mutant] = &[$(Mutant::$name,)*];

            /// As it is written on the command line.
            pub fn key(self) -> &'static str {
                match self { $(Mutant::$name => $key,)* }
            }
        }
    };
}

mutants! {
    /// The intake answers 2xx before its transaction is committed.
    AcknowledgeBeforeCommit = "acknowledge-before-commit",
    /// A commit is reported before it is on the disk.
    CommitBeforeSync = "commit-before-sync",
    /// An attempt is written down as taken before any carrier is asked.
    MarkSentBeforeSending = "mark-sent-before-sending",
    /// A node that lost its lease writes down its outcome all the same.
    LeaseWithoutFence = "lease-without-fence",
    /// A loop sleeps until its own clock should show the next due instant, and does not look again.
    SleepOnWallClock = "sleep-on-the-wall-clock",
    /// A machine that picks up counts as somebody who pressed 4.
    VoicemailAnswers = "voicemail-answers",
    /// The timer is set in a transaction of its own, after that of the events.
    TimerOutsideTransaction = "timer-outside-the-transaction",
    /// A receipt replaces what is known, whatever it was.
    StatusMovesDown = "status-moves-down",
    /// The outbox is taken in order of time, whoever waits.
    OldestFirst = "oldest-first",
    /// What has an unknown outcome is sent again without asking the carrier.
    ResendWithoutLookUp = "resend-without-look-up",
    /// A page whose carrier is down is given up at once, without a word.
    DropWhenCarrierDown = "drop-when-the-carrier-is-down",
    /// A promise that was missed is recorded as due when somebody noticed.
    DueWhenNoticed = "due-when-noticed",
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Mutant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = || Mutant::ALL.iter().map(|mutant| mutant.key()).collect::<Vec<_>>().join(", ");
        let found = Mutant::ALL.iter().find(|mutant| mutant.key() == text);
        found.copied().ok_or_else(|| format!("there is no bug `{text}` to plant; there are: {}", known()))
    }
}
