//! Pages, searches and orders of lists (behaviour G9, G10), and the envelope they come back in.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{StatusCode, Uri, request::Parts},
    response::{IntoResponse, Response},
};
use edupro_core::{Page, PageNumber, PageOf};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    error::ApiError,
    openapi::{Describe, Description},
    render::Links,
};

/// Largest page (behaviour G9).
const PAGE_SIZE_MAX: i64 = 100;
/// Longest search, in characters (security R40).
const SEARCH_LENGTH: usize = 200;

/// The query of a list.
#[derive(Debug)]
pub(crate) struct ListQuery {
    uri: Uri,
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::of(parts.uri.clone()))
    }
}

impl ListQuery {
    /// What the address of a list asks for.
    pub(crate) fn of(uri: Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { uri, pairs }
    }

    /// All of it, names and values in their order.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The last value of a parameter, if it is not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A text that is looked for. PostgreSQL takes no NUL, and nothing that is stored has one.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| value.replace('\0', ""))
    }

    /// Which page, of `default_size` rows unless the client says otherwise.
    pub(crate) fn page(&self, default_size: i64) -> Result<Page, ApiError> {
        let number = match self.value("page") {
            None => PageNumber::Nth(1),
            Some("last") => PageNumber::Last,
            Some(text) => PageNumber::Nth(digits(text).ok_or_else(invalid_page)?),
        };
        let size = self.value("page_size").and_then(digits).filter(|size| *size > 0);
        Ok(Page { number, size: size.unwrap_or(default_size).min(PAGE_SIZE_MAX) })
    }

    /// A filter that is true or false; anything else filters nothing.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// A filter for one thing: `Some(None)` when it is not asked for, `None` when what is asked
    /// for is nothing that `known` knows, and so nothing matches (behaviour G10).
    #[expect(clippy::option_option, reason = "not asked for and not known are two things")]
    pub(crate) fn filter<T>(
        &self,
        name: &str,
        known: impl Fn(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        self.value(name).map_or(Some(None), |value| known(value).map(Some))
    }

    /// The same for the thing with an id.
    #[expect(clippy::option_option, reason = "not asked for and not known are two things")]
    pub(crate) fn id(&self, name: &str) -> Option<Option<Uuid>> {
        self.filter(name, |value| value.parse().ok())
    }

    /// The words of a search, in lower case.
    pub(crate) fn words(&self) -> Vec<String> {
        let search = self.text("search").unwrap_or_default();
        let search: String = search.chars().take(SEARCH_LENGTH).collect();
        let words = search.split(|character: char| character.is_whitespace() || character == ',');
        words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    }

    /// The order asked for, of those that `known` names, each with whether it is backwards.
    pub(crate) fn ordering<T>(&self, known: impl Fn(&str) -> Option<T>) -> Vec<(T, bool)> {
        let terms = self.value("ordering").unwrap_or_default().split(',').map(str::trim);
        let known = terms.filter_map(|term| match term.strip_prefix('-') {
            Some(name) => known(name).map(|order| (order, true)),
            None => known(term).map(|order| (order, false)),
        });
        // More than a few can only repeat themselves.
        known.take(4).collect()
    }

    /// The URL of another page of the same list; the first has no `page`.
    fn link(&self, links: &Links, number: i64) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs.iter().filter(|(key, _)| key != "page"));
        if number > 1 {
            query.append_pair("page", &number.to_string());
        }
        let query = query.finish();
        let separator = if query.is_empty() { "" } else { "?" };
        links.to(&format!("{}{separator}{query}", self.uri.path()))
    }

    /// A list of nothing: its first page is empty, and there is no other.
    pub(crate) fn nothing<T>(page: Page) -> Result<PageOf<T>, ApiError> {
        let window = page.window(0).ok_or_else(invalid_page)?;
        Ok(PageOf { items: Vec::new(), count: 0, number: window.number })
    }

    /// Puts a page into the contract's envelope.
    pub(crate) fn paginate<T>(&self, links: &Links, size: i64, page: PageOf<T>) -> Paginated<T> {
        let more = page.number * size < page.count;
        Paginated {
            count: page.count,
            next: more.then(|| self.link(links, page.number + 1)),
            previous: (page.number > 1).then(|| self.link(links, page.number - 1)),
            results: page.items,
        }
    }
}

/// A whole number in ASCII digits, with an optional minus.
fn digits(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    unsigned.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

pub(crate) fn invalid_page() -> ApiError {
    ApiError::detail(StatusCode::NOT_FOUND, "Invalid page.")
}

/// The envelope of a page.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Paginated_{T}")]
pub(crate) struct Paginated<T> {
    count: i64,
    pub(crate) next: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) results: Vec<T>,
}

impl Describe for ListQuery {
    fn describe(_: &mut Description<'_>) {}
}

impl<T: Serialize> IntoResponse for Paginated<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

impl<T: JsonSchema> Describe for Paginated<T> {
    fn describe(description: &mut Description<'_>) {
        let number = json!({"type": ["integer", "string"]});
        description.query.push(("page", number, "Which page, from 1; `last` is the last."));
        let size = json!({"type": "integer", "maximum": PAGE_SIZE_MAX});
        description.query.push(("page_size", size, "How many stand on a page."));
        description.answer::<Paginated<T>>(StatusCode::OK);
        description.fail(StatusCode::NOT_FOUND);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> ListQuery {
        ListQuery::of(format!("/list/?{text}").parse().unwrap())
    }

    #[test]
    fn pages_and_sizes_have_their_fallbacks() {
        let page = |text: &str| query(text).page(5).ok().map(|page| (page.number, page.size));
        let first = PageNumber::Nth(1);
        assert_eq!(page(""), Some((first, 5)));
        assert_eq!(page("page="), Some((first, 5)));
        assert_eq!(page("page=last&page_size=7"), Some((PageNumber::Last, 7)));
        assert_eq!(page("page_size=0"), Some((first, 5)));
        assert_eq!(page("page_size=-3"), Some((first, 5)));
        assert_eq!(page("page_size=x"), Some((first, 5)));
        assert_eq!(page("page_size=1000000000"), Some((first, 100)));
        assert_eq!(page("page=x"), None);
        assert_eq!(page("page=+1"), None);
        assert_eq!(page("page=99999999999999999999"), None);
    }

    #[test]
    fn links_keep_the_other_parameters_and_the_first_page_has_no_number() {
        let links = Links::new("https://school.example");
        let query = query("search=a%20b&page=2&page_size=1");
        let page = PageOf { items: vec![1], count: 3, number: 2 };
        let envelope = query.paginate(&links, 1, page);
        assert_eq!(
            envelope.next.unwrap(),
            "https://school.example/list/?search=a+b&page_size=1&page=3"
        );
        assert_eq!(
            envelope.previous.unwrap(),
            "https://school.example/list/?search=a+b&page_size=1"
        );
    }

    #[test]
    fn searches_are_split_at_blanks_and_commas() {
        assert_eq!(query("search=Mona,%20ADEL%00").words(), ["mona", "adel"]);
        assert!(query("search=%20,").words().is_empty());
        // A word of nothing else would be found everywhere.
        assert_eq!(query("search=%00%20mona").words(), ["mona"]);
    }

    #[test]
    fn unknown_orders_are_ignored() {
        let order = query("ordering=-a,x,b").ordering(|name| "ab".find(name));
        assert_eq!(order, [(0, true), (1, false)]);
    }
}
