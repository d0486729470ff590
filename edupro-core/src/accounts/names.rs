//! What a person is called and reached by: values that exist only when they are well formed.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

/// Longest e-mail address, in characters (behaviour 3.1).
pub const EMAIL_LENGTH: usize = 254;
/// Longest first or last name, in characters (behaviour 1.9).
pub const PERSON_NAME_LENGTH: usize = 30;
/// Shortest username, in characters (behaviour 1.9).
pub const USERNAME_LENGTH_MIN: usize = 3;
/// Longest username, in characters (behaviour 1.9).
pub const USERNAME_LENGTH_MAX: usize = 20;
/// Longest telephone number, in characters, a leading `+` included (behaviour 1.9).
pub const PHONE_LENGTH: usize = 15;

/// Usernames that would hide a path beside which a username stands (behaviour G1).
const RESERVED_USERNAMES: [&str; 7] =
    ["attempts", "assessments", "questions", "login", "refresh", "options", "grading"];

/// Why a text is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter a valid email address.")]
pub struct NotAnEmail;

/// An e-mail address, in lower case: two that differ in case are one (behaviour 1.9).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let options = email_address::Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        email_address::EmailAddress::parse_with_options(text, options).map_err(|_| NotAnEmail)?;
        Ok(Self(text.to_lowercase()))
    }
}

/// Why a text is not a username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Fewer than [`USERNAME_LENGTH_MIN`] characters.
    #[error("Username must be at least {USERNAME_LENGTH_MIN} characters long")]
    TooShort,
    /// More than [`USERNAME_LENGTH_MAX`] characters.
    #[error("Ensure this field has no more than {USERNAME_LENGTH_MAX} characters.")]
    TooLong,
    /// Something other than ASCII letters, digits and `@ . + - _`.
    #[error(
        "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
    )]
    Characters,
    /// A word of the paths.
    #[error("This username is reserved. Choose another one.")]
    Reserved,
}

/// The name in a person's links. It keeps its case, and two that differ in case are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// What makes it unique.
    #[must_use]
    pub fn key(&self) -> String {
        username_key(&self.0)
    }

    /// The readable part of a link, perhaps empty: lower case, without `@ . +`, no dash or
    /// underscore at its ends.
    #[must_use]
    pub fn slug(&self) -> String {
        let kept: String = self
            .0
            .to_lowercase()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect();
        kept.trim_matches(['-', '_']).to_owned()
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        let length = text.chars().count();
        if length < USERNAME_LENGTH_MIN {
            return Err(UsernameError::TooShort);
        }
        if length > USERNAME_LENGTH_MAX {
            return Err(UsernameError::TooLong);
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || "_.@+-".contains(c)) {
            return Err(UsernameError::Characters);
        }
        if RESERVED_USERNAMES.contains(&username_key(text).as_str()) {
            return Err(UsernameError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

/// What a username is looked up by, whatever a client typed.
#[must_use]
pub fn username_key(text: &str) -> String {
    text.to_lowercase()
}

/// Why a text is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Something other than digits after an optional `+`.
    #[error("Phone must be a number")]
    Characters,
    /// More than [`PHONE_LENGTH`] characters.
    #[error("Ensure this field has no more than {PHONE_LENGTH} characters.")]
    TooLong,
}

/// A telephone number: an optional `+`, then digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl FromStr for Phone {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PhoneError::Characters);
        }
        if text.len() > PHONE_LENGTH {
            return Err(PhoneError::TooLong);
        }
        Ok(Self(text.to_owned()))
    }
}

macro_rules! text_value {
    ($($name:ident),*) => {$(
        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}
text_value!(Email, Username, Phone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_kept_in_lower_case() {
        assert_eq!("Mona@Example.COM".parse(), Ok(Email("mona@example.com".into())));
        for bad in [
            "mona",
            "mona@",
            "@example.com",
            "mona@example",
            "a b@example.com",
            "mona@[127.0.0.1]",
            "Mona <mona@example.com>",
            "mona@example.com\r\nBcc: all@example.com",
        ] {
            assert_eq!(bad.parse::<Email>(), Err(NotAnEmail), "{bad}");
        }
    }

    #[test]
    fn a_username_has_three_to_twenty_plain_characters_and_is_not_a_path() {
        assert!("Mona.K_1@+-".parse::<Username>().is_ok());
        for (text, error) in [
            ("mo", UsernameError::TooShort),
            ("m23456789012345678901", UsernameError::TooLong),
            ("mona k", UsernameError::Characters),
            ("../mona", UsernameError::Characters),
            ("مونا", UsernameError::Characters),
            ("Attempts", UsernameError::Reserved),
        ] {
            assert_eq!(text.parse::<Username>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_slug_may_be_empty() {
        let slug = |text: &str| text.parse::<Username>().map(|username| username.slug());
        assert_eq!(slug("Mona.K"), Ok("monak".into()));
        assert_eq!(slug("_mona-k_"), Ok("mona-k".into()));
        assert_eq!(slug("@.+"), Ok(String::new()));
    }

    #[test]
    fn a_phone_is_digits_after_an_optional_plus() {
        assert!("+20123456789".parse::<Phone>().is_ok());
        for bad in ["", "+", "0123-456", "٠١٢٣", "12 34"] {
            assert_eq!(bad.parse::<Phone>(), Err(PhoneError::Characters), "{bad}");
        }
        assert_eq!("1234567890123456".parse::<Phone>(), Err(PhoneError::TooLong));
    }
}
