use serde::{Deserialize, Serialize};

use super::{GradeError, Share};

/// Most characters of what a verdict says in words.
pub const WORDS_LENGTH: usize = 5_000;
/// Most bytes of a ticket.
pub const TICKET_LENGTH: usize = 255;

/// What a grader thinks of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is worth this.
    Graded {
        /// How much of the question.
        share: Share,
        /// What the student may read about it, once the result may be seen.
        feedback: Option<String>,
        /// The accepted answer that it is, for the teacher.
        matched: Option<String>,
    },
    /// A person has to read it: it goes on the teacher's list.
    NeedsHuman {
        /// Why, for the teacher.
        why: String,
        /// What the grader would give. It counts for nothing until the person says so.
        suggestion: Option<Suggestion>,
    },
    /// It is being graded elsewhere, and is collected later.
    Deferred {
        /// What it is collected with: 1 to 255 bytes.
        ticket: String,
    },
}

/// What a grader would give, for the person who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// How much of the question.
    pub share: Share,
    /// Why so much.
    pub reason: String,
}

impl Verdict {
    /// It is worth this, without further words.
    #[must_use]
    pub const fn graded(share: Share) -> Self {
        Self::Graded { share, feedback: None, matched: None }
    }

    /// A person has to read it, and nothing is suggested.
    #[must_use]
    pub fn needs_human(why: impl Into<String>) -> Self {
        Self::NeedsHuman { why: why.into(), suggestion: None }
    }

    /// The verdict as it can be kept: texts from outside are cut where they are too long. A ticket
    /// cannot be cut.
    pub(super) fn kept(self) -> Result<Self, GradeError> {
        Ok(match self {
            Self::Graded { share, feedback, matched } => Self::Graded {
                share,
                feedback: feedback.as_deref().map(cut),
                matched: matched.as_deref().map(cut),
            },
            Self::NeedsHuman { why, suggestion } => Self::NeedsHuman {
                why: cut(&why),
                suggestion: suggestion
                    .map(|Suggestion { share, reason }| Suggestion { share, reason: cut(&reason) }),
            },
            Self::Deferred { ticket } => {
                let is_good = (1..=TICKET_LENGTH).contains(&ticket.len()) && !ticket.contains('\0');
                match is_good {
                    true => Self::Deferred { ticket },
                    false => return Err(GradeError::other("a ticket that cannot be kept")),
                }
            }
        })
    }

    /// The same verdict, but what it gives is only suggested.
    pub(super) fn for_review(self) -> Self {
        match self {
            Self::Graded { share, feedback, matched: _ } => Self::NeedsHuman {
                why: "A person has to confirm it.".to_owned(),
                suggestion: Some(Suggestion { share, reason: feedback.unwrap_or_default() }),
            },
            other => other,
        }
    }
}

/// Databases keep no NUL.
fn cut(words: &str) -> String {
    words.chars().filter(|character| *character != '\0').take(WORDS_LENGTH).collect()
}
