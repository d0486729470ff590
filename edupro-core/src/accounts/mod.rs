//! Accounts: who a person is, how they prove it, and how long that holds.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `names` | what an e-mail address, a username and a telephone number are |
//! | `users` | the user and where users are kept |
//! | `passwords` | which passwords are good enough, and how they are hashed |
//! | `keys` | how tokens, codes and links are signed |
//! | `sessions` | what stands behind the two cookies: opening, refreshing, ending |
//! | `login` | the guess at a password, counted before it is compared |
//! | `resets` | the code for a forgotten password |
//! | `admin` | what the command line may do |

pub mod admin;
mod keys;
pub mod login;
mod names;
mod passwords;
pub mod resets;
pub mod sessions;
mod users;

use std::{net::IpAddr, ops::Deref};

#[cfg(feature = "conformance")]
pub(crate) use self::keys::{Claims, TokenType};
pub(crate) use self::users::free_slug;
pub use self::{
    keys::{Keys, WeakSecret},
    names::{
        EMAIL_LENGTH, Email, NotAnEmail, PERSON_NAME_LENGTH, PHONE_LENGTH, Phone, PhoneError,
        USERNAME_LENGTH_MAX, USERNAME_LENGTH_MIN, Username, UsernameError, username_key,
    },
    passwords::{
        HashCost, HashError, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, PasswordProblem, Passwords,
        Verdict, password_problems,
    },
    resets::{Reset, ResetStore},
    sessions::{Session, SessionStore, SignedIn, Tokens},
    users::{Credentials, NewUser, Taken, User, UserId, UserStore, UserType},
};

/// Where a request comes from, as far as limits and sessions care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address, as seen behind trusted proxies only (security R8).
    pub address: IpAddr,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// Somebody who does something: who they are, and from where. Rules whose doing is noted in the
/// [`audit`](crate::audit) log take one where others take a [`User`], which it is besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub user: User,
    /// From where, if a request came.
    pub address: Option<IpAddr>,
}

impl Deref for Actor {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

/// Somebody of whom no request came.
impl From<User> for Actor {
    fn from(user: User) -> Self {
        Self { user, address: None }
    }
}
