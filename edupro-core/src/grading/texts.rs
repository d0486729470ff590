//! Accepted texts: which differences are none, and wildcards.

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::Share;

/// A text that is accepted as an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptedText {
    /// The text.
    pub text: String,
    /// Whether a `*` in it stands for any text, also for none; `\*` is a star then.
    #[serde(default)]
    pub wildcard: bool,
    /// What it is worth.
    #[serde(default = "Share::full", skip_serializing_if = "Share::is_full")]
    pub share: Share,
}

impl AcceptedText {
    /// A text that is the whole answer.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), wildcard: false, share: Share::FULL }
    }

    /// The same text, but its stars stand for any text.
    #[must_use]
    pub fn with_wildcards(self) -> Self {
        Self { wildcard: true, ..self }
    }

    /// The same text, worth only a share.
    #[must_use]
    pub fn worth(self, share: Share) -> Self {
        Self { share, ..self }
    }
}

/// In what an answer may differ from an accepted text. Space at the ends never counts, nor does
/// whether a letter and its accent are one character or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Ignore {
    /// Capital and small letters.
    pub case: bool,
    /// How much space is between words, and of which kind.
    pub space: bool,
    /// Forms of a character that mean the same, such as wide or joined letters (NFKC), and
    /// characters that nobody sees, such as those for the direction of a text.
    pub unicode: bool,
    /// Accents, and points on letters of every script.
    pub marks: bool,
    /// Arabic vowel signs and lengthening, the forms of alef, alef maksura for ya, ta marbuta for
    /// ha, and Arabic digits.
    pub arabic: bool,
}

impl Default for Ignore {
    fn default() -> Self {
        Self { case: true, space: true, unicode: true, marks: false, arabic: false }
    }
}

impl Ignore {
    /// The text without the differences that do not count. Equal texts are equal answers.
    pub(super) fn normalise(self, text: &str) -> String {
        self.squeeze(&self.fold(text)).trim().to_owned()
    }

    fn fold(self, text: &str) -> String {
        let mut folded: String = match self.unicode {
            true => text.chars().filter(|character| !is_invisible(*character)).nfkc().collect(),
            false => text.nfc().collect(),
        };
        if self.arabic {
            folded = folded.chars().filter_map(arabic).collect();
        }
        if self.marks {
            folded = folded.nfd().filter(|character| !is_combining_mark(*character)).collect();
        }
        if self.case {
            // The small sigma has another form at a word's end, and what an end is depends on
            // where a wildcard stands.
            folded = folded.to_lowercase().replace('ς', "σ");
        }
        // A small letter may be two characters, and letters may have come together.
        folded.nfc().collect()
    }

    fn squeeze(self, text: &str) -> String {
        let mut squeezed = String::with_capacity(text.len());
        for character in text.chars() {
            match self.space && character.is_whitespace() {
                true if squeezed.ends_with(' ') => {}
                true => squeezed.push(' '),
                false => squeezed.push(character),
            }
        }
        squeezed
    }
}

/// The soft hyphen, spaces and joints without width, and signs for the direction of a text, which
/// telephones put into Arabic unasked.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

fn arabic(character: char) -> Option<char> {
    match character {
        '\u{640}' => None,
        '\u{600}'..='\u{6ff}' | '\u{8d3}'..='\u{8ff}' if is_combining_mark(character) => None,
        'أ' | 'إ' | 'آ' | 'ٱ' => Some('ا'),
        'ى' => Some('ي'),
        'ة' => Some('ه'),
        '٠'..='٩' => char::from_digit(u32::from(character) - u32::from('٠'), 10),
        _ => Some(character),
    }
}

/// An accepted text, ready to be compared with texts that were normalised in the same way.
#[derive(Debug)]
pub(super) struct Pattern {
    /// What stands between the stars.
    parts: Vec<String>,
}

impl Pattern {
    pub(super) fn new(accepted: &AcceptedText, ignore: Ignore) -> Self {
        let parts = match accepted.wildcard {
            true => between_stars(&accepted.text),
            false => vec![accepted.text.clone()],
        };
        // Each part by itself, so that a star which only comes of normalising stays a star.
        let fold = |part: &String| ignore.squeeze(&ignore.fold(part));
        let mut parts: Vec<String> = parts.iter().map(fold).collect();
        if let Some(first) = parts.first_mut() {
            *first = first.trim_start().to_owned();
        }
        if let Some(last) = parts.last_mut() {
            *last = last.trim_end().to_owned();
        }
        Self { parts }
    }

    /// Whether there is nothing but stars in it.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.trim().is_empty())
    }

    /// Takes time in proportion to the text, however many stars there are: what stands between
    /// them is looked for once each, and the standard library's search never goes back.
    pub(super) fn matches(&self, said: &str) -> bool {
        match self.parts.as_slice() {
            [] => false,
            _ if self.is_empty() => false,
            [only] => only == said,
            [first, middle @ .., last] => said
                .strip_prefix(first.as_str())
                .and_then(|rest| rest.strip_suffix(last.as_str()))
                .is_some_and(|inner| occur_in_order(middle, inner)),
        }
    }
}

fn occur_in_order(parts: &[String], text: &str) -> bool {
    let mut rest = Some(text);
    for part in parts {
        rest = rest.and_then(|rest| rest.split_once(part.as_str())).map(|(_, after)| after);
    }
    rest.is_some()
}

/// The texts between the stars that are not written `\*`.
fn between_stars(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let literal = match character {
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => characters.next_if_eq(&'*').unwrap_or('\\'),
            other => other,
        };
        if let Some(part) = parts.last_mut() {
            part.push(literal);
        }
    }
    parts
}
