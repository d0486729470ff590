//! How much of a multipart body is in memory.
//!
//! The parser takes all of a body that it can get, and keeps it until it knows what it is: a part
//! whose head never ends, or a body without a part, would be kept whole. Here it gets a piece at a
//! time, the next one only when it has not got on with what it has, and no more than a head may
//! take.

use std::{
    error::Error,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt};

/// Most that is read in search of the next part or of its content, in bytes (security R20).
pub(super) const HEAD: usize = 64 * 1024;

/// What the reader of a body knows of its way.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// Bytes that have been given since something came out.
    unread: AtomicUsize,
    /// Whether the parser has something to look at before it gets more.
    has_more: AtomicBool,
    /// Whether the body was given up because nothing came out any more.
    is_stuck: AtomicBool,
}

impl Flow {
    /// A body that goes this way.
    pub(super) fn guard(self: &Arc<Self>, body: Body) -> Body {
        let flow = Arc::clone(self);
        Body::from_stream(Guarded { body: body.into_data_stream(), flow })
    }

    /// The parser has got on: a part came out, or a piece of one.
    pub(super) fn moved(&self) {
        self.unread.store(0, Ordering::Relaxed);
        self.has_more.store(true, Ordering::Relaxed);
    }

    /// Whether the body was given up because nothing came out any more.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }
}

struct Guarded {
    body: BodyDataStream,
    flow: Arc<Flow>,
}

impl Stream for Guarded {
    type Item = Result<Bytes, Box<dyn Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.flow.has_more.swap(false, Ordering::Relaxed) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.flow.unread.load(Ordering::Relaxed) >= HEAD {
            self.flow.is_stuck.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err("nothing comes out of the body".into())));
        }
        let piece = ready!(self.body.poll_next_unpin(context));
        Poll::Ready(piece.map(|piece| {
            let piece = piece?;
            self.flow.unread.fetch_add(piece.len(), Ordering::Relaxed);
            self.flow.has_more.store(true, Ordering::Relaxed);
            Ok(piece)
        }))
    }
}
