//! Arithmetic in open time.
//!
//! A calendar is compiled, as needed, into blocks of about 388 days: where each open stretch begins, and how much
//! open time lies before it. Every question is then one or two binary searches.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Datelike, TimeDelta};

use super::{Amount, Calendar};
use crate::clock::Time;

/// A block is 2^25 seconds, so that its number is the upper bits of an instant.
const BLOCK_BITS: u32 = 25;
const BLOCK: i64 = 1 << BLOCK_BITS;
/// 1970 to 2200.
const BLOCKS: usize = 217;

/// A calendar made ready for questions. Cheap to make; each block is compiled when it is first asked about.
pub struct Compiled {
    calendar: Arc<Calendar>,
    /// `None` for a calendar that is never closed, which is exact without.
    blocks: Option<Box<[OnceLock<Block>]>>,
}

/// Open stretches of one block, in seconds after its beginning.
#[derive(Debug)]
struct Block {
    starts: Box<[u32]>,
    /// Open seconds before each stretch, and after the last of all.
    open_before: Box<[u32]>,
}

/// Without its blocks: which of them were asked about is of no interest.
impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Compiled").field(&self.calendar).finish()
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("only instants from 1970 to 2199 can be reckoned with")]
    OutOfRange,
    #[error("the calendar does not have that much open time before 2200")]
    NeverOpen,
}

impl Compiled {
    /// A calendar ready for questions.
    pub fn new(calendar: impl Into<Arc<Calendar>>) -> Self {
        let calendar = calendar.into();
        let closes = !calendar.is_always_open();
        let blocks = closes.then(|| (0..BLOCKS).map(|_| OnceLock::new()).collect());
        Compiled { calendar, blocks }
    }

    /// What it was made of.
    pub fn calendar(&self) -> &Arc<Calendar> {
        &self.calendar
    }

    /// The earliest instant at which `amount` of open time has passed since `start`. A clock that runs out at closing
    /// time is due at closing time, and no time at all is due at `start`, open or not.
    pub fn due(&self, start: Time, amount: Amount) -> Result<Time, NoAnswer> {
        self.due_in(start, TimeDelta::seconds(amount.seconds(self.calendar.day)))
    }

    /// The same for an amount of plain time, not negative.
    pub fn due_in(&self, start: Time, open: TimeDelta) -> Result<Time, NoAnswer> {
        let (second, mut nanos) = seconds(start)?;
        if open <= TimeDelta::zero() {
            return Ok(start);
        }
        let Some(blocks) = &self.blocks else {
            return start.checked_add_signed(open).filter(|due| seconds(*due).is_ok()).ok_or(NoAnswer::OutOfRange);
        };
        let (number, offset) = (block_number(second), (second % BLOCK) as u32);
        let block = self.block(blocks, number);
        if !block.is_open(offset) {
            nanos = 0;
        }
        let total = i64::from(nanos) + i64::from(open.subsec_nanos());
        let part = (total % 1_000_000_000) as u32;
        let mut target = i64::from(block.open_until(offset)) + open.num_seconds() + total / 1_000_000_000;
        for number in number..BLOCKS {
            let block = self.block(blocks, number);
            let all = i64::from(block.all());
            // A fraction of a second lies within an open second: the end of the block is too early for it.
            if target < all || (target == all && part == 0) {
                let at = number as i64 * BLOCK + i64::from(block.reaching(target as u32, part > 0));
                return DateTime::from_timestamp(at, part).ok_or(NoAnswer::OutOfRange);
            }
            target -= all;
        }
        Err(NoAnswer::NeverOpen)
    }

    /// The open time between two instants; negative when `to` is before `from`.
    pub fn elapsed(&self, from: Time, to: Time) -> Result<TimeDelta, NoAnswer> {
        if to < from {
            return self.elapsed(to, from).map(|open| -open);
        }
        let (first, last) = (seconds(from)?, seconds(to)?);
        let Some(blocks) = &self.blocks else { return Ok(to - from) };
        let (mut open, mut nanos) = (0, 0);
        for (sign, (second, part)) in [(-1, first), (1, last)] {
            let (block, offset) = (self.block(blocks, block_number(second)), (second % BLOCK) as u32);
            open += sign * i64::from(block.open_until(offset));
            nanos += if block.is_open(offset) { sign * i64::from(part) } else { 0 };
        }
        let between = block_number(first.0)..block_number(last.0);
        open += between.map(|number| i64::from(self.block(blocks, number).all())).sum::<i64>();
        Ok(TimeDelta::seconds(open) + TimeDelta::nanoseconds(nanos))
    }

    /// Whether it is open at this instant: the first of an opening is in it, closing time is not.
    pub fn is_open(&self, at: Time) -> Result<bool, NoAnswer> {
        let (second, _) = seconds(at)?;
        let Some(blocks) = &self.blocks else { return Ok(true) };
        Ok(self.block(blocks, block_number(second)).is_open((second % BLOCK) as u32))
    }

    /// The earliest instant, `at` or later, at which it is open.
    pub fn next_open(&self, at: Time) -> Result<Time, NoAnswer> {
        if self.is_open(at)? {
            return Ok(at);
        }
        let (second, _) = seconds(at)?;
        let Some(blocks) = &self.blocks else { return Ok(at) };
        let mut offset = (second % BLOCK) as u32;
        for number in block_number(second)..BLOCKS {
            let starts = &self.block(blocks, number).starts;
            if let Some(start) = starts.get(starts.partition_point(|start| *start < offset)) {
                let at = DateTime::from_timestamp(number as i64 * BLOCK + i64::from(*start), 0);
                return at.ok_or(NoAnswer::OutOfRange);
            }
            offset = 0;
        }
        Err(NoAnswer::NeverOpen)
    }

    fn block<'a>(&self, blocks: &'a [OnceLock<Block>], number: usize) -> &'a Block {
        blocks[number].get_or_init(|| compile(&self.calendar, number as i64 * BLOCK))
    }
}

impl Block {
    /// Open seconds of the whole block.
    fn all(&self) -> u32 {
        self.open_before.last().copied().unwrap_or(0)
    }

    /// The stretch that has begun last at this offset, and its length.
    fn stretch(&self, offset: u32) -> Option<(usize, u32)> {
        let i = self.starts.partition_point(|start| *start <= offset).checked_sub(1)?;
        Some((i, self.open_before[i + 1] - self.open_before[i]))
    }

    /// Open seconds before this offset.
    fn open_until(&self, offset: u32) -> u32 {
        self.stretch(offset).map_or(0, |(i, length)| self.open_before[i] + length.min(offset - self.starts[i]))
    }

    fn is_open(&self, offset: u32) -> bool {
        self.stretch(offset).is_some_and(|(i, length)| offset - self.starts[i] < length)
    }

    /// The offset at which `open` seconds have been open: the end of a stretch rather than the beginning of the next,
    /// unless time within the next second is meant. `open` is at most [`Block::all`], and positive or `inside`.
    fn reaching(&self, open: u32, inside: bool) -> u32 {
        let reached = |before: &u32| *before < open || (inside && *before == open);
        let i = self.open_before.partition_point(reached).saturating_sub(1);
        self.starts[i] + (open - self.open_before[i])
    }
}

/// Whole seconds since 1970 and nanoseconds; a leap second counts as the one before it.
fn seconds(at: Time) -> Result<(i64, u32), NoAnswer> {
    let second = at.timestamp();
    let known = second >= 0 && second < BLOCKS as i64 * BLOCK && at.year() < 2200;
    known.then_some((second, at.timestamp_subsec_nanos().min(999_999_999))).ok_or(NoAnswer::OutOfRange)
}

fn block_number(second: i64) -> usize {
    (second >> BLOCK_BITS) as usize
}

/// Walks the dates of a block once, in every stretch of one offset from UTC.
fn compile(calendar: &Calendar, begin: i64) -> Block {
    let end = begin + BLOCK;
    let year = |second: i64| DateTime::from_timestamp(second, 0).map_or(1970, |at| at.year());
    // A day more at each end: the zone's dates are not those of UTC.
    let holidays = calendar.holidays(year(begin - 200_000), year(end + 200_000));
    let mut open: Vec<(i64, i64)> = Vec::with_capacity(512);
    for regime in calendar.zone.regimes(begin, end) {
        let wall = |second: i64| DateTime::from_timestamp(second + regime.offset, 0).map(|at| at.date_naive());
        let (Some(first), Some(last)) = (wall(regime.start), wall(regime.end - 1)) else { continue };
        for date in first.iter_days().take_while(|date| *date <= last) {
            let midnight = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() - regime.offset;
            for (from, to) in calendar.open_on(date, &holidays) {
                let from = (midnight + i64::from(from) * 60).max(regime.start);
                let to = (midnight + i64::from(to) * 60).min(regime.end);
                match open.last_mut() {
                    _ if from >= to => {}
                    Some(last) if last.1 == from => last.1 = to,
                    _ => open.push((from, to)),
                }
            }
        }
    }
    let mut before = 0;
    let sums = open.iter().map(|(from, to)| {
        before += (to - from) as u32;
        before
    });
    let open_before = std::iter::once(0).chain(sums).collect();
    Block { starts: open.iter().map(|(from, _)| (from - begin) as u32).collect(), open_before }
}
