//! Bunny's three proofs. The first two are hashes of a secret and what it vouches for, written one
//! after the other with nothing between them, so each part has to be of a fixed form.

use aws_lc_rs::{constant_time, digest, hmac};
use secrecy::{ExposeSecret, SecretString};

use crate::entropy::hex;

fn sha256(parts: &[&str]) -> String {
    hex(digest::digest(&digest::SHA256, parts.concat().as_bytes()).as_ref())
}

/// Lets a browser upload one video until `expires`.
pub(super) fn upload(library: u64, api_key: &SecretString, expires: i64, video: &str) -> String {
    let (library, expires) = (library.to_string(), expires.to_string());
    sha256(&[&library, api_key.expose_secret(), &expires, video])
}

/// Lets whoever has it open the player of one video until `expires`.
pub(super) fn embed(token_key: &SecretString, video: &str, expires: i64) -> String {
    sha256(&[token_key.expose_secret(), video, &expires.to_string()])
}

/// Whether a webhook's signature is of this body.
pub(super) fn is_webhook(read_only_key: &SecretString, body: &[u8], signature: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, read_only_key.expose_secret().as_bytes());
    let expected = hex(hmac::sign(&key, body).as_ref());
    constant_time::verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: &str = "eb1c4f77-0cda-46be-b47d-1118ad7c2ffe";
    const EXPIRES: i64 = 1_900_000_000;

    // Each was worked out elsewhere.

    #[test]
    fn the_vector_of_an_upload() {
        assert_eq!(
            upload(759, &"stream-key".into(), EXPIRES, VIDEO),
            "a0270ef34e4892a437af4ec5e2aa2eed3d2c9c74a735a28d9adf50725ab1a775"
        );
    }

    #[test]
    fn the_vector_of_a_playback() {
        assert_eq!(
            embed(&"token-security-key".into(), VIDEO, EXPIRES),
            "83aa72ede06e5381e5eebd199117d96c78d31c61d7fabef6ae7cdf40c88776c1"
        );
    }

    #[test]
    fn the_vector_of_a_webhook_and_nothing_else() {
        let body =
            br#"{"VideoLibraryId":759,"VideoGuid":"eb1c4f77-0cda-46be-b47d-1118ad7c2ffe","Status":3}"#;
        let signature = "4e8cd69dff11d78d92ce93d3cf19ae1353cff36e4ae3d83877b3680221d30eee";
        let key = "read-only-key".into();
        assert!(is_webhook(&key, body, signature));
        assert!(!is_webhook(&key, &body[1..], signature));
        assert!(!is_webhook(&"stream-key".into(), body, signature));
        for wrong in ["", &signature[2..], &signature.replace('4', "5")] {
            assert!(!is_webhook(&key, body, wrong), "{wrong}");
        }
    }
}
