//! The demo's files on the way that all uploads go: staged, looked at, and then taken.

use std::error::Error;

use edupro_core::{
    School,
    files::{
        CheckedFile, CheckedVideo, Picture, PictureRules, Upload, check_document, check_picture,
        check_video, document_limit, video_limit,
    },
};
use tokio::task::spawn_blocking;

use super::{
    colours::Colours,
    film::film,
    painting::{Style, painting},
    paper::paper,
};

pub(super) async fn picture(
    school: &School,
    style: Style,
    title: &str,
    rules: PictureRules,
) -> anyhow::Result<Picture> {
    let bytes = painting(style, title);
    let check = move |upload| check_picture(&upload, rules);
    upload(school, "picture.png", &bytes, rules.bytes(), check).await
}

pub(super) async fn video(school: &School, colours: Colours) -> anyhow::Result<CheckedVideo> {
    upload(school, "film.mp4", &film(colours), video_limit(), check_video).await
}

pub(super) async fn document(
    school: &School,
    title: &str,
    lines: &[&str],
) -> anyhow::Result<CheckedFile> {
    upload(school, "worksheet.pdf", &paper(title, lines), document_limit(), check_document).await
}

async fn upload<T, E>(
    school: &School,
    name: &str,
    bytes: &[u8],
    limit: u64,
    check: impl FnOnce(Upload) -> Result<T, E> + Send + 'static,
) -> anyhow::Result<T>
where
    T: Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let mut staging = school.files.stage(limit).await?;
    staging.write(bytes).await?;
    let upload = staging.finish(Some(name.to_owned())).await?;
    Ok(spawn_blocking(move || check(upload)).await??)
}
