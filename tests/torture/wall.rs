//! A wall clock that steps: libfaketime before the real binary, told by a file how far ahead it is.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

const WHAT_TO_DO: &str = "the torture steps the wall clock with libfaketime: install it (Debian: `apt-get install \
                          libfaketime`), and run again";

/// Where its library lies on Debian, of any architecture.
fn installed() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let library = |folder: std::fs::DirEntry| folder.path().join("faketime/libfaketime.so.1");
    folders.filter_map(|entry| entry.ok()).map(library).find(|library| library.exists())
}

/// The library, installed if that can be done.
pub fn library() -> PathBuf {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().expect("nobody panicked");
    if let Some(found) = installed() {
        return found;
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|asked| asked.stdout.trim_ascii() == b"0");
    assert!(root && Path::new("/etc/debian_version").exists(), "{WHAT_TO_DO}");
    for arguments in [&["update", "-qq"][..], &["install", "-qq", "-y", "libfaketime"]] {
        let done = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").output();
        let done = done.unwrap_or_else(|error| panic!("apt-get: {error}; {WHAT_TO_DO}"));
        assert!(done.status.success(), "{}; {WHAT_TO_DO}", String::from_utf8_lossy(&done.stderr));
    }
    installed().unwrap_or_else(|| panic!("{WHAT_TO_DO}"))
}

/// The environment of a process whose wall clock is what the file says. What counts from the start (`CLOCK_MONOTONIC`)
/// goes on as it is.
pub fn environment(file: &Path) -> Vec<(&'static str, String)> {
    set(file, 0);
    vec![
        ("LD_PRELOAD", library().display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ("DONT_FAKE_MONOTONIC", "1".into()),
    ]
}

/// From now on the wall clock is so many seconds ahead of the true one.
pub fn set(file: &Path, ahead: i64) {
    let fresh = file.with_extension("fresh");
    std::fs::write(&fresh, format!("{ahead:+}\n")).expect("a file");
    // At once: nobody reads half of it.
    std::fs::rename(fresh, file).expect("a file");
}
