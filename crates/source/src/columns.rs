//! Which column of a table a policy means.

use crate::SourceError;

/// The position of the column that a policy names among a table's: the one of exactly this name, else the only one whose name
/// differs in the case of ASCII letters alone.
pub(crate) fn find_column(table: &str, names: &[&str], wanted: &str) -> Result<usize, SourceError> {
    if wanted.chars().any(char::is_control) {
        return Err(SourceError::Identifier(wanted.to_owned()));
    }
    if let Some(at) = names.iter().position(|name| *name == wanted) {
        return Ok(at);
    }
    let alike: Vec<(usize, &str)> =
        names.iter().copied().enumerate().filter(|(_, name)| name.eq_ignore_ascii_case(wanted)).collect();
    let (table, column) = (table.to_owned(), wanted.to_owned());
    match alike.as_slice() {
        [(at, _)] => Ok(*at),
        [] => Err(SourceError::NoColumn { table, column, there: listed(names.iter().copied()) }),
        several => {
            let there = listed(several.iter().map(|(_, name)| *name));
            Err(SourceError::SeveralColumns { table, column, there })
        }
    }
}

/// Names in words, the first forty of them.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{}`", name.escape_debug())).collect();
    let more = if names.len() > 40 { ", .." } else { "" };
    format!("{}{more}", names.into_iter().take(40).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_name_else_by_the_only_one_alike() {
        let names = ["Sex", "SEX", "Country of birth", "Âge"];
        let there = |there: &str| there.to_owned();
        let (table, column) = (|| "residents".to_owned(), str::to_owned);
        for (wanted, expected) in [
            ("SEX", Ok(1)),
            ("country OF birth", Ok(2)),
            ("Âge", Ok(3)),
            (
                "sex",
                Err(SourceError::SeveralColumns {
                    table: table(),
                    column: column("sex"),
                    there: there("`Sex`, `SEX`"),
                }),
            ),
            (
                "âge",
                Err(SourceError::NoColumn {
                    table: table(),
                    column: column("âge"),
                    there: there("`Sex`, `SEX`, `Country of birth`, `Âge`"),
                }),
            ),
            ("a\tb", Err(SourceError::Identifier("a\tb".into()))),
        ] {
            assert_eq!(find_column("residents", &names, wanted), expected, "{wanted}");
        }
    }
}
