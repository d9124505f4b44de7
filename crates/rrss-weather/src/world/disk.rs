//! A disk that can be filled.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A `tmpfs` of its own, which only root can mount. It is unmounted when this is dropped.
#[derive(Debug)]
pub(crate) struct Disk(PathBuf);

/// Enough for the engine's files, and soon full.
const SIZE: &str = "size=96m";

impl Disk {
    /// `None` where it cannot be mounted: runs then skip the fault, and say so.
    pub(crate) fn mount(folder: &Path) -> Option<Disk> {
        let place = folder.join("disk");
        fs::create_dir(&place).ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(&place)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Disk(place)),
            _ => None,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }

    /// Takes all the room there is, or gives it back.
    pub(crate) fn fill(&self, is_full: bool) {
        let filler = self.0.join("filler");
        if !is_full {
            let _ = fs::remove_file(filler);
            return;
        }
        if let Ok(mut file) = fs::File::create(filler) {
            for size in [1 << 20, 1 << 12, 1] {
                while file.write_all(&vec![0; size]).is_ok() {}
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The engine may still be closing its files.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
