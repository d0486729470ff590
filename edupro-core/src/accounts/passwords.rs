//! Which passwords are good enough, and how they are hashed.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt},
};
use aws_lc_rs::{constant_time::verify_slices_are_equal, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};
use zeroize::Zeroizing;

use crate::{Entropy, error::Source};

/// Shortest password, in characters (security R3).
pub const PASSWORD_LENGTH_MIN: usize = 8;
/// Longest password, in characters: a longer one is refused before it is hashed (security R3).
pub const PASSWORD_LENGTH_MAX: usize = 128;

/// The worst passwords (behaviour 1.9 asks for a couple of dozen, not for a dictionary).
const COMMON: [&str; 28] = [
    "password",
    "password1",
    "password12",
    "password123",
    "passw0rd",
    "p@ssw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "qwerty123",
    "qwertyuiop",
    "qwerty1234",
    "1q2w3e4r",
    "1qaz2wsx",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "welcome1",
    "letmein1",
    "admin123",
    "abcd1234",
    "abc12345",
    "changeme",
    "11111111",
];

/// Why a password is not good enough. The words are those of the registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than [`PASSWORD_LENGTH_MIN`] characters.
    #[error(
        "This password is too short. It must contain at least {PASSWORD_LENGTH_MIN} characters."
    )]
    TooShort,
    /// More than [`PASSWORD_LENGTH_MAX`] characters.
    #[error("Ensure this field has no more than {PASSWORD_LENGTH_MAX} characters.")]
    TooLong,
    /// One of the worst.
    #[error("This password is too common.")]
    TooCommon,
    /// Nothing but digits.
    #[error("This password is entirely numeric.")]
    Numeric,
    /// The person's own username or e-mail address.
    #[error("The password is too similar to the username or the email address.")]
    Personal,
}

/// Everything that is wrong with `password`; `personal` are the person's own names.
#[must_use]
pub fn password_problems(password: &str, personal: &[&str]) -> Vec<PasswordProblem> {
    let length = password.chars().count();
    let lower = password.to_lowercase();
    let mut problems = Vec::new();
    if length < PASSWORD_LENGTH_MIN {
        problems.push(PasswordProblem::TooShort);
    }
    if length > PASSWORD_LENGTH_MAX {
        problems.push(PasswordProblem::TooLong);
    }
    if COMMON.contains(&lower.as_str()) {
        problems.push(PasswordProblem::TooCommon);
    }
    if !password.is_empty() && password.chars().all(|character| character.is_ascii_digit()) {
        problems.push(PasswordProblem::Numeric);
    }
    if personal.iter().any(|name| name.to_lowercase() == lower) {
        problems.push(PasswordProblem::Personal);
    }
    problems
}

/// What a hash costs. The default is OWASP's minimum for argon2id (security R1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory: 19_456, passes: 2 }
    }
}

impl HashCost {
    /// As cheap as argon2 gets: for tests, where many people register.
    pub const CHEAPEST: Self = Self { memory: 8, passes: 1 };
}

/// Memory that a stored hash may ask for, in KiB: one from elsewhere must not exhaust ours.
const MEMORY_MAX: u32 = 65_536;
/// PBKDF2 iterations that a stored hash may ask for.
const ITERATIONS_MAX: u32 = 2_000_000;
/// How many wait for a thread before the next is turned away (security R2).
const QUEUE_LENGTH: usize = 64;
/// How long one waits before it is turned away (security R2).
const QUEUE_TIME: Duration = Duration::from_secs(2);
/// Bytes of a salt and of a hash (security R1).
const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many are waiting. Two seconds later there may be room (security R2).
    #[error("too many passwords are being checked")]
    Busy,
    /// A stored hash cannot be read, or a thread is gone.
    #[error("a password could not be hashed")]
    Failed(#[source] Source),
}

/// How a guess compares with what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Right,
    /// It is the password, and the stored hash is weaker than ours: hash it anew.
    RightButWeak,
    /// It is not.
    Wrong,
}

/// Hashes on a few threads of its own, each with one area of memory that it keeps: a flood of
/// log-ins costs their memory and not a byte more (security R2).
pub struct Passwords {
    work: mpsc::Sender<Work>,
    threads: Semaphore,
    waiting: AtomicUsize,
    cost: HashCost,
    entropy: Arc<dyn Entropy>,
    /// What the password of an unknown account is compared with, so that it takes as long.
    nobody: String,
}

enum Work {
    Hash(Zeroizing<String>, Salt, oneshot::Sender<Result<String, HashError>>),
    Verify(Zeroizing<String>, String, oneshot::Sender<Result<Verdict, HashError>>),
}

impl Passwords {
    /// Starts `threads` threads, at least one. They end when this is dropped.
    #[must_use]
    pub fn new(threads: usize, cost: HashCost, entropy: Arc<dyn Entropy>) -> Self {
        let threads = threads.max(1);
        let (work, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            thread::spawn(move || Area::new(cost).serve(&queue));
        }
        let salt = STANDARD.encode([0; SALT_LENGTH]);
        let hash = STANDARD.encode([0; HASH_LENGTH]);
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p=1${}${}",
            cost.memory,
            cost.passes,
            salt.trim_end_matches('='),
            hash.trim_end_matches('=')
        );
        Self {
            work,
            threads: Semaphore::new(threads),
            waiting: AtomicUsize::new(0),
            cost,
            entropy,
            nobody,
        }
    }

    /// Hashes a new password into a PHC string.
    pub async fn hash(&self, password: &str) -> Result<String, HashError> {
        let mut salt = [0; SALT_LENGTH];
        self.entropy.fill(&mut salt);
        let salt = Salt::new(&salt).map_err(failed)?;
        self.run(|answer| Work::Hash(Zeroizing::new(password.to_owned()), salt, answer)).await
    }

    /// Compares a guess with a stored hash. Without one it takes as long and is wrong, so that
    /// the time does not tell which accounts exist (security R3).
    pub async fn verify(&self, guess: &str, stored: Option<&str>) -> Result<Verdict, HashError> {
        // Longer ones cannot be anybody's; hashing them would be a gift to a flood.
        let known = stored.filter(|_| guess.chars().count() <= PASSWORD_LENGTH_MAX);
        let guess: String = guess.chars().take(PASSWORD_LENGTH_MAX).collect();
        let hash = known.unwrap_or(&self.nobody).to_owned();
        let verdict = self.run(|answer| Work::Verify(Zeroizing::new(guess), hash, answer)).await?;
        Ok(if known.is_some() { verdict } else { Verdict::Wrong })
    }

    async fn run<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, HashError>>) -> Work,
    ) -> Result<T, HashError> {
        let place = Place::take(&self.waiting).ok_or(HashError::Busy)?;
        let thread =
            timeout(QUEUE_TIME, self.threads.acquire()).await.map_err(|_| HashError::Busy)?;
        let _thread = thread.map_err(failed)?;
        drop(place);
        let (answer, answered) = oneshot::channel();
        self.work.send(work(answer)).map_err(|_| failed("the hashing threads are gone"))?;
        answered.await.map_err(failed)?
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Passwords").field("cost", &self.cost).finish_non_exhaustive()
    }
}

/// A place in the queue, given back when it is dropped: a client that goes away leaves it too.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < QUEUE_LENGTH).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn failed(source: impl Into<Source>) -> HashError {
    HashError::Failed(source.into())
}

/// One thread's memory.
struct Area {
    cost: HashCost,
    blocks: Vec<Block>,
}

impl Area {
    fn new(cost: HashCost) -> Self {
        Self { cost, blocks: Vec::new() }
    }

    fn serve(mut self, queue: &Mutex<mpsc::Receiver<Work>>) {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            // A client that has gone away needs no answer.
            match next {
                Ok(Work::Hash(password, salt, answer)) => {
                    drop(answer.send(self.hash(&password, salt)));
                }
                Ok(Work::Verify(guess, stored, answer)) => {
                    drop(answer.send(self.verify(&guess, &stored)));
                }
                Err(_) => return,
            }
        }
    }

    fn params(cost: HashCost) -> Result<Params, HashError> {
        Params::new(cost.memory, cost.passes, 1, Some(HASH_LENGTH)).map_err(failed)
    }

    fn hash(&mut self, password: &str, salt: Salt) -> Result<String, HashError> {
        let params = Self::params(self.cost)?;
        let mut hash = [0; HASH_LENGTH];
        self.fill(password, salt.as_ref(), &params, &mut hash)?;
        let phc = PasswordHash {
            algorithm: Ident::new("argon2id").map_err(failed)?,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(failed)?,
            salt: Some(salt),
            hash: Some(Output::new(&hash).map_err(failed)?),
        };
        Ok(phc.to_string())
    }

    fn verify(&mut self, guess: &str, stored: &str) -> Result<Verdict, HashError> {
        if let Some(rest) = stored.strip_prefix("pbkdf2_sha256$") {
            return verify_django(guess, rest);
        }
        let phc = PasswordHash::new(stored).map_err(failed)?;
        let params = Params::try_from(&phc).map_err(failed)?;
        let (Some(salt), Some(expected)) = (&phc.salt, &phc.hash) else {
            return Err(failed("a stored hash has no salt or no hash"));
        };
        if phc.algorithm.as_str() != "argon2id" || params.m_cost() > MEMORY_MAX {
            return Err(failed("a stored hash asks for another algorithm or for too much memory"));
        }
        let mut hash = vec![0; expected.len()];
        self.fill(guess, salt.as_ref(), &params, &mut hash)?;
        Ok(if verify_slices_are_equal(&hash, expected.as_bytes()).is_err() {
            Verdict::Wrong
        } else if params.m_cost() < self.cost.memory || params.t_cost() < self.cost.passes {
            Verdict::RightButWeak
        } else {
            Verdict::Right
        })
    }

    fn fill(
        &mut self,
        password: &str,
        salt: &[u8],
        params: &Params,
        hash: &mut [u8],
    ) -> Result<(), HashError> {
        // Reserved once for our own cost; the rare larger hash grows it up to `MEMORY_MAX`.
        if self.blocks.len() < params.block_count() {
            self.blocks.resize(params.block_count(), Block::default());
        }
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password.as_bytes(), salt, hash, &mut self.blocks)
            .map_err(failed)
    }
}

/// `<iterations>$<salt>$<base64>`: what Django stored in a school that moved in (security R1).
fn verify_django(guess: &str, rest: &str) -> Result<Verdict, HashError> {
    let mut parts = rest.splitn(3, '$');
    let (Some(iterations), Some(salt), Some(hash)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(failed("a stored PBKDF2 hash has fewer than four parts"));
    };
    let iterations = iterations.parse::<std::num::NonZeroU32>().map_err(failed)?;
    if iterations.get() > ITERATIONS_MAX {
        return Err(failed("a stored PBKDF2 hash asks for too many iterations"));
    }
    let expected = STANDARD.decode(hash).map_err(failed)?;
    let verified = pbkdf2::verify(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt.as_bytes(),
        guess.as_bytes(),
        &expected,
    );
    Ok(if verified.is_ok() { Verdict::RightButWeak } else { Verdict::Wrong })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    fn passwords(cost: HashCost) -> Passwords {
        Passwords::new(1, cost, Arc::new(SeededEntropy::new(1)))
    }

    #[tokio::test]
    async fn a_password_is_right_only_as_it_was() {
        let passwords = passwords(HashCost::default());
        let hash = passwords.hash(" Str0ng pass ").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |guess| passwords.verify(guess, Some(&hash)).await.unwrap();
        assert_eq!(verify(" Str0ng pass ").await, Verdict::Right);
        assert_eq!(verify("Str0ng pass").await, Verdict::Wrong);
        assert_eq!(passwords.verify(" Str0ng pass ", None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn weaker_hashes_ask_to_be_renewed() {
        let weak = passwords(HashCost::CHEAPEST).hash("Str0ngPass!").await.unwrap();
        let passwords = passwords(HashCost { memory: 16, passes: 1 });
        assert_eq!(
            passwords.verify("Str0ngPass!", Some(&weak)).await.unwrap(),
            Verdict::RightButWeak
        );
        // Made by Django 5.2's `make_password("Str0ngPass!", "saltsalt", "pbkdf2_sha256")` with 1,000 iterations.
        let django = format!("pbkdf2_sha256$1000$saltsalt${}", {
            let mut out = [0; 32];
            pbkdf2::derive(
                pbkdf2::PBKDF2_HMAC_SHA256,
                std::num::NonZeroU32::new(1000).unwrap(),
                b"saltsalt",
                b"Str0ngPass!",
                &mut out,
            );
            STANDARD.encode(out)
        });
        assert_eq!(
            passwords.verify("Str0ngPass!", Some(&django)).await.unwrap(),
            Verdict::RightButWeak
        );
        assert_eq!(passwords.verify("other", Some(&django)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn hostile_hashes_are_refused() {
        let passwords = passwords(HashCost::CHEAPEST);
        for stored in [
            "",
            "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
            "pbkdf2_sha256$4000000000$salt$AAAA",
            "pbkdf2_sha256$x",
        ] {
            assert!(passwords.verify("guess", Some(stored)).await.is_err(), "{stored}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_flood_is_turned_away_and_the_queue_recovers() {
        let passwords = Arc::new(passwords(HashCost::default()));
        let flood: Vec<_> = (0..200)
            .map(|_| {
                let passwords = Arc::clone(&passwords);
                tokio::spawn(async move { passwords.verify("guess", None).await })
            })
            .collect();
        let mut busy = 0;
        for guess in flood {
            busy += usize::from(matches!(guess.await.unwrap(), Err(HashError::Busy)));
        }
        assert!(busy >= 200 - QUEUE_LENGTH - 40, "{busy} turned away");
        assert_eq!(passwords.verify("guess", None).await.unwrap(), Verdict::Wrong);
    }

    #[test]
    fn problems_are_all_named() {
        use PasswordProblem::{Numeric, Personal, TooCommon, TooLong, TooShort};
        let problems =
            |password: &str| password_problems(password, &["mona.k", "mona@example.com"]);
        assert_eq!(problems("Str0ngPass!"), []);
        assert_eq!(problems("1234567"), [TooShort, Numeric]);
        assert_eq!(problems("12345678"), [TooCommon, Numeric]);
        assert_eq!(problems("PassWord"), [TooCommon]);
        assert_eq!(problems("MONA@example.com"), [Personal]);
        assert_eq!(problems(&"é".repeat(129)), [TooLong]);
        assert_eq!(problems(&"é".repeat(128)), []);
    }
}
