//! What the demo's pictures and films of one subject have in common: two colours.

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

/// The two colours of a subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colours {
    pub(super) dark: Colour,
    pub(super) light: Colour,
}

impl Colours {
    /// The colour at `part` of the way from the dark to the light one; 255 is all of it.
    pub(super) fn between(self, part: u8) -> Colour {
        let mix = |channel: usize| {
            let [dark, light] = [self.dark, self.light].map(|colour| u16::from(colour[channel]));
            let part = u16::from(part);
            let mixed = (dark * (255 - part) + light * part) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        [mix(0), mix(1), mix(2)]
    }
}

/// The colour as CSS has it.
pub(super) fn css([red, green, blue]: Colour) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}
