//! Whether a loop is stuck, and when the supervisor's watchdog is fed. Pure: turns and time are handed in.

use std::time::Duration;

/// A loop that makes no turn for so long is stuck: idle ones come round every second, busy ones after each piece of
/// work.
pub const STALL: Duration = Duration::from_secs(30);

/// Of one look, no more than this counts: if the one who looks was stopped or starved itself, so was the loop.
const LONGEST_LOOK: Duration = Duration::from_secs(3);

/// What is known of one loop.
#[derive(Clone, Debug, Default)]
pub struct Stall {
    turns: u64,
    silent: Duration,
    told: bool,
}

/// What is new about a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It has made no turn for [`STALL`].
    Stalled,
    /// It had stalled, and made a turn.
    GoesOn,
}

impl Stall {
    /// The loop has made so many turns; `since` the last look so much time has gone. Each stall is news once.
    pub fn look(&mut self, turns: u64, since: Duration, patience: Duration) -> Option<News> {
        if turns != self.turns {
            (self.turns, self.silent) = (turns, Duration::ZERO);
            return std::mem::take(&mut self.told).then_some(News::GoesOn);
        }
        self.silent += since.min(LONGEST_LOOK);
        (self.silent >= patience && !std::mem::replace(&mut self.told, true)).then_some(News::Stalled)
    }

    /// For how long it has been silent.
    pub fn silent(&self) -> Duration {
        self.silent
    }
}

/// When the supervisor's watchdog is fed: only when every loop that matters came round since it last was. The
/// supervisor's patience so begins with the last turn of the loop that is stuck.
#[derive(Clone, Debug, Default)]
pub struct Feeding(Vec<u64>);

impl Feeding {
    /// Whether to feed it, now that the loops have made so many turns.
    pub fn due(&mut self, turns: &[u64]) -> bool {
        let all = self.0.len() != turns.len() || self.0.iter().zip(turns).all(|(fed, turns)| fed != turns);
        if all {
            self.0 = turns.to_vec();
        }
        all
    }
}

/// How often the loops are looked at: each second, or more often where the supervisor's watchdog (its `interval`) is
/// impatient.
pub fn pace(interval: Option<Duration>) -> Duration {
    let second = Duration::from_secs(1);
    interval.map_or(second, |interval| (interval / 4).clamp(Duration::from_millis(50), second))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_loop_without_a_turn_for_thirty_seconds_has_stalled_and_is_told_of_once() {
        let mut stall = Stall::default();
        let news: Vec<usize> = (1..=90).filter(|_| stall.look(7, SECOND, STALL) == Some(News::Stalled)).collect();
        // The first look saw a turn; the silence begins with it.
        assert_eq!(news, [31]);
        assert_eq!(stall.look(8, SECOND, STALL), Some(News::GoesOn));
        assert_eq!(stall.look(9, SECOND, STALL), None);
        assert_eq!(stall.silent(), Duration::ZERO);
    }

    #[test]
    fn a_process_that_was_stopped_for_a_minute_has_not_stalled() {
        let mut stall = Stall::default();
        stall.look(1, SECOND, STALL);
        assert_eq!(stall.look(1, Duration::from_secs(3600), STALL), None);
    }

    #[test]
    fn the_watchdog_is_fed_when_both_loops_have_come_round_and_not_for_one_of_them() {
        let mut feeding = Feeding::default();
        assert!(feeding.due(&[1, 1]), "the start");
        for (turns, fed) in [([2, 1], false), ([9, 1], false), ([9, 2], true), ([9, 3], false), ([10, 3], true)] {
            assert_eq!(feeding.due(&turns), fed, "{turns:?}");
        }
    }

    #[test]
    fn an_impatient_supervisor_is_fed_in_time() {
        assert_eq!(pace(None), SECOND);
        assert_eq!(pace(Some(Duration::from_secs(30))), SECOND);
        assert_eq!(pace(Some(Duration::from_secs(2))), SECOND / 2);
    }
}
