//! What a field may hold, and what is said when it does not (behaviour G7).
//!
//! A rule is a kind inside a presence: `required(email())`, `optional(picture())`,
//! `changed(text().at_most(100))`.

use std::{fmt::Display, marker::PhantomData, str::FromStr};

use chrono::{Datelike, NaiveDate};
use edupro_core::{
    Change,
    accounts::{
        EMAIL_LENGTH, Email, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, PERSON_NAME_LENGTH,
        PasswordProblem, Phone, Username, password_problems,
    },
    files::FileError,
    modules::MODULE_TITLE_LENGTHS,
    teachers::COLOR_LENGTH,
};
use serde_json::{Map, Value, json};

use super::{DocumentedField, Raw};
use crate::{
    error::{FieldErrors, Words},
    openapi,
};

/// What a field's value becomes, or why there is none.
pub(crate) type Reading<T> = Result<T, Wrong>;

/// Why a field has no value.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// All that is wrong with what was sent.
    Value(Vec<Words>),
    /// What is wrong with each element of the list that was sent.
    Elements(Vec<FieldErrors>),
    /// The value may be good; what it should be kept in is not.
    Store(FileError),
}

/// What a field is, for whoever has to know before a request comes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    /// Largest file, in bytes, when it is a file.
    pub(crate) file_limit: Option<u64>,
}

/// A field: a kind of value and whether it must be there.
pub(crate) trait Field {
    type Output;

    fn read(&self, raw: Option<Raw>) -> Reading<Self::Output>;

    fn describe(&self) -> Description;

    fn document(&self, description: &mut openapi::Description<'_>) -> openapi::Field;
}

/// A kind of value, once there is one.
pub(crate) trait Kind {
    type Value;

    fn parse(&self, raw: Raw) -> Reading<Self::Value>;

    /// What an empty text of a form means to this kind.
    fn empty(&self) -> Empty {
        Empty::Value
    }

    fn describe(&self) -> Description {
        Description::default()
    }

    /// Whether a kind of files has texts too.
    fn is_text_too(&self) -> bool {
        false
    }

    /// What it looks like in JSON; a file in a form.
    fn schema(&self, description: &mut openapi::Description<'_>) -> Value;
}

/// An object of these fields.
pub(super) fn object_of<'f>(fields: impl Iterator<Item = &'f DocumentedField>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, older, field) in fields {
        let mut schema = field.schema.clone();
        if let Some(older) = older {
            schema["description"] = format!("Older clients call it `{older}`.").into();
        }
        if field.is_nullable {
            schema = json!({"anyOf": [schema, {"type": "null"}]});
        }
        properties.insert((*name).to_owned(), schema);
        if field.is_required {
            required.push(Value::from(*name));
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// A field of a document, of a kind.
fn field<K: Kind>(
    kind: &K,
    description: &mut openapi::Description<'_>,
    is_required: bool,
    is_nullable: bool,
) -> openapi::Field {
    let schema = kind.schema(description);
    let is_file = kind.describe().file_limit.is_some();
    openapi::Field {
        is_text: !is_file || kind.is_text_too(),
        schema,
        is_required,
        is_nullable,
        is_file,
    }
}

/// What an empty text of a form means (behaviour G2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// An empty text.
    Value,
    /// Null where there can be null, else nothing.
    Null,
    /// Nothing: it was not sent.
    Absent,
}

/// A value as it stands for a presence.
enum Sent {
    Absent,
    Null,
    Value(Raw),
}

fn sent<K: Kind>(kind: &K, raw: Option<Raw>) -> Sent {
    match raw {
        None => Sent::Absent,
        Some(Raw::Json(Value::Null)) => Sent::Null,
        Some(Raw::Text(text)) if text.is_empty() => match kind.empty() {
            Empty::Value => Sent::Value(Raw::Text(text)),
            Empty::Null => Sent::Null,
            Empty::Absent => Sent::Absent,
        },
        Some(Raw::Json(Value::String(text)))
            if text.is_empty() && kind.empty() == Empty::Absent =>
        {
            Sent::Absent
        }
        Some(raw) => Sent::Value(raw),
    }
}

pub(super) fn one<T>(words: impl Into<Words>) -> Reading<T> {
    Err(Wrong::Value(vec![words.into()]))
}

/// A value that must be there.
#[derive(Debug)]
pub(crate) struct Required<K>(K);

/// The value must be there and not null.
pub(crate) const fn required<K: Kind>(kind: K) -> Required<K> {
    Required(kind)
}

impl<K: Kind> Field for Required<K> {
    type Output = K::Value;

    fn read(&self, raw: Option<Raw>) -> Reading<K::Value> {
        match sent(&self.0, raw) {
            Sent::Absent => one("This field is required."),
            Sent::Null => one("This field may not be null."),
            Sent::Value(raw) => self.0.parse(raw),
        }
    }

    fn describe(&self) -> Description {
        self.0.describe()
    }

    fn document(&self, description: &mut openapi::Description<'_>) -> openapi::Field {
        field(&self.0, description, true, false)
    }
}

/// A value that may be missing.
#[derive(Debug)]
pub(crate) struct Optional<K>(K);

/// The value may be missing or null.
pub(crate) const fn optional<K: Kind>(kind: K) -> Optional<K> {
    Optional(kind)
}

impl<K: Kind> Field for Optional<K> {
    type Output = Option<K::Value>;

    fn read(&self, raw: Option<Raw>) -> Reading<Option<K::Value>> {
        match sent(&self.0, raw) {
            Sent::Absent | Sent::Null => Ok(None),
            Sent::Value(raw) => self.0.parse(raw).map(Some),
        }
    }

    fn describe(&self) -> Description {
        self.0.describe()
    }

    fn document(&self, description: &mut openapi::Description<'_>) -> openapi::Field {
        field(&self.0, description, false, true)
    }
}

/// A value that may be missing and has no null.
#[derive(Debug)]
pub(crate) struct Given<K>(K);

/// The value may be missing, but not null. An empty text of a form says nothing either, unless it
/// is a text (behaviour G2).
pub(crate) const fn given<K: Kind>(kind: K) -> Given<K> {
    Given(kind)
}

impl<K: Kind> Field for Given<K> {
    type Output = Option<K::Value>;

    fn read(&self, raw: Option<Raw>) -> Reading<Option<K::Value>> {
        let says_nothing = matches!(&raw, Some(Raw::Text(text)) if text.is_empty());
        match sent(&self.0, raw) {
            Sent::Absent => Ok(None),
            Sent::Null if says_nothing => Ok(None),
            Sent::Null => one("This field may not be null."),
            Sent::Value(raw) => self.0.parse(raw).map(Some),
        }
    }

    fn describe(&self) -> Description {
        self.0.describe()
    }

    fn document(&self, description: &mut openapi::Description<'_>) -> openapi::Field {
        field(&self.0, description, false, false)
    }
}

/// A value that an update may change or clear.
#[derive(Debug)]
pub(crate) struct Changed<K>(K);

/// The value stays when it is missing and is cleared by null.
pub(crate) const fn changed<K: Kind>(kind: K) -> Changed<K> {
    Changed(kind)
}

impl<K: Kind> Field for Changed<K> {
    type Output = Change<K::Value>;

    fn read(&self, raw: Option<Raw>) -> Reading<Change<K::Value>> {
        match sent(&self.0, raw) {
            Sent::Absent => Ok(Change::Keep),
            Sent::Null => Ok(Change::Clear),
            Sent::Value(raw) => self.0.parse(raw).map(Change::Set),
        }
    }

    fn describe(&self) -> Description {
        self.0.describe()
    }

    fn document(&self, description: &mut openapi::Description<'_>) -> openapi::Field {
        field(&self.0, description, false, true)
    }
}

/// Text of one line, trimmed, of any length, not blank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    most: usize,
    trimmed: bool,
    blank: bool,
    lines: bool,
}

/// Text of one line, trimmed, not blank.
pub(crate) const fn text() -> Text {
    Text { most: usize::MAX, trimmed: true, blank: false, lines: false }
}

impl Text {
    /// No longer than this, in characters.
    pub(crate) const fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// It may be blank.
    pub(crate) const fn or_blank(self) -> Self {
        Self { blank: true, ..self }
    }

    /// It may have several lines.
    pub(crate) const fn of_lines(self) -> Self {
        Self { lines: true, ..self }
    }

    /// Blanks at its ends count.
    const fn untrimmed(self) -> Self {
        Self { trimmed: false, ..self }
    }

    /// A text that is something more.
    const fn that_is<T>(self) -> Parsed<T> {
        Parsed(self, PhantomData)
    }
}

impl Kind for Text {
    type Value = String;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        let mut schema = json!({"type": "string"});
        if self.most < usize::MAX {
            schema["maxLength"] = self.most.into();
        }
        if !self.blank {
            schema["minLength"] = 1.into();
        }
        schema
    }

    fn parse(&self, raw: Raw) -> Reading<String> {
        let text = match raw {
            Raw::Text(text) | Raw::Json(Value::String(text)) => text,
            Raw::Json(Value::Number(number)) => number.to_string(),
            Raw::Json(_) | Raw::File(_) | Raw::LargeFile => return one("Not a valid string."),
        };
        let text = if self.trimmed { text.trim().to_owned() } else { text };
        if text.contains('\0') {
            return one("Null characters are not allowed.");
        }
        let is_line_break = |character: char| matches!(character, '\n' | '\r' | '\t');
        if text.chars().any(|c| c.is_ascii_control() && !(self.lines && is_line_break(c))) {
            return one("Control characters are not allowed.");
        }
        if text.is_empty() && !self.blank {
            return one("This field may not be blank.");
        }
        if text.chars().count() > self.most {
            let most = self.most;
            return one(format!("Ensure this field has no more than {most} characters."));
        }
        Ok(text)
    }
}

/// A text that a value of the core is read from; what it refuses says why.
#[derive(Debug)]
pub(crate) struct Parsed<T>(Text, PhantomData<T>);

impl<T> Kind for Parsed<T>
where
    T: FromStr,
    T::Err: Display,
{
    type Value = T;

    fn schema(&self, description: &mut openapi::Description<'_>) -> Value {
        self.0.schema(description)
    }

    fn parse(&self, raw: Raw) -> Reading<T> {
        self.0.parse(raw)?.parse().or_else(|error: T::Err| one(error.to_string()))
    }
}

/// An e-mail address.
pub(crate) const fn email() -> Parsed<Email> {
    text().at_most(EMAIL_LENGTH).that_is()
}

/// A username.
pub(crate) const fn username() -> Parsed<Username> {
    text().that_is()
}

/// A telephone number.
pub(crate) const fn phone() -> Parsed<Phone> {
    text().that_is()
}

/// A first or a last name.
pub(crate) const fn person_name() -> Text {
    text().at_most(PERSON_NAME_LENGTH)
}

/// A password, as it was typed. How good it has to be is the core's to say.
pub(crate) const fn password() -> Text {
    text().untrimmed().at_most(PASSWORD_LENGTH_MAX)
}

/// A password that is to replace one (1.8): whatever can be said of it alone is said at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewPassword;

/// A password that is to replace one.
pub(crate) const fn new_password() -> NewPassword {
    NewPassword
}

/// What is wrong with it, in the words of 1.8 and 1.23.
pub(crate) fn new_password_words(problem: PasswordProblem) -> Words {
    match problem {
        PasswordProblem::TooShort => {
            format!("Ensure this field has at least {PASSWORD_LENGTH_MIN} characters.").into()
        }
        problem => problem.to_string().into(),
    }
}

impl Kind for NewPassword {
    type Value = String;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "string", "format": "password", "minLength": PASSWORD_LENGTH_MIN, "maxLength": PASSWORD_LENGTH_MAX})
    }

    fn parse(&self, raw: Raw) -> Reading<String> {
        let password = password().parse(raw)?;
        let problems = password_problems(&password, &[]);
        match problems.is_empty() {
            true => Ok(password),
            false => Err(Wrong::Value(problems.into_iter().map(new_password_words).collect())),
        }
    }
}

/// A title of a module, which has words of its own (contract 7.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModuleTitle;

/// A title of a module.
pub(crate) const fn module_title() -> ModuleTitle {
    ModuleTitle
}

impl Kind for ModuleTitle {
    type Value = String;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        let (least, most) = MODULE_TITLE_LENGTHS;
        json!({"type": "string", "minLength": least, "maxLength": most})
    }

    fn parse(&self, raw: Raw) -> Reading<String> {
        let (least, most) = MODULE_TITLE_LENGTHS;
        let title = text().or_blank().at_most(most).parse(raw)?;
        match title.chars().count() {
            0 => one("Title must not be empty."),
            length if length < least => {
                one(format!("Title must be at least {least} characters long."))
            }
            _ => Ok(title),
        }
    }
}

/// A colour of CSS: `#RGB` or `#RRGGBB`, or blank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Color;

/// A colour of CSS, or blank.
pub(crate) const fn color() -> Color {
    Color
}

impl Kind for Color {
    type Value = String;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "string", "pattern": "^(#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}))?$"})
    }

    fn parse(&self, raw: Raw) -> Reading<String> {
        let color = text().or_blank().at_most(COLOR_LENGTH).parse(raw)?;
        let digits = color.strip_prefix('#').unwrap_or_default();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match color.is_empty() || (is_hex && matches!(digits.len(), 3 | 6)) {
            true => Ok(color),
            false => one("Enter a valid hex color."),
        }
    }
}

/// A day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day;

/// A day: `YYYY-MM-DD`.
pub(crate) const fn day() -> Day {
    Day
}

impl Kind for Day {
    type Value = NaiveDate;

    fn schema(&self, _: &mut openapi::Description<'_>) -> Value {
        json!({"type": "string", "format": "date"})
    }

    fn parse(&self, raw: Raw) -> Reading<NaiveDate> {
        let text = match &raw {
            Raw::Text(text) | Raw::Json(Value::String(text)) => text.trim(),
            _ => "",
        };
        // chrono alone would take other widths and digits of other scripts.
        let shape = text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        let day = (text.len() == 10 && shape).then(|| NaiveDate::from_str(text).ok()).flatten();
        // There was no year 0, and PostgreSQL writes it otherwise than it came.
        let day = day.filter(|day| day.year() > 0);
        day.map_or_else(
            || one("Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
            Ok,
        )
    }

    fn empty(&self) -> Empty {
        Empty::Null
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn read<F: Field>(field: &F, raw: Option<Raw>) -> Result<F::Output, Vec<Words>> {
        field.read(raw).map_err(|wrong| match wrong {
            Wrong::Value(words) => words,
            wrong => panic!("{wrong:?}"),
        })
    }

    fn json<F: Field>(field: &F, value: Value) -> Result<F::Output, Vec<Words>> {
        read(field, Some(Raw::Json(value)))
    }

    #[test]
    fn text_has_the_words_of_the_contract() {
        let field = required(text().at_most(3));
        let words = |raw| read(&field, raw).unwrap_err();
        let value = |value| words(Some(Raw::Json(value)));
        assert_eq!(words(None), ["This field is required."]);
        assert_eq!(value(json!(null)), ["This field may not be null."]);
        assert_eq!(value(json!("  ")), ["This field may not be blank."]);
        assert_eq!(value(json!(true)), ["Not a valid string."]);
        assert_eq!(value(json!(["a"])), ["Not a valid string."]);
        assert_eq!(value(json!("a\u{0}")), ["Null characters are not allowed."]);
        assert_eq!(value(json!("a\nb")), ["Control characters are not allowed."]);
        assert_eq!(value(json!("مونا")), ["Ensure this field has no more than 3 characters."]);
        assert_eq!(json(&field, json!(12)).unwrap(), "12");
        assert_eq!(json(&field, json!(" مون ")).unwrap(), "مون");
    }

    #[test]
    fn passwords_are_taken_as_they_were_typed() {
        let field = required(password());
        assert_eq!(json(&field, json!(" secret ")).unwrap(), " secret ");
        assert_eq!(json(&field, json!("   ")).unwrap(), "   ");
        assert!(json(&field, json!("")).is_err());
        assert!(json(&field, json!("x".repeat(129))).is_err());
    }

    #[test]
    fn days_are_days_of_the_calendar_in_ascii() {
        let field = changed(day());
        assert_eq!(
            json(&field, json!("2000-02-29")).unwrap(),
            Change::Set(NaiveDate::from_ymd_opt(2000, 2, 29).unwrap())
        );
        assert_eq!(json(&field, json!(null)).unwrap(), Change::Clear);
        assert_eq!(field.read(Some(Raw::Text(String::new()))).unwrap(), Change::Clear);
        assert_eq!(field.read(None).unwrap(), Change::Keep);
        for bad in [
            json!("2000-02-30"),
            json!("2000-2-3"),
            json!("٢٠٠٠-٠١-٠١"),
            json!(20_000_101),
            json!(""),
        ] {
            assert!(json(&field, bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn colours_are_hexadecimal_or_blank() {
        let field = changed(color());
        for good in ["", "#fff", "#A1b2C3"] {
            assert_eq!(json(&field, json!(good)).unwrap(), Change::Set(good.to_owned()));
        }
        assert_eq!(json(&field, json!("zzz")).unwrap_err(), ["Enter a valid hex color."]);
        assert_eq!(json(&field, json!("#12")).unwrap_err(), ["Enter a valid hex color."]);
        assert_eq!(
            json(&field, json!("#12345678")).unwrap_err(),
            ["Ensure this field has no more than 7 characters."]
        );
    }
}
