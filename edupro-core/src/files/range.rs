//! The `Range` header of a download.

use std::ops::Range;

use super::FileError;

/// One range of bytes that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// `bytes=100-`: everything from a byte on.
    From(u64),
    /// `bytes=100-199`: from a byte to another, both included.
    FromTo(u64, u64),
    /// `bytes=-100`: the last bytes.
    Last(u64),
}

impl ByteRange {
    /// Reads a `Range` header. Where it is not one well-formed range of bytes the answer is the
    /// whole file: RFC 9110 allows it, and several ranges at once cost more than they are worth
    /// (security R25).
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (unit, range) = header.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = range.trim().split_once('-')?;
        match (first, last) {
            ("", last) => Some(Self::Last(number(last)?)),
            (first, "") => Some(Self::From(number(first)?)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::FromTo(first, last))
            }
        }
    }

    /// The bytes it means of a file of `size` bytes, never none.
    pub fn of(self, size: u64) -> Result<Range<u64>, FileError> {
        let range = match self {
            Self::From(first) => first..size,
            Self::FromTo(first, last) => first..size.min(last.saturating_add(1)),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() { Err(FileError::RangeNotSatisfiable { size }) } else { Ok(range) }
    }
}

/// A number of digits only. One that is too large for the machine lies behind the end of any file.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_are_read() {
        for (header, range) in [
            ("bytes=0-0", Some(ByteRange::FromTo(0, 0))),
            ("bytes=100-199", Some(ByteRange::FromTo(100, 199))),
            ("Bytes= 7- ", Some(ByteRange::From(7))),
            ("bytes=-5", Some(ByteRange::Last(5))),
            ("bytes=99999999999999999999-", Some(ByteRange::From(u64::MAX))),
            ("bytes=0-1,5-6", None),
            ("bytes=5-2", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("bytes=1--2", None),
            ("bytes=a-b", None),
            ("bytes 1-2", None),
            ("items=1-2", None),
            ("", None),
        ] {
            assert_eq!(ByteRange::parse(header), range, "{header}");
        }
    }

    #[test]
    fn ranges_are_cut_to_the_file() {
        let of = |header, size| ByteRange::parse(header).unwrap().of(size).ok();
        assert_eq!(of("bytes=0-", 10), Some(0..10));
        assert_eq!(of("bytes=2-3", 10), Some(2..4));
        assert_eq!(of("bytes=2-99", 10), Some(2..10));
        assert_eq!(of("bytes=2-99999999999999999999", 10), Some(2..10));
        assert_eq!(of("bytes=-3", 10), Some(7..10));
        assert_eq!(of("bytes=-99", 10), Some(0..10));
        for (header, size) in [
            ("bytes=10-", 10),
            ("bytes=10-12", 10),
            ("bytes=-0", 10),
            ("bytes=0-", 0),
            ("bytes=-1", 0),
        ] {
            let refused = ByteRange::parse(header).unwrap().of(size);
            assert!(
                matches!(refused, Err(FileError::RangeNotSatisfiable { size: told }) if told == size),
                "{header} of {size}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_harm(header in "(bytes|=|-|,|[0-9]{1,22}|\\PC){0,8}", size: u64) {
            if let Some(range) = ByteRange::parse(&header)
                && let Ok(range) = range.of(size)
            {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }

        #[test]
        fn two_ends_mean_the_bytes_between(first in 0..2_000_u64, last in 0..2_000_u64, size in 0..2_000_u64) {
            let read = ByteRange::parse(&format!("bytes={first}-{last}"));
            prop_assert_eq!(read.is_some(), first <= last);
            let expected = (0..size).filter(|byte| (first..=last).contains(byte)).count();
            let got = read.and_then(|range| range.of(size).ok()).map_or(0, Iterator::count);
            prop_assert_eq!(got, expected);
        }
    }
}
