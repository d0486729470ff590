//! `Stripe-Signature: t=1700000000,v1=<hex>[,v1=<hex>…]` over `t`, a full stop and the raw body.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// How old, or how far ahead, a signature may be. Stripe's own libraries refuse only old ones.
const TOLERANCE: u64 = 300;

/// Why a webhook is not Stripe's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SignatureError {
    #[error("the signature is missing or cannot be read")]
    Malformed,
    #[error("the signature is wrong")]
    Wrong,
    #[error("the signature is too old, or of the future")]
    Stale,
}

/// Checks a signature in constant time against every secret.
pub(super) fn verify(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
    now: i64,
) -> Result<(), SignatureError> {
    let mut time = None;
    let mut signatures = Vec::new();
    for (scheme, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
        match scheme {
            "t" => time = Some(value),
            // Other schemes are weaker: whoever could choose one would.
            "v1" => signatures.extend(bytes(value)),
            _ => {}
        }
    }
    let time = time.filter(|_| !signatures.is_empty()).ok_or(SignatureError::Malformed)?;
    let at: i64 = time.parse().map_err(|_| SignatureError::Malformed)?;
    // The time as it is written, not as it is read.
    let signed = [time.as_bytes(), b".", body].concat();
    let mut good = false;
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        for signature in &signatures {
            good |= hmac::verify(&key, &signed, signature).is_ok();
        }
    }
    if !good {
        return Err(SignatureError::Wrong);
    }
    match now.abs_diff(at) <= TOLERANCE {
        true => Ok(()),
        false => Err(SignatureError::Stale),
    }
}

/// The bytes of a hexadecimal text.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: i64 = 1_700_000_000;
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    /// Of [`TIME`] and [`BODY`] with the secret `whsec_test`, worked out elsewhere.
    const VECTOR: &str = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";

    fn check(header: &str, body: &[u8], now: i64) -> Result<(), SignatureError> {
        verify(header, body, &["whsec_old".into(), "whsec_test".into()], now)
    }

    #[test]
    fn the_vector_is_accepted_among_others_and_within_five_minutes() {
        let header = format!("t={TIME},v1={},v1={VECTOR},v0=aa", "00".repeat(32));
        assert_eq!(check(&header, BODY, TIME), Ok(()));
        assert_eq!(check(&header, BODY, TIME + 300), Ok(()));
        assert_eq!(check(&header, BODY, TIME - 300), Ok(()));
        assert_eq!(check(&header, BODY, TIME + 301), Err(SignatureError::Stale));
        assert_eq!(check(&header, BODY, TIME - 301), Err(SignatureError::Stale));
    }

    #[test]
    fn anything_else_is_refused() {
        let wrong = [
            format!("t={},v1={VECTOR}", TIME + 1),
            // The same number, written otherwise.
            format!("t=0{TIME},v1={VECTOR}"),
            format!("t={TIME},v1={}", &VECTOR[2..]),
        ];
        for header in wrong {
            assert_eq!(check(&header, BODY, TIME), Err(SignatureError::Wrong), "{header}");
        }
        let good = format!("t={TIME},v1={VECTOR}");
        assert_eq!(check(&good, b"{\"id\": \"evt_1\"}", TIME), Err(SignatureError::Wrong));
        assert_eq!(verify(&good, BODY, &["whsec_old".into()], TIME), Err(SignatureError::Wrong));
        let malformed = [
            String::new(),
            format!("t={TIME}"),
            format!("v1={VECTOR}"),
            format!("t=now,v1={VECTOR}"),
            format!("t={TIME},v0={VECTOR}"),
            format!("t={TIME},v1=zz"),
        ];
        for header in malformed {
            assert_eq!(check(&header, BODY, TIME), Err(SignatureError::Malformed), "{header}");
        }
    }
}
