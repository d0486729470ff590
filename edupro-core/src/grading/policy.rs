use rust_decimal::Decimal;

use super::Share;

/// What becomes of answers that were graded by a key which was wrong: the teacher chooses. Points
/// that a person gave are never touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegradePolicy {
    /// They stay as they are.
    None,
    /// They are graded by the new key, also when that takes points away.
    NewKeyOnly,
    /// They are graded by the new key where it gives more.
    NewOrOldKey,
    /// Everybody gets all points.
    FullCredit,
}

impl RegradePolicy {
    /// Every policy.
    pub const ALL: [Self; 4] = [Self::None, Self::NewKeyOnly, Self::NewOrOldKey, Self::FullCredit];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NewKeyOnly => "new_key_only",
            Self::NewOrOldKey => "new_or_old_key",
            Self::FullCredit => "full_credit",
        }
    }

    /// The policy of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The points that the answer gets instead; `None` when it keeps what it has.
    #[must_use]
    pub fn apply(self, answer: &Regrade) -> Option<Decimal> {
        if answer.by_hand {
            return None;
        }
        let new = answer.share.map(|share| share.of(answer.maximum));
        let points = match self {
            Self::None => None,
            Self::NewKeyOnly => new,
            // `None` is less than any points.
            Self::NewOrOldKey => new.max(answer.points),
            Self::FullCredit => Some(answer.maximum),
        };
        points.filter(|_| points != answer.points)
    }
}

/// An answer that may be graded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regrade {
    /// What it has so far; `None` while it waits.
    pub points: Option<Decimal>,
    /// Whether a person gave that.
    pub by_hand: bool,
    /// What it is worth by the new key; `None` when that needs a person.
    pub share: Option<Share>,
    /// What a right answer gives, as it was asked.
    pub maximum: Decimal,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(hundredths: i64) -> Decimal {
        Decimal::new(hundredths, 2)
    }

    #[test]
    fn the_teacher_chooses_what_a_new_key_does() {
        use RegradePolicy::{FullCredit, NewKeyOnly, NewOrOldKey, None as Nothing};
        // Points so far, the new key's share, and what each policy makes of them.
        let half = Share::new(1, 2);
        for (policy, before, share, after) in [
            (Nothing, Some(0), Some(Share::FULL), None),
            (NewKeyOnly, Some(0), Some(Share::FULL), Some(400)),
            (NewKeyOnly, Some(400), Some(half), Some(200)),
            (NewKeyOnly, Some(400), Some(Share::FULL), None),
            (NewKeyOnly, Some(400), None, None),
            (NewKeyOnly, None, Some(half), Some(200)),
            (NewKeyOnly, None, None, None),
            (NewOrOldKey, Some(400), Some(half), None),
            (NewOrOldKey, Some(100), Some(half), Some(200)),
            (NewOrOldKey, None, Some(Share::NONE), Some(0)),
            (NewOrOldKey, Some(100), None, None),
            (FullCredit, Some(0), Some(Share::NONE), Some(400)),
            (FullCredit, None, None, Some(400)),
        ] {
            let answer =
                Regrade { points: before.map(points), by_hand: false, share, maximum: points(400) };
            assert_eq!(policy.apply(&answer), after.map(points), "{policy:?} {answer:?}");
        }
    }

    #[test]
    fn words_name_policies() {
        for policy in RegradePolicy::ALL {
            assert_eq!(RegradePolicy::from_word(policy.as_str()), Some(policy));
        }
        assert_eq!(RegradePolicy::from_word("everything"), None);
    }

    proptest! {
        #[test]
        fn points_are_the_persons_or_between_nothing_and_all(
            policy in prop::sample::select(RegradePolicy::ALL.as_slice()),
            before in prop::option::of(0..=1_000_i64),
            by_hand: bool,
            share in prop::option::of((0..=7_i64).prop_map(|parts| Share::new(parts, 7))),
        ) {
            let (before, maximum) = (before.map(points), points(1_000));
            let answer = Regrade { points: before, by_hand, share, maximum };
            let after = policy.apply(&answer);
            prop_assert!(!by_hand || after.is_none());
            prop_assert!(after.is_none_or(|after| after >= Decimal::ZERO && after <= maximum));
            if policy != RegradePolicy::NewKeyOnly {
                prop_assert!(after.is_none() || after >= before, "taken away");
            }
            // A second time it changes nothing.
            let again = Regrade { points: after.or(before), ..answer };
            prop_assert_eq!(policy.apply(&again), None);
        }
    }
}
