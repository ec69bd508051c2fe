//! The example folder, carried in the binary, so that `demo` and `init` work from anywhere.

use std::{io, path::Path};

const FILES: &[(&str, &str)] = &[
    ("people.toml", include_str!("../../schedules/people.toml")),
    ("teams.toml", include_str!("../../schedules/teams.toml")),
    ("schedules.toml", include_str!("../../schedules/schedules.toml")),
    ("policies.toml", include_str!("../../schedules/policies.toml")),
    ("customers.toml", include_str!("../../schedules/customers.toml")),
    ("hotlines.toml", include_str!("../../schedules/hotlines.toml")),
    ("integrations.toml", include_str!("../../schedules/integrations.toml")),
    ("carriers.toml", include_str!("../../schedules/carriers.toml")),
    ("calendars.toml", include_str!("../../schedules/calendars.toml")),
    ("holidays/romania.toml", include_str!("../../schedules/holidays/romania.toml")),
    ("holidays/us-federal.toml", include_str!("../../schedules/holidays/us-federal.toml")),
    ("plans/clickhelp.toml", include_str!("../../schedules/plans/clickhelp.toml")),
    ("plans/priority-matrix.toml", include_str!("../../schedules/plans/priority-matrix.toml")),
    ("plans/standard.toml", include_str!("../../schedules/plans/standard.toml")),
    ("plans/synchronet-click.toml", include_str!("../../schedules/plans/synchronet-click.toml")),
    ("plans/syncro-soft.toml", include_str!("../../schedules/plans/syncro-soft.toml")),
    ("plans/tiered-support.toml", include_str!("../../schedules/plans/tiered-support.toml")),
];

/// The example's files: names in the folder, and texts.
pub fn example_files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// Writes the example into a folder, which is made if it is not there. A file that exists is never overwritten: that
/// is an error, found before anything is written.
pub fn write_example(dir: &Path) -> io::Result<()> {
    if let Some((name, _)) = FILES.iter().find(|(name, _)| dir.join(name).exists()) {
        let message = format!("{} exists already", dir.join(name).display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    for folder in ["plans", "holidays"] {
        std::fs::create_dir_all(dir.join(folder))?;
    }
    FILES.iter().try_for_each(|(name, text)| std::fs::write(dir.join(name), text))
}
