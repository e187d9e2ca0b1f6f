//! The text of a statement while it is put together: parts may be written in any order, and each engine numbers the
//! parameters in its own way at the end.

use std::{collections::HashMap, sync::Arc};

use crate::Secret;

/// Stands around the number of a parameter while a text is put together; identifiers hold no control characters.
const MARK: char = '\u{1}';

/// What is bound to a parameter.
#[derive(Clone)]
pub(crate) enum Bind {
    /// A code or a day.
    Text(String),
    /// Whole numbers, ascending.
    Numbers(Arc<Vec<i64>>),
    /// What the row order is keyed with.
    Secret(Secret),
}

/// The parameters of a statement.
#[derive(Clone, Default)]
pub(crate) struct Binds {
    all: Vec<Bind>,
    /// The numbers of the texts among them.
    texts: HashMap<String, usize>,
}

impl Binds {
    /// Binds a value; what stands for it in the text.
    pub(crate) fn add(&mut self, bind: Bind) -> String {
        self.all.push(bind);
        format!("{MARK}{}{MARK}", self.all.len())
    }

    /// Binds a text, once however often it stands in the statement.
    pub(crate) fn text(&mut self, text: &str) -> String {
        match self.texts.get(text) {
            Some(number) => format!("{MARK}{number}{MARK}"),
            None => {
                self.texts.insert(text.to_owned(), self.all.len() + 1);
                self.add(Bind::Text(text.to_owned()))
            }
        }
    }
}

/// A statement as it is sent.
#[derive(Clone)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) binds: Vec<Bind>,
}

impl Rendered {
    /// Parameters as `$1`, which may stand in several places.
    pub(crate) fn numbered(text: &str, binds: Binds) -> Self {
        let mut rendered = String::with_capacity(text.len());
        for (position, part) in text.split(MARK).enumerate() {
            if position % 2 == 1 {
                rendered.push('$');
            }
            rendered.push_str(part);
        }
        Self { text: rendered, binds: binds.all }
    }

    /// Parameters as `?`, bound in the order in which they stand.
    pub(crate) fn in_order(text: &str, binds: Binds) -> Self {
        let (mut rendered, mut bound) = (String::with_capacity(text.len()), Vec::new());
        for (position, part) in text.split(MARK).enumerate() {
            if position % 2 == 0 {
                rendered.push_str(part);
                continue;
            }
            rendered.push('?');
            let number = part.parse::<usize>().ok().and_then(|number| binds.all.get(number.checked_sub(1)?));
            bound.extend(number.cloned());
        }
        Self { text: rendered, binds: bound }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_where_they_were_written_whatever_the_order() {
        let texts = |rendered: &Rendered| -> Vec<String> {
            let text = |bind: &Bind| match bind {
                Bind::Text(text) => text.clone(),
                _ => String::new(),
            };
            rendered.binds.iter().map(text).collect()
        };
        let written = || {
            let mut binds = Binds::default();
            let (a, b) = (binds.text("a"), binds.text("b"));
            (format!("SELECT {b} WHERE x = {a} OR y = {}", binds.text("b")), binds)
        };
        let (text, binds) = written();
        let numbered = Rendered::numbered(&text, binds);
        assert_eq!(numbered.text, "SELECT $2 WHERE x = $1 OR y = $2");
        assert_eq!(texts(&numbered), ["a", "b"]);
        let (text, binds) = written();
        let ordered = Rendered::in_order(&text, binds);
        assert_eq!(ordered.text, "SELECT ? WHERE x = ? OR y = ?");
        assert_eq!(texts(&ordered), ["b", "a", "b"]);
    }
}
