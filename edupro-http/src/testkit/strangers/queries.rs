//! Pages, searches and orders of lists (behaviour G9, G10, security R38, R40).

use axum::http::Uri;
use edupro_core::{PageNumber, PageOf};

use crate::{extract::ListQuery, render::Links};

/// Rows of a list that has every page.
const COUNT: i64 = i64::MAX / 1_000;
/// The deepest row that a page may reach, and the largest page (security R38).
const DEEPEST_ROW: i64 = 100_000;
const LARGEST_PAGE: i64 = 100;
/// Longest search, in characters, before its letters are made small (security R40).
const SEARCH_LENGTH: usize = 200;
/// The address under which the list is shown.
const LIST: &str = "/list/";

fn query_of(text: &str) -> Option<ListQuery> {
    Some(ListQuery::of(format!("{LIST}?{text}").parse::<Uri>().ok()?))
}

/// What is asked of a list stays within its limits, and the links to the other pages ask the same
/// again but for the page. Answers whether the bytes are a query at all.
///
/// # Panics
///
/// When one of that is not so.
pub fn query(bytes: &[u8]) -> bool {
    let Some(query) = std::str::from_utf8(bytes).ok().and_then(query_of) else { return false };
    is_within_limits(&query);
    if let Ok(page) = query.page(10)
        && let Some(window) = page.window(COUNT)
    {
        let shown = PageOf { items: Vec::<()>::new(), count: COUNT, number: window.number };
        let page = query.paginate(&Links::new("https://school.example"), page.size, shown);
        for (link, number) in [(page.next, window.number + 1), (page.previous, window.number - 1)] {
            if let Some(link) = link {
                asks_the_same(&query, &link, number);
            }
        }
    }
    true
}

fn is_within_limits(query: &ListQuery) {
    if let Ok(page) = query.page(10) {
        assert!((1..=LARGEST_PAGE).contains(&page.size), "{} rows on a page", page.size);
        for count in [0, 1, 99, 100, 101, 1_000_000, COUNT] {
            let Some(window) = page.window(count) else { continue };
            assert!(window.number >= 1 && window.limit == page.size, "{window:?}");
            assert_eq!(window.offset, (window.number - 1) * window.limit);
            assert!(window.offset + window.limit <= DEEPEST_ROW, "{window:?} is too deep");
            assert!(window.offset < count.max(1), "{window:?} begins behind row {count}");
            if let PageNumber::Nth(number) = page.number {
                assert_eq!(window.number, number, "another page than the one asked for");
            }
        }
    }
    let words = query.words();
    assert!(words.len() <= SEARCH_LENGTH, "{} words", words.len());
    for word in &words {
        let is_plain = !word.contains(['\0', ',']) && !word.contains(char::is_whitespace);
        assert!(is_plain && !word.is_empty(), "a search for {word:?}");
    }
    let known = ["price", "created_at", "total_enrollments"];
    let orders = query.ordering(|name| known.iter().find(|it| **it == name));
    assert!(orders.len() <= 4, "{} orders", orders.len());
    for name in ["student_id", "course_id"] {
        if let Some(Some(id)) = query.id(name) {
            let asked = query.value(name).and_then(|text| text.parse().ok());
            assert_eq!(asked, Some(id), "another id than the one asked for");
        }
    }
    if query.flag("is_active").is_some() {
        assert!(query.value("is_active").is_some_and(|text| text.len() <= "false".len()));
    }
}

fn asks_the_same(query: &ListQuery, link: &str, number: i64) {
    let uri: Uri = link.parse().expect("a link to another page is a URL");
    assert_eq!(uri.path(), LIST);
    let other = ListQuery::of(uri);
    let without_page = |query: &ListQuery| -> Vec<_> {
        query.pairs().iter().filter(|(name, _)| name != "page").cloned().collect()
    };
    assert_eq!(without_page(query), without_page(&other), "another page asks something else");
    let page = other.page(10).expect("a link to another page has a page").number;
    assert_eq!(page, PageNumber::Nth(number));
    let sizes = [query, &other].map(|query| query.page(10).ok().map(|page| page.size));
    assert_eq!(sizes[0], sizes[1], "another page is of another size");
}
