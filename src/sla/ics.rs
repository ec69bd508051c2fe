//! Holidays from an iCalendar file (RFC 5545), as public feeds and office suites write them: events of whole days,
//! once or every year.

use chrono::{Datelike, Month, NaiveDate, TimeDelta};
use icalendar::parser::{Component, read_calendar, unfold};

use super::holiday::{Day, Holiday, Observed};

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line the event begins on, from 1; 0 when the whole file is to blame.
    pub line: usize,
    /// The event is left out and the file can be used all the same.
    pub harmless: bool,
    pub message: String,
}

/// No event is longer, in days.
const LONGEST: i64 = 366;
/// No file gives more dates.
const MOST: usize = 5000;

/// The holidays in a file, and what is wrong with it.
pub fn read(text: &str) -> (Vec<Holiday>, Vec<Mistake>) {
    let whole = |message: &str| Mistake { line: 0, harmless: false, message: message.into() };
    let lines = event_lines(text);
    let Some(lines) = lines else { return (Vec::new(), vec![whole("its BEGIN and END lines do not match")]) };
    let unfolded = unfold(text.trim_start_matches('\u{feff}'));
    let Ok(calendar) = read_calendar(&unfolded) else {
        return (Vec::new(), vec![whole("is not an iCalendar file; export it again")]);
    };
    let events: Vec<&Component<'_>> = calendar.components.iter().filter(|part| part.name == "VEVENT").collect();
    // The parser stops without a word at what it cannot read.
    if events.len() != lines.len() {
        let line = lines.get(events.len()).copied().unwrap_or(0);
        let message = "cannot be read from here on; export it again".into();
        return (Vec::new(), vec![Mistake { line, harmless: false, message }]);
    }
    let (mut holidays, mut mistakes) = (Vec::new(), Vec::new());
    for (event, line) in events.into_iter().zip(lines) {
        match days_of(event) {
            Ok(days) => holidays.extend(days),
            Err((harmless, message)) => mistakes.push(Mistake { line, harmless, message }),
        }
        if holidays.len() > MOST {
            mistakes.push(Mistake { line, harmless: false, message: format!("more than {MOST} dates; split it up") });
            return (Vec::new(), mistakes);
        }
    }
    if holidays.is_empty() && mistakes.is_empty() {
        mistakes.push(whole("has no event of a whole day"));
    }
    (holidays, mistakes)
}

/// The lines on which events begin; `None` if the parts are not nested as they should be.
fn event_lines(text: &str) -> Option<Vec<usize>> {
    let (mut lines, mut depth) = (Vec::new(), 0u8);
    for (i, line) in text.lines().enumerate() {
        if line.starts_with("BEGIN:") {
            depth = depth.checked_add(1).filter(|depth| *depth < 10)?;
            if line.trim_end() == "BEGIN:VEVENT" {
                lines.push(i + 1);
            }
        } else if line.starts_with("END:") {
            depth = depth.checked_sub(1)?;
        }
    }
    (depth == 0).then_some(lines)
}

type Refused = (bool, String);

fn days_of(event: &Component<'_>) -> Result<Vec<Holiday>, Refused> {
    let refuse = |message: &str| Err((false, message.to_owned()));
    let value = |name: &str| event.find_prop(name).map(|property| property.val.as_str().trim());
    if value("STATUS") == Some("CANCELLED") {
        return Ok(Vec::new());
    }
    let Some(start) = value("DTSTART") else { return refuse("has no DTSTART; give the event a date") };
    if start.contains('T') {
        return Err((true, "is not of whole days, so it is no holiday and is left out".into()));
    }
    let Some(first) = date(start) else { return refuse("DTSTART is not a date from 1970 to 2200") };
    let days = match (value("DTEND"), value("DURATION")) {
        // The end is the first day after.
        (Some(end), _) => date(end).map(|end| (end - first).num_days()),
        (None, Some(duration)) => whole_days(duration),
        (None, None) => Some(1),
    };
    let Some(days) = days.filter(|days| (0..=LONGEST).contains(days)) else {
        return refuse("does not last from one day to 366; correct DTEND or DURATION");
    };
    if ["RDATE", "EXDATE"].iter().any(|name| value(name).is_some()) {
        return refuse("RDATE and EXDATE are not understood; write each date as an event of its own");
    }
    let repeats = value("RRULE").map(|rule| yearly(rule, first)).transpose()?;
    let name: String =
        value("SUMMARY").unwrap_or("Holiday").replace("\\,", ",").replace("\\;", ";").chars().take(200).collect();
    // Some programs write an end equal to the start.
    let dates = (0..days.max(1)).filter_map(|n| first.checked_add_signed(TimeDelta::days(n)));
    let holiday = |date: NaiveDate| {
        let (day, from, to) = match (repeats, Month::try_from(date.month() as u8)) {
            // Over New Year the later days begin a year later.
            (Some(last), Ok(month)) => {
                let to = last.map(|last| last + date.year() - first.year());
                (Day::Fixed(month, date.day() as u8), Some(date.year()), to)
            }
            _ => (Day::Once(date), None, None),
        };
        Holiday { name: name.clone(), day, observed: Observed::default(), from, to }
    };
    Ok(dates.map(holiday).collect())
}

/// The last year of an event that comes every year; `None` if it never ends.
fn yearly(rule: &str, first: NaiveDate) -> Result<Option<i32>, Refused> {
    let not_understood = || {
        let rule: String = rule.chars().take(60).collect();
        (
            false,
            format!("`{rule}` is not understood, only events of every year are; write a rule in a TOML file instead"),
        )
    };
    let (mut every_year, mut last) = (false, None);
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(not_understood)?;
        let same = |number: u32| value.parse() == Ok(number);
        let sound = match name {
            "FREQ" => {
                every_year = value == "YEARLY";
                every_year
            }
            "INTERVAL" => same(1),
            "BYMONTH" => same(first.month()),
            "BYMONTHDAY" => same(first.day()),
            "WKST" => true,
            // February 29 comes every fourth year: its count is not one of years.
            "COUNT" => {
                let count = value.parse::<i32>().ok().filter(|n| (1..=1000).contains(n));
                last = count.map(|count| first.year() + count - 1);
                last.is_some() && (first.month(), first.day()) != (2, 29)
            }
            "UNTIL" => {
                let until = value.get(..8).and_then(date);
                let still_comes = |until: NaiveDate| (first.month(), first.day()) <= (until.month(), until.day());
                last = until.map(|until| until.year() - i32::from(!still_comes(until)));
                last.is_some()
            }
            _ => false,
        };
        if !sound {
            return Err(not_understood());
        }
    }
    if every_year { Ok(last) } else { Err(not_understood()) }
}

fn date(text: &str) -> Option<NaiveDate> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = digits.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())?;
    date.filter(|date| (1970..=2200).contains(&date.year()))
}

fn whole_days(duration: &str) -> Option<i64> {
    let rest = duration.trim_start_matches('+').strip_prefix('P')?;
    let number = |unit| rest.strip_suffix(unit).and_then(|digits| digits.parse::<u16>().ok()).map(i64::from);
    number('D').or_else(|| number('W').map(|weeks| weeks * 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(events: &str) -> String {
        let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{events}END:VCALENDAR\n");
        text.replace('\n', "\r\n")
    }

    fn event(lines: &str) -> String {
        file(&format!("BEGIN:VEVENT\nUID:1@x\n{lines}END:VEVENT\n"))
    }

    fn dates(text: &str) -> Vec<String> {
        let (holidays, mistakes) = read(text);
        assert_eq!(mistakes, []);
        let set = crate::sla::HolidaySet { key: "x".into(), title: "X".into(), holidays };
        set.dates(2025, 2030).into_iter().map(|(date, name)| format!("{date} {name}")).collect()
    }

    fn complaint(text: &str) -> (usize, bool, String) {
        let (_, mut mistakes) = read(text);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        let mistake = mistakes.remove(0);
        (mistake.line, mistake.harmless, mistake.message)
    }

    #[test]
    fn whole_days_are_read_with_the_end_left_out() {
        let text =
            event("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Office closed\\, all of i\n t\n");
        let closed = "Office closed, all of it";
        assert_eq!(
            dates(&text),
            [format!("2026-12-24 {closed}"), format!("2026-12-25 {closed}"), format!("2026-12-26 {closed}")]
        );
        assert_eq!(dates(&event("DTSTART;VALUE=DATE:20260501\nSUMMARY:May Day\n")), ["2026-05-01 May Day"]);
        assert_eq!(dates(&event("DTSTART;VALUE=DATE:20260501\nDURATION:P2D\n")).len(), 2);
        assert_eq!(dates(&event("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260501\n")).len(), 1);
    }

    #[test]
    fn events_of_every_year_repeat_until_they_end() {
        let with = |rule: &str| dates(&event(&format!("DTSTART;VALUE=DATE:20260501\nSUMMARY:M\nRRULE:{rule}\n")));
        assert_eq!(with("FREQ=YEARLY").len(), 5, "2026 to 2030");
        assert_eq!(with("FREQ=YEARLY;COUNT=2"), ["2026-05-01 M", "2027-05-01 M"]);
        assert_eq!(with("FREQ=YEARLY;UNTIL=20280430").len(), 2);
        assert_eq!(with("FREQ=YEARLY;UNTIL=20280501T000000Z;BYMONTH=5;BYMONTHDAY=1").len(), 3);
        let over_new_year =
            event("DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270102\nRRULE:FREQ=YEARLY;COUNT=2\nSUMMARY:N\n");
        assert_eq!(dates(&over_new_year), ["2026-12-31 N", "2027-01-01 N", "2027-12-31 N", "2028-01-01 N"]);
    }

    #[test]
    fn what_is_called_off_is_no_holiday() {
        let good = "BEGIN:VEVENT\nUID:2@x\nDTSTART;VALUE=DATE:20260501\nSUMMARY:M\nEND:VEVENT\n";
        let off = "BEGIN:VEVENT\nUID:3@x\nDTSTART;VALUE=DATE:20260502\nSTATUS:CANCELLED\nEND:VEVENT\n";
        assert_eq!(dates(&file(&format!("{good}{off}"))), ["2026-05-01 M"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (lines, harmless, message) in [
            ("SUMMARY:x\n", false, "has no DTSTART"),
            ("DTSTART:20260501T090000Z\n", true, "is not of whole days"),
            ("DTSTART;VALUE=DATE:20261301\n", false, "DTSTART is not a date"),
            ("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260401\n", false, "does not last"),
            ("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=YEARLY;BYDAY=1MO\n", false, "is not understood"),
            ("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=MONTHLY\n", false, "is not understood"),
            ("DTSTART;VALUE=DATE:20260501\nRRULE:INTERVAL=1\n", false, "is not understood"),
            ("DTSTART;VALUE=DATE:20280229\nRRULE:FREQ=YEARLY;COUNT=3\n", false, "is not understood"),
            ("DTSTART;VALUE=DATE:20260501\nEXDATE:20270501\n", false, "RDATE and EXDATE"),
        ] {
            let (line, left_out, said) = complaint(&event(lines));
            assert_eq!((line, left_out), (4, harmless), "{said}");
            assert!(said.contains(message), "{said}");
        }
    }

    #[test]
    fn a_file_that_is_something_else_or_cut_off_is_refused() {
        for text in ["", "hello", "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n", &"BEGIN:A\n".repeat(5000), &file("")] {
            let (holidays, mistakes) = read(text);
            assert!(holidays.is_empty() && mistakes.iter().any(|mistake| !mistake.harmless), "{text:.40}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_upsets_the_reader(text in "(BEGIN:VEVENT|END:VEVENT|BEGIN:VCALENDAR|END:VCALENDAR|DTSTART|;VALUE=DATE|:2026|RRULE:|FREQ=YEARLY|UNTIL=é|\r\n|\n |[ -~]|é){0,60}") {
            let _ = read(&text);
        }
    }
}
