use super::*;

const OPEN: &str = "[{ days = \"weekdays\", from = \"00:00\", to = \"24:00\" }]";
const NINE_TO_FIVE: &str = "[{ days = \"weekdays\", from = \"09:00\", to = \"17:00\" }]";

/// Each mistake in a calendar or a set of holidays, made in the example, is found at its line and key.
#[test]
fn every_mistake_in_a_calendar_is_found_where_it_was_made() {
    let weekdays = "calendars.toml:18: calendars.weekdays-utc.open";
    for (file, old, new, found) in [
        ("calendars.toml", OPEN, "[]", format!("{weekdays}: is empty, so it is never open")),
        ("calendars.toml", OPEN, "\"24x5\"", format!("{weekdays}: is neither `24x7` nor a list")),
        (
            "calendars.toml",
            OPEN,
            "[{ from = \"09:00\", to = \"09:00\" }]",
            format!("{weekdays}[0].to: leaves the hours without length"),
        ),
        (
            "calendars.toml",
            OPEN,
            "[{ from = \"09:00\", to = \"25:00\" }]",
            format!("{weekdays}[0].to: is not a time of day in whole minutes"),
        ),
        (
            "calendars.toml",
            OPEN,
            "[{ from = \"09:00\", to = \"12:00\" }, { days = [\"tue\"], from = \"11:59\", to = \"13:00\" }]",
            format!("{weekdays}[1]: its hours on Tue overlap"),
        ),
        // Sunday's night overlaps with Monday's morning.
        (
            "calendars.toml",
            OPEN,
            "[{ days = [\"mon\"], from = \"05:00\", to = \"12:00\" }, { days = [\"sun\"], from = \"22:00\", to = \"06:00\" }]",
            format!("{weekdays}[1]: its hours on Sun overlap"),
        ),
        ("calendars.toml", OPEN, "[{ days = [\"moonday\"], from = \"05:00\", to = \"12:00\" }]", "`moonday`".into()),
        ("calendars.toml", "day = \"24h\"", "day = \"25h\"", "calendars.toml:12: calendars.always.day: `1d1h`".into()),
        (
            "calendars.toml",
            "open = \"24x7\"",
            &format!("open = {OPEN}"),
            "calendars.toml:8: calendars.always: `always` means around the clock".into(),
        ),
        (
            "calendars.toml",
            NINE_TO_FIVE,
            "[{ days = \"weekdays\", from = \"09:00\", to = \"16:00\" }]",
            "calendars.toml:32: calendars.matrix-8x5.day: warning: a business day is 8h, but no day of the week is open \
             for longer than 7h"
                .into(),
        ),
        (
            "calendars.toml",
            "[\"romania\"]",
            "[\"rumania\"]",
            "calendars.toml:46: calendars.bucharest-business.holidays[0]: there is no holiday set `rumania`; did you \
             mean `romania`?"
                .into(),
        ),
        (
            "calendars.toml",
            "[\"romania\"]",
            "[\"romania\"]\nexceptions = [{ date = 2026-02-29 }]",
            "calendars.toml:47: ".into(),
        ),
        (
            "calendars.toml",
            "[\"romania\"]",
            "[\"romania\"]\nexceptions = [{ date = \"2026-02-29\" }]",
            "calendars.toml:47: calendars.bucharest-business.exceptions[0].date: is not a date".into(),
        ),
        (
            "calendars.toml",
            "[\"romania\"]",
            "[\"romania\"]\nexceptions = [{ date = 2026-12-24, until = 2026-12-23 }]",
            "exceptions[0].until: is before `date`".into(),
        ),
        (
            "calendars.toml",
            "[\"romania\"]",
            "[\"romania\"]\nexceptions = [{ date = 2026-12-24, until = 2026-12-28 }, { date = 2026-12-26 }]",
            "exceptions[1]: 2026-12-26 has an exception already".into(),
        ),
        (
            "holidays/romania.toml",
            "May 1",
            "May 32",
            "holidays/romania.toml:44: holidays.romania.holidays[8].day: `May 32` is not a day of the year".into(),
        ),
        (
            "holidays/romania.toml",
            "from = 2024",
            "from = 2024\nto = 2023",
            "holidays.romania.holidays[2].to: is before `from`, 2024".into(),
        ),
        (
            "holidays/us-federal.toml",
            "\"friday\"",
            "\"someday\"",
            "holidays/us-federal.toml:9: holidays.us-federal.observed.saturday: `someday` is not known".into(),
        ),
    ] {
        let said = said(&with(file, old, new));
        assert!(said.iter().any(|line| line.contains(&found)), "{new}: {found}\n{said:#?}");
    }
}

fn with_ics(name: &str, date: &str) -> Files {
    let mut files = with("calendars.toml", "[\"romania\"]", "[\"romania\", \"office\"]");
    let event = format!("BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:{date}\nSUMMARY:Closed\nEND:VEVENT\n");
    files.insert(name.into(), format!("BEGIN:VCALENDAR\nVERSION:2.0\n{event}END:VCALENDAR\n"));
    files
}

#[test]
fn an_icalendar_file_is_a_set_of_holidays() {
    let files = with_ics("holidays/office.ics", "20261224");
    let loaded = examined(&files, covered);
    assert_eq!(loaded.findings, []);
    let dates = loaded.config.calendars["bucharest-business"].holidays(2026, 2026);
    assert!(dates.contains(&"2026-12-24".parse().unwrap()) && dates.contains(&"2026-12-25".parse().unwrap()));
}

#[test]
fn what_is_wrong_with_an_icalendar_file_is_found() {
    let said_of = |name, date| said(&with_ics(name, date)).join("\n");
    assert!(
        said_of("holidays/office.ics", "20261399")
            .contains("holidays/office.ics:3: holidays.office: DTSTART is not a date")
    );
    assert!(
        said_of("holidays/The Office.ics", "20261224").contains("The Office.ics: holidays.The Office: cannot be a key")
    );
    assert!(said_of("holidays/romania.ics", "20261224").contains("there is a set of holidays `romania` already"));
    assert!(
        said_of("holidays/office.ics", "20251224")
            .contains("calendars.bucharest-business.holidays[1]: warning: `office` has no holiday after 2025")
    );
}

#[test]
fn around_the_clock_needs_no_file() {
    let mut files = example();
    files.remove("calendars.toml");
    files.retain(|name, _| !name.starts_with("plans/") || name == "plans/standard.toml");
    let loaded = examined(&files, covered);
    assert_eq!(loaded.findings, []);
    assert!(loaded.config.calendars["always"].is_always_open());
}
