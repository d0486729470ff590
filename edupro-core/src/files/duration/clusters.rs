//! The last cluster of a Matroska file that does not tell its duration: browsers record such
//! files, since they cannot go back to the beginning at the end.
//!
//! ```text
//! Cluster
//!   Timestamp        ticks since the beginning
//!   SimpleBlock …    each with its track and its ticks since the cluster's, of 16 bits
//!   BlockGroup …     the same in a Block, and a duration
//! ```

use std::{
    io::{Read, Seek},
    ops::Range,
};

use super::{
    bounded::{Bounded, TAIL, array},
    matroska::{Elements, child, id, number, value, variable},
};

/// How much is searched at once, in bytes.
const PIECE: usize = 64 * 1024;

/// How many ticks lie between the first cluster and the last block.
pub(super) fn duration<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    segment: &Range<u64>,
) -> Option<u64> {
    let first = child(source, segment, id::CLUSTER)?;
    let timestamp = value(source, &first, id::TIMESTAMP)?;
    let begin = number(source, &timestamp)?;
    last_moment(source, segment)?.checked_sub(begin)
}

/// The latest tick of the last cluster, which is searched from the end.
fn last_moment<S: Read + Seek>(source: &mut Bounded<'_, S>, segment: &Range<u64>) -> Option<u64> {
    let wanted = id::CLUSTER.to_be_bytes();
    // What begins in one piece and ends in the next must be found, too.
    let overlap = wanted.len() - 1;
    let start = segment.start.max(segment.end.saturating_sub(TAIL));
    let mut end = segment.end;
    let mut buffer = vec![0; PIECE];
    loop {
        let begin = start.max(end.saturating_sub(PIECE as u64));
        let mut piece = source.read_tail(&(begin..end), &mut buffer)?;
        while let Some(at) = piece.windows(wanted.len()).rposition(|bytes| bytes == wanted) {
            let cluster = begin.checked_add(at as u64)?..segment.end;
            if let Some(moment) = latest(source, cluster) {
                return Some(moment);
            }
            piece = piece.get(..at + overlap)?;
        }
        if begin == start {
            return None;
        }
        end = begin.checked_add(overlap as u64)?;
    }
}

/// The latest tick of the cluster that the place begins with. The same four bytes may stand
/// anywhere in the data, so a cluster is only what is one from its beginning to its end.
fn latest<S: Read + Seek>(source: &mut Bounded<'_, S>, place: Range<u64>) -> Option<u64> {
    let (id::CLUSTER, content) = Elements::of(place).next(source)? else { return None };
    let mut elements = Elements::of(content);
    // When the cluster begins, and its latest tick so far.
    let mut ticks: Option<(u64, u64)> = None;
    while let Some((name, content)) = elements.next(source) {
        match (name, ticks) {
            (id::TIMESTAMP, None) if !elements.is_cut => {
                let begin = number(source, &content)?;
                ticks = Some((begin, begin));
            }
            (id::SIMPLE_BLOCK | id::BLOCK_GROUP, Some((begin, latest))) => {
                let moment = if name == id::SIMPLE_BLOCK {
                    block(source, &content, begin)
                } else {
                    block_group(source, &content, begin)
                };
                ticks = Some((begin, latest.max(moment.unwrap_or_default())));
            }
            (
                id::POSITION
                | id::PREVIOUS_SIZE
                | id::SILENT_TRACKS
                | id::ENCRYPTED_BLOCK
                | id::VOID
                | id::CRC_32,
                _,
            ) => {}
            // Where the size is not known, the cluster ends before the segment's next element.
            (
                id::SEEK_HEAD
                | id::INFO
                | id::TRACKS
                | id::CHAPTERS
                | id::CLUSTER
                | id::CUES
                | id::ATTACHMENTS
                | id::TAGS,
                Some((_, latest)),
            ) => return Some(latest),
            _ => return None,
        }
    }
    // A recording may break off in a header.
    let Range { start, end } = elements.rest;
    let is_whole = end.checked_sub(start)? < Elements::HEADER as u64;
    ticks.filter(|_| is_whole).map(|(_, latest)| latest)
}

/// When the block of a group begins, and ends if the group tells how long it lasts.
fn block_group<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    content: &Range<u64>,
    begin: u64,
) -> Option<u64> {
    let place = child(source, content, id::BLOCK)?;
    let moment = block(source, &place, begin)?;
    let duration = value(source, content, id::BLOCK_DURATION)
        .and_then(|duration| number(source, &duration))
        .unwrap_or_default();
    moment.checked_add(duration)
}

/// When a block begins.
fn block<S: Read + Seek>(
    source: &mut Bounded<'_, S>,
    content: &Range<u64>,
    begin: u64,
) -> Option<u64> {
    let mut buffer = [0; 10];
    let header = source.read(content, &mut buffer)?;
    let track = variable(header, 8)?;
    begin.checked_add_signed(i16::from_be_bytes(array(header, track.len())?).into())
}
