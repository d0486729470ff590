//! How a film gets to its provider, and what becomes of one that nobody needs (contract 9.1, 8.2–8.5).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Film, HostError, NewUpload, UPLOAD_TITLE_LENGTH, UploadHow, UploadTicket, Video, VideoInfo,
    VideoProvider, VideoState, VideoStatus, VideosOf, status,
};
use crate::{
    School, StoreError, StoreResult, Transaction,
    accounts::UserId,
    files::{CheckedVideo, FileError, FileKey, FileKind},
    jobs::{self, Task},
    limits::{self, LimitError, Throttled},
};

/// How long a ticket must still be good for to begin with it.
const TICKET_RESERVE: TimeDelta = TimeDelta::minutes(5);
/// How long something may lie about before somebody looks after it.
const FORGOTTEN: TimeDelta = TimeDelta::hours(24);
/// How long after a lost answer what it was about is looked for: until then somebody else may just be
/// noting the name of another video of the same title.
const LOST: TimeDelta = TimeDelta::minutes(10);
/// How far a provider's clock and ours may be apart.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);

/// Why a video was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// 9.1 without a title.
    #[error("Title is required.")]
    NoTitle,
    /// 9.1 with a title of more than 255 characters.
    #[error("Title must be at most {UPLOAD_TITLE_LENGTH} characters.")]
    LongTitle,
    /// No such upload was allowed, or it is over.
    #[error("Not found.")]
    Unknown,
    /// A file has come already.
    #[error("This upload is complete already.")]
    Complete,
    /// The provider would not.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Too many leaves to upload within an hour (security R7).
    #[error(transparent)]
    Throttled(Throttled),
    /// The file could not be stored.
    #[error("a video could not be stored")]
    File(#[from] FileError),
    /// The storage.
    #[error("a video could not be read or saved")]
    Store(#[from] StoreError),
}

impl From<LimitError> for UploadError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Throttled(throttled) => Self::Throttled(throttled),
            LimitError::Store(error) => Self::Store(error),
        }
    }
}

/// 9.1: allows a teacher to upload one video, to the provider of new videos.
pub async fn issue(
    school: &School,
    teacher: UserId,
    title: &str,
) -> Result<(Video, UploadTicket), UploadError> {
    let title = title.trim();
    if title.is_empty() {
        return Err(UploadError::NoTitle);
    }
    if title.chars().count() > UPLOAD_TITLE_LENGTH {
        return Err(UploadError::LongTitle);
    }
    limits::take(school, &[(limits::UPLOAD_LEAVE, &teacher.to_string())]).await?;
    let now = school.clock.now();
    let provider = school.video.current();
    let mut video =
        Video::new(school.entropy.uuid(now), teacher, title.to_owned(), provider.name(), now);
    video.begun_at = Some(now);
    // It is noted first: when the answer is lost, somebody still knows what was asked.
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            tx.videos().add(&video).await?;
            tx.commit().await
        })
        .await?;
    let key = video.id.simple().to_string();
    match provider.begin_upload(&NewUpload::new(title, &key), now).await {
        Ok(ticket) => {
            let noted = change(school, video.id, |video| note_ticket(video, &ticket)).await?;
            Ok((noted.ok_or(UploadError::Unknown)?, ticket))
        }
        Err(error) => {
            if !error.may_be_done() {
                forget(school, video.id).await?;
            }
            Err(error.into())
        }
    }
}

fn note_ticket(video: &mut Video, ticket: &UploadTicket) {
    video.upload = Some(ticket.upload.clone());
    video.host_id.clone_from(&ticket.video);
    video.ticket = Some(ticket.clone());
}

/// Changes a video as it is now. `None` when it was given up meanwhile.
async fn change(
    school: &School,
    id: Uuid,
    change: impl Fn(&mut Video),
) -> StoreResult<Option<Video>> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let Some(mut video) = tx.videos().lock(id).await? else { return Ok(None) };
            change(&mut video);
            tx.videos().save(&video).await?;
            tx.commit().await?;
            Ok(Some(video))
        })
        .await
}

async fn forget(school: &School, id: Uuid) -> StoreResult<()> {
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            tx.videos().remove(id).await?;
            tx.commit().await
        })
        .await
}

/// The upload that this school takes itself, if it is still open: to be asked before a gigabyte is
/// read.
pub async fn open_relay(school: &School, id: Uuid) -> Result<Video, UploadError> {
    let mut tx = school.storage.read().await?;
    let video = tx.videos().find(id).await?.ok_or(UploadError::Unknown)?;
    let ticket = video.ticket.as_ref().filter(|ticket| ticket.how == UploadHow::Relay);
    let is_open = ticket.is_some_and(|ticket| is_good(ticket, school.clock.now()));
    if video.file.is_some() {
        return Err(UploadError::Complete);
    }
    match is_open && video.discarded_at.is_none() {
        true => Ok(video),
        false => Err(UploadError::Unknown),
    }
}

fn is_good(ticket: &UploadTicket, now: DateTime<Utc>) -> bool {
    ticket.expires_at.is_none_or(|end| now < end)
}

/// Takes the film of an upload that goes by this school.
pub async fn receive(school: &School, id: Uuid, film: CheckedVideo) -> Result<Video, UploadError> {
    let video = open_relay(school, id).await?;
    let placed = place(school, video.teacher, &video.provider, &video.title, film).await?;
    let now = school.clock.now();
    school
        .keep_files(vec![placed.file.clone()], || async {
            let mut tx = school.storage.write().await?;
            let (video, lesson) = status::lock(&mut *tx, school, id).await?;
            let mut video = video.ok_or(UploadError::Unknown)?;
            // Of two that send the same upload one is first.
            if video.file.is_some() {
                return Err(UploadError::Complete);
            }
            placed.fill(&mut video, now);
            tx.videos().save(&video).await?;
            status::tell_lesson(&mut *tx, lesson, &video).await?;
            status::announce_ready(&mut *tx, school, &video).await?;
            if !placed.is_there {
                jobs::later(&mut *tx, school, Task::UploadVideo { video: id }).await?;
            }
            tx.commit().await?;
            Ok(video)
        })
        .await
}

/// A film in this school's store, which no row names yet.
#[derive(Debug)]
pub(crate) struct Placed {
    file: FileKey,
    duration: Option<Duration>,
    provider: String,
    /// How it stands at the provider.
    info: Option<VideoInfo>,
    /// The provider plays the stored file, so there is nothing to push.
    is_there: bool,
}

impl Placed {
    pub(crate) const fn file(&self) -> &FileKey {
        &self.file
    }

    fn fill(&self, video: &mut Video, now: DateTime<Utc>) {
        video.file = Some(self.file.clone());
        let seconds = self.duration.map_or(0, |duration| duration.as_secs());
        video.duration = i64::try_from(seconds).unwrap_or_default();
        if let Some(info) = &self.info {
            video.take(info, now);
            video.ticket = None;
        }
    }
}

async fn place(
    school: &School,
    teacher: UserId,
    provider: &str,
    title: &str,
    video: CheckedVideo,
) -> Result<Placed, UploadError> {
    let host = school.video.named(provider)?;
    let duration = video.duration;
    let is_there = host.capabilities().plays_stored_files;
    let file = school.store_file(Some(teacher), FileKind::LessonVideo, video).await?;
    let mut placed = Placed { file, duration, provider: provider.to_owned(), info: None, is_there };
    if is_there {
        match adopt(school, host, title, &placed).await {
            Ok(info) => placed.info = Some(info),
            Err(error) => {
                school.discard(&[placed.file]).await;
                return Err(error.into());
            }
        }
    }
    Ok(placed)
}

async fn adopt(
    school: &School,
    host: &dyn VideoProvider,
    title: &str,
    placed: &Placed,
) -> Result<VideoInfo, HostError> {
    let now = school.clock.now();
    let key = school.entropy.uuid(now).simple().to_string();
    let ticket = host.begin_upload(&NewUpload::new(title, &key), now).await?;
    host.push(&ticket, &Film::new(&school.files, &placed.file, placed.duration)).await
}

/// What a lesson is to show: a film that came with it, or a video that was uploaded before.
#[derive(Debug)]
pub enum NewVideo {
    /// The film itself.
    File(CheckedVideo),
    /// The name that 9.1 gave.
    Issued(String),
}

/// The same, once the film is stored.
#[derive(Debug)]
pub(crate) enum Incoming {
    Placed(Placed),
    Issued(String),
}

impl Incoming {
    pub(crate) async fn new(
        school: &School,
        teacher: UserId,
        title: &str,
        video: NewVideo,
    ) -> Result<Self, UploadError> {
        match video {
            NewVideo::Issued(name) => Ok(Self::Issued(name)),
            NewVideo::File(film) => {
                let provider = school.video.current();
                if !provider.capabilities().server_upload {
                    return Err(HostError::Unsupported("uploads from the server").into());
                }
                place(school, teacher, provider.name(), title, film).await.map(Self::Placed)
            }
        }
    }

    pub(crate) const fn file(&self) -> Option<&FileKey> {
        match self {
            Self::Placed(placed) => Some(placed.file()),
            Self::Issued(_) => None,
        }
    }

    /// The video of a lesson that is about to be written. `None`: 9.1 never gave that name to this
    /// teacher, or another lesson shows it.
    pub(crate) async fn video(
        &self,
        tx: &mut dyn Transaction,
        school: &School,
        teacher: UserId,
        title: &str,
    ) -> StoreResult<Option<Video>> {
        match self {
            Self::Issued(name) => tx.videos().lock_unused(teacher, name).await,
            Self::Placed(placed) => {
                let now = school.clock.now();
                let id = school.entropy.uuid(now);
                let mut video = Video::new(id, teacher, title.to_owned(), &placed.provider, now);
                placed.fill(&mut video, now);
                Ok(Some(video))
            }
        }
    }

    /// Lets a lesson that is written show the video. `false`: another lesson was faster.
    pub(crate) async fn attach(
        &self,
        tx: &mut dyn Transaction,
        school: &School,
        video: &Video,
        lesson: Uuid,
    ) -> StoreResult<bool> {
        let id = video.id;
        match self {
            Self::Issued(_) => {
                let attached = tx.videos().attach(id, lesson).await?;
                if attached && video.status != VideoStatus::Ready {
                    status::follow(tx, school, id).await?;
                }
                Ok(attached)
            }
            Self::Placed(placed) => {
                let video = Video { lesson: Some(lesson), ..video.clone() };
                tx.videos().add(&video).await?;
                status::announce_ready(tx, school, &video).await?;
                if !placed.is_there {
                    jobs::later(tx, school, Task::UploadVideo { video: id }).await?;
                }
                Ok(true)
            }
        }
    }
}

/// Takes videos from their lessons, and has them deleted where they are.
pub(crate) async fn discard(
    tx: &mut dyn Transaction,
    school: &School,
    of: VideosOf,
) -> StoreResult<()> {
    let discarded = tx.videos().discard(of, school.clock.now()).await?;
    let tasks = discarded.into_iter().map(|video| Task::DeleteVideo { video }).collect();
    jobs::all_later(tx, school, tasks).await
}

/// Why a job about a video is to be done again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VideoJobError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Brings a stored film to its provider. It may be interrupted anywhere and done again: then it
/// goes on with the ticket it had, or leaves a note of what it began ([`sweep`]).
pub(crate) async fn push(school: &School, id: Uuid) -> Result<(), VideoJobError> {
    let Some(video) = find(school, id).await? else { return Ok(()) };
    let Some(file) = video.file.clone() else { return Ok(()) };
    if video.discarded_at.is_some() || video.status != VideoStatus::PreUpload {
        return Ok(());
    }
    let host = school.video.named(&video.provider)?;
    let Some(ticket) = ticket(school, host, &video).await? else { return Ok(()) };
    let seconds = u64::try_from(video.duration).ok().filter(|seconds| *seconds > 0);
    let length = seconds.map(Duration::from_secs);
    match host.push(&ticket, &Film::new(&school.files, &file, length)).await {
        Ok(info) => {
            status::take(school, &video, &info).await?;
            Ok(status::follow_later(school, id).await?)
        }
        Err(HostError::TicketExpired) => {
            change(school, id, |video| video.ticket = None).await?;
            Err(HostError::TicketExpired.into())
        }
        Err(error @ (HostError::Rejected { .. } | HostError::Quota { .. })) => {
            tracing::warn!(video = %id, %error, "the video host does not take a film");
            Ok(status::fail(school, id).await?)
        }
        Err(error) => Err(error.into()),
    }
}

async fn find(school: &School, id: Uuid) -> StoreResult<Option<Video>> {
    school.storage.read().await?.videos().find(id).await
}

/// The ticket it has, or a new one. `None` when the video was given up meanwhile.
async fn ticket(
    school: &School,
    host: &dyn VideoProvider,
    video: &Video,
) -> Result<Option<UploadTicket>, VideoJobError> {
    let now = school.clock.now();
    if let Some(ticket) = &video.ticket
        && is_good(ticket, now + TICKET_RESERVE)
    {
        return Ok(Some(ticket.clone()));
    }
    if !begin_again(school, video, now).await? {
        return Ok(None);
    }
    let key = video.id.simple().to_string();
    let ticket = host.begin_upload(&NewUpload::new(&video.title, &key), now).await?;
    if change(school, video.id, |video| note_ticket(video, &ticket)).await?.is_none() {
        // It was given up while the provider made something for it.
        host.delete(&ticket.video.into_iter().collect::<Vec<_>>()).await?;
        return Ok(None);
    }
    Ok(Some(ticket))
}

/// Notes that a provider is about to be asked, and makes what an earlier try may have left there a
/// video of its own that is to be deleted. `false` when the video was given up meanwhile.
async fn begin_again(school: &School, video: &Video, now: DateTime<Utc>) -> StoreResult<bool> {
    let left_over = left_over(school, video, now);
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let Some(mut video) = tx.videos().lock(video.id).await? else { return Ok(false) };
            video.begun_at = Some(now);
            (video.upload, video.host_id, video.ticket) = (None, None, None);
            tx.videos().save(&video).await?;
            // After the other row has let go of the name that both would have.
            if let Some(left_over) = &left_over {
                tx.videos().add(left_over).await?;
                let task = Task::DeleteVideo { video: left_over.id };
                let due = if left_over.host_id.is_some() { now } else { now + LOST };
                jobs::at(&mut *tx, school, task, due).await?;
            }
            tx.commit().await?;
            Ok(true)
        })
        .await
}

/// What an earlier try may have left at the provider, as a row of its own that is to be deleted.
fn left_over(school: &School, video: &Video, now: DateTime<Utc>) -> Option<Video> {
    video.begun_at?;
    let id = school.entropy.uuid(now);
    Some(Video {
        upload: video.upload.clone(),
        host_id: video.host_id.clone(),
        begun_at: video.begun_at,
        discarded_at: Some(now),
        ..Video::new(id, video.teacher, video.title.clone(), &video.provider, now)
    })
}

/// Deletes what is left of a discarded video: at the provider, in the store, and its row last.
pub(crate) async fn delete(school: &School, id: Uuid) -> Result<(), VideoJobError> {
    let Some(video) = find(school, id).await? else { return Ok(()) };
    match school.video.by_name(&video.provider) {
        Some(host) => delete_at(school, host, &video).await?,
        None => {
            tracing::warn!(
                video = %id, provider = %video.provider, host_id = ?video.host_id,
                "a video stays with a provider that is no longer configured"
            );
        }
    }
    if let Some(file) = video.file {
        school.delete_files(&[file]).await?;
    }
    Ok(forget(school, id).await?)
}

async fn delete_at(
    school: &School,
    host: &dyn VideoProvider,
    video: &Video,
) -> Result<(), VideoJobError> {
    if let Some(host_id) = &video.host_id {
        return Ok(host.delete(std::slice::from_ref(host_id)).await?);
    }
    let Some(begun_at) = video.begun_at else { return Ok(()) };
    // Nobody knows what the provider called it, or whether it made anything at all. What it made
    // then under that title, that no file reached and no row names, is it.
    let found = match host.search(&video.title).await {
        Ok(found) => found,
        Err(HostError::Unsupported(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let nearby = begun_at - CLOCK_SKEW..=begun_at + CLOCK_SKEW;
    for info in found {
        let (Some(id), Some(made_at)) = (info.id, info.begun_at) else { continue };
        if info.state == VideoState::AwaitingUpload
            && nearby.contains(&made_at)
            && school.storage.read().await?.videos().find_at(host.name(), &id).await?.is_none()
        {
            host.delete(&[id]).await?;
        }
    }
    Ok(())
}

/// Looks after what nobody has looked after for a day: uploads that never came, videos that never
/// became ready, and what could not be deleted.
pub async fn sweep(school: &School) -> StoreResult<()> {
    let before = school.clock.now() - FORGOTTEN;
    let forgotten = school.storage.read().await?.videos().forgotten(before).await?;
    for video in forgotten {
        if let Err(error) = look_after(school, &video).await {
            tracing::warn!(
                video = %video.id,
                error = &error as &dyn std::error::Error,
                "a video could not be looked after"
            );
        }
    }
    Ok(())
}

async fn look_after(school: &School, video: &Video) -> Result<(), VideoJobError> {
    if video.discarded_at.is_some() {
        return delete(school, video.id).await;
    }
    if video.lesson.is_some() {
        return Ok(status::fail(school, video.id).await?);
    }
    // A teacher may still want what they have uploaded; what never came is nobody's.
    let host = school.video.named(&video.provider)?;
    match status::ask(host, video).await {
        Ok(info) if info.state != VideoState::AwaitingUpload => {
            Ok(status::take(school, video, &info).await.map(drop)?)
        }
        Ok(_) | Err(HostError::NotFound) => {
            let now = school.clock.now();
            school
                .atomically(|| async {
                    let mut tx = school.storage.write().await?;
                    tx.videos().discard_one(video.id, now).await?;
                    tx.commit().await
                })
                .await?;
            delete(school, video.id).await
        }
        Err(error) => Err(error.into()),
    }
}
