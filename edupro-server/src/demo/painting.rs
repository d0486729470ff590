//! Pictures of courses, modules and lessons: a pattern in the colours of the subject.

mod png;

use super::colours::Colours;

/// The width of every picture, in pixels.
const WIDTH: u16 = 320;
/// The height, in pixels.
const HEIGHT: u16 = 180;

/// What the pictures of a subject look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) pattern: Pattern,
    pub(super) colours: Colours,
}

/// What is seen in them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pattern {
    /// Waves that run from two stones in the water.
    Ripples,
    /// Squared paper with a parabola on it.
    Curve,
    /// Lines of a program, as one sees them from afar.
    Listing,
}

/// The picture of what has this title, as a PNG file. Another title makes another picture.
pub(super) fn painting(style: Style, title: &str) -> Vec<u8> {
    let palette: Vec<_> = (0..=u8::MAX).map(|part| style.colours.between(part)).collect();
    let number = title.bytes().fold(0, |number, byte| (number * 31 + u16::from(byte)) % 1_000);
    let mut pixels = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT));
    for y in 0..HEIGHT {
        pixels.extend((0..WIDTH).map(|x| style.pattern.shade(number, x, y)));
    }
    png::png(WIDTH, &palette, &pixels)
}

impl Pattern {
    /// How light a pixel is.
    fn shade(self, number: u16, x: u16, y: u16) -> u8 {
        match self {
            Self::Ripples => {
                let stones = [(60 + number * 37 % 90, 120), (250 - number * 23 % 60, 50)];
                let waves = stones.map(|(left, top)| {
                    let distance = f64::from(x.abs_diff(left)).hypot(f64::from(y.abs_diff(top)));
                    (distance / 6.0).cos()
                });
                shade(0.5 + (waves[0] + waves[1]) / 4.0)
            }
            Self::Curve => {
                let [across, up] = [f64::from(x) - 160.0, 150.0 - f64::from(y)];
                let width = 50.0 + f64::from(number * 17 % 60);
                let is_line = x.is_multiple_of(20) || y % 20 == 10;
                let paper = if is_line { 0.35 } else { 0.1 };
                let curve = (across / width).powi(2) * 40.0;
                // Across the curve, not up and down: it is as wide where it is steep.
                let steepness = (80.0 * across / width.powi(2)).hypot(1.0);
                let distance = (up - curve).abs() / steepness;
                shade((4.0 - distance).clamp(paper, 1.0))
            }
            Self::Listing => {
                let (line, inside) = (y / 12, y % 12);
                let indent = (line * 7 + number) % 4 * 20 + 16;
                let length = (line * 53 + number * 29) % 140 + 50;
                let is_gap = (x + line * 31) % 47 < 6 || inside < 4 || (line + number) % 6 == 5;
                let is_text = (indent..indent + length).contains(&x) && !is_gap;
                if is_text { 160 + u8::try_from(x / 4).unwrap_or(0) } else { 20 }
            }
        }
    }
}

/// 0 is dark and 1 is light.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number between 0 and 255 loses only its fraction"
)]
fn shade(part: f64) -> u8 {
    (part.clamp(0.0, 1.0) * 255.0) as u8
}
