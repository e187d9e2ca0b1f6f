//! Texts are read as registers on servers are read: by the list that both sides keep to.

use lango_testkit::{ReadAs, read_columns, readings};
use rusqlite::types::Value;

use super::fixture::Office;
use crate::Finding;

#[test]
fn every_text_is_read_as_servers_read_it() {
    let mut office = Office::new();
    office.dataset.columns.clear();
    for (name, column) in read_columns() {
        office.dataset.columns.insert(name.parse().unwrap(), column);
        for fault in ["", ":bounds", ":period", ":thousands", ":huge"] {
            office = office.accepting(&format!("{name}{fault}"), 1.0);
        }
    }
    let names: Vec<&str> = read_columns().map(|(name, _)| name).into();
    for (column, text, expected) in readings() {
        let field = |name: &&str| {
            if *name == column { format!(",\"{}\"", text.replace('"', "\"\"")) } else { ",".to_owned() }
        };
        let fields: String = names.iter().map(field).collect();
        let file = office.write("a.csv", format!("person_id,{}\n1{fields}\n", names.join(",")));
        let report = office.import(&file).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let found = report.columns.iter().find(|found| found.name == column).unwrap();
        let value = office.open().query_row(&format!("SELECT {column} FROM residents"), [], |row| row.get(0));
        let read = match value.unwrap() {
            _ if found.findings.of(Finding::Missing).count == 1 => ReadAs::Missing,
            _ if found.findings.not_declared() == 1 => ReadAs::Undeclared,
            Value::Integer(number) => ReadAs::Number(number),
            Value::Text(kept) => as_declared(&office, column, &kept),
            other => panic!("{text:?} of `{column}` is kept as {other:?}"),
        };
        let shown: String = text.chars().take(40).collect();
        assert_eq!(read, expected, "{shown:?} of {} bytes in `{column}`", text.len());
    }
}

/// What a text that was kept means.
fn as_declared(office: &Office, column: &str, kept: &str) -> ReadAs {
    let column = &office.dataset.columns[&column.parse::<lango_privacy::Name>().unwrap()];
    let codes = column.domain.keyset().unwrap().codes().to_vec();
    let texts = column.texts();
    let Some(at) = texts.get(&*lango_privacy::folded(kept, column.reading.ignores_case)) else {
        return ReadAs::Day(kept.to_owned().leak());
    };
    ReadAs::Code(codes[*at].to_string().leak())
}
