use serde_json::{Value, json};

use super::{Share, accepts, marking, worth};
use crate::grading::{DecimalSign, Marking, Number};

fn number(accept: &Value) -> Marking {
    marking(json!({"by": "number", "accept": accept}))
}

#[test]
fn a_tolerance_has_its_ends_in_it() {
    let marking = number(&json!([{"value": "-11.7", "tolerance": "0.02"}]));
    for said in
        ["-11.72", "-11.68", "-11.70", " -11.7 ", "\u{2212}11.7", "-١١٫٧", "-0011.7", "-11.700"]
    {
        assert!(accepts(&marking, said), "{said:?}");
    }
    for said in ["-11.721", "-11.67999999999999999", "11.7", "11.72", "-11", "-117", ""] {
        assert!(!accepts(&marking, said), "{said:?}");
    }
}

#[test]
fn only_a_number_is_a_number() {
    let marking = number(&json!([{"low": "-2000000000", "high": "2000000000"}]));
    for said in ["0", "-0", "+5", ".5", "5.", "0.0", "1,000", "1,000,000.25", "\u{200f}7", "１２"]
    {
        assert!(accepts(&marking, said), "{said:?}");
    }
    for said in [
        "1e3", "1E3", "0x10", "1_000", "five", "5 cm", "5%", "1 000", "--5", "-", "+", ".", ",",
        "-.", "1.2.3", "1,00", "1,0000", ",500", "1,,000", "1.000,5", "0.5,000", "NaN", "Infinity",
        "1/2", "5-", "- 5", "V", "½",
    ] {
        assert!(!accepts(&marking, said), "{said:?}");
    }
}

#[test]
fn what_a_comma_is_depends_on_the_question() {
    let reads = |sign: DecimalSign, said| sign.read(said).map(|number| number.to_string());
    for (said, point, comma, either) in [
        ("1,000", Some("1000"), Some("1"), Some("1")),
        ("1.000", Some("1"), Some("1000"), Some("1")),
        ("1,5", None, Some("1.5"), Some("1.5")),
        ("1.5", Some("1.5"), None, Some("1.5")),
        ("1,234.5", Some("1234.5"), None, None),
        ("1.234,5", None, Some("1234.5"), None),
        ("١٬٢٣٤٫٥", Some("1234.5"), Some("1234.5"), Some("1234.5")),
        ("1234", Some("1234"), Some("1234"), Some("1234")),
    ] {
        let read = [DecimalSign::Point, DecimalSign::Comma, DecimalSign::Either]
            .map(|sign| reads(sign, said));
        assert_eq!(read, [point, comma, either].map(|read| read.map(str::to_owned)), "{said:?}");
    }
}

#[test]
fn nothing_is_rounded() {
    let marking = number(&json!([{"value": "0.1"}]));
    assert!(accepts(&marking, "0.1000000000000000000000000000000000000000"));
    assert!(!accepts(&marking, "0.1000000000000000000000000001"));
    // More digits than are kept are no number, not a rounded one.
    assert!(!accepts(&marking, "0.10000000000000000000000000000000000001"));
    let third = number(&json!([{"value": "0.333", "tolerance": "0.001"}]));
    assert!(accepts(&third, "0.3333333333333333"));
    let great = number(&json!([{"value": 999_999_999_999_i64, "tolerance": "0.000000000001"}]));
    assert!(accepts(&great, "999999999999.000000000001"));
    assert!(!accepts(&great, "999999999999.000000000002"));
}

#[test]
fn the_first_range_says_what_it_is_worth() {
    let marking = number(&json!([
        {"value": "3.14", "tolerance": "0.005"},
        {"low": "3", "high": "4", "share": "1/2"}
    ]));
    assert_eq!(worth(&marking, "3.142"), Share::FULL);
    assert_eq!(worth(&marking, "3"), Share::new(1, 2));
    assert_eq!(worth(&marking, "4.01"), Share::NONE);
}

#[test]
fn a_teachers_numbers_are_plain() {
    for text in ["0", "-11.7", "999999999999.999999999999"] {
        assert_eq!(text.parse::<Number>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "-",
        ".5",
        "5.",
        "1e3",
        "1,5",
        "+5",
        " 5",
        "1_0",
        "1.2.3",
        "1000000000000",
        "0.1234567890123",
    ] {
        assert!(text.parse::<Number>().is_err(), "{text:?}");
    }
}
