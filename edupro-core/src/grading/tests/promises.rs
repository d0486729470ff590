//! What holds for every marking and every answer.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Marking, Response, Share, grade_local, options, text};
use crate::grading::{
    AcceptedNumber, AcceptedText, Blank, DecimalSign, Ignore, Number, NumberRange,
};

fn share() -> impl Strategy<Value = Share> {
    (0..=4_i64).prop_map(|parts| Share::new(parts, 4))
}

fn ignore() -> impl Strategy<Value = Ignore> {
    any::<[bool; 5]>().prop_map(|[case, space, unicode, marks, arabic]| Ignore {
        case,
        space,
        unicode,
        marks,
        arabic,
    })
}

/// Texts in which everything happens that the engine knows of.
fn said() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abAB*\\\\ \t0-9.,+-]{0,12}",
        "[أإآاىيةه٠١٫٬ـ\u{64e}\u{200f} ]{0,8}",
        "[eéÉ\u{301}\u{327}ﬁＡΣςσİß\u{fdfa}]{0,8}",
        any::<String>(),
    ]
}

fn accepted() -> impl Strategy<Value = Vec<AcceptedText>> {
    let text = (said(), any::<bool>(), share());
    let text = text.prop_map(|(text, wildcard, share)| AcceptedText { text, wildcard, share });
    prop::collection::vec(text, 0..4)
}

fn number() -> impl Strategy<Value = Number> {
    "-?[0-9]{1,3}(\\.[0-9]{1,3})?".prop_map(|text| text.parse().unwrap())
}

fn letters() -> impl Strategy<Value = String> {
    "[A-G]{0,8}"
}

fn any_marking() -> impl Strategy<Value = Marking> {
    let range = prop_oneof![
        (number(), number()).prop_map(|(value, tolerance)| NumberRange::Near { value, tolerance }),
        (number(), number()).prop_map(|(low, high)| NumberRange::Between { low, high }),
    ];
    let range = (range, share()).prop_map(|(range, share)| AcceptedNumber { range, share });
    let sign = prop::sample::select(&[DecimalSign::Point, DecimalSign::Comma, DecimalSign::Either]);
    let weights = prop::collection::btree_map("[A-G]", -10_000..=10_000_i32, 0..7);
    let blank = ("[ab]", accepted()).prop_map(|(name, accept)| Blank { name, accept });
    prop_oneof![
        Just(Marking::OneOption {}),
        Just(Marking::AllOptions {}),
        Just(Marking::RightMinusWrong {}),
        (weights, any::<u32>()).prop_map(|(weights, out_of)| Marking::WeightedOptions {
            weights: weights.into_iter().map(|(id, weight)| (options(&id)[0], weight)).collect(),
            out_of,
        }),
        (accepted(), ignore()).prop_map(|(accept, ignore)| Marking::Text { accept, ignore }),
        (prop::collection::vec(blank, 0..3), ignore(), any::<bool>())
            .prop_map(|(blanks, ignore, partial)| Marking::Blanks { blanks, ignore, partial }),
        (prop::collection::vec(range, 0..3), sign)
            .prop_map(|(accept, decimal)| Marking::Number { accept, decimal }),
        Just(Marking::Manual {}),
        Just(Marking::External { grader: "parrot".to_owned(), settings: serde_json::Map::new() }),
    ]
}

fn any_response() -> impl Strategy<Value = Response> {
    prop_oneof![
        Just(Response::Blank),
        letters().prop_map(|letters| Response::Options(options(&letters))),
        said().prop_map(Response::Text),
        prop::collection::btree_map("[abc]", said(), 0..3).prop_map(Response::Blanks),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Also for markings that would be refused today: what is kept is graded.
    #[test]
    fn every_answer_is_worth_the_same_share_again(
        marking in any_marking(),
        right in letters(),
        response in any_response(),
    ) {
        let right = options(&right);
        let graded = grade_local(&marking, &right, &response);
        prop_assert_eq!(graded, grade_local(&marking, &right, &response));
        let is_left = matches!(marking, Marking::Manual {} | Marking::External { .. });
        prop_assert_eq!(graded.is_none(), is_left && !response.is_blank());
        let share = graded.unwrap_or(Share::NONE);
        prop_assert!(Share::NONE <= share && share <= Share::FULL);
        prop_assert!(share == Share::NONE || !response.is_blank());
        // What was kept is what was graded.
        let kept = serde_json::to_value(&marking).unwrap();
        let read: Marking = serde_json::from_value(kept).unwrap();
        prop_assert_eq!(grade_local(&read, &right, &response), graded);
    }

    #[test]
    fn one_more_right_option_never_costs_and_one_more_wrong_never_helps(
        right in "[A-D]{0,4}",
        chosen in letters(),
        more in "[A-G]",
    ) {
        let right = options(&right);
        let before = Response::Options(options(&chosen));
        let after = Response::Options(options(&format!("{chosen}{more}")));
        let share = |response| grade_local(&Marking::RightMinusWrong {}, &right, response).unwrap();
        match right.contains(&options(&more)[0]) {
            true => prop_assert!(share(&before) <= share(&after)),
            false => prop_assert!(share(&before) >= share(&after)),
        }
        // Whoever gets everything here chose all right ones and no other.
        let all = grade_local(&Marking::AllOptions {}, &right, &before).unwrap();
        prop_assert_eq!(share(&before).is_full(), all.is_full());
    }

    #[test]
    fn the_order_of_options_and_repetitions_mean_nothing(
        marking in any_marking(),
        right in letters(),
        chosen in letters(),
    ) {
        let (right, mut chosen) = (options(&right), options(&chosen));
        let before = grade_local(&marking, &right, &Response::Options(chosen.clone()));
        chosen.reverse();
        chosen.extend_from_within(..);
        let right: Vec<_> = right.iter().rev().chain(&right).copied().collect();
        prop_assert_eq!(grade_local(&marking, &right, &Response::Options(chosen)), before);
    }

    #[test]
    fn an_accepted_text_accepts_itself(key in said(), ignore in ignore()) {
        let marking = Marking::Text { accept: vec![AcceptedText::new(key.as_str())], ignore };
        if marking.check().is_ok() {
            prop_assert_eq!(grade_local(&marking, &[], &text(&key)), Some(Share::FULL));
            let in_space = text(&format!("  {key}\n"));
            prop_assert_eq!(grade_local(&marking, &[], &in_space), Some(Share::FULL));
        }
    }

    #[test]
    fn what_is_the_same_stays_the_same(key in said(), answer in said(), ignore in ignore()) {
        let normal = ignore.normalise(&answer);
        prop_assert_eq!(ignore.normalise(&normal), normal.clone());
        // A stricter teacher accepts no more.
        let accepts = |ignore| {
            let accept = vec![AcceptedText::new(key.as_str())];
            grade_local(&Marking::Text { accept, ignore }, &[], &text(&answer)) == Some(Share::FULL)
        };
        let strict =
            Ignore { case: false, space: false, unicode: false, marks: false, arabic: false };
        let lenient = Ignore { unicode: ignore.unicode, ..strict };
        prop_assert!(!accepts(strict) || accepts(lenient));
    }

    /// A star against the plainest search there is.
    #[test]
    fn a_star_is_any_text(pattern in "[ab*]{1,7}", said in "[ab]{0,9}") {
        fn fits(pattern: &[u8], said: &[u8]) -> bool {
            match pattern {
                [] => said.is_empty(),
                [b'*', rest @ ..] => (0..=said.len()).any(|from| fits(rest, &said[from..])),
                [letter, rest @ ..] => said.first() == Some(letter) && fits(rest, &said[1..]),
            }
        }
        let accept = vec![AcceptedText::new(pattern.as_str()).with_wildcards()];
        let marking = Marking::Text { accept, ignore: Ignore::default() };
        let expected = fits(pattern.as_bytes(), said.as_bytes())
            && !said.is_empty()
            && pattern.contains(['a', 'b']);
        let share = grade_local(&marking, &[], &text(&said));
        prop_assert_eq!(share == Some(Share::FULL), expected);
    }

    /// Against whole numbers of thousandths.
    #[test]
    fn numbers_are_compared_exactly(
        value in -2_000..2_000_i64,
        tolerance in 0..50_i64,
        said in -2_000..2_000_i64,
    ) {
        let written = |thousandths: i64| Decimal::new(thousandths, 3).normalize().to_string();
        let number = |thousandths| written(thousandths).parse::<Number>().unwrap();
        let range = NumberRange::Near { value: number(value), tolerance: number(tolerance) };
        let accept = vec![AcceptedNumber { range, share: Share::FULL }];
        let marking = Marking::Number { accept, decimal: DecimalSign::Point };
        let share = grade_local(&marking, &[], &text(&written(said)));
        prop_assert_eq!(share == Some(Share::FULL), (said - value).abs() <= tolerance);
    }
}
