//! The free space that uploads leave to everybody else on the disk.

use std::{io, path::Path};

use super::FileError;

/// How much of the disk stays free of uploads: a full disk stops the database too (security R21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// At least so many bytes.
    pub bytes: u64,
    /// At least so many hundredths of the disk.
    pub percent: u8,
}

impl Default for Reserve {
    /// 1 GiB and 5 % (security R21).
    fn default() -> Self {
        Self { bytes: 1 << 30, percent: 5 }
    }
}

impl Reserve {
    /// Nothing is kept free: for tests, and for disks that hold nothing else.
    pub const NONE: Self = Self { bytes: 0, percent: 0 };

    /// Refuses when less than the reserve is free on the disk of `directory`.
    pub(super) fn check(self, directory: &Path) -> Result<(), FileError> {
        let Some(space) = Space::of(directory)? else { return Ok(()) };
        if self.is_left(space) { Ok(()) } else { Err(FileError::NoSpace) }
    }

    /// Whether a disk with this space has the reserve free.
    #[must_use]
    pub fn is_left(self, space: Space) -> bool {
        let share =
            u128::from(space.free) * 100 >= u128::from(space.total) * u128::from(self.percent);
        space.free >= self.bytes && share
    }
}

/// The space of a disk, in bytes, as far as this process may use it.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// All of it.
    pub total: u64,
    /// What is free.
    pub free: u64,
}

impl Space {
    /// The space of the disk that has `directory`; nothing where the file system does not tell.
    #[cfg(unix)]
    pub fn of(directory: &Path) -> io::Result<Option<Self>> {
        let figures = rustix::fs::statvfs(directory)?;
        if figures.f_blocks == 0 {
            return Ok(None);
        }
        let bytes = |blocks: u64| blocks.saturating_mul(figures.f_frsize);
        let used = bytes(figures.f_blocks.saturating_sub(figures.f_bfree));
        let free = bytes(figures.f_bavail);
        // Blocks kept for the administrator belong to neither, as `df` counts.
        Ok(Some(Self { total: used.saturating_add(free), free }))
    }

    /// The standard library cannot ask; a full disk still ends a write with
    /// [`FileError::NoSpace`].
    #[cfg(not(unix))]
    pub fn of(_directory: &Path) -> io::Result<Option<Self>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_gibibyte_and_a_twentieth_stay_free() {
        let is_left = |total, free| Reserve::default().is_left(Space { total, free });
        assert!(is_left(10 * GIB, GIB));
        assert!(!is_left(10 * GIB, GIB - 1));
        assert!(is_left(100 * GIB, 5 * GIB));
        assert!(!is_left(100 * GIB, 5 * GIB - 1));
        assert!(is_left(u64::MAX, u64::MAX / 20 + 1));
    }

    #[test]
    fn this_disk_can_be_asked() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(Reserve::NONE.check(here).is_ok());
        if cfg!(unix) {
            let all = Reserve { bytes: u64::MAX, percent: 0 };
            assert!(matches!(all.check(here), Err(FileError::NoSpace)));
            assert!(matches!(
                Reserve::NONE.check(&here.join("no such folder")),
                Err(FileError::Failed(_))
            ));
        }
    }
}
