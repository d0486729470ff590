use serde_json::{Value, json};

use super::{QuestionType, option};
use crate::grading::{Marking, MarkingError, check::ACCEPTED_LENGTH};

fn parse(sent: Value) -> Result<Marking, MarkingError> {
    Marking::parse(QuestionType::ShortAnswer, sent)
}

fn choice(sent: Value) -> Result<Marking, MarkingError> {
    Marking::parse(QuestionType::MultipleChoice, sent)
}

#[test]
fn what_is_sent_is_kept_and_read_again() {
    let some =
        json!({"case": true, "space": true, "unicode": true, "marks": false, "arabic": true});
    let none =
        json!({"case": false, "space": false, "unicode": false, "marks": false, "arabic": false});
    let plain = json!([{"text": "Cairo", "wildcard": false}]);
    let shared = json!([{"text": "a*", "wildcard": true},
                        {"text": "b", "wildcard": false, "share": "1/3"}]);
    let numbers = json!([{"value": "-11.7", "tolerance": "0.02"}, {"value": "5"},
                         {"low": "1", "high": "2", "share": "1/2"}]);
    let blanks = json!([{"name": "1", "accept": plain}]);
    for sent in [
        json!({"by": "text", "accept": plain, "ignore": some}),
        json!({"by": "text", "accept": shared, "ignore": none}),
        json!({"by": "blanks", "blanks": blanks, "ignore": some, "partial": true}),
        json!({"by": "number", "accept": numbers, "decimal": "comma"}),
        json!({"by": "manual"}),
        json!({"by": "external", "grader": "words", "settings": {"words": [1, 2.5, null]}}),
        json!({"by": "external", "grader": "words"}),
    ] {
        let marking = parse(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(&marking).unwrap(), sent);
    }
    let weights = json!({option('a'): 2, option('b'): -1});
    for sent in [
        json!({"by": "one_option"}),
        json!({"by": "all_options"}),
        json!({"by": "right_minus_wrong"}),
        json!({"by": "weighted_options", "weights": weights, "out_of": 2}),
        json!({"by": "external", "grader": "hotspot"}),
    ] {
        assert_eq!(serde_json::to_value(choice(sent.clone()).unwrap()).unwrap(), sent);
    }
}

#[test]
fn without_a_word_choices_are_marked_and_texts_are_read() {
    for kind in QuestionType::ALL {
        let marking = Marking::default_for(kind);
        assert_eq!(marking.is_by_options(), kind.has_options());
        assert_eq!(marking.suits(kind), Ok(()));
        assert_eq!(marking.check(), Ok(()));
    }
    assert_eq!(Marking::default_for(QuestionType::TrueFalse), Marking::OneOption {});
    assert_eq!(Marking::default_for(QuestionType::FillBlank), Marking::Manual {});
}

#[test]
fn a_marking_suits_its_question() {
    let text = json!({"by": "text", "accept": [{"text": "x"}]});
    assert_eq!(choice(text), Err(MarkingError::NeedsOptions));
    assert_eq!(choice(json!({"by": "manual"})), Err(MarkingError::NeedsOptions));
    assert_eq!(parse(json!({"by": "all_options"})), Err(MarkingError::NoOptions));
}

#[test]
fn what_is_no_marking_is_said_so() {
    for (sent, word) in [
        (json!(null), "invalid type"),
        (json!("manual"), "invalid type"),
        (json!({}), "missing field `by`"),
        (json!({"by": "magic"}), "unknown variant `magic`, expected one of `one_option`"),
        // Also kinds without fields know what they do not know.
        (json!({"by": "manual", "share": "1/2"}), "unknown field `share`"),
        (json!({"by": "one_option", "partial": true}), "unknown field `partial`"),
        (json!({"by": "text"}), "missing field `accept`"),
        (json!({"by": "text", "accept": [{"text": "x", "regex": true}]}), "unknown field `regex`"),
        (json!({"by": "text", "accept": [{"text": 5}]}), "invalid type"),
        (
            json!({"by": "text", "accept": [{"text": "x"}], "ignore": {"taste": true}}),
            "unknown field `taste`",
        ),
        (json!({"by": "text", "accept": [{"text": "x", "share": 0.5}]}), "invalid type"),
        (json!({"by": "text", "accept": [{"text": "x", "share": "2"}]}), "a fraction from 0 to 1"),
        (json!({"by": "number", "accept": [{"value": 11.7}]}), "a number as a text"),
        (json!({"by": "number", "accept": [{"value": "1e3"}]}), "12 digits"),
        (
            json!({"by": "number", "accept": [{"value": "1", "low": "0", "high": "2"}]}),
            "either a value",
        ),
        (json!({"by": "number", "accept": [{"low": "0"}]}), "either a value"),
        (json!({"by": "number", "accept": [{}]}), "either a value"),
        (
            json!({"by": "number", "accept": [{"value": "1"}], "decimal": "dot"}),
            "unknown variant `dot`",
        ),
        (json!({"by": "external", "grader": "x", "settings": [1]}), "invalid type"),
    ] {
        let error = parse(sent.clone()).unwrap_err().to_string();
        assert!(error.starts_with("This is not a marking: "), "{sent}: {error}");
        assert!(error.contains(word), "{sent}: {error}");
    }
}

#[test]
fn nonsense_is_refused_in_words_for_a_teacher() {
    let texts = |texts: &[&str]| {
        let accept: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
        json!({"by": "text", "accept": accept})
    };
    let blanks = |names: &[&str]| {
        let accept = json!([{"text": "x"}]);
        let blanks: Vec<Value> =
            names.iter().map(|name| json!({"name": name, "accept": accept})).collect();
        json!({"by": "blanks", "blanks": blanks})
    };
    let external = |grader: &str, settings: Value| {
        let mut sent = json!({"by": "external", "grader": grader});
        sent["settings"] = settings;
        sent
    };
    let text = |text: &str, extra: Value| {
        let mut accepted = json!({"text": text});
        accepted.as_object_mut().unwrap().append(&mut extra.as_object().unwrap().clone());
        json!([accepted])
    };
    let filled =
        |accept: Value| json!({"by": "blanks", "blanks": [{"name": "a", "accept": accept}]});
    let range = |range: Value| json!({"by": "number", "accept": [range]});
    let many: Vec<String> = (0..51).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = "ä".repeat(ACCEPTED_LENGTH + 1);
    let long_settings = json!({"text": "x".repeat(10_000)});
    let (stars, half) = (json!({"wildcard": true}), json!({"share": "1/2"}));

    let nothing = "At least one accepted answer is required.";
    let blank = "An accepted answer may not be blank or only wildcards.";
    let full = "At least one accepted answer must be worth all points.";
    let blank_count = "Ensure there are between 1 and 50 blanks.";
    let blank_name = "A blank's name has 1 to 50 letters, digits, \"-\" and \"_\".";
    let grader_name = "A grader's name has 1 to 50 letters, digits, \"-\" and \"_\".";
    let empty = "A tolerance may not be negative, and low may not be above high.";
    let null = "Null characters are not allowed.";
    for (sent, message) in [
        (texts(&[]), nothing),
        (texts(&["x"; 101]), "Ensure there are no more than 100 accepted answers."),
        (texts(&["  "]), blank),
        (texts(&["\u{200b}"]), blank),
        (texts(&["x\0"]), null),
        (texts(&[&long]), "Ensure an accepted answer has no more than 200 characters."),
        (json!({"by": "text", "accept": text(" ** ", stars)}), blank),
        (json!({"by": "text", "accept": text("x", half.clone())}), full),
        // Nothing is left of it when marks do not count.
        (
            json!({"by": "text", "accept": text("\u{301}", json!({})), "ignore": {"marks": true}}),
            blank,
        ),
        (blanks(&[]), blank_count),
        (blanks(&many), blank_count),
        (blanks(&["a", "a"]), "Two blanks may not have the same name."),
        (blanks(&["a b"]), blank_name),
        (blanks(&[""]), blank_name),
        (filled(json!([])), nothing),
        (filled(text("x", half)), "A blank is right or wrong: its accepted answers have no share."),
        (json!({"by": "number", "accept": []}), nothing),
        (range(json!({"value": "1", "tolerance": "-0.1"})), empty),
        (range(json!({"low": "2", "high": "1"})), empty),
        (range(json!({"value": "1", "share": "0"})), full),
        (external("a grader", json!({})), grader_name),
        (external("", json!({})), grader_name),
        (external("x", long_settings), "Ensure the settings have no more than 10000 bytes."),
        (external("x", json!({"deep": [{"er": "\0"}]})), null),
        (external("x", json!({"\0": 1})), null),
    ] {
        assert_eq!(parse(sent.clone()).unwrap_err().to_string(), message, "{sent}");
    }
    // The limit is for a question, not for each of its blanks.
    let accept = vec![json!({"text": "x"}); 60];
    let blanks = json!([{"name": "a", "accept": accept}, {"name": "b", "accept": accept}]);
    let sent = json!({"by": "blanks", "blanks": blanks});
    assert_eq!(parse(sent), Err(MarkingError::TooManyAccepted));
}

#[test]
fn weights_lead_to_all_points() {
    let weighted = |weights: &[i64], out_of: i64| {
        let weights: serde_json::Map<String, Value> = (1_u128..)
            .zip(weights)
            .map(|(number, weight)| (uuid::Uuid::from_u128(number).to_string(), json!(weight)))
            .collect();
        choice(json!({"by": "weighted_options", "weights": weights, "out_of": out_of})).err()
    };
    assert_eq!(weighted(&[50, 50, -50], 100), None);
    assert_eq!(weighted(&[100, 50], 100), None);
    assert_eq!(weighted(&[50, 50, -50], 101), Some(MarkingError::OutOf));
    assert_eq!(weighted(&[50], 0), Some(MarkingError::OutOf));
    assert_eq!(weighted(&[-50], 1), Some(MarkingError::OutOf));
    assert_eq!(weighted(&[], 1), Some(MarkingError::WeightCount));
    assert_eq!(weighted(&[1; 101], 1), Some(MarkingError::WeightCount));
    assert_eq!(weighted(&[10_001], 1), Some(MarkingError::Weight));
    assert_eq!(weighted(&[-10_001, 1], 1), Some(MarkingError::Weight));
    assert!(matches!(weighted(&[1], -1), Some(MarkingError::Unreadable(_))));
    let unknown = json!({"by": "weighted_options", "weights": {"A": 1}, "out_of": 1});
    assert!(matches!(choice(unknown), Err(MarkingError::Unreadable(_))));
}
