use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Response, Share, accepts, grade_local, marking, worth};
use crate::grading::Marking;

/// Accepts one text, with these switches.
fn exactly(accepted: &str, ignore: &Value) -> Marking {
    marking(json!({"by": "text", "accept": [{"text": accepted}], "ignore": ignore}))
}

fn wildcard(accepted: &str) -> Marking {
    marking(json!({"by": "text", "accept": [{"text": accepted, "wildcard": true}]}))
}

#[test]
fn each_difference_counts_or_not() {
    for (switch, accepted, said) in [
        ("case", "Cairo", "cairo"),
        ("case", "ΟΔΟΣ", "οδος"),
        ("case", "οδοσ", "οδος"),
        ("case", "İ\u{327}", "i\u{327}\u{307}"),
        ("space", "red sea", "red  \n sea"),
        ("space", "red sea", "red\u{a0}sea"),
        ("unicode", "fish", "ﬁsh"),
        ("unicode", "2", "２"),
        ("unicode", "x2", "x²"),
        ("unicode", "لا", "\u{fefb}"),
        ("unicode", "القاهرة", "\u{200f}القاهرة"),
        ("unicode", "cooperate", "co\u{ad}operate"),
        ("marks", "Café", "Cafe"),
        ("marks", "naive", "naïve"),
        ("marks", "مؤتمر", "موتمر"),
        ("arabic", "الإسكندرية", "الاسكندريه"),
        ("arabic", "مُحَمَّد", "محمد"),
        ("arabic", "محمـــد", "محمد"),
        ("arabic", "مصطفى", "مصطفي"),
        ("arabic", "آدم", "ادم"),
        ("arabic", "ٱسم", "اسم"),
        ("arabic", "٤٢", "42"),
        // The same in two characters.
        ("arabic", "أحمد", "ا\u{654}حمد"),
    ] {
        let strict = json!({"case": false, "space": false, "unicode": false});
        let mut lenient = strict.clone();
        lenient[switch] = json!(true);
        for (accepted, said) in [(accepted, said), (said, accepted)] {
            assert!(accepts(&exactly(accepted, &lenient), said), "{accepted:?} {said:?}");
        }
        // Two spellings of one character are the same for everybody.
        if said != "ا\u{654}حمد" {
            assert!(!accepts(&exactly(accepted, &strict), said), "{accepted:?} {said:?}");
        }
    }
}

#[test]
fn one_switch_does_not_do_the_work_of_another() {
    let all_but = |switch: &str| {
        let mut ignore =
            json!({"case": true, "space": true, "unicode": true, "marks": true, "arabic": true});
        ignore[switch] = json!(false);
        ignore
    };
    assert!(!accepts(&exactly("Cairo", &all_but("case")), "cairo"));
    assert!(!accepts(&exactly("red sea", &all_but("space")), "red  sea"));
    assert!(!accepts(&exactly("x2", &all_but("unicode")), "x²"));
    assert!(!accepts(&exactly("Café", &all_but("marks")), "Cafe"));
    assert!(!accepts(&exactly("مصطفى", &all_but("arabic")), "مصطفي"));
    // Nor does the Arabic one take accents from Latin letters, or Arabic letters apart.
    let arabic = json!({"arabic": true});
    assert!(!accepts(&exactly("Café", &arabic), "Cafe"));
    assert!(!accepts(&exactly("مؤتمر", &arabic), "موتمر"));
}

#[test]
fn case_space_and_forms_do_not_count_unless_the_teacher_says_so() {
    let marking = marking(json!({"by": "text", "accept": [{"text": "Red Sea"}]}));
    assert!(accepts(&marking, "  red   SEA\n"));
    assert!(accepts(&marking, "ｒｅｄ ｓｅａ"));
    assert!(!accepts(&marking, "redsea"));
    assert!(!accepts(&marking, "réd sea"));
    assert!(!accepts(&marking, "the red sea"));
    assert!(!accepts(&marking, "   "));
    // An accent is the same in one character or in two, however strict the teacher is.
    let strict = json!({"case": false, "space": false, "unicode": false});
    assert!(accepts(&exactly("Café", &strict), "Cafe\u{301}"));
    assert!(accepts(&exactly("Café", &strict), " Café "));
}

#[test]
fn a_star_is_any_text() {
    for (accepted, right, wrong) in [
        (
            "ran*home",
            &["Ran all the way home", "ranhome", "ran home home"][..],
            &["ran homes", "I ran home", "ran"][..],
        ),
        ("*photosynthesis*", &["photosynthesis", "It is photosynthesis."], &["photo synthesis"]),
        ("colo*r", &["color", "colour", "colo r"], &["colors", "clor"]),
        ("a*b*c", &["abc", "axxbyyc", "a b c", "abcbc"], &["acb", "ab", "c"]),
        ("*a", &["a", "ba", "aa"], &["ab"]),
        ("a**b", &["ab", "acb"], &["b"]),
        ("2\\*3", &["2*3"], &["2x3", "23", "2\\*3"]),
        ("2\\*3*", &["2*3", "2*3=6", "2*3 = 6"], &["2+3"]),
        ("c:\\d*", &["c:\\d", "C:\\data"], &["c:d"]),
        ("a\\", &["a\\"], &["a"]),
        // What must be there may not be the same letters twice.
        ("aba*aba", &["abaaba", "aba aba"], &["aba", "ababa"]),
        ("red * sea", &["red and dead sea"], &["red sea"]),
    ] {
        let marking = wildcard(accepted);
        for said in right {
            assert!(accepts(&marking, said), "{accepted:?} {said:?}");
        }
        for said in wrong {
            assert!(!accepts(&marking, said), "{accepted:?} {said:?}");
        }
    }
    // Without the switch, and in what a student writes, it is a star.
    assert!(!accepts(&exactly("ran*home", &json!({})), "ran all the way home"));
    assert!(!accepts(&wildcard("ran*home"), "*"));
    // A wide star that becomes a plain one stays a character.
    assert!(!accepts(&wildcard("2\u{ff0a}3*"), "2x3"));
    assert!(accepts(&wildcard("2\u{ff0a}3*"), "2*3 = 6"));
}

#[test]
fn the_first_text_that_fits_says_what_it_is_worth() {
    let marking = marking(json!({"by": "text", "accept": [
        {"text": "not *", "wildcard": true, "share": "0"},
        {"text": "Nile"},
        {"text": "*nile*", "wildcard": true, "share": "1/2"},
    ]}));
    assert_eq!(worth(&marking, "the Nile, I think"), Share::new(1, 2));
    assert_eq!(worth(&marking, "nile"), Share::FULL);
    assert_eq!(worth(&marking, "not the Nile"), Share::NONE);
    assert_eq!(worth(&marking, "Danube"), Share::NONE);
}

#[test]
fn blanks_are_worth_the_same_or_only_all_together() {
    let sent = |partial| {
        json!({"by": "blanks", "partial": partial, "blanks": [
            {"name": "capital", "accept": [{"text": "Cairo"}, {"text": "al-Qahira"}]},
            {"name": "river", "accept": [{"text": "*Nile", "wildcard": true}]},
            {"name": "sea", "accept": [{"text": "Red Sea"}]},
        ]})
    };
    let (partial, whole) = (marking(sent(true)), marking(sent(false)));
    for (filled, worth) in [
        (&[("capital", "cairo"), ("river", "the Nile"), ("sea", "red sea")][..], 3),
        (&[("capital", "AL-QAHIRA"), ("river", "Danube"), ("sea", "red sea")], 2),
        (&[("river", "Nile")], 1),
        (&[("capital", "Nile"), ("river", "Cairo")], 0),
        (&[("capital", ""), ("river", "Nile"), ("unknown", "Cairo")], 1),
        (&[("unknown", "Cairo")], 0),
    ] {
        let blanks = filled.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let response = Response::Blanks(blanks.collect());
        let share = grade_local(&partial, &[], &response).unwrap();
        assert_eq!(share, Share::new(worth, 3), "{filled:?}");
        let share = grade_local(&whole, &[], &response).unwrap();
        assert_eq!(share.is_full(), worth == 3, "{filled:?}");
        assert!(share == Share::NONE || share == Share::FULL);
    }
    // A text without a name fills a single blank.
    assert_eq!(worth(&partial, "Cairo"), Share::NONE);
    let one = marking(json!({"by": "blanks", "blanks": [
        {"name": "1", "accept": [{"text": "Cairo"}]},
    ]}));
    assert_eq!(worth(&one, "cairo"), Share::FULL);
    assert_eq!(worth(&one, "Giza"), Share::NONE);
}

/// Ten times longer takes about ten times as long, not a hundred times. The bound is far above
/// what a slow machine needs without optimisation, and far below what going back costs.
#[test]
fn no_answer_takes_long() {
    let patterns = [
        "*a".repeat(99) + "*b",
        "a*".repeat(99) + "b",
        "*".repeat(199) + "b",
        format!("*{}b*", "a".repeat(190)),
        format!("*{}b*{}c*", "ab".repeat(45), "ab".repeat(45)),
        "*\u{fdfa}".repeat(99) + "*b",
    ];
    let accept: Vec<Value> = (0..100)
        .map(|number| json!({"text": patterns[number % patterns.len()], "wildcard": true}))
        .collect();
    let marking =
        marking(json!({"by": "text", "accept": accept, "ignore": {"marks": true, "arabic": true}}));
    let number = super::marking(json!({"by": "number", "accept": [{"value": "1"}]}));
    let started = Instant::now();
    for said in [
        "a".repeat(20_000),
        "ab".repeat(9_999) + "a",
        // One character becomes eighteen, and one letter has all the accents.
        "\u{fdfa}".repeat(20_000),
        format!("e{}", "\u{301}\u{327}".repeat(9_999)),
        " ".repeat(19_999) + "a",
        "1,".repeat(10_000),
        "1".repeat(20_000),
    ] {
        assert!(!accepts(&marking, &said));
        assert!(!accepts(&number, &said));
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}
