//! Who keeps new videos, and who still has old ones.

use std::sync::Arc;

use edupro_core::video::VideoProvider;
use edupro_http::Builder;

#[cfg(any(feature = "bunny", feature = "vdocipher"))]
use crate::config::PublicUrl;
use crate::config::{BunnyKeys, Choice, ConfigError, Loaded, VdoCipherKeys, VideoKind};

/// Adds the providers of a configuration. The school's own is always among them.
pub(super) fn add(loaded: &Loaded, mut builder: Builder) -> Result<Builder, ConfigError> {
    for (choice, provider) in providers(loaded) {
        builder = match choice == loaded.config.video.provider {
            true => builder.video(provider?),
            false => builder.other_video(provider?),
        };
    }
    Ok(builder)
}

/// Somebody who keeps videos, if they could be made.
type Made = Result<Arc<dyn VideoProvider>, ConfigError>;

/// Who keeps videos elsewhere, new ones or old ones, by name.
pub(crate) fn providers(loaded: &Loaded) -> Vec<(Choice<VideoKind>, Made)> {
    let video = &loaded.config.video;
    let mut providers = Vec::new();
    if let Some(keys) = &video.vdocipher {
        providers.push((Choice::BuiltIn(VideoKind::VdoCipher), vdocipher(loaded, keys)));
    }
    if let Some(keys) = &video.bunny {
        providers.push((Choice::BuiltIn(VideoKind::Bunny), bunny(loaded, keys)));
    }
    for ready in &loaded.own.video {
        providers.push((Choice::Own(ready.name.to_owned()), ready.make(&loaded.config)));
    }
    providers
}

#[cfg(feature = "vdocipher")]
fn vdocipher(loaded: &Loaded, keys: &VdoCipherKeys) -> Result<Arc<dyn VideoProvider>, ConfigError> {
    use edupro_core::video::{VdoCipher, VdoCipherConfigError, VdoCipherOptions};

    let mut options = VdoCipherOptions::new(keys.api_secret.clone());
    options.webhook_token.clone_from(&keys.webhook_token);
    replace(&mut options.base_url, keys.base_url.as_ref());
    replace(&mut options.player_url, keys.player_url.as_ref());
    match VdoCipher::new(options) {
        Ok(provider) => Ok(Arc::new(provider)),
        Err(error) => {
            let key = match &error {
                VdoCipherConfigError::Option("base_url") => "video.base_url",
                VdoCipherConfigError::Option("player_url") => "video.player_url",
                VdoCipherConfigError::Option("webhook_token") => "video.webhook_token",
                _ => "video.api_secret",
            };
            Err(loaded.invalid(key, format!("cannot be used: {error}")))
        }
    }
}

#[cfg(not(feature = "vdocipher"))]
fn vdocipher(loaded: &Loaded, _: &VdoCipherKeys) -> Result<Arc<dyn VideoProvider>, ConfigError> {
    let problem = "is for VdoCipher, which is not in this server: build it with \
                   `--features vdocipher`";
    Err(loaded.invalid("video.api_secret", problem.to_owned()))
}

#[cfg(any(feature = "bunny", feature = "vdocipher"))]
fn replace(url: &mut String, configured: Option<&PublicUrl>) {
    if let Some(configured) = configured {
        configured.as_str().clone_into(url);
    }
}

#[cfg(feature = "bunny")]
fn bunny(loaded: &Loaded, keys: &BunnyKeys) -> Result<Arc<dyn VideoProvider>, ConfigError> {
    use edupro_core::video::{BunnyStream, BunnyStreamOptions};

    let (api_key, token_key) = (keys.api_key.clone(), keys.token_key.clone());
    let mut options = BunnyStreamOptions::new(keys.library_id, api_key, token_key);
    options.read_only_key.clone_from(&keys.read_only_key);
    replace(&mut options.base_url, keys.base_url.as_ref());
    match BunnyStream::new(options) {
        Ok(provider) => Ok(Arc::new(provider)),
        Err(error) => {
            Err(loaded.invalid("video.bunny_api_key", format!("cannot be used: {error}")))
        }
    }
}

#[cfg(not(feature = "bunny"))]
fn bunny(loaded: &Loaded, _: &BunnyKeys) -> Result<Arc<dyn VideoProvider>, ConfigError> {
    let problem = "is for Bunny Stream, which is not in this server: build it with \
                   `--features bunny`";
    Err(loaded.invalid("video.bunny_api_key", problem.to_owned()))
}
