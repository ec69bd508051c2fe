use super::*;

#[test]
fn a_bad_folder_is_told_about_in_full() {
    let files = [
        (
            "everything.toml",
            r#"
[people.anna]
name = "Anna"
zone = "Europe/Berln"
contact = { mobile = { phone = "0151 12345678" }, home = { phone = "+4930901820", can = ["telex"] } }

[people.ben]
name = "Ben"
zone = "Europe/Berlin"
contact = { mobile = { phone = "+4915112345678" } }
rules = { P1 = [{ by = "voice", after = "20m" }] }
pager = 17

[teams.ops]
name = "Operations"
zone = "Europe/Berlin"
schedule = "opps"
lead = "bena"
last_resort = []

[teams.web]
name = "Web"
zone = "Europe/Berlin"
schedule = "ops"
last_resort = ["ben"]
policies = { P1 = "quick" }

[schedules.ops]
zone = "Europe/Berlin"
layers = [{ people = ["ben"], turn = "fortnightly", start = 2026-02-30x, handoff = "25:00" }]
"#,
        ),
        (
            "policies.toml",
            "[policies.quick]\nlevels = [{ notify = [\"on-call\"] }, { after = \"5m\", notify = [\"manager\"] }]\n",
        ),
        ("hotlines.toml", "[hotlines.main]\nnumber = \"+19005550100\"\nteam = \"ops\"\nplan = \"gold\"\n"),
    ];
    let mut files: Files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    insta::assert_snapshot!(said(&files).join("\n"), @r#"
    schedules/everything.toml:30: invalid date, expected day between 01 and 28; correct the TOML here
    schedules/hotlines.toml:2: hotlines.main.number: a premium or shared-cost number is never dialled; give an ordinary line
    schedules/hotlines.toml:4: hotlines.main.plan: there is no plan `gold`; write `plans/gold.toml`
    "#);
    // The syntax mended, the rest comes to light.
    let text = files["everything.toml"].replace("2026-02-30x", "\"2026-02-30\"");
    files.insert("everything.toml".into(), text);
    insta::assert_snapshot!(said(&files).join("\n"), @r#"
    schedules/everything.toml:4: people.anna.zone: no time zone is named `Europe/Berln`; use an IANA name such as `Europe/Berlin`
    schedules/everything.toml:5: people.anna.contact.mobile.phone: not a phone number in international form; write `+`, country code and number, for example `+12015550123`
    schedules/everything.toml:5: people.anna.contact.home.can[0]: `telex` is not known; write `sms` or `voice`
    schedules/everything.toml:12: people.ben.pager: there is no such key; these exist: `contact`, `language`, `mail`, `name`, `role`, `rules` or `zone`
    schedules/everything.toml:14: teams.ops: warning: level 3 (`manager`, after 10m) of policy `default` reaches nobody in this team and would be skipped; name a `manager`
    schedules/everything.toml:14: teams.ops: warning: level 4 (`executive`, after 15m) of policy `default` reaches nobody in this team and would be skipped; name an `executive`
    schedules/everything.toml:17: teams.ops.schedule: there is no schedule `opps`; did you mean `ops`?
    schedules/everything.toml:18: teams.ops.lead: there is no person `bena`; did you mean `ben`?
    schedules/everything.toml:19: teams.ops.last_resort: is empty: when nobody answers, nobody would be paged; name at least one person
    schedules/everything.toml:21: teams.web: level 2 (`manager`, after 5m) of policy `quick` reaches nobody in this team and would be skipped; name a `manager`
    schedules/everything.toml:30: schedules.ops.layers[0].start: is not a date from 1970 to 2200; write for example `2026-01-05`
    schedules/everything.toml:30: schedules.ops.layers[0].handoff: is not a time of day; write for example `"09:00"`
    schedules/everything.toml:30: schedules.ops.layers[0].turn: is not a turn; write `daily`, `weekly`, or for example `12h`, `3d`, `2w`
    schedules/hotlines.toml:2: hotlines.main.number: a premium or shared-cost number is never dialled; give an ordinary line
    schedules/hotlines.toml:4: hotlines.main.plan: there is no plan `gold`; write `plans/gold.toml`
    "#);
}

#[test]
fn a_folder_that_is_not_there_or_holds_nothing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for dir in [folder.path().to_owned(), folder.path().join("nowhere")] {
        let (config, findings) = check(&dir, now());
        assert!(config.is_none() && findings.len() == 1, "{findings:?}");
        assert_eq!(run_check(&dir, true, now()).1, 1);
    }
    std::fs::write(folder.path().join("people.toml"), b"\xff\xfe\x00").unwrap();
    std::fs::create_dir(folder.path().join("teams.toml")).unwrap();
    let (_, findings) = check(folder.path(), now());
    let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(messages.contains(&"is not UTF-8 text; save it as UTF-8"), "{messages:?}");
    assert!(messages.contains(&"is not a file; rename or remove it"), "{messages:?}");
    // Whoever stands in the file that was not read is not said to be missing.
    crate::config::write_example(&folder.path().join("full")).unwrap();
    let full = folder.path().join("full");
    std::fs::write(full.join("people.toml"), b"\xff").unwrap();
    assert_eq!(check(&full, now()).1.len(), 1);
}

#[test]
fn the_written_example_is_the_example() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("schedules");
    crate::config::write_example(&dir).unwrap();
    let loaded = crate::config::load(&dir).unwrap();
    assert_eq!(loaded.config.people.len(), 11);
    assert!(crate::config::write_example(&dir).is_err(), "nothing is overwritten");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_bytes_in_a_file_make_the_loader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for name in ["people.toml", "plans/standard.toml"] {
            let mut files = example();
            files.insert(name.into(), text.clone());
            said(&files);
        }
    }

    #[test]
    fn no_damage_to_a_good_file_makes_the_loader_panic(
        file in 0..example_files().len(),
        at in any::<prop::sample::Index>(),
        length in 0usize..30,
        put in "[\\[\\]{}=\",.a-zA-Z0-9 \n\u{e9}\u{1F4DF}\u{0}-]{0,12}",
    ) {
        let (name, text) = example_files()[file];
        let mut characters: Vec<char> = text.chars().collect();
        let start = at.index(characters.len());
        let end = (start + length).min(characters.len());
        characters.splice(start..end, put.chars());
        let mut files = example();
        files.insert(name.into(), characters.into_iter().collect());
        said(&files);
    }
}
