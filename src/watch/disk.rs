//! How much room is left where the database lies.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Not known, or not on this machine.
const UNKNOWN: u64 = u64::MAX;

/// What was measured last.
#[derive(Debug)]
pub struct Room {
    free: AtomicU64,
    wal: AtomicU64,
}

impl Default for Room {
    fn default() -> Self {
        Room { free: AtomicU64::new(UNKNOWN), wal: AtomicU64::new(UNKNOWN) }
    }
}

impl Room {
    /// Measures it. Asked of the file system, which may hang: not to be called where somebody waits.
    pub fn measure(&self, database: &Path) {
        self.free.store(free(database).unwrap_or(UNKNOWN), Ordering::Relaxed);
        self.wal.store(wal(database).unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Bytes free to us.
    pub fn free(&self) -> Option<u64> {
        Some(self.free.load(Ordering::Relaxed)).filter(|bytes| *bytes != UNKNOWN)
    }

    /// Bytes in SQLite's write-ahead log.
    pub fn wal(&self) -> Option<u64> {
        Some(self.wal.load(Ordering::Relaxed)).filter(|bytes| *bytes != UNKNOWN)
    }
}

/// The file of a database that is a file.
pub fn file(database: &str) -> Option<PathBuf> {
    database.strip_prefix("sqlite:").map(|path| PathBuf::from(path.trim_start_matches("//")))
}

/// Bytes free to this user on the disk where this file lies.
pub fn free(file: &Path) -> Option<u64> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn wal(file: &Path) -> Option<u64> {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(name).map(|about| about.len()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_beside_a_database_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringdown.db");
        std::fs::write(folder.path().join("ringdown.db-wal"), [0; 4096]).unwrap();
        let room = Room::default();
        assert_eq!((room.free(), room.wal()), (None, None));
        room.measure(&path);
        assert!(room.free().is_some_and(|free| free > 0));
        assert_eq!(room.wal(), Some(4096));
        room.measure(Path::new("/nowhere/at/all.db"));
        assert_eq!((room.free(), room.wal()), (None, None), "what cannot be measured is not told");
    }

    #[test]
    fn a_postgresql_database_is_no_file_here() {
        assert_eq!(file("postgres://ann@db/ringdown"), None);
        assert_eq!(file("sqlite://var/x.db"), file("sqlite:var/x.db"));
    }
}
