//! Times and figures of a report as a person reads them. Pure.

use chrono::{DateTime, Utc};

use super::compliance::{Compliance, IncidentLine, Step, TimingLine, Verdict};
use crate::sla::{Priority, Zone};

/// The zone that the report's hours are in.
pub fn zone(report: &Compliance) -> Zone {
    report.zone.parse().unwrap_or_else(|_| Zone::utc())
}

/// `18 Nov 2026 03:00`, in a zone.
pub fn moment(at: DateTime<Utc>, zone: &Zone) -> String {
    at.with_timezone(zone).format("%-d %b %Y %H:%M").to_string()
}

/// `42 s`, `12 min`, `3 h 05 min`, `2 d 4 h`: a length of time, cut to what matters.
pub fn length(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..600 if seconds % 60 != 0 => format!("{minutes} min {:02} s", seconds % 60),
        60..3600 => format!("{minutes} min"),
        3600..86_400 => format!("{hours} h {:02} min", minutes % 60),
        86_400.. => format!("{days} d {} h", hours % 24),
    }
}

/// What of an incident was not kept, or is still open: `First response late by 12 min; Progress update 3 missed`.
/// Empty when every promise was kept or waived.
pub fn not_kept(incident: &IncidentLine) -> String {
    let said = incident.promises.iter().filter_map(|promise| match promise.verdict {
        Verdict::Kept | Verdict::Waived => None,
        Verdict::Late => {
            let by = promise.at.map(|at| format!(" by {}", length((at - promise.due).num_seconds())));
            Some(format!("{} late{}", promise.name(), by.unwrap_or_default()))
        }
        Verdict::Missed => Some(format!("{} missed", promise.name())),
        Verdict::Open => Some(format!("{} open", promise.name())),
    });
    said.collect::<Vec<_>>().join("; ")
}

/// How many promises of an incident ended in one way.
pub fn number(incident: &IncidentLine, verdict: Verdict) -> usize {
    incident.promises.iter().filter(|promise| promise.verdict == verdict).count()
}

/// The timings by priority, all together first: one row a priority, with its three steps.
pub fn timings(report: &Compliance) -> Vec<(Option<Priority>, [Option<TimingLine>; 3])> {
    let mut rows: Vec<(Option<Priority>, [Option<TimingLine>; 3])> = Vec::new();
    for line in &report.timings {
        if rows.last().is_none_or(|(priority, _)| *priority != line.priority) {
            rows.push((line.priority, [None; 3]));
        }
        let place = match line.step {
            Step::FirstAttempt => 0,
            Step::Acknowledged => 1,
            Step::Response => 2,
        };
        if let Some((_, steps)) = rows.last_mut() {
            steps[place] = Some(*line);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_cut_to_what_matters() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 01 s"),
            (600, "10 min"),
            (659, "10 min"),
            (3600, "1 h 00 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d 0 h"),
            (100_000, "1 d 3 h"),
        ] {
            assert_eq!(length(seconds), expected, "{seconds}");
        }
    }
}
