//! `[video]`: who keeps new videos, and the keys of every provider that still has some.

use secrecy::{ExposeSecret, SecretString};

use super::{
    Problem,
    choice::{BuiltIn, Choice},
    refuse,
    sections::{VideoKeys, VideoKind},
    urls::PublicUrl,
};

/// Shortest token in the address of a webhook, in characters: nobody guesses it.
const TOKEN_LENGTH: usize = 16;

/// Who keeps and plays videos. A provider whose keys are set plays the videos it has, whoever gets
/// the new ones; this server always does.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Video {
    /// Where new videos go.
    pub provider: Choice<VideoKind>,
    /// What VdoCipher is used with.
    pub vdocipher: Option<VdoCipherKeys>,
    /// What Bunny Stream is used with.
    pub bunny: Option<BunnyKeys>,
}

/// What VdoCipher is used with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VdoCipherKeys {
    /// The key of its API.
    pub api_secret: SecretString,
    /// What stands in the address of its webhook; without it there is none.
    pub webhook_token: Option<SecretString>,
    /// Where its API is, if it is not VdoCipher itself.
    pub base_url: Option<PublicUrl>,
    /// Where its player is.
    pub player_url: Option<PublicUrl>,
}

/// What Bunny Stream is used with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BunnyKeys {
    /// The number of the library.
    pub library_id: u64,
    /// The key of the library's API.
    pub api_key: SecretString,
    /// What its webhooks are signed with; without it there are none.
    pub read_only_key: Option<SecretString>,
    /// What playback is signed with.
    pub token_key: SecretString,
    /// Where its API is, if it is not Bunny itself.
    pub base_url: Option<PublicUrl>,
}

impl Video {
    pub(super) fn new(keys: &VideoKeys) -> Result<Self, Problem> {
        let vdocipher = match (&keys.api_secret, &keys.provider) {
            (None, Choice::BuiltIn(VideoKind::VdoCipher)) => {
                return Err(missing("video.api_secret", VideoKind::VdoCipher));
            }
            (None, _) => {
                refuse(
                    &[
                        ("video.base_url", keys.base_url.is_some()),
                        ("video.player_url", keys.player_url.is_some()),
                        ("video.webhook_token", keys.webhook_token.is_some()),
                    ],
                    "video.api_secret",
                )?;
                None
            }
            (Some(secret), _) => Some(VdoCipherKeys::new(keys, secret)?),
        };
        let bunny = match (&keys.bunny_api_key, &keys.provider) {
            (None, Choice::BuiltIn(VideoKind::Bunny)) => {
                return Err(missing("video.bunny_api_key", VideoKind::Bunny));
            }
            (None, _) => {
                refuse(
                    &[
                        ("video.bunny_library_id", keys.bunny_library_id.is_some()),
                        ("video.bunny_token_key", keys.bunny_token_key.is_some()),
                        ("video.bunny_read_only_key", keys.bunny_read_only_key.is_some()),
                        ("video.bunny_base_url", keys.bunny_base_url.is_some()),
                    ],
                    "video.bunny_api_key",
                )?;
                None
            }
            (Some(key), _) => Some(BunnyKeys::new(keys, key)?),
        };
        Ok(Self { provider: keys.provider.clone(), vdocipher, bunny })
    }
}

impl VdoCipherKeys {
    fn new(keys: &VideoKeys, secret: &SecretString) -> Result<Self, Problem> {
        let token = keys.webhook_token.as_ref();
        if token.is_some_and(|token| token.expose_secret().len() < TOKEN_LENGTH) {
            let problem = format!(
                "must be at least {TOKEN_LENGTH} characters that nobody can guess; \
                 make one with `openssl rand -hex 32`"
            );
            return Err(("video.webhook_token", problem));
        }
        Ok(Self {
            api_secret: filled("video.api_secret", secret)?,
            webhook_token: token.cloned(),
            base_url: keys.base_url.clone(),
            player_url: keys.player_url.clone(),
        })
    }
}

impl BunnyKeys {
    fn new(keys: &VideoKeys, key: &SecretString) -> Result<Self, Problem> {
        let library = keys.bunny_library_id;
        let library_id =
            library.ok_or_else(|| missing("video.bunny_library_id", VideoKind::Bunny))?;
        let token = keys.bunny_token_key.as_ref();
        let token = token.ok_or_else(|| missing("video.bunny_token_key", VideoKind::Bunny))?;
        Ok(Self {
            library_id,
            api_key: filled("video.bunny_api_key", key)?,
            read_only_key: keys.bunny_read_only_key.clone(),
            token_key: filled("video.bunny_token_key", token)?,
            base_url: keys.bunny_base_url.clone(),
        })
    }
}

fn missing(key: &'static str, provider: VideoKind) -> Problem {
    (key, format!("is needed to use \"{}\"", provider.as_str()))
}

/// A secret that is in no header if it holds a space or a line end: it was copied wrongly.
fn filled(key: &'static str, secret: &SecretString) -> Result<SecretString, Problem> {
    let text = secret.expose_secret();
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(secret.clone()),
        false => Err((key, "must be the key as the provider shows it, without spaces".to_owned())),
    }
}
