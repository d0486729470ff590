//! Tokens of sessions (security R9).

use chrono::TimeDelta;
use uuid::Uuid;

use super::now;
use crate::{
    accounts::{Claims, Keys, TokenType, UserId},
    conformance::working,
};

const CURRENT: &[u8] = b"the secret of a school that strangers visit";
const PREVIOUS: &[u8] = b"the secret that the same school had before it";
const FOREIGN: &[u8] = b"the secret of another school, with as many bytes";

/// The longest that a token is good for here.
const LIFETIME: TimeDelta = TimeDelta::days(7);

fn keys(secret: &[u8], previous: Option<&[u8]>) -> Keys {
    working("a secret is refused", Keys::new(secret, previous))
}

/// Genuine tokens of an imaginary session: for access and for refresh, of this secret and of the
/// one before.
#[must_use]
pub fn tokens() -> [String; 4] {
    GENUINE.map(genuine)
}

/// The secrets and the uses of genuine tokens.
const GENUINE: [(&[u8], TokenType); 4] = [
    (CURRENT, TokenType::Access),
    (CURRENT, TokenType::Refresh),
    (PREVIOUS, TokenType::Access),
    (PREVIOUS, TokenType::Refresh),
];

fn genuine((secret, typ): (&[u8], TokenType)) -> String {
    let (session, times) = ((Uuid::from_u128(7), 3), (now(), now() + LIFETIME));
    let signed = keys(secret, None).sign(typ, UserId(7), session, Uuid::from_u128(8), times);
    working("a token cannot be signed", signed)
}

/// Whether a text is a token that this school signed once, letter for letter, of that type.
fn is_signed_here(token: &str, typ: TokenType, claims: &Claims) -> bool {
    let Ok(user) = claims.sub.parse() else { return false };
    let moment = |seconds| now() + TimeDelta::seconds(seconds - now().timestamp());
    let times = (moment(claims.iat), moment(claims.exp));
    [CURRENT, PREVIOUS].into_iter().any(|secret| {
        let session = (claims.sid, claims.generation);
        let signed = keys(secret, None).sign(typ, UserId(user), session, claims.jti, times);
        signed.is_ok_and(|genuine| genuine == token)
    })
}

/// A text that reads as a token was signed here, as what it is read as, and is good neither for
/// the other use, nor for another school, nor for ever. Answers whether it reads.
///
/// # Panics
///
/// When one of that is not so.
pub fn token(text: &str) -> bool {
    let ours = keys(CURRENT, Some(PREVIOUS));
    let mut uses = 0;
    for typ in [TokenType::Access, TokenType::Refresh] {
        let Some(claims) = ours.read(typ, text, now()) else { continue };
        uses += 1;
        assert!(is_signed_here(text, typ, &claims), "a token that nobody signed reads: {text}");
        assert_eq!(ours.read(typ, text, now() + LIFETIME * 2), None, "a token never ends: {text}");
        assert_eq!(keys(FOREIGN, None).read(typ, text, now()), None, "a token of no school reads");
    }
    assert!(uses < 2, "a token is good for both uses: {text}");
    uses == 1
}

/// No letter of a genuine token can be another one. Places go on from one of the [`tokens`] to the
/// next.
///
/// # Panics
///
/// When the token still reads.
pub fn altered_token(place: usize, letter: u8) {
    let genuine = genuine(GENUINE[place % GENUINE.len()]);
    let place = place / GENUINE.len() % genuine.len();
    let mut altered = genuine.clone().into_bytes();
    altered[place] = letter;
    if let Ok(altered) = String::from_utf8(altered)
        && altered != genuine
    {
        assert!(!token(&altered), "an altered token reads: {altered}");
    }
}
