//! A stored file on its way out.

use std::{fmt, fs::File, io, ops::Range};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{GetResult, GetResultPayload};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::{CHUNK, FileError};

/// A stored file, opened for reading.
pub struct Download {
    /// The size of the whole file, in bytes.
    pub size: u64,
    /// The bytes that [`stream`](Self::stream) gives: all of them, unless a range was asked for.
    pub range: Range<u64>,
    /// When it was put into the store.
    pub last_modified: DateTime<Utc>,
    /// The entity tag, quoted as the header wants it.
    pub e_tag: Option<String>,
    /// The content type, from the fixed list of [`FileKey::content_type`](super::FileKey).
    pub content_type: &'static str,
    /// The bytes; from this machine's disk in pieces of at most 64 KiB.
    pub stream: BoxStream<'static, Result<Bytes, FileError>>,
}

impl Download {
    pub(super) async fn new(
        found: GetResult,
        content_type: &'static str,
    ) -> Result<Self, FileError> {
        let stream = match found.payload {
            GetResultPayload::File(file, _) => read(file, &found.range).await?,
            GetResultPayload::Stream(stream) => stream.map_err(FileError::from).boxed(),
        };
        Ok(Self {
            size: found.meta.size,
            range: found.range,
            last_modified: found.meta.last_modified,
            e_tag: found.meta.e_tag.map(quoted),
            content_type,
            stream,
        })
    }
}

/// Without the bytes, which can be read only once.
impl fmt::Debug for Download {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Download")
            .field("size", &self.size)
            .field("range", &self.range)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// Some stores quote their tags and some do not.
fn quoted(e_tag: String) -> String {
    if e_tag.contains('"') { e_tag } else { format!("\"{e_tag}\"") }
}

/// Reads a part of a file. The store's own way takes a thread for every 8 KiB.
async fn read(
    file: File,
    range: &Range<u64>,
) -> Result<BoxStream<'static, Result<Bytes, FileError>>, FileError> {
    let mut file = tokio::fs::File::from_std(file);
    file.seek(io::SeekFrom::Start(range.start)).await?;
    let pieces = stream::try_unfold(file.take(range.end - range.start), |mut rest| async move {
        if rest.limit() == 0 {
            return Ok(None);
        }
        let size = usize::try_from(rest.limit()).map_or(CHUNK, |limit| limit.min(CHUNK));
        let mut piece = BytesMut::with_capacity(size);
        if rest.read_buf(&mut piece).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(Some((piece.freeze(), rest)))
    });
    Ok(pieces.boxed())
}
