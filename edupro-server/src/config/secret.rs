//! The secret that everything is signed with (security R9, R51).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use edupro_core::{Entropy, accounts::Keys};
use secrecy::{ExposeSecret, SecretString};

use super::Config;

/// The file in the data directory.
const FILE_NAME: &str = "secret";

/// Why the secret in the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The data directory cannot be made.
    #[error("cannot make the data directory {}; set `data_dir` to one that can be written", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read or written.
    #[error("cannot read or make {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Others on this machine can read it.
    #[error("others can read {file}: run `chmod 600 {file}`, or delete it to get a new secret and end all sessions", file = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// Somebody has changed it for the worse.
    #[error("{} {problem}, or delete the file to get a new secret and end all sessions", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
        /// What it must be.
        problem: String,
    },
}

/// What is wrong with a configured secret.
pub(crate) fn check(secret: Option<&SecretString>) -> Result<(), String> {
    let Some(secret) = secret else { return Ok(()) };
    match Keys::new(secret.expose_secret().as_bytes(), None) {
        Ok(_) => Ok(()),
        Err(_) => Err("must be at least 32 characters that nobody can guess; \
                       `openssl rand -hex 32` makes some"
            .to_owned()),
    }
}

impl Config {
    /// Makes the data directory, if it is not there, for this user alone.
    pub fn make_data_dir(&self) -> Result<(), SecretError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.data_dir)
            .map_err(|source| SecretError::Directory { path: self.data_dir.clone(), source })
    }

    /// Where the secret is kept that is made once.
    #[must_use]
    pub fn secret_path(&self) -> PathBuf {
        self.data_path(FILE_NAME)
    }

    /// The configured secret, else that of the data directory, which is made when it is first
    /// asked for.
    pub fn secret(&self, entropy: &dyn Entropy) -> Result<SecretString, SecretError> {
        if let Some(secret) = &self.auth.secret {
            return Ok(secret.clone());
        }
        self.make_data_dir()?;
        let path = self.secret_path();
        let secret = read_or_make(&path, entropy)
            .map_err(|source| SecretError::Io { path: path.clone(), source })?;
        if group_or_others_read(&path) {
            return Err(SecretError::Exposed { path });
        }
        check(Some(&secret)).map_err(|problem| SecretError::Weak { path, problem })?;
        Ok(secret)
    }
}

/// Whoever has the lock first writes, so processes that start at once agree, and a process that
/// dies before it has written leaves an empty file, which the next one fills.
fn read_or_make(path: &Path, entropy: &dyn Entropy) -> io::Result<SecretString> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        // A secret that is mounted read-only is there already.
        Err(error) if is_read_only(&error) => File::open(path)?,
        opened => opened?,
    };
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if text.is_empty() {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        text = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        file.rewind()?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
    }
    Ok(SecretString::from(text.trim()))
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether the file's mode lets somebody else read it.
fn group_or_others_read(path: &Path) -> bool {
    mode(path) & 0o077 != 0
}

/// Whether the file's mode lets everybody read it.
pub(super) fn everybody_reads(path: &Path) -> bool {
    mode(path) & 0o004 != 0
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).map_or(0, |file| file.permissions().mode())
}

#[cfg(not(unix))]
fn mode(_: &Path) -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use edupro_core::SystemEntropy;
    use tempfile::TempDir;

    use super::*;
    use crate::config::{Loaded, Sources};

    fn config(data_dir: PathBuf) -> Config {
        Config { data_dir, ..Loaded::new(Sources::default()).unwrap().config }
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_secret() {
        let directory = TempDir::new().unwrap();
        let config = config(directory.path().join("deep/data"));
        let config = Arc::new(config);
        let secrets: Vec<String> = (0..8)
            .map(|_| {
                let config = Arc::clone(&config);
                thread::spawn(move || {
                    config.secret(&SystemEntropy).unwrap().expose_secret().to_owned()
                })
            })
            .collect::<Vec<_>>()
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert!(secrets.iter().all(|secret| *secret == secrets[0]), "{secrets:?}");
        assert_eq!(secrets[0].len(), 64);
        assert!(secrets[0].bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_can_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;

        let directory = TempDir::new().unwrap();
        let config = config(directory.path().to_owned());
        config.secret(&SystemEntropy).unwrap();
        let path = config.data_path("secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let message = config.secret(&SystemEntropy).unwrap_err().to_string();
        assert!(message.contains(&format!("run `chmod 600 {}`", path.display())), "{message}");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "changeme").unwrap();
        let message = config.secret(&SystemEntropy).unwrap_err().to_string();
        assert!(message.contains("must be at least 32 characters"), "{message}");
    }
}
