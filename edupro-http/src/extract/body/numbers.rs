//! Numbers, flags and links in a body (behaviour G7).

use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Timelike, Utc};
use edupro_core::courses::TRAILER_URL_LENGTH;
use http::Uri;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Raw,
    fields::{Empty, Kind, Reading, Text, Wrong, one, text},
};
use crate::openapi;

/// How much of what was sent is sent back, in characters.
const SHOWN_LENGTH: usize = 100;

/// The words of a field that is a number, where the contract has its own.
type Least = (i64, &'static str);

/// A whole number of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    least: Option<Least>,
    most: i64,
}

/// A whole number.
pub(crate) const fn whole() -> Whole {
    Whole { least: None, most: i32::MAX as i64 }
}

impl Whole {
    /// At least this, or these words.
    pub(crate) const fn at_least(self, least: i64, words: &'static str) -> Self {
        Self { least: Some((least, words)), ..self }
    }

    /// At most this.
    pub(crate) const fn at_most(self, most: i64) -> Self {
        Self { most, ..self }
    }
}

impl Kind for Whole {
    type Value = i64;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        let mut schema = json!({"type": "integer", "maximum": self.most});
        if let Some((least, _)) = self.least {
            schema["minimum"] = least.into();
        }
        schema
    }

    fn parse(&self, raw: Raw) -> Reading<i64> {
        let Some(number) = number_text(raw).and_then(|text| whole_number(&text)) else {
            return one("A valid integer is required.");
        };
        if number > self.most {
            let most = self.most;
            return one(format!("Ensure this value is less than or equal to {most}."));
        }
        match self.least {
            Some((least, words)) if number < least => one(words),
            _ => Ok(number),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// A number as text: of a form, of a JSON text, of a JSON number.
fn number_text(raw: Raw) -> Option<String> {
    match raw {
        Raw::Text(text) | Raw::Json(Value::String(text)) => Some(text.trim().to_owned()),
        Raw::Json(Value::Number(number)) => Some(number.to_string()),
        Raw::Json(_) | Raw::File(_) | Raw::LargeFile => None,
    }
}

/// `5`, `-5`, `5.0`: ASCII digits with nothing behind the point but zeros.
fn whole_number(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_whole = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && rest.bytes().all(|byte| byte == b'0');
    // What does not fit 64 bits is too large for any field.
    is_whole
        .then(|| whole.parse().unwrap_or(if whole.starts_with('-') { i64::MIN } else { i64::MAX }))
}

/// A number with at most two places behind the point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount {
    /// Its digits, all of them.
    digits: usize,
    /// What is said of one that is too small or too large.
    problem: fn(Decimal) -> Option<&'static str>,
}

/// An amount of money, not negative.
pub(crate) const fn amount() -> Amount {
    let problem = |amount: Decimal| {
        (amount < Decimal::ZERO).then_some("Ensure this value is greater than or equal to 0.")
    };
    Amount { digits: 10, problem }
}

/// What a question gives.
pub(crate) const fn points() -> Amount {
    let problem =
        |points: Decimal| (points <= Decimal::ZERO).then_some("Points must be greater than 0.");
    Amount { digits: 6, problem }
}

/// What is given for an answer. How much that may be is the question's to say.
pub(crate) const fn awarded_points() -> Amount {
    let problem =
        |points: Decimal| (points < Decimal::ZERO).then_some("Points cannot be negative.");
    Amount { digits: usize::MAX, problem }
}

/// How many percent one needs to pass.
pub(crate) const fn passing_grade() -> Amount {
    let problem = |grade: Decimal| {
        let is_percent = (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&grade);
        (!is_percent).then_some("Passing grade must be between 0 and 100.")
    };
    Amount { digits: 5, problem }
}

/// Digits of an amount behind the point.
const PLACES: usize = 2;

impl Kind for Amount {
    type Value = Decimal;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": ["number", "string"], "description": "Two places at most.", "minimum": 0})
    }

    fn parse(&self, raw: Raw) -> Reading<Decimal> {
        let Some(amount) = number_text(raw).and_then(|text| decimal(&text)) else {
            return one("A valid number is required.");
        };
        if let Some(words) = (self.problem)(amount) {
            return one(words);
        }
        let most = self.digits;
        let places = usize::try_from(amount.scale()).unwrap_or(usize::MAX);
        let digits = amount.mantissa().unsigned_abs().to_string().trim_start_matches('0').len();
        let whole = digits.saturating_sub(places);
        if digits.max(places) > most {
            return one(format!("Ensure that there are no more than {most} digits in total."));
        }
        if places > PLACES {
            return one(format!("Ensure that there are no more than {PLACES} decimal places."));
        }
        if whole > most - PLACES {
            let most = most - PLACES;
            return one(format!(
                "Ensure that there are no more than {most} digits before the decimal point."
            ));
        }
        let mut amount = amount.abs();
        amount.rescale(2);
        Ok(amount)
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// Longest number that is read as a decimal, in characters: no field takes half as many digits.
const NUMBER_LENGTH: usize = 64;

/// A decimal number in ASCII digits, perhaps with an exponent. The zeros behind it stay: they are
/// places that were sent.
fn decimal(text: &str) -> Option<Decimal> {
    let is_plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    if !text.chars().all(is_plain) || !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // The parser descends a step for each zero at the front.
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let significant = digits.trim_start_matches('0');
    let zero = if significant.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
    let text = &format!("{sign}{zero}{significant}");
    if text.len() > NUMBER_LENGTH {
        return text.parse::<f64>().ok().map(|_| Decimal::MAX);
    }
    let parsed = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
    // A number with more digits than any field takes is a number all the same.
    parsed.ok().or_else(|| text.parse::<f64>().ok().map(|_| Decimal::MAX))
}

/// One of a few words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<T: 'static> {
    known: &'static [T],
    word: fn(T) -> &'static str,
}

/// One of those that are known, by its word.
pub(crate) const fn choice<T>(known: &'static [T], word: fn(T) -> &'static str) -> Choice<T> {
    Choice { known, word }
}

impl<T: Copy> Kind for Choice<T> {
    type Value = T;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        let words: Vec<_> = self.known.iter().map(|known| (self.word)(*known)).collect();
        json!({"type": "string", "enum": words})
    }

    fn parse(&self, raw: Raw) -> Reading<T> {
        let word = match raw {
            Raw::Text(text) | Raw::Json(Value::String(text)) => text,
            Raw::Json(value) => value.to_string(),
            Raw::File(_) | Raw::LargeFile => String::new(),
        };
        let found = self.known.iter().find(|known| (self.word)(**known) == word.trim());
        let shown =
            word.char_indices().nth(SHOWN_LENGTH).map_or(word.as_str(), |(end, _)| &word[..end]);
        found.map_or_else(|| one(format!("\"{shown}\" is not a valid choice.")), |known| Ok(*known))
    }
}

/// A UUID.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id;

/// A UUID.
pub(crate) const fn id() -> Id {
    Id
}

impl Kind for Id {
    type Value = Uuid;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "string", "format": "uuid"})
    }

    fn parse(&self, raw: Raw) -> Reading<Uuid> {
        let text = match &raw {
            Raw::Text(text) | Raw::Json(Value::String(text)) => text.trim(),
            _ => "",
        };
        text.parse().or_else(|_| one("Must be a valid UUID."))
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// A moment in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MomentOf;

/// A moment in time: `2026-11-23T08:40:36.176358Z`, with a blank for the `T`, without its offset
/// (then it is UTC), without seconds, or a day alone (its midnight).
pub(crate) const fn moment() -> MomentOf {
    MomentOf
}

impl Kind for MomentOf {
    type Value = DateTime<Utc>;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "string", "format": "date-time"})
    }

    fn parse(&self, raw: Raw) -> Reading<DateTime<Utc>> {
        let text = match &raw {
            Raw::Text(text) | Raw::Json(Value::String(text)) => text.trim(),
            _ => "",
        };
        read_moment(text).map_or_else(
            || {
                one("Datetime has wrong format. Use one of these formats instead: \
                     YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
            },
            Ok,
        )
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// A moment of the years that have four digits, wherever in the world it was written down: neither
/// database nor clients know others. A leap second is no moment of a clock.
fn read_moment(text: &str) -> Option<DateTime<Utc>> {
    let is_ours = |moment: &DateTime<Utc>| {
        (1..=9999).contains(&moment.year()) && moment.nanosecond() < 1_000_000_000
    };
    parse_moment(text).filter(is_ours)
}

fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    if !text.is_ascii() || text.get(..10)?.parse::<NaiveDate>().is_err() {
        return None;
    }
    if text.len() == 10 {
        let midnight = text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN);
        return Some(midnight.and_utc());
    }
    let text = text.replacen(' ', "T", 1);
    let offset_formats = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let with_offset = offset_formats.iter().find_map(|f| DateTime::parse_from_str(&text, f).ok());
    if let Some(moment) = with_offset {
        return Some(moment.to_utc().trunc_subsecs(6));
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let without = formats.iter().find_map(|f| NaiveDateTime::parse_from_str(&text, f).ok());
    without.map(|moment| moment.and_utc().trunc_subsecs(6))
}

/// True or false, in the many words of forms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag;

/// True or false.
pub(crate) const fn flag() -> Flag {
    Flag
}

impl Kind for Flag {
    type Value = bool;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "boolean"})
    }

    fn parse(&self, raw: Raw) -> Reading<bool> {
        let text = match raw {
            Raw::Json(Value::Bool(value)) => return Ok(value),
            Raw::Json(Value::Number(number)) => number.to_string(),
            Raw::Text(text) | Raw::Json(Value::String(text)) => text,
            Raw::Json(_) | Raw::File(_) | Raw::LargeFile => String::new(),
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" | "y" | "on" => Ok(true),
            "false" | "f" | "0" | "no" | "n" | "off" => Ok(false),
            _ => one("Must be a valid boolean."),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// The number of something that is kept elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference;

/// The number of something that is kept elsewhere.
pub(crate) const fn reference() -> Reference {
    Reference
}

impl Kind for Reference {
    type Value = i64;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "integer"})
    }

    fn parse(&self, raw: Raw) -> Reading<i64> {
        let got = match &raw {
            Raw::Json(value) => super::json::type_name(value),
            Raw::Text(_) | Raw::File(_) | Raw::LargeFile => "str",
        };
        let is_flag = matches!(raw, Raw::Json(Value::Bool(_)));
        match number_text(raw).and_then(|text| whole_number(&text)).filter(|_| !is_flag) {
            Some(number) => Ok(number),
            None => one(format!("Incorrect type. Expected pk value, received {got}.")),
        }
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

/// An address on the web. It is kept and never fetched (security R26).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link(Text);

/// An address on the web: `http` or `https`.
pub(crate) const fn link() -> Link {
    Link(text().at_most(TRAILER_URL_LENGTH))
}

impl Kind for Link {
    type Value = String;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "string", "format": "uri", "maxLength": TRAILER_URL_LENGTH})
    }

    fn parse(&self, raw: Raw) -> Result<String, Wrong> {
        let link = self.0.parse(raw)?;
        let is_link = Uri::from_str(&link).is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| host.contains('.') || host == "localhost")
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        });
        match is_link {
            true => Ok(link),
            false => one("Enter a valid URL."),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::error::Words;

    fn read<K: Kind>(kind: &K, value: Value) -> Result<K::Value, Vec<Words>> {
        kind.parse(Raw::Json(value)).map_err(|wrong| match wrong {
            Wrong::Value(words) => words,
            wrong => panic!("{wrong:?}"),
        })
    }

    #[test]
    fn whole_numbers() {
        let field = whole().at_least(1, "too small");
        for (value, number) in [(json!(5), 5), (json!(5.0), 5), (json!("5"), 5), (json!(" 7 "), 7)]
        {
            assert_eq!(read(&field, value), Ok(number));
        }
        for bad in
            [json!(5.5), json!("x"), json!(true), json!(""), json!("٥"), json!([1]), json!("1e3")]
        {
            assert_eq!(read(&field, bad), Err(vec!["A valid integer is required.".into()]));
        }
        assert_eq!(read(&field, json!(0)), Err(vec!["too small".into()]));
        let large = "Ensure this value is less than or equal to 2147483647.";
        assert_eq!(read(&field, json!(2_147_483_648_i64)), Err(vec![large.into()]));
        assert_eq!(read(&field, json!("99999999999999999999")), Err(vec![large.into()]));
        assert_eq!(read(&field, json!(2_147_483_647)), Ok(2_147_483_647));
    }

    #[test]
    fn amounts() {
        for (sent, expected) in [
            (json!("50"), "50.00"),
            (json!(10.5), "10.50"),
            (json!("1e2"), "100.00"),
            (json!("99999999.99"), "99999999.99"),
            (json!("-0"), "0.00"),
            (json!(0), "0.00"),
            (json!("0".repeat(100_000) + "1.5"), "1.50"),
            (json!("-".to_owned() + &"0".repeat(100_000)), "0.00"),
        ] {
            assert_eq!(read(&amount(), sent).unwrap().to_string(), expected);
        }
        let words = |sent| read(&amount(), sent).unwrap_err()[0].to_string();
        for bad in [
            json!("NaN"),
            json!("Infinity"),
            json!(""),
            json!(true),
            json!("x"),
            json!("."),
            json!("٥"),
        ] {
            assert_eq!(words(bad), "A valid number is required.");
        }
        let many = "Ensure that there are no more than 10 digits in total.";
        for long in ["9".repeat(100_000), format!("0.{}1", "0".repeat(100_000))] {
            assert_eq!(words(json!(long)), many);
        }
        assert_eq!(words(json!("1e".to_owned() + &"9".repeat(100_000))), many);
        assert_eq!(words(json!("0".repeat(100_000) + "+")), "A valid number is required.");
        assert_eq!(words(json!("0.001")), "Ensure that there are no more than 2 decimal places.");
        assert_eq!(
            words(json!("123456789.0")),
            "Ensure that there are no more than 8 digits before the decimal point."
        );
        assert_eq!(
            words(json!("12345678901")),
            "Ensure that there are no more than 10 digits in total."
        );
        assert_eq!(words(json!("1e400")), "Ensure that there are no more than 10 digits in total.");
        assert_eq!(words(json!(-1)), "Ensure this value is greater than or equal to 0.");
    }

    #[test]
    fn moments() {
        for (sent, expected) in [
            ("2026-11-23T08:40:36.176358Z", "2026-11-23T08:40:36.176358+00:00"),
            ("2026-11-23 08:40:36", "2026-11-23T08:40:36+00:00"),
            ("2026-11-23T10:40+02:00", "2026-11-23T08:40:00+00:00"),
            ("2026-11-23T10:40", "2026-11-23T10:40:00+00:00"),
            ("2026-11-23", "2026-11-23T00:00:00+00:00"),
        ] {
            assert_eq!(read(&moment(), json!(sent)).unwrap().to_rfc3339(), expected, "{sent}");
        }
        for bad in [
            "",
            "yesterday",
            "2026-02-30",
            "2026-11-23T25:00",
            "٢٠٢٦-١١-٢٣",
            "2026-11-23T08:40:36x",
            "2026-11-23T23:59:60Z",
            "9999-12-31T23:59:59-00:01",
            "0001-01-01T00:00:00+00:01",
            "0000-01-01",
        ] {
            assert!(read(&moment(), json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn choices_and_ids() {
        let known = choice(&[1], |_| "a");
        assert_eq!(read(&known, json!("a")), Ok(1));
        assert_eq!(read(&known, json!("b")), Err(vec!["\"b\" is not a valid choice.".into()]));
        let long = read(&known, json!("é".repeat(900_000))).unwrap_err();
        assert_eq!(long, [format!("\"{}\" is not a valid choice.", "é".repeat(100))]);
        assert_eq!(read(&id(), json!("zzz")), Err(vec!["Must be a valid UUID.".into()]));
        assert_eq!(read(&id(), json!(5)), Err(vec!["Must be a valid UUID.".into()]));
    }

    #[test]
    fn flags() {
        for word in [
            json!(true),
            json!(1),
            json!("1"),
            json!("TRUE"),
            json!("t"),
            json!("on"),
            json!("yes"),
        ] {
            assert_eq!(read(&flag(), word), Ok(true));
        }
        for word in [json!(false), json!(0), json!("False"), json!("n"), json!("off")] {
            assert_eq!(read(&flag(), word), Ok(false));
        }
        for bad in [json!("maybe"), json!(2), json!([]), json!("")] {
            assert_eq!(read(&flag(), bad), Err(vec!["Must be a valid boolean.".into()]));
        }
    }

    #[test]
    fn references() {
        assert_eq!(read(&reference(), json!("7")), Ok(7));
        let words = |sent| read(&reference(), sent).unwrap_err()[0].to_string();
        assert_eq!(words(json!("seven")), "Incorrect type. Expected pk value, received str.");
        assert_eq!(words(json!([7])), "Incorrect type. Expected pk value, received list.");
        assert_eq!(words(json!(true)), "Incorrect type. Expected pk value, received bool.");
    }

    #[test]
    fn links() {
        assert!(read(&link(), json!("https://videos.example/watch?v=1")).is_ok());
        for bad in [
            "ftp://a.example",
            "javascript:alert(1)",
            "videos.example",
            "https://",
            "http://a b.example",
            "https://user@a.example/",
            "//a.example",
        ] {
            assert_eq!(read(&link(), json!(bad)), Err(vec!["Enter a valid URL.".into()]), "{bad}");
        }
        let long = format!("https://a.example/{}", "x".repeat(200));
        assert_eq!(
            read(&link(), json!(long)).unwrap_err(),
            ["Ensure this field has no more than 200 characters."]
        );
    }
}
