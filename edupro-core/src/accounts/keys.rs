//! How tokens, codes and links are signed: one secret, a key of its own for each use.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::UserId;
use crate::{entropy, files::LinkSigner};

/// Fewest bytes of a secret (security R9).
const SECRET_LENGTH: usize = 32;
/// How far two machines' clocks may be apart, in seconds (security R9).
const LEEWAY: i64 = 5;
/// Who issues the tokens and for whom.
const ISSUER: &str = "edupro";

/// The secret is too short, or one that everybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the secret must be at least {SECRET_LENGTH} bytes that nobody can guess; make one with `openssl rand -hex 32`"
)]
pub struct WeakSecret;

/// What a token is good for. A refresh token is not accepted as an access token, nor the reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenType {
    Access,
    Refresh,
}

/// What a token says. It names a session; everything else stands in that session's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    pub(crate) sub: String,
    pub(crate) sid: Uuid,
    pub(crate) typ: TokenType,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    pub(crate) jti: Uuid,
    /// How many refreshes the session had when the token was made.
    #[serde(rename = "gen")]
    pub(crate) generation: i64,
}

/// Signs with the current secret, and accepts what the previous one signed.
#[derive(Clone)]
pub struct Keys {
    current: KeySet,
    previous: Option<KeySet>,
}

#[derive(Clone)]
struct KeySet {
    id: String,
    signing: EncodingKey,
    checking: DecodingKey,
    codes: hmac::Key,
    links: LinkSigner,
}

impl KeySet {
    fn new(secret: &[u8]) -> Result<Self, WeakSecret> {
        let known = secret.starts_with(b"django-insecure-") || secret.starts_with(b"changeme");
        let first = secret.first().copied().unwrap_or_default();
        if secret.len() < SECRET_LENGTH || known || secret.iter().all(|byte| *byte == first) {
            return Err(WeakSecret);
        }
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |label: &str| hmac::sign(&master, label.as_bytes());
        let tokens = derive("edupro tokens v1");
        let mut links = [0; 32];
        links.copy_from_slice(derive("edupro links v1").as_ref());
        // The id tells which key to try; it must not tell the key.
        let id = digest::digest(&digest::SHA256, derive("edupro key id v1").as_ref());
        Ok(Self {
            id: entropy::hex(&id.as_ref()[..4]),
            signing: EncodingKey::from_secret(tokens.as_ref()),
            checking: DecodingKey::from_secret(tokens.as_ref()),
            codes: hmac::Key::new(hmac::HMAC_SHA256, derive("edupro codes v1").as_ref()),
            links: LinkSigner::new(&links),
        })
    }
}

impl Keys {
    /// Keys from a secret of at least 32 bytes. To change it, give the old one as `previous` until
    /// the longest-lived token has expired.
    pub fn new(secret: &[u8], previous: Option<&[u8]>) -> Result<Self, WeakSecret> {
        Ok(Self { current: KeySet::new(secret)?, previous: previous.map(KeySet::new).transpose()? })
    }

    /// A token for a user's session.
    pub(crate) fn sign(
        &self,
        typ: TokenType,
        user: UserId,
        session: (Uuid, i64),
        token: Uuid,
        (now, expires): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: user.to_string(),
            sid: session.0,
            typ,
            iat: now.timestamp(),
            exp: expires.timestamp(),
            jti: token,
            generation: session.1,
        };
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.current.id.clone());
        jsonwebtoken::encode(&header, &claims, &self.current.signing)
    }

    /// What a token of this type says, if it is ours and has not expired.
    pub(crate) fn read(&self, typ: TokenType, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        let id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let keys = [Some(&self.current), self.previous.as_ref()];
        let keys = keys.into_iter().flatten().find(|keys| keys.id == id)?;
        let mut validation = Validation::new(Algorithm::HS256);
        // Expiry is compared with our own clock, below.
        validation.validate_exp = false;
        validation.set_audience(&[ISSUER]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims: Claims = jsonwebtoken::decode(token, &keys.checking, &validation).ok()?.claims;
        (claims.typ == typ && now.timestamp() < claims.exp + LEEWAY).then_some(claims)
    }

    /// The six characters, 30 bits, that belong to a user's request for a new password. They are
    /// computed from the request's nonce and written nowhere: a stolen database tells no code.
    #[must_use]
    pub(crate) fn reset_code(&self, user: UserId, nonce: &str) -> String {
        let tag = hmac::sign(&self.current.codes, format!("reset {user} {nonce}").as_bytes());
        entropy::code(&tag.as_ref()[..6])
    }

    /// Signs links to private files.
    #[must_use]
    pub const fn links(&self) -> &LinkSigner {
        &self.current.links
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keys").field("current", &self.current.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const OLD: &[u8] = b"an old secret of thirty-two bytes or more";
    const NEW: &[u8] = b"a new secret of thirty-two bytes or more!";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(1_800_000_000_000_000_000)
    }

    fn sign(keys: &Keys, typ: TokenType) -> String {
        let expires = now() + TimeDelta::minutes(15);
        keys.sign(typ, UserId(7), (Uuid::nil(), 3), Uuid::nil(), (now(), expires)).unwrap()
    }

    #[test]
    fn weak_secrets_are_refused() {
        for weak in [
            &b"short"[..],
            b"django-insecure-3c6a000000000000000000000000000000000000",
            b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            b"changemechangemechangemechangemechangeme",
        ] {
            assert_eq!(Keys::new(weak, None).err(), Some(WeakSecret));
        }
    }

    #[test]
    fn tokens_have_a_type_an_end_and_a_key() {
        let keys = Keys::new(OLD, None).unwrap();
        let token = sign(&keys, TokenType::Access);
        let read =
            |keys: &Keys, typ, at| keys.read(typ, &token, at).map(|claims| claims.generation);
        assert_eq!(read(&keys, TokenType::Access, now()), Some(3));
        assert_eq!(read(&keys, TokenType::Refresh, now()), None);
        assert_eq!(read(&keys, TokenType::Access, now() + TimeDelta::seconds(904)), Some(3));
        assert_eq!(read(&keys, TokenType::Access, now() + TimeDelta::seconds(905)), None);
        let rotated = Keys::new(NEW, Some(OLD)).unwrap();
        assert_eq!(read(&rotated, TokenType::Access, now()), Some(3));
        assert_eq!(read(&Keys::new(NEW, None).unwrap(), TokenType::Access, now()), None);
    }

    #[test]
    fn forged_tokens_are_refused() {
        let keys = Keys::new(OLD, None).unwrap();
        let token = sign(&keys, TokenType::Access);
        let (head, rest) = token.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        // {"alg":"none"} with and without the signature, a changed body, a cut signature.
        let none = format!("eyJhbGciOiJub25lIiwia2lkIjoi{}", "");
        for forged in [
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{head}.{body}x.{signature}"),
            format!("{head}.{body}.{}", &signature[1..]),
            format!("{head}.{body}."),
            String::new(),
            "a.b.c".into(),
        ] {
            assert_eq!(keys.read(TokenType::Access, &forged, now()), None, "{forged}");
        }
    }

    #[test]
    fn a_code_belongs_to_its_user_request_and_secret() {
        let keys = Keys::new(OLD, None).unwrap();
        let code = keys.reset_code(UserId(1), "nonce");
        assert_eq!(code.len(), 6);
        assert_ne!(code, keys.reset_code(UserId(2), "nonce"));
        assert_ne!(code, keys.reset_code(UserId(1), "other"));
        assert_ne!(code, Keys::new(NEW, None).unwrap().reset_code(UserId(1), "nonce"));
    }
}
