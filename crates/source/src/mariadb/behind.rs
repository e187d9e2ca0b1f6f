//! What a view reads. The catalogue has its definition as text alone, which the server wrote: every name in it is quoted, and
//! every table has its database.

use std::collections::BTreeSet;

use sqlx::MySqlConnection;

use super::{
    catalogue::definition,
    place::{Place, QualifiedName},
};
use crate::{Behind, ReadTable};

/// What a table reads; nothing where it is no view.
pub(super) async fn behind(
    connection: &mut MySqlConnection,
    place: &Place,
    table: &str,
) -> sqlx::Result<Option<Behind>> {
    let own = place.qualified(table);
    let mut seen = BTreeSet::from([own.clone()]);
    let (mut next, mut unseen) = (vec![own.clone()], Vec::new());
    while let Some(name) = next.pop() {
        match definition(connection, &name.0, &name.1).await? {
            // A table; or a view, if the gateway's user may not read it.
            None if name == own => return Ok(None),
            None => {}
            Some(text) if text.is_empty() => unseen.push(written(&name)),
            Some(text) => next.extend(tables(&text).into_iter().filter(|name| seen.insert(name.clone()))),
        }
    }
    seen.remove(&own);
    let reads = seen.iter().map(|name| ReadTable { name: written(name), reached: place.reached(name) });
    Ok(Some(Behind { table: table.to_owned(), reads: reads.collect(), unseen }))
}

fn written((database, name): &QualifiedName) -> String {
    format!("{database}.{name}")
}

/// The tables that a definition reads: behind `from` and `join`, with brackets between. `from` stands in some functions too, so a
/// column with the name of a table may be among them.
fn tables(definition: &str) -> Vec<QualifiedName> {
    let (mut found, mut expected) = (Vec::new(), false);
    let mut rest = definition;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '`' => {
                let (database, after) = quoted(rest, '`');
                let (name, after) = after.strip_prefix(".`").map_or((None, after), |_| {
                    let (name, after) = quoted(after.get(1..).unwrap_or_default(), '`');
                    (Some(name), after)
                });
                if let (true, Some(name)) = (expected, name) {
                    found.push((database, name));
                }
                expected = false;
                after
            }
            '\'' | '"' => quoted(rest, first).1,
            _ if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                expected = ["from", "join", "straight_join"].iter().any(|of| word.eq_ignore_ascii_case(of));
                after
            }
            _ => {
                expected &= first.is_whitespace() || first == '(';
                rest.get(first.len_utf8()..).unwrap_or_default()
            }
        };
    }
    found
}

/// What stands in the quotation marks that a text begins with, and the text behind it. A mark within is written twice; in a text
/// that is no name, a backslash goes before it.
fn quoted(text: &str, mark: char) -> (String, &str) {
    let mut inner = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' && mark != '`' {
            letters.next();
        } else if letter != mark {
            inner.push(letter);
        } else if letters.next_if(|(_, next)| *next == mark).is_some() {
            inner.push(mark);
        } else {
            return (inner, text.get(at + mark.len_utf8()..).unwrap_or_default());
        }
    }
    (inner, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_a_definition_are_behind_from_and_join() {
        for (definition, expected) in [
            ("select `a`.`t`.`x` AS `x` from `a`.`t`", &["a.t"][..]),
            (
                "select `r`.`x` AS `x` from (`a`.`t` `r` left join `b`.`u` on(`r`.`x` = `b`.`u`.`x`))",
                &["a.t", "b.u"],
            ),
            ("select `d`.`x` AS `x` from (select `a`.`t`.`x` AS `x` from `a`.`t`) `d`", &["a.t"]),
            (
                "select 1 AS `1` from `a`.`t` where exists(select 1 from `a`.`odd``name` limit 1)",
                &["a.t", "a.odd`name"],
            ),
            ("select 'from `a`.`v`' AS `from ``a``.``w``` from `a`.`t`", &["a.t"]),
            (r"select 'it\'s from `a`.`v`' AS `x`,'\\' AS `y` from `a`.`t`", &["a.t"]),
            ("select 'it''s from `a`.`v`' AS `x` from `a`.`t`", &["a.t"]),
            ("with c as (select `a`.`t`.`x` AS `x` from `a`.`t`)select `c`.`x` AS `x` from `c`", &["a.t"]),
            ("select `a`.`t`.`from` AS `from`,`a`.`t`.`x` AS `x` from `a`.`t`", &["a.t"]),
            ("select 1 AS `1`", &[]),
            ("select 'never ended from `a`.`t`", &[]),
            ("select 1 from `a`.`t", &["a.t"]),
        ] {
            let found: Vec<String> = tables(definition).iter().map(written).collect();
            assert_eq!(found, expected, "{definition}");
        }
    }
}
