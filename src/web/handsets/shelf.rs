//! Whose phones there are, and in which order they lie on the shelf. Pure.

use std::collections::BTreeMap;

use crate::{
    clock::Time,
    config::{Config, Team},
    id::PersonKey,
    incident::World,
    people::E164,
};

/// A number that nobody in the schedules has, kept free for films and tests: for a caller nobody knows.
pub const STRANGER: &str = "+12015550198";

/// Whose phone it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub name: String,
    /// What they are here: `On call for Payments`, `Customer`.
    pub what: String,
    /// `customer`, `person`, `hotline` or `stranger`.
    pub kind: &'static str,
    /// BCP 47, in which they are spoken to.
    pub language: String,
}

/// Every phone of the schedules, in order: those who call, then those who are called, the first to be called first.
#[derive(Clone, Debug)]
pub struct Shelf {
    owners: Vec<(E164, Owner)>,
    hotlines: BTreeMap<E164, String>,
}

impl Shelf {
    /// The shelf as the schedules are now.
    pub fn of(world: World<'_>, now: Time) -> Shelf {
        let config = world.config;
        let mut owners = Vec::new();
        for customer in config.customers.values() {
            for (at, number) in customer.phones.iter().enumerate() {
                let what = match at {
                    0 => "Customer".into(),
                    _ => format!("Customer, phone {}", at + 1),
                };
                let language = config.hotlines.values().next().map_or("en-US", |hotline| &hotline.language).into();
                owners.push((number.clone(), Owner { name: customer.name.clone(), what, kind: "customer", language }));
            }
        }
        if let Ok(number) = E164::parse(STRANGER)
            && !config.customers.values().any(|customer| customer.phones.contains(&number))
        {
            owners.push((number, stranger("Calls from a number nobody knows")));
        }
        let mut people: Vec<_> = config
            .people
            .values()
            .map(|person| {
                let (rank, what) = post(&person.key, world, now);
                (rank, person, what)
            })
            .collect();
        people.sort_by(|a, b| (a.0, &a.1.name).cmp(&(b.0, &b.1.name)));
        for (_, person, what) in people {
            for method in &person.contact {
                let what = match (person.contact.len(), what.is_empty()) {
                    (1, _) => what.clone(),
                    (_, true) => method.name.clone(),
                    (_, false) => format!("{what} · {}", method.name),
                };
                let (name, language) = (person.name.clone(), person.language.clone());
                owners.push((method.address.clone(), Owner { name, what, kind: "person", language }));
            }
        }
        let hotlines = config.hotlines.values();
        let hotlines = hotlines.map(|hotline| (hotline.number.clone(), named(hotline.key.as_str(), config))).collect();
        Shelf { owners, hotlines }
    }

    /// The phones, each with its place.
    pub fn phones(&self) -> impl Iterator<Item = (usize, &E164, &Owner)> {
        self.owners.iter().enumerate().map(|(place, (number, owner))| (place, number, owner))
    }

    /// Whose number it is, and its place; somebody nobody knows comes last.
    pub fn owner(&self, number: &E164) -> (usize, Owner) {
        if let Some((place, _, owner)) = self.phones().find(|(_, known, _)| *known == number) {
            return (place, owner.clone());
        }
        match self.hotlines.get(number) {
            Some(name) => {
                let name = name.clone();
                let owner =
                    Owner { name, what: "A number customers dial".into(), kind: "hotline", language: "en-US".into() };
                (self.owners.len(), owner)
            }
            None => (self.owners.len() + 1, stranger("Nobody in the schedules")),
        }
    }

    /// Who is at a number, in a word or two.
    pub fn name(&self, number: &E164) -> Option<String> {
        let known = self.phones().find(|(_, known, _)| *known == number).map(|(_, _, owner)| owner.name.clone());
        known.or_else(|| self.hotlines.get(number).cloned())
    }

    /// Phones to dial from: number and name, the customers' first.
    pub fn callers(&self) -> Vec<(String, String)> {
        let outside = |kind| matches!(kind, "customer" | "stranger");
        self.phones()
            .filter(|(_, _, owner)| outside(owner.kind))
            .map(|(_, number, owner)| (number.as_str().into(), format!("{} ({})", owner.name, number.as_str())))
            .collect()
    }

    /// Numbers to dial, and their names.
    pub fn hotlines(&self) -> Vec<(String, String)> {
        let shown =
            |(number, name): (&E164, &String)| (number.as_str().into(), format!("{name} ({})", number.as_str()));
        self.hotlines.iter().map(shown).collect()
    }
}

fn stranger(what: &str) -> Owner {
    Owner { name: "A stranger".into(), what: what.into(), kind: "stranger", language: "en-US".into() }
}

/// `Hotline main`; with one hotline only `The hotline`.
fn named(key: &str, config: &Config) -> String {
    if config.hotlines.len() == 1 { "The hotline".into() } else { format!("Hotline {key}") }
}

/// What somebody is for the teams, gravest duty first, and how soon they are called.
fn post(key: &PersonKey, world: World<'_>, now: Time) -> (u8, String) {
    let teams = || world.config.teams.values();
    let of = |wanted: &dyn Fn(&Team) -> bool| -> Vec<&str> {
        teams().filter(|team| wanted(team)).map(|team| team.name.as_str()).collect()
    };
    let is = |who: &Option<PersonKey>| who.as_ref() == Some(key);
    let posts = [
        ("On call for", of(&|team| world.on_call(&team.schedule, now).as_ref() == Some(key))),
        ("Leads", of(&|team| is(&team.lead))),
        ("Manager of", of(&|team| is(&team.manager))),
        ("Executive for", of(&|team| is(&team.executive))),
        ("Last resort of", of(&|team| team.last_resort.contains(key))),
    ];
    let found = posts.iter().enumerate().find(|(_, (_, teams))| !teams.is_empty());
    match found {
        Some((rank, (word, teams))) => (rank as u8, format!("{word} {}", listed(teams))),
        None => (9, String::new()),
    }
}

fn listed(names: &[&str]) -> String {
    match names {
        [one] => (*one).into(),
        [one, two] => format!("{one} and {two}"),
        [first, rest @ ..] => format!("{first} and {} more teams", rest.len()),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn example() -> Config {
        let folder = tempfile::tempdir().unwrap();
        config::write_example(folder.path()).unwrap();
        config::check(folder.path(), "2026-11-02T12:00:00Z".parse().unwrap()).0.unwrap()
    }

    fn shelf(config: &Config) -> Shelf {
        Shelf::of(World { config, overrides: &[] }, "2026-11-02T15:00:00Z".parse().unwrap())
    }

    #[test]
    fn customers_lie_before_people_and_whoever_is_called_first_before_the_others() {
        let config = example();
        let shelf = shelf(&config);
        let kinds: Vec<&str> = shelf.phones().map(|(_, _, owner)| owner.kind).collect();
        let firsts: Vec<&str> = ["customer", "stranger", "person"].into();
        let mut seen = kinds.clone();
        seen.dedup();
        assert_eq!(seen, firsts);
        let (_, _, first) = shelf.phones().find(|(_, _, owner)| owner.kind == "person").unwrap();
        assert!(first.what.starts_with("On call for "), "{first:?}");
        let lines = config.people.values().map(|person| person.contact.len()).sum::<usize>();
        assert_eq!(kinds.iter().filter(|kind| **kind == "person").count(), lines);
    }

    #[test]
    fn a_second_line_says_which_it_is() {
        let config = example();
        let shelf = shelf(&config);
        let (_, owner) = shelf.owner(&E164::parse("+12015550103").unwrap());
        assert!(owner.name == "Ben Okafor" && owner.what.ends_with("home"), "{owner:?}");
    }

    #[test]
    fn a_hotline_is_no_phone_and_an_unknown_number_is_a_stranger() {
        let config = example();
        let shelf = shelf(&config);
        let kind = |number: &str| shelf.owner(&E164::parse(number).unwrap()).1.kind;
        assert_eq!((kind("+12015550190"), kind("+15005550006"), kind(STRANGER)), ("hotline", "stranger", "stranger"));
        assert_eq!((shelf.hotlines().len(), shelf.callers().len()), (2, 4));
    }
}
