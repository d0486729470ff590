//! The door through which chance comes in: ids, codes, tokens, salts and jitter.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::{digest, rand};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Thirty-two characters that are not mistaken for one another: Crockford's base 32.
pub(crate) const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A source of unpredictable bytes.
pub trait Entropy: Debug + Send + Sync + 'static {
    /// Fills `bytes` with chance.
    fn fill(&self, bytes: &mut [u8]);

    /// A version 7 UUID for `at`: new rows stand together in an index.
    fn uuid(&self, at: DateTime<Utc>) -> Uuid {
        let mut chance = [0; 10];
        self.fill(&mut chance);
        let milliseconds = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &chance).into_uuid()
    }

    /// A number in `0..bound`; `bound` 0 is read as 1.
    ///
    /// The bias is below 2⁻³² for bounds that fit 32 bits: good for jitter and for
    /// shuffling, not for keys.
    fn below(&self, bound: u32) -> u32 {
        let mut chance = [0; 8];
        self.fill(&mut chance);
        let rest = u64::from_le_bytes(chance) % u64::from(bound.max(1));
        u32::try_from(rest).unwrap_or_default()
    }
}

/// The operating system's generator, by way of the workspace's one crypto provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::expect_used,
        reason = "a system without entropy must not go on and hand out predictable tokens"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the operating system has a random number generator");
    }
}

/// A predictable sequence, so that two runs of a test give the same answers byte for byte.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// The sequence that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let draw = self.drawn.fetch_add(1, Ordering::Relaxed);
            let mut input = [0; 16];
            input[..8].copy_from_slice(&self.seed.to_le_bytes());
            input[8..].copy_from_slice(&draw.to_le_bytes());
            let block = digest::digest(&digest::SHA256, &input);
            part.copy_from_slice(&block.as_ref()[..part.len()]);
        }
    }
}

/// Writes `bytes` as a code of 32 characters that are not mistaken for one another, five bits a
/// character: 30 bits are six of them.
///
/// Only the five low bits of each byte count, so every character is equally likely.
#[must_use]
pub fn code(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(CODE_ALPHABET[usize::from(byte & 31)])).collect()
}

/// Writes `bytes` in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A short name for several texts, which others cannot share by accident: SHA-256 in hexadecimal.
#[must_use]
pub fn fingerprint(texts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for text in texts {
        // With its length before it, no text can run into the next.
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    hex(context.finish().as_ref())
}

/// What a person typed for a code of [`code`]: any case, with Crockford's look-alikes read kindly.
#[must_use]
pub(crate) fn read_code(typed: &str) -> String {
    typed
        .chars()
        .map(|character| match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_entropy_repeats_itself_and_differs_by_seed() {
        let draw = |seed| {
            let entropy = SeededEntropy::new(seed);
            let mut bytes = [0; 40];
            entropy.fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn codes_of_the_system_do_not_repeat() {
        let codes: std::collections::HashSet<String> = (0..10_000)
            .map(|_| {
                let mut bytes = [0; 10];
                SystemEntropy.fill(&mut bytes);
                code(&bytes)
            })
            .collect();
        assert_eq!(codes.len(), 10_000);
    }

    #[test]
    fn typed_codes_are_read_kindly() {
        assert_eq!(read_code("o1l-ab"), "011-AB");
    }
}
