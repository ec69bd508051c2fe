#!/usr/bin/env python3
"""The worked examples of schedules/plans/README.md, worked out without Ringdown.

Steps from the report minute by minute, asks the wall clock of the calendar's zone whether that minute is open, and
counts. Hours, terms and holidays are typed in here from the policies, not read from schedules/. Prints the tables:

    python3 tests/oracle/worked_examples.py
"""

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
WEEKDAYS = range(0, 5)

# Federal holidays of 2026 as observed, from the list of the Office of Personnel Management.
US = {date(2026, m, d) for m, d in
      [(1, 1), (1, 19), (2, 16), (5, 25), (6, 19), (7, 3), (9, 7), (10, 12), (11, 11), (11, 26), (12, 25)]}
# Public holidays of 2026 in Romania; Orthodox Easter is on 12 April.
RO = {date(2026, m, d) for m, d in
      [(1, 1), (1, 2), (1, 6), (1, 7), (1, 24), (4, 10), (4, 12), (4, 13), (5, 1), (5, 31), (6, 1), (8, 15), (11, 30),
       (12, 1), (12, 25), (12, 26)]}

# Zone, opening, closing, days of the week, closed dates, minutes of a business day.
CALENDARS = {
    "always": ("UTC", 0, 24, range(0, 7), set(), 24 * 60),
    "weekdays-utc": ("UTC", 0, 24, WEEKDAYS, set(), 24 * 60),
    "click-support": ("America/Chicago", 8, 17, WEEKDAYS, set(), 9 * 60),
    "matrix-8x5": ("America/New_York", 9, 17, WEEKDAYS, set(), 8 * 60),
    "us-central-business": ("America/Chicago", 8, 17, WEEKDAYS, US, 9 * 60),
    "bucharest-business": ("Europe/Bucharest", 9, 17, WEEKDAYS, RO, 8 * 60),
}

H = 60


def due(start, calendar, minutes):
    zone, opens, closes, days, closed, _ = CALENDARS[calendar]
    zone = ZoneInfo(zone)
    at = start.astimezone(timezone.utc)
    while minutes:
        wall = at.astimezone(zone)
        if wall.weekday() in days and wall.date() not in closed and opens * 60 <= wall.hour * 60 + wall.minute < closes * 60:
            minutes -= 1
        at += MINUTE
    return at


def bd(n, calendar):
    return (calendar, n * CALENDARS[calendar][5])


CLICK, MATRIX, CENTRAL, BUC = "click-support", "matrix-8x5", "us-central-business", "bucharest-business"
RCA = {"RCA draft": ("weekdays-utc", 72 * H), "RCA final": bd(5, CLICK)}
IDLE6, IDLE10 = {"Closed when idle": ("always", 6 * 24 * H)}, {"Closed when idle": ("always", 10 * 24 * H)}


def hourly(response):
    every = {"First update": ("always", 60), "Fifth update": ("always", 300)}
    return {"Response": ("always", response)} | every | RCA | IDLE6


def slow(response, days):
    every = {"First update": bd(days, CLICK), "Fifth update": bd(5 * days, CLICK)}
    return {"Response": (CLICK, response)} | every | IDLE6


def tier(hours):
    return {"P1": {"Response": ("always", hours * H)} | IDLE10, "P2": {"Response": ("weekdays-utc", hours * H)} | IDLE10}


IDLE5 = {"Closed when idle": bd(5, BUC)}
PLANS = {
    "synchronet-click": {"P1": hourly(30), "P2": hourly(60), "P3": slow(8 * H, 3), "P4": slow(24 * H, 5)},
    "priority-matrix": {
        "P1": {"Response": ("always", 1)}, "P2": {"Response": ("always", 30)}, "P3": {"Response": ("always", 4 * H)},
        "P4": {"Response": bd(3, MATRIX)}, "P5": {"Response": bd(5, MATRIX)}, "P6": {"Response": bd(1, MATRIX)},
    },
    "tiered-support:standard": {p: {"Response": bd(1, CENTRAL)} for p in ("P1", "P2", "P3")},
    "tiered-support:enterprise": {p: {"Response": ("always", 30)} for p in ("P1", "P2", "P3")},
    "syncro-soft": {
        "P1": {"Response": (BUC, 4 * H)} | IDLE5, "P2": {"Response": bd(1, BUC)} | IDLE5,
        "P3": {"Response": bd(3, BUC)} | IDLE5, "P4": {"Response": bd(5, BUC)} | IDLE5,
    },
    "clickhelp:professional": tier(24), "clickhelp:growth": tier(36), "clickhelp:starter": tier(48),
}

ALL = ["Response", "First update", "Fifth update", "RCA draft", "RCA final", "Closed when idle"]
SHOWN = {
    "synchronet-click": ("America/Chicago", ALL),
    "priority-matrix": ("America/New_York", ["Response"]),
    "tiered-support": ("America/Chicago", ["Response"]),
    "syncro-soft": ("Europe/Bucharest", ["Response", "Closed when idle"]),
    "clickhelp": ("UTC", ["Response", "Closed when idle"]),
}

# Case, tier, priority, wall clock of the plan's zone ("+" marks the second time an hour comes), and for P6 not before.
CASES = {
    "synchronet-click": [
        ("inside hours", "", "P1", "2026-06-03 10:00"),
        ("inside hours, due at closing time", "", "P3", "2026-06-03 09:00"),
        ("inside hours", "", "P4", "2026-06-02 10:00"),
        ("at night, around the clock", "", "P1", "2026-06-04 02:10"),
        ("at night, around the clock", "", "P2", "2026-06-04 23:30"),
        ("outside hours", "", "P3", "2026-06-03 20:00"),
        ("across a weekend", "", "P1", "2026-06-05 16:30"),
        ("across a weekend", "", "P3", "2026-06-05 16:30"),
        ("across a weekend", "", "P4", "2026-06-06 12:00"),
        ("across Thanksgiving, which is no holiday here", "", "P3", "2026-11-25 16:00"),
        ("spring night, 02:00 to 03:00 is skipped", "", "P1", "2026-03-08 01:45"),
        ("spring night, in support hours", "", "P3", "2026-03-06 16:00"),
        ("autumn night, 01:00 to 02:00 comes twice", "", "P1", "2026-11-01 01:45"),
        ("autumn night, the second time", "", "P2", "2026-11-01 01:15+"),
        ("autumn night, in support hours", "", "P4", "2026-10-30 16:00"),
    ],
    "priority-matrix": [
        ("inside hours", "", "P1", "2026-06-03 10:00"),
        ("inside hours", "", "P4", "2026-06-02 13:00"),
        ("inside hours", "", "P5", "2026-06-01 09:00"),
        ("at night, around the clock", "", "P2", "2026-06-04 02:10"),
        ("outside hours", "", "P4", "2026-06-03 20:00"),
        ("outside hours", "", "P5", "2026-06-03 06:00"),
        ("across a weekend", "", "P3", "2026-06-05 22:30"),
        ("across a weekend", "", "P4", "2026-06-05 16:30"),
        ("across a weekend", "", "P5", "2026-06-06 12:00"),
        ("across Independence Day as observed, which is no holiday here", "", "P4", "2026-07-02 13:00"),
        ("spring night, 02:00 to 03:00 is skipped", "", "P2", "2026-03-08 01:45"),
        ("spring night, in working hours", "", "P4", "2026-03-06 16:00"),
        ("autumn night, 01:00 to 02:00 comes twice", "", "P3", "2026-10-31 23:30"),
        ("autumn night, the second time", "", "P2", "2026-11-01 01:45+"),
        ("autumn night, in working hours", "", "P5", "2026-10-30 16:00"),
        ("scheduled, with no time named", "", "P6", "2026-06-03 10:00"),
        ("scheduled inside hours", "", "P6", "2026-06-03 10:00", "2026-06-10 13:00"),
        ("scheduled on a weekend", "", "P6", "2026-06-03 10:00", "2026-06-13 08:00"),
        ("scheduled over the spring night", "", "P6", "2026-03-02 10:00", "2026-03-06 16:00"),
    ],
    "tiered-support": [
        ("inside hours", "standard", "P1", "2026-06-03 10:00"),
        ("at opening time, due at closing time", "standard", "P2", "2026-06-03 08:00"),
        ("outside hours", "standard", "P2", "2026-06-03 20:00"),
        ("across a weekend", "standard", "P3", "2026-06-05 16:30"),
        ("on a Saturday", "standard", "P1", "2026-06-06 12:00"),
        ("across Independence Day as observed", "standard", "P2", "2026-07-02 16:00"),
        ("across Thanksgiving", "standard", "P3", "2026-11-25 16:00"),
        ("across Christmas and a weekend", "standard", "P1", "2026-12-24 16:00"),
        ("spring night", "standard", "P2", "2026-03-06 16:00"),
        ("autumn night", "standard", "P3", "2026-10-30 16:00"),
        ("inside hours", "enterprise", "P1", "2026-06-03 10:00"),
        ("at night", "enterprise", "P3", "2026-06-04 02:10"),
        ("on a weekend", "enterprise", "P2", "2026-06-06 23:45"),
        ("on a holiday", "enterprise", "P1", "2026-12-25 07:00"),
        ("spring night, 02:00 to 03:00 is skipped", "enterprise", "P2", "2026-03-08 01:45"),
        ("autumn night, 01:00 to 02:00 comes twice", "enterprise", "P1", "2026-11-01 01:45"),
    ],
    "syncro-soft": [
        ("inside hours", "", "P1", "2026-06-03 10:00"),
        ("inside hours", "", "P2", "2026-06-03 10:00"),
        ("at opening time, due at closing time", "", "P2", "2026-06-03 09:00"),
        ("outside hours", "", "P1", "2026-06-03 20:00"),
        ("outside hours", "", "P3", "2026-06-03 06:00"),
        ("across a weekend", "", "P1", "2026-06-05 15:00"),
        ("across a weekend", "", "P4", "2026-06-06 12:00"),
        ("across Orthodox Easter", "", "P1", "2026-04-09 15:00"),
        ("across Orthodox Easter", "", "P2", "2026-04-09 16:30"),
        ("across Pentecost Monday and Children's Day", "", "P3", "2026-05-29 16:00"),
        ("on a holiday", "", "P4", "2026-12-01 12:00"),
        ("spring night", "", "P1", "2026-03-27 15:00"),
        ("autumn night", "", "P2", "2026-10-23 16:00"),
        ("autumn night, reported in the hour that comes twice", "", "P3", "2026-10-25 03:30+"),
    ],
    "clickhelp": [
        ("on a weekday", "professional", "P2", "2026-06-03 10:00"),
        ("on a weekday", "growth", "P2", "2026-06-03 10:00"),
        ("on a weekday", "starter", "P2", "2026-06-03 10:00"),
        ("critical, across a weekend", "professional", "P1", "2026-06-05 20:00"),
        ("critical, on a weekend", "growth", "P1", "2026-06-06 12:00"),
        ("critical, on a weekend", "starter", "P1", "2026-06-06 12:00"),
        ("outside, on a Saturday", "professional", "P2", "2026-06-06 12:00"),
        ("across a weekend", "growth", "P2", "2026-06-05 20:00"),
        ("across a weekend", "starter", "P2", "2026-06-04 22:30"),
        ("across Christmas, which is no holiday here", "professional", "P2", "2026-12-24 15:00"),
        ("spring night of Europe; UTC has none", "growth", "P1", "2026-03-28 20:00"),
        ("spring night of Europe; UTC has none", "starter", "P2", "2026-03-27 20:00"),
        ("autumn night of Europe; UTC has none", "growth", "P2", "2026-10-23 20:00"),
        ("autumn night of Europe; UTC has none", "professional", "P1", "2026-10-24 20:00"),
    ],
}


def wall(text, zone):
    fold = text.endswith("+")
    return datetime.strptime(text.rstrip("+"), "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone), fold=fold)


def shown(at, zone):
    local = at.astimezone(ZoneInfo(zone))
    offset = local.strftime("%z")
    return f"{local:%a %Y-%m-%d %H:%M} {offset[:3]}:{offset[3:]}"


def main():
    for name, cases in CASES.items():
        zone, columns = SHOWN[name]
        tiers, scheduled = any(case[1] for case in cases), any(len(case) > 4 for case in cases)
        head = ["Case"] + ["Tier"] * tiers + ["Priority", "Reported"] + ["Not before"] * scheduled + columns
        print(f"### {name}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for case, tier_name, priority, reported, *later in cases:
            at = wall(reported, zone)
            start = max(at, wall(later[0], zone)) if later else at
            terms = PLANS[f"{name}:{tier_name}" if tier_name else name][priority]
            row = [case] + [tier_name] * tiers + [priority, shown(at, zone)]
            row += [shown(start, zone) if later else "—"] * scheduled
            for column in columns:
                promised = column in terms and not (priority == "P6" and not later)
                row.append(shown(due(start, *terms[column]), zone) if promised else "—")
            print(f"| {' | '.join(row)} |")
        print()


main()
