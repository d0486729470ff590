//! Pages of lists (behaviour G9).

/// The deepest row a page may reach: page × size (security R38).
const DEEPEST_ROW: i64 = 100_000;

/// Which page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageNumber {
    /// Counted from 1.
    Nth(i64),
    /// The last one, whichever that is.
    Last,
}

/// A page as a client asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Which one.
    pub number: PageNumber,
    /// Rows on a page, at least 1.
    pub size: i64,
}

/// The rows of a list that a page covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The page's number, counted from 1.
    pub number: i64,
    /// How many rows come before it.
    pub offset: i64,
    /// How many rows it has at most.
    pub limit: i64,
}

impl Page {
    /// The rows this page covers in a list of `count` rows, or `None` when there is no such page.
    ///
    /// The first page of an empty list exists.
    #[must_use]
    pub fn window(self, count: i64) -> Option<Window> {
        let pages = ((count + self.size - 1) / self.size).max(1);
        let number = match self.number {
            PageNumber::Nth(number) => number,
            PageNumber::Last => pages,
        };
        let reachable =
            number.checked_mul(self.size).is_some_and(|row| row <= DEEPEST_ROW.max(self.size));
        ((1..=pages).contains(&number) && reachable).then(|| Window {
            number,
            offset: (number - 1) * self.size,
            limit: self.size,
        })
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOf<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// The rows of the whole list.
    pub count: i64,
    /// This page's number, counted from 1.
    pub number: i64,
}

impl<T> PageOf<T> {
    /// The same page with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> PageOf<U> {
        PageOf {
            items: self.items.into_iter().map(turn).collect(),
            count: self.count,
            number: self.number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(number: PageNumber, size: i64, count: i64) -> Option<(i64, i64)> {
        Page { number, size }.window(count).map(|window| (window.number, window.offset))
    }

    #[test]
    fn pages_exist_from_one_to_the_last() {
        assert_eq!(window(PageNumber::Nth(1), 5, 0), Some((1, 0)));
        assert_eq!(window(PageNumber::Last, 5, 0), Some((1, 0)));
        assert_eq!(window(PageNumber::Nth(2), 5, 6), Some((2, 5)));
        assert_eq!(window(PageNumber::Last, 5, 11), Some((3, 10)));
        assert_eq!(window(PageNumber::Nth(2), 5, 5), None);
        assert_eq!(window(PageNumber::Nth(0), 5, 5), None);
        assert_eq!(window(PageNumber::Nth(-1), 5, 5), None);
        assert_eq!(window(PageNumber::Nth(i64::MAX), 100, i64::MAX / 200), None);
        assert_eq!(window(PageNumber::Nth(1_001), 100, 1_000_000), None);
    }
}
