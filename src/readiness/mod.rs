//! Is this installation fit to page somebody tonight? What is good, what to look at and what is wrong, in words that say
//! what to do. `ringdown doctor` and the page `/readiness` gather what they can see and ask the same rules. Pure.

pub mod roster;
pub mod running;
pub mod settings;

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It has to be mended before this can be trusted.
    Bad,
    /// It will page, and something is not as it should be.
    Warning,
    Good,
}

/// What a finding is about. In this order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Schedules,
    OnCall,
    Lines,
    Carriers,
    Address,
    Mail,
    Watch,
    Clock,
    Nodes,
    Keeping,
    Secrets,
}

impl Finding {
    /// For whoever must not know which secret is weak.
    pub fn withhold(&mut self) {
        self.words = match self.health {
            Health::Good => "nothing needs attention".into(),
            Health::Warning | Health::Bad => "something needs attention: an administrator sees here what it is".into(),
        };
    }
}

impl Topic {
    /// Its heading.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Schedules => "Schedules and rules",
            Topic::OnCall => "Who is on call",
            Topic::Lines => "Phones of those on call",
            Topic::Carriers => "Carriers",
            Topic::Address => "Our own address",
            Topic::Mail => "Mail",
            Topic::Watch => "Watching itself",
            Topic::Clock => "Clock and time zones",
            Topic::Nodes => "Nodes",
            Topic::Keeping => "Database, disk and backup",
            Topic::Secrets => "Secrets",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub topic: Topic,
    pub health: Health,
    /// What it is, and what to do about it.
    pub words: String,
}

impl Topic {
    /// It is as it should be.
    pub fn good(self, words: impl Into<String>) -> Finding {
        Finding { topic: self, health: Health::Good, words: words.into() }
    }

    /// Somebody should look.
    pub fn warning(self, words: impl Into<String>) -> Finding {
        Finding { topic: self, health: Health::Warning, words: words.into() }
    }

    /// It has to be mended.
    pub fn bad(self, words: impl Into<String>) -> Finding {
        Finding { topic: self, health: Health::Bad, words: words.into() }
    }
}
