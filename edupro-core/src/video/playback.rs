//! How a lesson's video is played, for one viewer and now (contract 8.1, 8.3).

use super::{Playback, VideoStatus, Viewer};
use crate::{School, accounts::SignedIn, lessons::Lesson};

/// How the viewer of a lesson plays its video: one question to the provider. `None` when there is
/// none that can be played, or when the provider cannot be asked: the lesson is shown all the same.
pub async fn show(school: &School, viewer: &SignedIn, lesson: &Lesson) -> Option<Playback> {
    play(school, viewer, lesson, true).await
}

/// The same for one of many lessons: nobody is asked, so some providers have no answer.
pub async fn list(school: &School, viewer: &SignedIn, lesson: &Lesson) -> Option<Playback> {
    play(school, viewer, lesson, false).await
}

async fn play(
    school: &School,
    viewer: &SignedIn,
    lesson: &Lesson,
    may_ask: bool,
) -> Option<Playback> {
    let video = lesson.video.as_ref().filter(|video| video.status == VideoStatus::Ready)?;
    let host = school.video.by_name(&video.provider)?;
    if !may_ask && !host.capabilities().authorizes_alone {
        return None;
    }
    let key = format!("edupro-{}", viewer.user.id);
    let session = viewer.session.viewer();
    let watermark = Some(viewer.user.username.as_str());
    let viewer = Viewer::new(&key, &session, watermark);
    match host.authorize(video.host_id.as_ref()?, &viewer, school.clock.now()).await {
        Ok(playback) => Some(playback),
        Err(error) => {
            tracing::warn!(
                video = %video.id,
                error = &error as &dyn std::error::Error,
                "a video cannot be played now"
            );
            None
        }
    }
}
