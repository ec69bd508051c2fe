//! A small disk that can be filled to the last byte.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// A tmpfs of a few megabytes.
pub struct Disk {
    pub folder: PathBuf,
}

const SIZE: &str = "24m";

impl Disk {
    /// Mounts one there. Whoever may not mount cannot fill a disk: that is said, not passed over.
    pub fn mount(folder: &Path) -> Disk {
        std::fs::create_dir_all(folder).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={SIZE}"), "ringdown-torture"]).arg(folder);
        let mounted = mount.output().expect("mount");
        assert!(
            mounted.status.success(),
            "the torture fills a small tmpfs, and may not mount one here: {}; run it as root, or in a namespace of its \
             own: `unshare --map-root-user --mount cargo test --test torture`",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Disk { folder: folder.into() }
    }

    /// Until not one byte more can be written.
    pub fn fill(&self) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).expect("a file");
        for size in [1 << 16, 1 << 12, 1] {
            let bytes = vec![0; size];
            while ballast.write_all(&bytes).is_ok() {}
        }
    }

    pub fn free(&self) {
        let _ = std::fs::remove_file(self.ballast());
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is being killed may hold a file there.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
