//! The keys of a table, each read once.

use std::{collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{DiagnosticCode, FromDocument, Reader, ValueForm, WrittenValue, foreign_letter, nearest};

/// Of a table that lacks more keys than this, one diagnostic names them all.
const APART_MOST: usize = 3;

/// A table whose keys are being read. Those that nobody asked for are unknown, which [`Keys::end`] says.
#[derive(Debug)]
pub struct Keys<'a> {
    reader: Reader<'a>,
    /// What the table is, in words: `a grant`.
    what: &'static str,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    asked: BTreeSet<&'static str>,
    /// Keys that are needed and not there, with how they are written.
    missing: Vec<(&'static str, String)>,
    is_wrong: bool,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(
        reader: Reader<'a>,
        what: &'static str,
        table: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        Self { reader, what, table, span, asked: BTreeSet::new(), missing: Vec::new(), is_wrong: false }
    }

    /// Where the table stands.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of a key, where it is there.
    pub fn written(&mut self, key: &'static str) -> Option<WrittenValue<'a>> {
        self.asked.insert(key);
        let (_, value) = self.found(key)?;
        Some(WrittenValue { reader: self.reader, value, key, is_element: false })
    }

    /// The value of a key that must be there; nothing where it is not, or is wrong.
    pub fn required<T: FromDocument>(&mut self, key: &'static str) -> Option<T> {
        let Some(written) = self.written(key) else {
            self.missing.push((key, T::FORM.example()));
            self.is_wrong = true;
            return None;
        };
        let read = T::read(&written);
        self.is_wrong |= read.is_none();
        read
    }

    /// The value of a key that must be there, of which this is how it is written.
    pub fn required_as<T: FromDocument>(&mut self, key: &'static str, example: &str) -> Option<T> {
        let read = self.required(key);
        if let Some((missing, shown)) = self.missing.last_mut()
            && *missing == key
        {
            example.clone_into(shown);
        }
        read
    }

    /// The value of a key that may be there; nothing where it is wrong.
    #[allow(clippy::option_option, reason = "the outer one is of the value, the inner one of the key")]
    pub fn optional<T: FromDocument>(&mut self, key: &'static str) -> Option<Option<T>> {
        let Some(written) = self.written(key) else { return Some(None) };
        let read = T::read(&written);
        self.is_wrong |= read.is_none();
        read.map(Some)
    }

    /// The value of a key, or its default where it is not there.
    pub fn or_default<T: FromDocument + Default>(&mut self, key: &'static str) -> Option<T> {
        Some(self.optional(key)?.unwrap_or_default())
    }

    /// The value of a key, or its default where it is not there or is wrong.
    pub fn or_empty<T: FromDocument + Default>(&mut self, key: &'static str) -> T {
        self.or_default(key).unwrap_or_default()
    }

    /// All keys have been asked for: those that are left are unknown. Returns whether nothing of the table is wrong.
    pub fn end(self) -> bool {
        let mut explained = BTreeSet::new();
        let mut is_wrong = self.is_wrong;
        for (key, _) in self.table.iter() {
            let name = key.get_ref().as_ref();
            if self.asked.contains(name) {
                continue;
            }
            is_wrong = true;
            let missing = || self.missing.iter().map(|(key, _)| *key);
            // A key that is needed and not there is meant rather than one that may be left out.
            let asked = || self.asked.iter().copied().filter(|key| self.found(key).is_none());
            let near = nearest(name, missing()).or_else(|| nearest(name, asked()));
            explained.extend(near);
            let help = match near {
                Some(near) => match foreign_letter(name) {
                    Some(foreign) => format!("did you mean `{near}`? {foreign}"),
                    None => format!("did you mean `{near}`?"),
                },
                None => {
                    let known: Vec<&str> = self.asked.iter().copied().collect();
                    format!("it has {}", known.join(", "))
                }
            };
            let message = format!("{} has no key `{name}`", self.what);
            self.reader.refuse::<()>(DiagnosticCode::UnknownKey, key.span(), (message, help));
        }
        let is_lost = |key: &str| explained.contains(key) || self.reader.findings.is_lost(key);
        let missing: Vec<_> = self.missing.iter().filter(|(key, _)| !is_lost(key)).collect();
        let say = |keys: String, lines: String| {
            let message = format!("{} needs {keys}", self.what);
            let words = (message, format!("add {lines}"));
            self.reader.refuse::<()>(DiagnosticCode::MissingKey, self.first_line(), words);
        };
        let key = |key: &str| format!("`{key}`");
        let line = |(key, example): &(&str, String)| format!("`{key} = {example}`");
        if missing.len() > APART_MOST {
            let keys: Vec<String> = missing.iter().map(|(name, _)| key(name)).collect();
            let lines: Vec<String> = missing.into_iter().map(line).collect();
            say(keys.join(", "), lines.join(", "));
        } else {
            missing.into_iter().for_each(|missing| say(key(missing.0), line(missing)));
        }
        !is_wrong
    }

    /// The table's first line: all of a document is too long to point at.
    fn first_line(&self) -> Range<usize> {
        if self.span == (0..0) && self.reader.unread.is_empty() {
            let text = &self.reader.document.text;
            return 0..text.lines().next().unwrap_or_default().len().max(usize::from(!text.is_empty()));
        }
        self.span.clone()
    }

    fn found(&self, key: &str) -> Option<(&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)> {
        self.table.iter().find(|(found, _)| found.get_ref() == key)
    }
}

impl<'a> WrittenValue<'a> {
    /// The table's keys, where it is one; `what` says in words what the table is.
    pub fn keys(&self, what: &'static str) -> Option<Keys<'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Keys::new(self.reader, what, table, self.span())),
            _ => self.wrong(ValueForm::Table),
        }
    }
}

/// A type that is a table, of which each field is a key. `required` ones must be there, `optional` ones are an `Option`,
/// `or_default` ones have a default. What a key means may stand behind it, for editors and manuals.
///
/// ```
/// use lango_document::{Document, table};
///
/// #[derive(Debug)]
/// struct Member {
///     office: String,
///     port: Option<u16>,
/// }
/// table!(Member => "a member" { required office "office", optional port "port" });
///
/// let found = Document::new("member.toml", "office = 3\nprot = 1\n").read::<Member>().unwrap_err();
/// let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
/// assert_eq!(
///     lines,
///     [
///         "member.toml:1:10: `office` is a text, and not a whole number: write `office = \"3\"`",
///         "member.toml:2:1: a member has no key `prot`: did you mean `port`?",
///     ]
/// );
/// ```
#[macro_export]
macro_rules! table {
    ($type:ty => $what:literal { $($how:ident $field:ident $key:literal $(: $about:literal)?),* $(,)? }) => {
        impl $crate::FromDocument for $type {
            const FORM: $crate::ValueForm = $crate::ValueForm::Table;

            fn shape() -> $crate::DocumentShape {
                let keys = vec![$(
                    $crate::fields::whole::$how::<Self, _>($key, concat!($($about)?), |of| &of.$field)
                ),*];
                $crate::DocumentShape::Table($crate::TableShape { what: $what, keys })
            }

            fn read(written: &$crate::WrittenValue<'_>) -> Option<Self> {
                let mut keys = written.keys($what)?;
                $(let $field = keys.$how($key);)*
                keys.end().then_some(())?;
                Some(Self { $($field: $field?),* })
            }
        }
    };
}

/// The same of a type whose parts are checked one by one: it is there whatever becomes of them. A field of a `required` key is an
/// `Option`, that of an `optional` one an `Option` of one, and that of an `or_empty` one is empty where nothing is there.
#[macro_export]
macro_rules! table_in_parts {
    ($type:ty => $what:literal {
        $($how:ident $(($example:literal))? $field:ident $key:literal : $about:literal),* $(,)?
    }) => {
        impl $crate::FromDocument for $type {
            const FORM: $crate::ValueForm = $crate::ValueForm::Table;

            fn shape() -> $crate::DocumentShape {
                let keys = vec![$($crate::fields::parts::$how::<Self, _>($key, $about, |of| &of.$field)),*];
                $crate::DocumentShape::Table($crate::TableShape { what: $what, keys })
            }

            fn read(written: &$crate::WrittenValue<'_>) -> Option<Self> {
                let mut keys = written.keys($what)?;
                let table = Self { $($field: keys.$how($key $(, $example)?)),* };
                keys.end();
                Some(table)
            }
        }
    };
}
