//! The nodes, as a table.

use std::fmt::Display;

use chrono::{TimeDelta, TimeZone};
use serde_json::Value;

use super::{ago, clock, flag, items, listed, some, time, word};

/// Who runs, and what is not as it should be with them.
pub fn nodes<Z: TimeZone<Offset: Display>>(answer: &Value, zone: &Z) -> String {
    let all = items(answer, "/items");
    let newest = all.iter().filter(|node| is_live(node)).filter_map(|node| node["revision"].as_i64()).max();
    let rows = all
        .iter()
        .map(|node| {
            [
                some(node, "/name").unwrap_or_else(|| "(older version)".into()),
                state(node),
                time(node, "/since").map(|at| clock(at, zone, "%d %b %H:%M")).unwrap_or_default(),
                word(node, "/version"),
                match node["revision"].as_i64() {
                    Some(revision) if is_live(node) && Some(revision) < newest => format!("{revision} (OLD)"),
                    Some(revision) => revision.to_string(),
                    None => String::new(),
                },
                skew(node),
            ]
        })
        .collect();
    listed(["NODE", "STATE", "SINCE", "VERSION", "SCHEDULES", "CLOCK"], rows, "No nodes.", answer)
}

fn is_live(node: &Value) -> bool {
    matches!(node["state"].as_str(), Some("running" | "stopping"))
}

fn state(node: &Value) -> String {
    let silent = ago(TimeDelta::seconds(node["silent_seconds"].as_i64().unwrap_or_default()));
    match node["state"].as_str() {
        Some("gone") => format!("GONE, last seen {silent} ago"),
        Some("stopped") => format!("stopped {silent} ago"),
        _ => word(node, "/state"),
    }
}

fn skew(node: &Value) -> String {
    match node["clock_ahead_seconds"].as_f64() {
        Some(ahead) if flag(node, "/clock_wrong") == Some(true) => format!("WRONG: {ahead:+.1} s"),
        Some(_) => "right".into(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_that_is_gone_behind_or_wrong_stands_out() {
        let node = |name: &str, state: &str, silent: i64, revision: i64, ahead: f64, wrong: bool| {
            json!({
                "name": name, "id": "nod_x", "state": state, "since": "2026-11-02T09:30:00Z",
                "last_seen_at": "2026-11-02T14:00:00Z", "silent_seconds": silent, "version": "0.1.0",
                "revision": revision, "clock_ahead_seconds": ahead, "clock_wrong": wrong,
            })
        };
        let older = json!({ "name": null, "state": "running", "since": "2026-11-02T09:30:00Z", "silent_seconds": 3 });
        let answer = json!({ "items": [
            older,
            node("east-1", "running", 4, 7, 0.003, false),
            node("east-2", "gone", 95, 6, 0.0, false),
            node("west-1", "running", 1, 6, 5.25, true),
            node("west-2", "stopped", 7300, 7, -0.2, false),
        ], "next": null });
        insta::assert_snapshot!(nodes(&answer, &Utc), @"
        NODE             STATE                      SINCE         VERSION  SCHEDULES  CLOCK
        (older version)  running                    02 Nov 09:30
        east-1           running                    02 Nov 09:30  0.1.0    7          right
        east-2           GONE, last seen 1 min ago  02 Nov 09:30  0.1.0    6          right
        west-1           running                    02 Nov 09:30  0.1.0    6 (OLD)    WRONG: +5.2 s
        west-2           stopped 2 h ago            02 Nov 09:30  0.1.0    7          right
        ");
    }
}
