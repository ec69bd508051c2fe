//! What one layer says of a plan: the file, a tier of it, a customer's agreement. Layers are laid over one another key
//! by key, and only the whole is a [`Plan`]: until then nobody knows in which calendar a bare `30m` is counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::TimeDelta;

use crate::{
    id::CalendarKey,
    sla::{
        Amount, Anchor, Cadence, Compiled, Higher, Idle, IntakeChannel, Pausable, Plan, Priority, Promise, Rca,
        Required, Term, calendar::ALWAYS,
    },
    span::Span,
};

/// All calendars there are, each compiled once for all plans.
pub type Calendars = BTreeMap<CalendarKey, Arc<Compiled>>;

/// Something a plan may promise, and may also say that it does not.
#[derive(Clone, Debug, Default)]
pub enum Clause<T> {
    #[default]
    Unsaid,
    NotOffered,
    Offered(T),
}

/// Laid over another layer of the same: what is said here holds, the rest is as it was.
pub trait Layer {
    fn over(self, base: Self) -> Self;
}

impl<T> Layer for Option<T> {
    fn over(self, base: Self) -> Self {
        self.or(base)
    }
}

impl<T: Layer> Layer for Clause<T> {
    fn over(self, base: Self) -> Self {
        match (self, base) {
            (Clause::Unsaid, base) => base,
            (Clause::Offered(own), Clause::Offered(base)) => Clause::Offered(own.over(base)),
            (own, _) => own,
        }
    }
}

impl<T> Clause<T> {
    fn offered(self) -> Option<T> {
        if let Clause::Offered(said) = self { Some(said) } else { None }
    }
}

macro_rules! layer {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $(pub $field: $type,)*
        }

        impl Layer for $name {
            fn over(self, base: Self) -> Self {
                $name { $($field: self.$field.over(base.$field),)* }
            }
        }
    };
}

layer!(/// A plan.
Draft {
    title: Option<String>,
    calendar: Option<CalendarKey>,
    documents: Option<Vec<String>>,
    out_of_scope: Option<Vec<String>>,
    upstream: Option<Vec<String>>,
    rule_out: Option<bool>,
    call_link: Clause<Option<String>>,
    administrators_only: Option<bool>,
    private: Option<bool>,
    pauses: Option<BTreeSet<Pausable>>,
    idle: Clause<IdleDraft>,
    escalation: Option<Vec<Higher>>,
    priorities: Priorities,
});

layer!(/// What is promised for one priority.
PromiseDraft {
    title: Option<String>,
    criteria: Option<Vec<String>>,
    impact_above: Clause<Option<u8>>,
    channels: Option<Vec<IntakeChannel>>,
    requires: Option<Vec<Required>>,
    wakes: Option<bool>,
    office_hours: Option<bool>,
    live: Option<bool>,
    scheduled: Option<bool>,
    reachable: Option<bool>,
    response: Clause<TermDraft>,
    updates: Clause<CadenceDraft>,
    resolution: Clause<TermDraft>,
    rca: Clause<RcaDraft>,
});

layer!(/// A term.
TermDraft {
    within: Option<Within>,
    calendar: Option<CalendarKey>,
});

layer!(/// The windows of updates.
CadenceDraft {
    every: TermDraft,
    from: Option<Anchor>,
    remind_before: Option<Span>,
});

layer!(/// The analysis of the cause.
RcaDraft {
    draft: Clause<TermDraft>,
    last: Clause<TermDraft>,
});

layer!(/// How a silent customer's incident is closed.
IdleDraft {
    requests: Option<u8>,
    again_after: Clause<TermDraft>,
    close_after: TermDraft,
    calendar: Option<CalendarKey>,
    warn_before: Option<Span>,
});

/// How long a term is.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    pub amount: Amount,
    /// The caller is connected live.
    pub immediate: bool,
}

/// By priority.
#[derive(Clone, Debug, Default)]
pub struct Priorities(pub BTreeMap<Priority, Clause<PromiseDraft>>);

impl Layer for Priorities {
    fn over(self, mut base: Self) -> Self {
        for (priority, own) in self.0 {
            let below = base.0.remove(&priority).unwrap_or_default();
            base.0.insert(priority, own.over(below));
        }
        base
    }
}

/// The whole, made of its layers. `gaps` takes in the keys of terms that no layer gave a length.
#[derive(Debug)]
pub struct Finish<'a> {
    pub calendars: &'a Calendars,
    pub calendar: CalendarKey,
    pub gaps: Vec<String>,
}

impl Draft {
    /// The plan that its layers make, and the keys of terms that none of them gave a length.
    pub fn finish(self, key: &str, calendars: &Calendars) -> (Plan, Vec<String>) {
        let calendar = self.calendar.unwrap_or_else(|| ALWAYS.into());
        let mut finish = Finish { calendars, calendar, gaps: Vec::new() };
        let mut plan = Plan::empty(key.into(), self.title.unwrap_or_else(|| key.into()));
        for (priority, clause) in self.priorities.0 {
            let Some(promise) = clause.offered() else { continue };
            plan.priorities.insert(priority, finish.promise(priority, promise));
        }
        plan.idle = self.idle.offered().and_then(|idle| finish.idle(idle));
        plan.pauses = self.pauses.unwrap_or_default();
        plan.escalation = self.escalation;
        plan.rule_out = self.rule_out.unwrap_or_default();
        plan.upstream = self.upstream.unwrap_or_default();
        plan.call_link = self.call_link.offered().flatten();
        plan.administrators_only = self.administrators_only.unwrap_or_default();
        plan.private = self.private.unwrap_or_default();
        plan.documents = self.documents.unwrap_or_default();
        plan.out_of_scope = self.out_of_scope.unwrap_or_default();
        for key in plan.named_calendars() {
            if let Some(calendar) = calendars.get(&key) {
                plan.calendars.share(calendar);
            }
        }
        (plan, finish.gaps)
    }
}

impl Finish<'_> {
    fn promise(&mut self, priority: Priority, draft: PromiseDraft) -> Promise {
        let key = |name: &str| format!("priorities.{priority}.{name}");
        let response = draft.response.offered();
        let immediate = response.as_ref().and_then(|term| term.within).is_some_and(|within| within.immediate);
        let updates = draft.updates.offered().and_then(|cadence| self.cadence(&key("updates"), cadence));
        let rca = draft.rca.offered().map(|rca| Rca {
            draft: self.clause(&key("rca.draft"), rca.draft),
            last: self.clause(&key("rca.final"), rca.last),
        });
        Promise {
            title: draft.title.unwrap_or_default(),
            criteria: draft.criteria.unwrap_or_default(),
            impact_above: draft.impact_above.offered().flatten(),
            channels: draft.channels.unwrap_or_default(),
            requires: draft.requires.unwrap_or_default(),
            wakes: draft.wakes.unwrap_or(priority.pages()),
            office_hours: draft.office_hours.unwrap_or_default(),
            live: draft.live.unwrap_or(immediate),
            scheduled: draft.scheduled.unwrap_or_default(),
            reachable: draft.reachable.unwrap_or_default(),
            response: response.and_then(|term| self.term(&key("response"), term)),
            updates,
            resolution: self.clause(&key("resolution"), draft.resolution),
            rca: rca.filter(|rca| rca.draft.is_some() || rca.last.is_some()),
        }
    }

    fn cadence(&mut self, key: &str, draft: CadenceDraft) -> Option<Cadence> {
        let every = self.term(key, draft.every)?;
        let remind_before = draft.remind_before.unwrap_or_else(|| self.usual_reminder(&every));
        Some(Cadence { every, from: draft.from.unwrap_or_default(), remind_before })
    }

    /// A quarter of an hour before the end, or two working hours where business days are counted; in short windows a
    /// quarter of the window.
    fn usual_reminder(&self, every: &Term) -> Span {
        let longest = Span::minutes(if every.within.counts_business_days() { 120 } else { 15 });
        let quarter = self.length(every).num_seconds() / 4;
        longest.min(Span::seconds(u32::try_from(quarter).unwrap_or(u32::MAX)))
    }

    fn idle(&mut self, draft: IdleDraft) -> Option<Idle> {
        let own = |term: TermDraft| TermDraft { calendar: term.calendar.or(draft.calendar.clone()), ..term };
        let again_after = match draft.again_after {
            Clause::Offered(term) => Clause::Offered(own(term)),
            other => other,
        };
        let close_after = own(draft.close_after);
        Some(Idle {
            requests: draft.requests.unwrap_or(1),
            again_after: self.clause("idle.again_after", again_after),
            close_after: self.term("idle.close_after", close_after)?,
            warn_before: draft.warn_before.unwrap_or(super::super::DAY),
        })
    }

    fn clause(&mut self, key: &str, clause: Clause<TermDraft>) -> Option<Term> {
        clause.offered().and_then(|draft| self.term(key, draft))
    }

    fn term(&mut self, key: &str, draft: TermDraft) -> Option<Term> {
        let Some(within) = draft.within else {
            self.gaps.push(key.into());
            return None;
        };
        let calendar = match draft.calendar {
            Some(calendar) => calendar,
            None if within.immediate => ALWAYS.into(),
            None => self.calendar.clone(),
        };
        Some(Term { within: within.amount, calendar })
    }

    fn length(&self, term: &Term) -> TimeDelta {
        let day = self.calendars.get(&term.calendar).map_or(super::super::DAY, |calendar| calendar.calendar().day);
        TimeDelta::seconds(term.within.seconds(day))
    }
}
