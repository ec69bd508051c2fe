//! Long lists, a page at a time.

use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;

const MOST: i64 = 200;
const USUAL: i64 = 50;

/// A stretch of a list. `next` is the `cursor` of the stretch that follows; none at the end.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// The cursor and the limit that a query gave, bounded.
///
/// `kind` is what our cursors begin with: of another list's, or of none, the answer would be a page of the wrong place.
pub fn window(cursor: Option<String>, limit: Option<i64>, kind: &str) -> Result<(Option<String>, i64), Problem> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!("limit must be 1 to {MOST}.")));
    }
    let ours = |text: &String| {
        let rest = text.strip_prefix(kind).unwrap_or_default();
        (1..=64).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match cursor {
        Some(cursor) if !ours(&cursor) => Err(Problem::bad_request("This cursor is not one of ours.")),
        cursor => Ok((cursor, limit)),
    }
}

/// A page of what was found; one more than `limit` was asked for, to know whether there is more.
pub fn page<T>(mut items: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(cursor);
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_one_begins_and_the_last_one_does_not() {
        let whole = page(vec![5, 4, 3], 2, ToString::to_string);
        assert_eq!((whole.items, whole.next), (vec![5, 4], Some("4".into())));
        let last = page(vec![3, 2], 2, ToString::to_string);
        assert_eq!((last.items, last.next), (vec![3, 2], None));
    }

    #[test]
    fn limits_and_cursors_are_bounded() {
        for limit in [0, -1, MOST + 1] {
            assert_eq!(window(None, Some(limit), "inc_").unwrap_err().status, 400);
        }
        for cursor in ["", "inc_", "zzz", "att_01", "inc_a b", "inc_'; --", &format!("inc_{}", "x".repeat(65))] {
            assert_eq!(window(Some(cursor.into()), None, "inc_").unwrap_err().status, 400, "{cursor}");
        }
        assert_eq!(window(Some("inc_01".into()), None, "inc_").unwrap(), (Some("inc_01".into()), USUAL));
    }
}
