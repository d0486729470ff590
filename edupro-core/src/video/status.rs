//! How far a video has come (contract 8.7), and who keeps asking.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    HostError, UploadHow, Video, VideoId, VideoInfo, VideoProvider, VideoState, VideoStatus,
    uploads::VideoJobError,
};
use crate::{
    School, StoreError, StoreResult, Transaction,
    accounts::UserId,
    events::{Event, announce},
    jobs::{self, Task},
    lessons::{self, LessonError},
};

/// The pauses between questions about a video that is not ready; the last one repeats.
const PAUSES: [TimeDelta; 3] =
    [TimeDelta::seconds(15), TimeDelta::seconds(60), TimeDelta::minutes(5)];
/// When a video that is not ready has failed. Not every provider says so.
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// What a teacher hears of a lesson's video (contract 8.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoReport {
    /// It can be played.
    Ready,
    /// It is on its way.
    Uploading,
    /// It will not be.
    Failed,
    /// Anything else, in the provider's own word.
    Word(String),
}

/// 8.7: how the video of a lesson stands. Where it is not settled the provider is asked; when it
/// cannot be asked, what was known before is the answer.
pub async fn check(
    school: &School,
    teacher: UserId,
    lesson: Uuid,
) -> Result<VideoReport, LessonError> {
    let mut tx = school.storage.read().await?;
    lessons::owned(&mut *tx, teacher, lesson).await?;
    let video = tx.videos().of_lesson(lesson).await?;
    drop(tx);
    let Some(video) = video else {
        return Ok(VideoReport::Word(VideoStatus::PreUpload.as_str().to_owned()));
    };
    let is_settled = matches!(video.status, VideoStatus::Ready | VideoStatus::Failed);
    // What is in our own store has not left it.
    let is_ours = video.file.is_some() && video.status == VideoStatus::PreUpload;
    if is_settled || is_ours {
        return Ok(report(&video));
    }
    match refresh(school, &video).await {
        Ok(video) => Ok(report(&video)),
        Err(VideoJobError::Store(error)) => Err(error.into()),
        Err(error) => {
            tracing::warn!(
                video = %video.id,
                error = &error as &dyn std::error::Error,
                "the video host could not be asked"
            );
            Ok(report(&video))
        }
    }
}

fn report(video: &Video) -> VideoReport {
    match video.status {
        VideoStatus::Ready => VideoReport::Ready,
        VideoStatus::Failed => VideoReport::Failed,
        VideoStatus::PreUpload => VideoReport::Uploading,
        VideoStatus::Queued => {
            let word = video.word.as_deref().unwrap_or(VideoStatus::Queued.as_str());
            VideoReport::Word(word.to_owned())
        }
    }
}

/// What the provider says of a video.
pub(crate) async fn ask(host: &dyn VideoProvider, video: &Video) -> Result<VideoInfo, HostError> {
    if let Some(id) = &video.host_id {
        return host.show(id).await;
    }
    let is_relayed = video.ticket.as_ref().is_some_and(|ticket| ticket.how == UploadHow::Relay);
    match &video.upload {
        Some(upload) if !is_relayed => host.find_upload(upload).await,
        Some(_) => {
            let word = VideoStatus::PreUpload.as_str();
            Ok(VideoInfo::new(None, VideoState::AwaitingUpload, word))
        }
        None => Err(HostError::NotFound),
    }
}

/// Asks the provider and notes what it says. A video that it does not have has failed.
pub(crate) async fn refresh(school: &School, video: &Video) -> Result<Video, VideoJobError> {
    let info = match ask(school.video.named(&video.provider)?, video).await {
        Err(HostError::NotFound) => VideoInfo::new(None, VideoState::Failed, "not found"),
        answer => answer?,
    };
    Ok(take(school, video, &info).await?)
}

/// Notes what a provider says. When a video becomes ready its lesson gets its length, and its
/// course is counted anew; a film that was only stored to be pushed is deleted.
pub(crate) async fn take(school: &School, video: &Video, info: &VideoInfo) -> StoreResult<Video> {
    let stays = school
        .video
        .by_name(&video.provider)
        .is_some_and(|host| host.capabilities().plays_stored_files);
    let now = school.clock.now();
    let mut after = video.clone();
    after.take(info, now);
    if after == *video {
        return Ok(after);
    }
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let (held, lesson) = lock(&mut *tx, school, video.id).await?;
            let Some(mut after) = held else { return Ok(video.clone()) };
            let was_ready = after.status == VideoStatus::Ready;
            after.take(info, now);
            let is_over = matches!(after.status, VideoStatus::Ready | VideoStatus::Failed);
            if after.status != VideoStatus::PreUpload {
                after.ticket = None;
            }
            let spent = if is_over && !stays { after.file.take() } else { None };
            tx.videos().save(&after).await?;
            if !was_ready {
                tell_lesson(&mut *tx, lesson, &after).await?;
            }
            jobs::delete_files(&mut *tx, school, spent.into_iter().collect()).await?;
            if !was_ready {
                announce_ready(&mut *tx, school, &after).await?;
            }
            tx.commit().await?;
            Ok(after)
        })
        .await
}

/// Announces a video that was not ready before, if it is now.
pub(super) async fn announce_ready(
    tx: &mut dyn Transaction,
    school: &School,
    video: &Video,
) -> StoreResult<()> {
    if video.status != VideoStatus::Ready {
        return Ok(());
    }
    let event = Event::VideoReady {
        video: video.id,
        teacher: video.teacher,
        lesson: video.lesson,
        provider: video.provider.clone(),
        duration: video.duration,
    };
    announce(tx, school, event).await
}

/// A video and the lesson that shows it, with its course, held until the transaction ends. Without the
/// video when it was discarded.
pub(crate) async fn lock(
    tx: &mut dyn Transaction,
    school: &School,
    id: Uuid,
) -> StoreResult<(Option<Video>, Option<lessons::Lesson>)> {
    let shown_by = tx.videos().find(id).await?.and_then(|video| video.lesson);
    let lesson = match shown_by {
        Some(lesson) => lock_lesson(tx, school, lesson).await?,
        None => None,
    };
    let video = tx.videos().lock(id).await?;
    if video.as_ref().is_some_and(|video| video.lesson != shown_by) {
        // Whoever attached it holds the course that we do not: once more, with that.
        return Err(StoreError::Contended("a lesson took the video".into()));
    }
    Ok((video, lesson))
}

/// Gives the lesson of a video that has become ready its length, and counts its course anew.
pub(crate) async fn tell_lesson(
    tx: &mut dyn Transaction,
    lesson: Option<lessons::Lesson>,
    video: &Video,
) -> StoreResult<()> {
    let Some(mut lesson) = lesson else { return Ok(()) };
    if video.status == VideoStatus::Ready && video.duration > 0 {
        lesson.duration = video.duration;
        tx.lessons().save(&lesson).await?;
        tx.courses().recount(lesson.module.course.id).await?;
    }
    Ok(())
}

/// The lesson, with its course held until the transaction ends.
async fn lock_lesson(
    tx: &mut dyn Transaction,
    school: &School,
    id: Uuid,
) -> StoreResult<Option<lessons::Lesson>> {
    let Some(lesson) = tx.lessons().find(id).await? else { return Ok(None) };
    tx.courses().lock(lesson.module.course.id, school.clock.now()).await?;
    // It may have changed or gone while we waited for the course.
    tx.lessons().find(id).await
}

/// Notes that nothing will come of a video.
pub(crate) async fn fail(school: &School, id: Uuid) -> StoreResult<()> {
    let Some(video) = school.storage.read().await?.videos().find(id).await? else {
        return Ok(());
    };
    let word = video.word.clone().unwrap_or_else(|| VideoStatus::Failed.as_str().to_owned());
    take(school, &video, &VideoInfo::new(None, VideoState::Failed, word)).await.map(drop)
}

/// Has a video asked about until it is settled.
pub(crate) async fn follow(
    tx: &mut dyn Transaction,
    school: &School,
    video: Uuid,
) -> StoreResult<()> {
    jobs::later(tx, school, Task::CheckVideo { video, round: Some(0) }).await
}

/// The same, after the first pause, in a transaction of its own.
pub(crate) async fn follow_later(school: &School, video: Uuid) -> StoreResult<()> {
    ask_again(school, video, 0).await
}

async fn ask_again(school: &School, video: Uuid, round: usize) -> StoreResult<()> {
    let pause = PAUSES[round.min(PAUSES.len() - 1)];
    let task = Task::CheckVideo { video, round: Some(round + 1) };
    jobs::alone_at(school, task, school.clock.now() + pause).await
}

/// Asks about a video once, and sees to it that somebody asks again if `round` is given.
pub(crate) async fn look(
    school: &School,
    id: Uuid,
    round: Option<usize>,
) -> Result<(), VideoJobError> {
    let Some(video) = school.storage.read().await?.videos().find(id).await? else {
        return Ok(());
    };
    let is_over = |video: &Video| {
        video.discarded_at.is_some()
            || matches!(video.status, VideoStatus::Ready | VideoStatus::Failed)
    };
    if is_over(&video) {
        return Ok(());
    }
    match refresh(school, &video).await {
        Ok(video) if is_over(&video) => return Ok(()),
        Ok(_) => {}
        Err(VideoJobError::Store(error)) => return Err(error.into()),
        Err(error) => {
            tracing::warn!(
                video = %id,
                error = &error as &dyn std::error::Error,
                "the video host could not be asked"
            );
        }
    }
    if school.clock.now() - video.changed_at >= PATIENCE {
        return Ok(fail(school, id).await?);
    }
    match round {
        Some(round) => Ok(ask_again(school, id, round).await?),
        None => Ok(()),
    }
}

/// What a webhook says of videos: they are looked at soon, and nothing is believed before.
pub async fn hear(school: &School, provider: &str, ids: &[VideoId]) -> StoreResult<()> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            for id in ids {
                if let Some(video) = tx.videos().find_at(provider, id).await? {
                    let task = Task::CheckVideo { video: video.id, round: None };
                    jobs::later(&mut *tx, school, task).await?;
                }
            }
            tx.commit().await
        })
        .await
}
