//! What editors and the manual say of a policy's keys is what the reader knows.

use lango_document::{DocumentShape, KeyShape, TableShape};

use super::*;

/// The keys that the reader of a table knows, which it names where it is given one that it does not. `wrap` puts the table into
/// a document.
fn known_to_the_reader(wrap: &dyn Fn(&str) -> String) -> Vec<String> {
    let text = wrap("zzzzzz = 1");
    let said = PolicySet::read(&[Document::new("p.toml", text.as_str())]).unwrap_err();
    let found = said.iter().map(ToString::to_string).find_map(|line| {
        let (_, rest) = line.split_once("has no key `zzzzzz`: it has ")?;
        Some(rest.split(", ").map(str::to_owned).collect())
    });
    found.unwrap_or_else(|| panic!("{text}: {said}"))
}

fn is_as_read(table: &TableShape, wrap: &dyn Fn(&str) -> String, tables: &mut usize) {
    *tables += 1;
    let mut keys: Vec<String> = table.keys.iter().map(|key| key.name.to_owned()).collect();
    keys.sort();
    assert_eq!(keys, known_to_the_reader(wrap), "{}", table.what);
    for KeyShape { name, about, shape, .. } in &table.keys {
        assert!(about.ends_with('.') && !about.contains('|'), "`{name}` of {}: {about:?}", table.what);
        value_is_said(shape);
        let inner = |of: &dyn Fn(&str) -> String, inside: &str| wrap(&of(inside));
        match shape {
            DocumentShape::Table(table) => {
                is_as_read(table, &|inside| inner(&|of| format!("{name} = {{ {of} }}"), inside), tables);
            }
            DocumentShape::Named(of) => {
                if let DocumentShape::Table(table) = of.as_ref() {
                    is_as_read(
                        table,
                        &|inside| inner(&|of| format!("{name} = {{ x = {{ {of} }} }}"), inside),
                        tables,
                    );
                }
            }
            DocumentShape::List(of) => {
                if let DocumentShape::Table(table) = of.as_ref() {
                    is_as_read(
                        table,
                        &|inside| inner(&|of| format!("{name} = [{{ {of} }}]"), inside),
                        tables,
                    );
                }
            }
            DocumentShape::Text
            | DocumentShape::Words(_)
            | DocumentShape::Whole
            | DocumentShape::Number
            | DocumentShape::Day
            | DocumentShape::Truth
            | DocumentShape::Pair(_)
            | DocumentShape::OneOf(_)
            | DocumentShape::Unsaid => {}
        }
    }
}

fn value_is_said(shape: &DocumentShape) {
    match shape {
        DocumentShape::Unsaid => panic!("a type says nothing of what it takes"),
        DocumentShape::List(of) | DocumentShape::Pair(of) | DocumentShape::Named(of) => value_is_said(of),
        DocumentShape::OneOf(shapes) => shapes.iter().for_each(value_is_said),
        DocumentShape::Text
        | DocumentShape::Words(_)
        | DocumentShape::Whole
        | DocumentShape::Number
        | DocumentShape::Day
        | DocumentShape::Truth
        | DocumentShape::Table(_) => {}
    }
}

#[test]
fn every_key_that_the_reader_knows_is_in_the_shape_and_no_other() {
    let DocumentShape::Table(file) = PolicySet::file_shape() else { panic!("a policy is a table") };
    let mut tables = 0;
    is_as_read(&file, &|inside| inside.to_owned(), &mut tables);
    assert_eq!(
        tables, 12,
        "the file, a code list, a dataset, a unit, two columns, a budget, a grant, its days, what it shows, a refusal, a test"
    );
}

#[test]
fn what_the_shape_calls_needed_is_missed() {
    let DocumentShape::Table(file) = PolicySet::file_shape() else { panic!("a policy is a table") };
    let grant = file.keys.iter().find(|key| key.name == "grant").unwrap();
    let DocumentShape::List(grant) = &grant.shape else { panic!("grants are a list") };
    let DocumentShape::Table(grant) = grant.as_ref() else { panic!("a grant is a table") };
    for key in &grant.keys {
        let line = |line: &&str| line.split('=').next().unwrap().trim() != key.name;
        let (before, grant) = GOOD.split_once("[[grant]]\n").unwrap();
        let (grant, after) = grant.split_once("\n\n").unwrap();
        let grant: Vec<&str> = grant.lines().filter(line).collect();
        let read = read(&format!("{before}[[grant]]\n{}\n\n{after}", grant.join("\n")));
        let is_missed =
            read.is_err_and(|wrong| wrong.iter().any(|line| line.contains(&format!("needs `{}`", key.name))));
        assert_eq!(is_missed, key.is_required, "{}", key.name);
    }
}
