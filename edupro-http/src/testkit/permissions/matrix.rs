use std::fmt::{self, Write};

use super::{Route, Visitor};

/// What came of a walk. Shown, it is a table with a line for each route: who may, what has an owner,
/// and what each visitor was answered.
#[derive(Clone, Debug, Default)]
#[must_use = "a matrix is to be asserted"]
pub struct Matrix {
    rows: Vec<(Route, Vec<Cell>)>,
    faults: Vec<String>,
}

/// What one visitor was answered by one route.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) visitor: Visitor,
    pub(super) status: u16,
    /// What is wrong with it.
    pub(super) wrong: Option<String>,
}

impl Matrix {
    pub(super) fn add(&mut self, route: Route, cells: Vec<Cell>) {
        self.rows.push((route, cells));
    }

    pub(super) fn fault(&mut self, words: String) {
        self.faults.push(words);
    }

    /// The status with which a route answered a visitor, if it was asked.
    #[must_use]
    pub fn status(&self, method: &str, path: &str, visitor: Visitor) -> Option<u16> {
        let (_, cells) = self
            .rows
            .iter()
            .find(|(route, _)| route.method.as_str() == method && route.path == path)?;
        cells.iter().find(|cell| cell.visitor == visitor).map(|cell| cell.status)
    }

    /// All that is wrong, a line each.
    pub fn faults(&self) -> impl Iterator<Item = String> {
        let cells = self.rows.iter().flat_map(|(route, cells)| {
            cells.iter().filter_map(move |Cell { visitor, wrong, .. }| {
                let wrong = wrong.as_ref()?;
                Some(format!("{route} as {visitor}: {wrong}"))
            })
        });
        self.faults.iter().cloned().chain(cells)
    }

    /// That nothing is wrong.
    ///
    /// # Panics
    ///
    /// With all that is.
    pub fn assert(&self) {
        let mut words = String::new();
        for fault in self.faults() {
            let _ = write!(words, "\n  {fault}");
        }
        assert!(words.is_empty(), "Not everybody is answered as they should be:{words}");
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = || self.rows.iter().map(|(route, _)| route);
        let path = routes().map(|route| route.path.len()).max().unwrap_or_default();
        let owned =
            routes().filter_map(|route| route.owned).map(str::len).max().unwrap_or_default();
        let owned = owned.max("owned".len());
        write!(formatter, "{:6} {:path$} {:8} {:owned$}", "", "", "may", "owned")?;
        for visitor in Visitor::ALL {
            write!(formatter, " {visitor:>9}")?;
        }
        for (route, cells) in &self.rows {
            let Route { method, path: own_path, permission, owned: own, .. } = route;
            let (method, own) = (method.as_str(), own.unwrap_or_default());
            let permission = format!("{permission:?}");
            write!(formatter, "\n{method:6} {own_path:path$} {permission:8} {own:owned$}")?;
            for cell in cells {
                write!(formatter, " {:>9}", cell.status)?;
            }
        }
        Ok(())
    }
}
