//! Choices, with the worked examples of other schools.

use rust_decimal::Decimal;

use super::{Marking, Response, grade_local, option, options, text};

const ONE: Marking = Marking::OneOption {};
const ALL: Marking = Marking::AllOptions {};
const MINUS: Marking = Marking::RightMinusWrong {};

/// What the chosen letters are worth in hundredths, in a question of four points.
fn points(marking: &Marking, right: &str, chosen: &str) -> i64 {
    let response = Response::Options(options(chosen));
    let share = grade_local(marking, &options(right), &response).unwrap();
    i64::try_from(share.of(Decimal::from(4)).mantissa()).unwrap()
}

#[test]
fn what_is_chosen_is_worth() {
    for (marking, right, chosen, worth) in [
        (ONE, "B", "B", 400),
        (ONE, "B", "A", 0),
        (ONE, "B", "AB", 0),
        (ONE, "B", "", 0),
        (ONE, "BC", "C", 400),
        (ONE, "BC", "BC", 0),
        (ONE, "", "A", 0),
        // An option that the question does not have is wrong; chosen twice is chosen once.
        (ONE, "B", "Z", 0),
        (ONE, "B", "BB", 400),
        (ALL, "ADEG", "ADEG", 400),
        (ALL, "ADEG", "GEDAA", 400),
        (ALL, "ADEG", "ADE", 0),
        (ALL, "ADEG", "ADEGB", 0),
        (ALL, "ADEG", "ADEGZ", 0),
        (ALL, "", "A", 0),
        (ALL, "", "", 0),
        // Four right ones of seven. What is not chosen costs nothing more.
        (MINUS, "ADEG", "ADEG", 400),
        (MINUS, "ADEG", "ADEGF", 300),
        (MINUS, "ADEG", "ADE", 300),
        (MINUS, "ADEG", "AAA", 100),
        (MINUS, "ADEG", "ADEGZ", 300),
        (MINUS, "ADEG", "BC", 0),
        (MINUS, "ADEG", "ABC", 0),
        (MINUS, "ADEG", "ABCDEFG", 100),
        (MINUS, "ABC", "A", 133),
        (MINUS, "", "A", 0),
    ] {
        assert_eq!(points(&marking, right, chosen), worth, "{marking:?} {right:?} {chosen:?}");
    }
}

#[test]
fn weights_are_added_and_never_below_nothing() {
    let weights = [('a', 50), ('b', 50), ('c', -50), ('d', -50)];
    let weights = weights.map(|(letter, weight)| (option(letter), weight)).into();
    let marking = Marking::WeightedOptions { weights, out_of: 100 };
    for (chosen, worth) in [
        ("a", 200),
        ("ab", 400),
        ("abcd", 0),
        ("c", 0),
        ("cd", 0),
        ("abc", 200),
        ("aaa", 200),
        ("az", 200),
        ("z", 0),
    ] {
        assert_eq!(points(&marking, "ab", chosen), worth, "{chosen:?}");
    }
}

#[test]
fn a_text_chooses_nothing() {
    for marking in [ONE, ALL, MINUS] {
        assert_eq!(
            grade_local(&marking, &options("A"), &text("A")),
            Some(super::Share::NONE),
            "{marking:?}"
        );
    }
}
