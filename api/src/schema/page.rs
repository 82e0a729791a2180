//! What all lists share (Relay's cursor connections).

use async_graphql::SimpleObject;
use serde::Serialize;

use crate::errors::Fault;
use crate::page_cursor::List;

/// How many entries a page has unless the client says otherwise, and the most it has.
pub(crate) const FIRST_DEFAULT: i32 = 20;
pub(crate) const FIRST_MAX: i32 = 100;

/// Where a page lies in its list.
#[derive(Debug, SimpleObject)]
pub(crate) struct PageInfo {
    /// Whether there is more behind the page.
    pub(crate) has_next_page: bool,
    /// Whether the page was asked for with a cursor, so that there is something before it.
    pub(crate) has_previous_page: bool,
    /// The cursor of the first entry.
    pub(crate) start_cursor: Option<String>,
    /// The cursor of the last entry; pass it as `after` to get the next page.
    pub(crate) end_cursor: Option<String>,
}

/// How many entries a page has: what the client asks for, kept within 1 to 100.
pub(crate) fn page_len(first: Option<i32>) -> u32 {
    let first = first.unwrap_or(FIRST_DEFAULT).clamp(1, FIRST_MAX);
    u32::try_from(first).unwrap_or(1)
}

/// What a list costs: each of its entries is resolved.
pub(crate) fn list_cost(first: Option<i32>, each: usize) -> usize {
    usize::try_from(page_len(first)).unwrap_or(1).saturating_mul(each).saturating_add(1)
}

/// A page whose entries have their cursors.
pub(crate) struct Page<T> {
    /// The entries, each with its cursor.
    pub(crate) entries: Vec<(String, T)>,
    /// Where the page lies.
    pub(crate) info: PageInfo,
}

impl<T> Page<T> {
    /// Makes a page of rows that were read one further than the page is long, to see whether there
    /// is more.
    ///
    /// # Errors
    /// A key cannot be written.
    pub(crate) fn cut<K: Serialize>(
        mut rows: Vec<T>,
        len: u32,
        list: &List,
        key: impl Fn(&T) -> K,
        has_previous_page: bool,
    ) -> Result<Self, serde_json::Error> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let has_next_page = rows.len() > len;
        rows.truncate(len);
        let entries = rows
            .into_iter()
            .map(|row| Ok((list.encode(key(&row))?, row)))
            .collect::<Result<Vec<_>, serde_json::Error>>()?;
        let cursor = |entry: Option<&(String, T)>| entry.map(|(cursor, _)| cursor.clone());
        let info = PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: cursor(entries.first()),
            end_cursor: cursor(entries.last()),
        };
        Ok(Self { entries, info })
    }
}

/// The key behind which a page begins. The list goes on with the walk that the cursor belongs to.
pub(crate) fn after<K: serde::de::DeserializeOwned>(
    list: &mut List,
    cursor: Option<&str>,
) -> Result<Option<K>, Fault> {
    cursor.map(|cursor| list.go_on(cursor)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_100_entries() {
        for (first, len) in
            [(None, 20), (Some(0), 1), (Some(-5), 1), (Some(7), 7), (Some(i32::MAX), 100)]
        {
            assert_eq!(page_len(first), len, "{first:?}");
        }
    }

    #[test]
    fn one_row_too_many_means_that_there_is_more() {
        let list = crate::page_cursor::CursorKey::derive(&[7; 32]).list("numbers", &(), 0);
        let page = Page::cut(vec![1, 2, 3], 2, &list, |n| *n, true).unwrap();
        assert_eq!(page.entries.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1, 2]);
        assert!(page.info.has_next_page && page.info.has_previous_page);
        assert_eq!(page.info.end_cursor, Some(page.entries[1].0.clone()));
        let page = Page::cut(Vec::<i32>::new(), 2, &list, |n| *n, false).unwrap();
        assert!(!page.info.has_next_page && page.info.end_cursor.is_none());
    }
}
