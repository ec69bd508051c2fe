//! Reading the folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    Config,
    build::{self, Built, Tables},
    document::{Node, Notes, Place, Source, well_formed},
    finding::{Finding, Severity},
    secret::Vault,
};
use crate::{
    id::ScheduleKey,
    sla::{HolidaySet, ics},
};

/// No file is longer, in bytes.
const LONGEST_FILE: u64 = 4 * 1024 * 1024;
/// No folder has more files.
const MOST_FILES: usize = 1000;

/// A folder that was read.
#[derive(Debug, Default)]
pub struct Loaded {
    pub config: Config,
    /// Warnings only, when it came from [`load`].
    pub findings: Vec<Finding>,
    /// The files' texts by their names in the folder, with secrets replaced by their digests.
    pub files: Files,
    /// Schedules whose gaps are meant.
    pub gaps_allowed: BTreeSet<ScheduleKey>,
    /// Where each key stands.
    pub(super) places: BTreeMap<String, Place>,
    /// The folder, for what no file is to blame for.
    pub(super) folder: String,
    /// Some file could not be read or parsed to its end.
    pub(super) incomplete: bool,
}

/// Texts by name: `people.toml`, `plans/standard.toml`.
pub type Files = BTreeMap<String, String>;

/// Reads a folder of `*.toml` files, and `plans/*.toml` and `holidays/*` in it. With an error in it, gives all findings instead.
pub fn load(dir: &Path) -> Result<Loaded, Vec<Finding>> {
    let loaded = read(dir, &environment);
    if loaded.findings.iter().any(Finding::is_error) { Err(loaded.findings) } else { Ok(loaded) }
}

/// The process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a folder, mistakes and all: the findings say whether it can be used.
pub fn read(dir: &Path, env: &dyn Fn(&str) -> Option<String>) -> Loaded {
    let mut unreadable = Vec::new();
    let files = files(dir, &mut unreadable);
    let mut loaded = parse(&files, dir, &format!("{}/", dir.display()), env);
    if files.is_empty() && unreadable.is_empty() {
        let message = "there is no `*.toml` file here; `ringdown init` writes an example".to_owned();
        unreadable.push(blame(dir, message));
    }
    if !unreadable.is_empty() {
        // What the others name may stand in the file that was not read.
        loaded.findings.retain(is_syntax);
        loaded.incomplete = true;
    }
    loaded.findings.splice(0..0, unreadable);
    loaded
}

/// The texts of the folder's `*.toml` files, as far as they can be read.
pub(super) fn texts(dir: &Path) -> Vec<String> {
    let files = files(dir, &mut Vec::new());
    files.into_iter().filter(|(name, _)| name.ends_with(".toml")).map(|(_, text)| text).collect()
}

/// Reads files that are in memory. `prefix` goes before their names in the findings.
pub fn parse(files: &Files, dir: &Path, prefix: &str, env: &dyn Fn(&str) -> Option<String>) -> Loaded {
    let notes = Notes::default();
    let (holiday_files, files_of_tables): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name.ends_with(".ics"));
    let source = |(name, text): &(&String, &String)| Source::new(format!("{prefix}{name}"), text.as_str());
    let sources: Vec<Source> = files_of_tables.iter().map(source).collect();
    let documents: Vec<_> = sources.iter().map(|source| source.parse(&notes)).collect();
    let broken: BTreeSet<&str> = sources
        .iter()
        .zip(&documents)
        .filter(|(_, (_, sound))| !sound)
        .map(|(source, _)| source.label.as_str())
        .collect();
    let mut tables = Tables::default();
    for (((name, _), source), (document, _)) in files_of_tables.iter().zip(&sources).zip(&documents) {
        let one =
            |section| name.strip_prefix(section)?.strip_prefix('/')?.strip_suffix(".toml").map(|key| (section, key));
        match one("plans").or_else(|| one("holidays")) {
            Some((section, key)) => {
                let node = Node::root(&notes, source, &format!("{section}.{key}"), document);
                tables.add(section, key.into(), node);
            }
            None => tables.add_file(&Node::root(&notes, source, "", document)),
        }
    }
    for (name, text) in holiday_files {
        holidays(&mut tables, &notes, &format!("{prefix}{name}"), name, text);
    }
    let Built { config, gaps_allowed } = build::build(&tables, Vault { env, folder: dir });
    drop(tables);
    let incomplete = !broken.is_empty();
    let (mut findings, places, mut redactions) = notes.finish();
    // What was read of a broken file is half the truth: only its syntax errors count.
    findings.retain(|finding| is_syntax(finding) || !broken.contains(finding.file.as_str()));
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let mut redacted = files.clone();
    // From the end, so that the places before it stay where they are.
    redactions.sort_by_key(|redaction| std::cmp::Reverse(redaction.range.start));
    for redaction in redactions {
        let text = redaction.file.strip_prefix(prefix).and_then(|name| redacted.get_mut(name));
        if let Some(text) = text.filter(|text| text.get(redaction.range.clone()).is_some()) {
            text.replace_range(redaction.range, &redaction.with);
        }
    }
    let folder = dir.display().to_string();
    Loaded { config, findings, files: redacted, gaps_allowed, places, folder, incomplete }
}

/// Reads an iCalendar file of holidays.
fn holidays(tables: &mut Tables<'_>, notes: &Notes, file: &str, name: &str, text: &str) {
    let stem = name.rsplit('/').next().and_then(|name| name.strip_suffix(".ics")).unwrap_or(name);
    let note = |line, severity, message| {
        notes.add(Finding { file: file.into(), line, key: format!("holidays.{stem}"), severity, message });
    };
    let (holidays, mistakes) = ics::read(text);
    for mistake in mistakes {
        note(mistake.line, if mistake.harmless { Severity::Warning } else { Severity::Error }, mistake.message);
    }
    if !well_formed(stem) {
        note(0, Severity::Error, "cannot be a key; rename it with lower-case letters, digits, `-` and `_`".into());
    }
    if !tables.add_holidays(HolidaySet { key: stem.into(), title: stem.into(), holidays }) {
        note(0, Severity::Error, format!("there is a set of holidays `{stem}` already; rename one of the two"));
    }
}

/// The folder's files, in the order of their names.
fn files(dir: &Path, findings: &mut Vec<Finding>) -> Files {
    let mut files = Files::new();
    for (folder, prefix) in [(dir.to_owned(), ""), (dir.join("plans"), "plans/"), (dir.join("holidays"), "holidays/")] {
        if !prefix.is_empty() && !folder.exists() {
            continue;
        }
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                findings.push(blame(&folder, format!("cannot read the folder: {error}; correct the path")));
                continue;
            }
        };
        for entry in entries.take(MOST_FILES * 10) {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    findings.push(blame(&folder, format!("cannot read the folder: {error}")));
                    continue;
                }
            };
            let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
            // Editors leave `.#people.toml` and the like behind.
            let readable = name.ends_with(".toml") || (prefix == "holidays/" && name.ends_with(".ics"));
            if !readable || name.starts_with('.') {
                continue;
            }
            if files.len() == MOST_FILES {
                findings.push(blame(&folder, format!("more than {MOST_FILES} files; put several into one")));
                break;
            }
            match text(&path) {
                Ok(text) => {
                    files.insert(format!("{prefix}{name}"), text);
                }
                Err(message) => findings.push(blame(&path, message)),
            }
        }
    }
    files
}

fn text(path: &PathBuf) -> Result<String, String> {
    let about = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !about.is_file() {
        return Err("is not a file; rename or remove it".into());
    }
    if about.len() > LONGEST_FILE {
        return Err(format!("is longer than {LONGEST_FILE} bytes; split it up"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}; correct its permissions"))?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text; save it as UTF-8")?;
    Ok(text)
}

fn is_syntax(finding: &Finding) -> bool {
    finding.key.is_empty() && finding.line > 0
}

fn blame(path: &Path, message: String) -> Finding {
    Finding { file: path.display().to_string(), line: 0, key: String::new(), severity: Severity::Error, message }
}

impl Loaded {
    /// Notes something about a key; if it is not written out in a file, at the nearest key above it that is.
    pub(super) fn note(&mut self, key: &str, severity: Severity, message: String) {
        let place = std::iter::successors(Some(key), |key| Some(&key[..key.rfind(['.', '['])?]))
            .find_map(|key| self.places.get(key))
            .cloned()
            .unwrap_or(Place { file: self.folder.clone(), line: 0 });
        self.findings.push(Finding { file: place.file, line: place.line, key: key.into(), severity, message });
    }

    /// Whether a key is written in a file.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// Whether reading this key or something below it failed, so that what follows from it is no news.
    pub(super) fn failed(&self, key: &str) -> bool {
        let below = |finding: &Finding| {
            finding.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.findings.iter().filter(|finding| finding.is_error()).any(below)
    }
}
