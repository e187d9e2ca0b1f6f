//! A policy's skeleton: what the catalogue says, and what only a person can decide.

use std::collections::BTreeSet;

use lango_privacy::{Code, Name};
use lango_source::{ColumnDescription, Suggested, TableDescription};

use crate::output::foreign;

/// What a skeleton is made of.
pub struct Skeleton<'a> {
    pub table: &'a TableDescription,
    pub source: &'a str,
    pub region: &'a str,
    /// Where it is known.
    pub office: Option<&'a str>,
}

/// Begins a line that somebody has to decide on.
const OPEN: &str = "#? ";

impl Skeleton<'_> {
    pub fn text(&self) -> String {
        let dataset = self.dataset();
        let head = self.head(&dataset);
        let (unit, columns) = (self.unit(), self.columns());
        let rest = self.rest(&dataset);
        format!("{head}{unit}\n[dataset.{dataset}.column]\n{columns}\n{rest}")
    }

    fn head(&self, dataset: &str) -> String {
        let office = match self.office {
            Some(office) => format!("office = {}", quoted(office)),
            None => format!("{OPEN}office = \"<OFFICE>\"  # ISO 3166-1 alpha-3"),
        };
        let (source, table) = (quoted(self.source), quoted(&self.table.name));
        format!(
            "# A policy's skeleton, from the catalogue alone: no row was read.\n\
             # Lines that begin with `{OPEN}` are yours to decide: put what is right in place of each <..> and take the mark away,\n\
             # or remove the line. Bounds of numbers and days come from what a column means, never from the data.\n\
             # Then: docs/POLICIES.md, and `lango doctor`.\n\
             policy = 2\n{office}\n\n[dataset.{dataset}]\n\
             {OPEN}title = \"<TITLE>\"  # for people\n\
             {OPEN}kind = \"<KIND>\"  # stock: how many there are at a moment; flow: how many moved during a period\n\
             source = {source}\ntable = {table}\n\
             {OPEN}version = \"<VERSION>\"  # the data's, as 2024-07-01: a new one when the data change\n"
        )
    }

    /// The sole key, where there is exactly one.
    fn sole_key(&self) -> Option<&ColumnDescription> {
        let mut keys = self.table.columns.iter().filter(|column| column.unique);
        keys.next().filter(|_| keys.next().is_none())
    }

    fn unit(&self) -> String {
        match self.sole_key() {
            Some(key) => format!(
                "{OPEN}unit = {{ column = {}, noun = \"<NOUN>\", rows_at_most = 1 }}  \
                 # the only key of the table; is it a person's, a household's, ..?\n",
                quoted(&key.name)
            ),
            None => format!(
                "{OPEN}unit = {{ column = \"<UNIT>\", noun = \"<NOUN>\", rows_at_most = <ROWS> }}  \
                 # whose presence is hidden, and how many of its rows are read\n"
            ),
        }
    }

    fn columns(&self) -> String {
        let unit = self.sole_key().map(|key| key.name.as_str());
        let others = self.table.columns.iter().filter(|column| Some(column.name.as_str()) != unit);
        others.map(|column| line(column) + "\n").collect()
    }

    fn rest(&self, dataset: &str) -> String {
        let region = self.region;
        format!(
            "[budget.{dataset}]\naccounting = \"pure\"\n\
             {OPEN}epsilon = <POOL>  # what everyone together may learn in a period, as 8.0\n\
             renews = \"yearly\"\n\n\
             [[grant]]\nid = \"analysts\"\nto = [{}]\npurpose = [\"official-statistics\"]\ndataset = \"{dataset}\"\n\
             {OPEN}measures = [<MEASURES>]  # as \"rows\"\n\
             {OPEN}by = [<COLUMNS>]  # columns of the list above\n\
             by_at_most = 2\n\
             {OPEN}epsilon_per_query = <MOST>  # as 1.0\n\
             {OPEN}epsilon_total = <SHARE>  # as 4.0\n\
             publish = \"office\"\n",
            quoted(&format!("spiffe://{region}/analyst/*"))
        )
    }

    /// The table's name as questions could name the dataset.
    fn dataset(&self) -> String {
        let name = self.table.name.rsplit('.').next().unwrap_or_default().to_lowercase();
        let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if word.parse::<Name>().is_ok() { word } else { "dataset".to_owned() }
    }
}

/// A column as the policy could declare it, or why it cannot.
fn line(column: &ColumnDescription) -> String {
    let ColumnDescription { name, declared, suggested, unique } = column;
    let (shown, declared) = (foreign(name), foreign(declared));
    if *suggested == Suggested::Nothing {
        return format!("# {shown} is `{declared}`, which no policy can declare");
    }
    if *unique {
        return format!("# {shown} is a key: it identifies, and is nothing to count by");
    }
    // A name that questions can use; `from` says what the column is called.
    let from =
        if name.parse::<Name>().is_ok() { String::new() } else { format!("from = {}, ", quoted(name)) };
    let name = question_name(name);
    match suggested {
        Suggested::Codes(codes) => match listed(codes) {
            Some(list) => format!("{name} = {{ {from}codes = [{list}] }}  # as its type lists them"),
            None => format!(
                "{OPEN}{name} = {{ {from}codes = [<CODES>], recode = {{ {} }} }}  # a code for each label of its type",
                codes
                    .iter()
                    .map(|label| format!("{} = \"<CODE>\"", quoted(label)))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        },
        Suggested::Text => format!(
            "{OPEN}{name} = {{ {from}codes = [<CODES>] }}  # {declared}; or codes = \"iso3166-1-alpha-3\", or open = true"
        ),
        Suggested::Integer => format!(
            "{OPEN}{name} = {{ {from}integer = [<LOWEST>, <HIGHEST>], bands = <WIDTH> }}  # {declared}; or an amount, or codes"
        ),
        Suggested::Amount(scale) => format!(
            "{OPEN}{name} = {{ {from}amount = [<LOWEST>, <HIGHEST>], scale = {scale} }}  # {declared}; bounds in its own unit"
        ),
        Suggested::Date => format!(
            "{OPEN}{name} = {{ {from}date = [<FIRST>, <LAST>], bands = \"month\" }}  # {declared}; days as 2024-01-31"
        ),
        Suggested::Nothing => String::new(),
    }
}

/// A column's name as questions could use it: small letters, digits and `_`.
fn question_name(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    let words: String = name.chars().map(plain).collect();
    let words = words.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    let begins = words.starts_with(|letter: char| letter.is_ascii_lowercase());
    let mut words = if begins { words } else { format!("column_{words}") };
    words.truncate(60);
    words
}

/// The labels as a list of codes, if all are codes.
fn listed(labels: &[String]) -> Option<String> {
    let fit = |label: &String| label.parse::<Code>().is_ok() && !label.starts_with('_');
    let once: BTreeSet<&String> = labels.iter().collect();
    let good = !labels.is_empty() && labels.iter().all(fit) && once.len() == labels.len();
    good.then(|| labels.iter().map(|label| quoted(label)).collect::<Vec<_>>().join(", "))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use lango_document::Document;
    use lango_policy::PolicySet;

    use super::*;

    fn column(name: &str, suggested: Suggested, unique: bool) -> ColumnDescription {
        ColumnDescription { name: name.to_owned(), declared: "t".to_owned(), suggested, unique }
    }

    fn codes(labels: &[&str]) -> Suggested {
        Suggested::Codes(labels.iter().map(ToString::to_string).collect())
    }

    fn table(keys: usize) -> TableDescription {
        let columns = vec![
            column("person_id", Suggested::Integer, keys > 0),
            column("card", Suggested::Text, keys > 1),
            column("sex", codes(&["F", "M"]), false),
            column("status", codes(&["not known", "x"]), false),
            column("country", Suggested::Text, false),
            column("age", Suggested::Integer, false),
            column("income", Suggested::Amount(2), false),
            column("arrived", Suggested::Date, false),
            column("photo", Suggested::Nothing, false),
            column("Region", Suggested::Text, false),
        ];
        TableDescription { name: "civil.Residents".to_owned(), rows: None, columns }
    }

    fn skeleton(table: &TableDescription, office: Option<&str>) -> String {
        Skeleton { table, source: "register", region: "ecowas.example", office }.text()
    }

    /// As an administrator would.
    fn filled_in(text: &str) -> String {
        let decided = [
            ("<OFFICE>", "GHA"),
            ("<TITLE>", "Residents"),
            ("<KIND>", "stock"),
            ("<VERSION>", "2024-07-01"),
            ("<UNIT>", "person_id"),
            ("<NOUN>", "person"),
            ("<ROWS>", "3"),
            ("<CODES>", "\"BEN\", \"GHA\""),
            ("<CODE>", "GHA"),
            ("<LOWEST>", "0"),
            ("<HIGHEST>", "110"),
            ("<WIDTH>", "10"),
            ("<FIRST>", "2020-01-01"),
            ("<LAST>", "2024-12-31"),
            ("<POOL>", "8.0"),
            ("<MEASURES>", "\"rows\", \"persons\", \"mean(income)\""),
            ("<COLUMNS>", "\"sex\", \"age\", \"arrived\""),
            ("<MOST>", "1.0"),
            ("<SHARE>", "4.0"),
        ];
        let text = decided.iter().fold(text.to_owned(), |text, (open, value)| text.replace(open, value));
        // A unit's column is not declared as well.
        let kept = text.lines().filter(|line| !line.starts_with("#? person_id"));
        kept.map(|line| line.strip_prefix(OPEN).unwrap_or(line).to_owned() + "\n").collect()
    }

    #[test]
    fn a_skeleton_that_is_filled_in_is_a_policy_and_as_it_is_it_is_none() {
        for (keys, office) in [(0, None), (1, Some("GHA")), (2, None)] {
            let text = skeleton(&table(keys), office);
            let read = |text: String| PolicySet::read(&[Document::new("skeleton.toml", text)]);
            assert!(read(text.clone()).is_err(), "{text}");
            let filled = filled_in(&text);
            let set = read(filled.clone()).unwrap_or_else(|error| panic!("{error}\n{filled}"));
            let (name, dataset) = set.datasets.first_key_value().unwrap();
            assert_eq!((name.as_str(), dataset.table.as_str()), ("residents", "civil.Residents"));
            assert_eq!(dataset.unit.column, "person_id");
            assert_eq!(dataset.unit.rows_at_most, if keys == 1 { 1 } else { 3 });
            let mut columns: Vec<&str> = dataset.columns.keys().map(Name::as_str).collect();
            columns.retain(|name| *name != "card");
            assert_eq!(columns, ["age", "arrived", "country", "income", "region", "sex", "status"]);
            assert_eq!(filled.matches('<').count(), text.matches("<..>").count(), "{filled}");
        }
    }

    #[test]
    fn what_cannot_be_declared_is_named_in_a_comment() {
        let text = skeleton(&table(2), None);
        for said in [
            "# photo is `t`, which no policy can declare",
            "#? region = { from = \"Region\", codes = [<CODES>] }",
            "#? status = { codes = [<CODES>], recode = { \"not known\" = \"<CODE>\", \"x\" = \"<CODE>\" } }",
            "# person_id is a key",
            "# card is a key",
            "sex = { codes = [\"F\", \"M\"] }",
            "column = \"<UNIT>\"",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
    }
}
