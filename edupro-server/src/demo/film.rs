//! A film of five seconds that any browser plays, made of nothing but what is written here.
//!
//! It shows a ball that is thrown, five pictures long, and below it how much time has passed. A
//! real encoder is a large program because it makes films small. Ours has no need to: H.264 has a
//! kind of macroblock, `I_PCM`, in which 16×16 pixels stand as they are, so what is left to write
//! are headers.
//!
//! | where | what |
//! | --- | --- |
//! | [`scene`] | what can be seen: the colour of each pixel |
//! | [`stream`] | the pictures as H.264 has them |
//! | [`bits`] | numbers of so many bits |
//! | [`container`] | the MP4 file around them |

mod bits;
mod container;
mod scene;
mod stream;

#[cfg(test)]
mod tests;

use self::scene::Scene;
use super::colours::Colours;

/// How long it is, in seconds. It has one picture for each.
pub(super) const SECONDS: u8 = 5;

/// The width of a picture, in pixels: whole macroblocks.
const WIDTH: u16 = 64;
/// The height of a picture, in pixels.
const HEIGHT: u16 = 48;

/// The film as an MP4 file.
pub(super) fn film(colours: Colours) -> Vec<u8> {
    let pictures: Vec<_> =
        (0..SECONDS).map(|second| stream::picture(Scene { colours, second })).collect();
    container::mp4(&pictures)
}
