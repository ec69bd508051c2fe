//! How many questions a second a calendar answers.

use std::hint::black_box;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringdown::{
    config::{example_files, load},
    sla::{Amount, Compiled},
};

const QUESTIONS: usize = 4096;

/// Instants spread over 2020 to 2036, in no order.
fn instants() -> Vec<DateTime<Utc>> {
    let mut at = 1u64;
    let mut next = || {
        // Marsaglia's xorshift: the same instants in every run.
        at ^= at << 13;
        at ^= at >> 7;
        at ^= at << 17;
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1_577_836_800 + (at % 504_921_600) as i64)
    };
    (0..QUESTIONS).map(|_| next()).collect()
}

fn business_time(c: &mut Criterion) {
    let files = example_files().iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    let config = load::parse(&files, "schedules".as_ref(), "", &|_| None).config;
    let calendar = config.calendars["bucharest-business"].clone();
    let compiled = Compiled::new(calendar.clone());
    let instants = instants();
    let mut group = c.benchmark_group("bucharest-business");
    group.throughput(Throughput::Elements(QUESTIONS as u64));
    for text in ["8h", "3bd", "250bd"] {
        let amount: Amount = text.parse().expect("an amount");
        group.bench_function(format!("due {text}"), |b| {
            b.iter(|| instants.iter().for_each(|at| _ = black_box(compiled.due(black_box(*at), amount))));
        });
    }
    for days in [1, 30, 1000] {
        group.bench_function(format!("elapsed {days} days"), |b| {
            let to = TimeDelta::days(days);
            b.iter(|| instants.iter().for_each(|at| _ = black_box(compiled.elapsed(black_box(*at), *at + to))));
        });
    }
    group.bench_function("next open", |b| {
        b.iter(|| instants.iter().for_each(|at| _ = black_box(compiled.next_open(black_box(*at)))));
    });
    group.finish();
    c.bench_function("compile one year", |b| {
        b.iter(|| black_box(Compiled::new(calendar.clone()).is_open(instants[0])));
    });
}

criterion_group!(benches, business_time);
criterion_main!(benches);
