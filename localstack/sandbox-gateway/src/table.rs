use std::collections::HashMap;

/// Rows in the order they came, found by id or by any of their tags without a scan.
pub(crate) struct Table<T> {
    rows: Vec<T>,
    by_id: HashMap<String, usize>,
    by_tag: HashMap<String, Vec<usize>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), by_id: HashMap::new(), by_tag: HashMap::new() }
    }
}

impl<T> Table<T> {
    pub(crate) fn insert(&mut self, id: &str, tags: &[&str], row: T) {
        let place = self.rows.len();
        let taken = self.by_id.insert(id.to_owned(), place);
        assert!(taken.is_none(), "ids are unique");
        for tag in tags {
            let places = self.by_tag.entry((*tag).to_owned()).or_default();
            // Two equal tags of a row count once.
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
        self.rows.push(row);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.by_id.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(*self.by_id.get(id)?)
    }

    /// The rows with this tag, or all of them; oldest first.
    pub(crate) fn find(&self, tag: Option<&str>) -> Vec<&T> {
        let Some(tag) = tag else { return self.rows.iter().collect() };
        let places = self.by_tag.get(tag).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.rows.get(*place)).collect()
    }
}
