//! What can be seen in the film.

use super::{HEIGHT, SECONDS, WIDTH};
use crate::demo::colours::{Colour, Colours};

/// The height of the bar that shows the time, in pixels.
const BAR: u16 = 4;
/// The radius of the ball, in pixels.
const RADIUS: u16 = 6;
/// How far the ball flies in a second, in pixels.
const SPEED: u16 = 12;
/// Where the ball is at its highest, in pixels from the top.
const TOP: u16 = 10;

/// One picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) colours: Colours,
    /// Counted from 0.
    pub(super) second: u8,
}

/// A colour as films have it: how bright, how blue, how red.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) y: u8,
    pub(super) cb: u8,
    pub(super) cr: u8,
}

impl Scene {
    /// The pixel that stands so far from the left and from the top.
    pub(super) fn pixel(self, x: u16, y: u16) -> Sample {
        Sample::from(self.colour(x, y))
    }

    fn colour(self, x: u16, y: u16) -> Colour {
        let second = u16::from(self.second);
        if y >= HEIGHT - BAR {
            let passed = x < (second + 1) * WIDTH / u16::from(SECONDS);
            return if passed { [255; 3] } else { self.colours.dark };
        }
        let (ball_x, ball_y) = self.ball();
        if ball_x.abs_diff(x).pow(2) + ball_y.abs_diff(y).pow(2) <= RADIUS.pow(2) {
            return [255; 3];
        }
        // The sky, a little lighter with each second.
        let part = y * 4 + second * 12;
        self.colours.between(u8::try_from(part).unwrap_or(u8::MAX))
    }

    /// The middle of the ball: as far again each second, and on a parabola.
    fn ball(self) -> (u16, u16) {
        let second = u16::from(self.second);
        let from_top = second.abs_diff(u16::from(SECONDS / 2));
        (second * SPEED + SPEED / 2 + 2, TOP + from_top.pow(2) * SPEED / 2)
    }
}

impl From<Colour> for Sample {
    /// ITU-R BT.601. None of its values is ever 0.
    fn from(colour: Colour) -> Self {
        let [red, green, blue] = colour.map(i32::from);
        let part = |red_part: i32, green_part: i32, blue_part: i32, zero: i32| {
            let sum = red_part * red + green_part * green + blue_part * blue;
            u8::try_from(zero + (sum + 128) / 256).unwrap_or(u8::MAX)
        };
        Self {
            y: part(66, 129, 25, 16),
            cb: part(-38, -74, 112, 128),
            cr: part(112, -94, -18, 128),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stay_within_what_films_have() {
        let sample = |colour| {
            let Sample { y, cb, cr } = Sample::from(colour);
            (y, cb, cr)
        };
        assert_eq!(sample([0; 3]), (16, 128, 128));
        assert_eq!(sample([255; 3]), (235, 128, 128));
        assert_eq!(sample([255, 0, 0]), (82, 91, 240));
        assert_eq!(sample([0, 0, 255]), (41, 240, 111));
    }

    #[test]
    fn the_ball_stays_in_the_picture() {
        let colours = Colours { dark: [0; 3], light: [200; 3] };
        for second in 0..SECONDS {
            let (x, y) = Scene { colours, second }.ball();
            assert!((RADIUS..=WIDTH - RADIUS).contains(&x), "{x}");
            assert!((RADIUS..=HEIGHT - BAR - RADIUS).contains(&y), "{y}");
        }
    }
}
