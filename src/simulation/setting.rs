//! Where the simulated world plays: the example's people, teams and plans.

use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;

use crate::{
    clock::Time,
    config::{self, Config},
    sla::Priority,
    span::Span,
};

/// The configuration before and after somebody edits it: other promises for the same customers.
pub(super) struct Setting {
    pub before: Arc<Config>,
    pub after: Arc<Config>,
    /// One whose schedules have nobody on them.
    pub deserted: Arc<Config>,
}

/// Read once: it is the same in every world.
pub(super) static SETTING: LazyLock<Setting> = LazyLock::new(|| {
    let files = config::example_files().iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let before = config::load::parse(&files, std::path::Path::new("."), "", &|_| None).config;
    let mut after = before.clone();
    let customers = after.customers.values_mut().map(|customer| &mut customer.plan);
    for plan in after.plans.values_mut().chain(customers) {
        if let Some(promise) = plan.priorities.get_mut(&Priority::P1) {
            promise.response = Some(Span::minutes(11).into());
        }
        plan.title.push_str(", edited");
    }
    let mut deserted = before.clone();
    for schedule in deserted.schedules.values_mut() {
        schedule.layers.clear();
    }
    for team in deserted.teams.values_mut() {
        team.lead = None;
    }
    Setting { before: Arc::new(before), after: Arc::new(after), deserted: Arc::new(deserted) }
});

/// When a world begins: a night in which the clocks are not changed, and a little before one in which they are.
pub(super) fn begin(seed: u64) -> Time {
    let nights = ["2026-11-01T04:30:00Z", "2026-11-17T01:00:00Z", "2026-03-08T05:45:00Z", "2026-12-24T15:00:00Z"];
    let night: Time = nights[(seed % 4) as usize].parse().unwrap_or_default();
    night + TimeDelta::seconds((seed % 3600) as i64)
}
