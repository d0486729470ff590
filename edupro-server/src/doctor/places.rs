//! Directories: whether they are there, can be written, are closed to others, and lie on a disk with
//! room.

use std::path::Path;

use edupro_core::files::{Reserve, Space};

use super::Finding;
use crate::config::{Choice, FilesProvider, Loaded};

const PART: &str = "directories";
const KEY: &[&str] = &["data_dir"];

pub(super) fn directories(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut findings = directory(&config.data_dir, 0o077);
    // What is below a directory that is not there is made with it.
    if !config.data_dir.is_dir() {
        return findings;
    }
    if config.files.provider == Choice::BuiltIn(FilesProvider::Disk) {
        // Its group may make the backups (security R24).
        findings.extend(directory(&config.data_path("files"), 0o007));
    }
    findings.extend(room(&config.data_dir));
    findings
}

/// `others` are the bits that nobody else may have.
fn directory(path: &Path, others: u32) -> Vec<Finding> {
    let shown = path.display();
    if !path.exists() {
        let found = format!("{shown} is not there yet");
        return vec![Finding::warning(PART, found, KEY, "the first start makes it")];
    }
    if !path.is_dir() {
        let remedy = "name a directory, or move the file away";
        return vec![Finding::failed(PART, format!("{shown} is no directory"), KEY, remedy)];
    }
    let mut findings = Vec::new();
    if mode(path) & others != 0 {
        let closed = if others == 0o007 { "o-rwx" } else { "go-rwx" };
        findings.push(Finding::failed(
            PART,
            format!("others on this machine can enter {shown}, whose mode is {:o}", mode(path)),
            &[],
            format!("run `chmod {closed} {shown}`"),
        ));
    }
    if !is_writable(path) {
        findings.push(Finding::failed(
            PART,
            format!("{shown} cannot be written by this user"),
            KEY,
            "give it to the user that runs the server",
        ));
    }
    if findings.is_empty() {
        findings
            .push(Finding::ok(PART, format!("{shown} can be written, and is closed to others")));
    }
    findings
}

/// Uploads are refused below the reserve (security R21); the database fails at nothing.
fn room(path: &Path) -> Option<Finding> {
    const GIB: f64 = 1_073_741_824.0;

    let Space { total, free } = match Space::of(path) {
        Ok(space) => space?,
        Err(error) => {
            let found = format!("the disk of {} does not tell its space: {error}", path.display());
            return Some(Finding::warning("disk", found, KEY, ""));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "two places are shown")]
    let [total_gib, free_gib] = [total, free].map(|bytes| bytes as f64 / GIB);
    let found = format!("{free_gib:.2} GiB of {total_gib:.2} are free");
    Some(match Reserve::default().is_left(Space { total, free }) {
        true => Finding::ok("disk", found),
        false => Finding::failed(
            "disk",
            format!("{found}: uploads are refused below 1 GiB or 5 %"),
            KEY,
            "make room, or move it to a larger disk",
        ),
    })
}

#[cfg(unix)]
fn is_writable(path: &Path) -> bool {
    use rustix::fs::{Access, access};

    access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| !about.permissions().readonly())
}

/// The permission bits; none where there are no such things.
#[cfg(unix)]
pub(super) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    path.metadata().map_or(0, |about| about.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
pub(super) fn mode(_: &Path) -> u32 {
    0
}

/// Whether the file belongs to who runs this, or to the administrator.
#[cfg(unix)]
pub(super) fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let us = rustix::process::geteuid().as_raw();
    path.metadata().is_ok_and(|about| us == 0 || [us, 0].contains(&about.uid()))
}

#[cfg(not(unix))]
pub(super) fn is_ours(_: &Path) -> bool {
    true
}
