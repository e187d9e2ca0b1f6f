//! A value as it is written, and what it is read as.

use std::{borrow::Cow, collections::BTreeMap, net::SocketAddr, ops::Range, path::PathBuf};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
    value::Datetime,
};

use crate::{
    DiagnosticCode, Diagnostics, Document, DocumentShape, Mistakes, Reader, ValueForm, Words, nearest, syntax,
};

/// A type that is read from a document. What is wrong is kept, and reading goes on.
pub trait FromDocument: Sized {
    /// What is written for it.
    const FORM: ValueForm;

    /// What may be written for it, for editors and manuals.
    fn shape() -> DocumentShape {
        DocumentShape::of(Self::FORM)
    }

    /// The value; nothing where it is wrong and the reader has kept why.
    fn read(written: &WrittenValue<'_>) -> Option<Self>;
}

/// A value where it stands.
#[derive(Debug, Clone, Copy)]
pub struct WrittenValue<'a> {
    pub(crate) reader: Reader<'a>,
    pub(crate) value: &'a Spanned<DeValue<'a>>,
    /// The key that it stands at.
    pub(crate) key: &'a str,
    /// Whether it stands in a list there.
    pub(crate) is_element: bool,
}

impl Reader<'_> {
    /// Reads the whole document as one table.
    pub fn read<T: FromDocument>(&self) -> Option<T> {
        let readable = syntax::readable(self)?;
        let (table, errors) = DeTable::parse_recoverable(&readable.text);
        let mut unread = readable.unread;
        unread.extend(syntax::check(&Reader { unread: &unread.clone(), ..*self }, errors));
        let reader = Reader { unread: &unread, ..*self };
        let value = Spanned::new(0..0, DeValue::Table(table.into_inner()));
        T::read(&WrittenValue { reader, value: &value, key: "", is_element: false })
    }
}

impl Document {
    /// Reads the whole document, which is used by itself.
    pub fn read<T: FromDocument>(&self) -> Result<T, Diagnostics> {
        let findings = Mistakes::default();
        let read = Reader::new(self, &findings).read();
        findings.outcome(read)
    }
}

impl<'a> WrittenValue<'a> {
    /// Where it stands.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// Keeps a mistake, and returns nothing.
    pub fn refuse<T>(&self, code: DiagnosticCode, words: impl Into<Words>) -> Option<T> {
        self.reader.refuse(code, self.span(), words)
    }

    /// The key that it stands at.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// The value is of another form than the key needs.
    pub fn wrong<T>(&self, form: ValueForm) -> Option<T> {
        let text = self.reader.document.text.get(self.span()).unwrap_or_default();
        let found = match ValueForm::of(self.value.get_ref()) {
            ValueForm::Number => "a number with a point".to_owned(),
            found => found.to_string(),
        };
        let element = if self.is_element { "an element of " } else { "" };
        let message = format!("{element}`{}` is {form}, and not {found}", self.key);
        let corrected = form.corrected(self.key, self.value.get_ref(), text).unwrap_or_default();
        let help = match self.is_element {
            true => corrected.replacen(&format!("{} = ", self.key), "", 1),
            false => corrected,
        };
        self.refuse(DiagnosticCode::WrongType, (message, help))
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    /// The whole number, where it is one that fits.
    pub fn whole(&self) -> Option<i64> {
        let number = self.value.get_ref().as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// The number, as exactly as a float of 64 bits keeps it, in digits; nothing where it is none.
    pub fn decimal(&self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::Integer(number) => {
                i128::from_str_radix(number.as_str(), number.radix()).ok().map(|whole| whole.to_string())
            }
            // Rust prints the shortest decimal that reads back to the same float, without an exponent; of two zeros, one.
            DeValue::Float(number) => {
                number.as_str().parse::<f64>().ok().map(|float| (float + 0.0).to_string())
            }
            DeValue::String(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => None,
            DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    /// The moment, where it is one.
    pub fn moment(&self) -> Option<&'a Datetime> {
        self.value.get_ref().as_datetime()
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// The values of a list, each where it stands.
    pub fn elements(&self) -> impl Iterator<Item = WrittenValue<'a>> + Clone + use<'a> {
        let (reader, key) = (self.reader, self.key);
        let array = self.value.get_ref().as_array();
        array.into_iter().flat_map(|array| array.iter()).map(move |value| WrittenValue {
            reader,
            value,
            key,
            is_element: true,
        })
    }

    /// One of some words.
    pub fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let Some(text) = self.text() else { return self.wrong(ValueForm::Text) };
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meant);
        }
        let listed: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let listed = match listed.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, before)) => format!("{} or {last}", before.join(", ")),
            None => String::new(),
        };
        let near = nearest(&text.to_lowercase(), words.iter().map(|(word, _)| *word));
        let help = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
        self.refuse(DiagnosticCode::UnknownWord, (format!("`{}` is {listed}", self.key), help))
    }

    /// A whole number between bounds.
    fn number<T: TryFrom<i64>>(&self, low: i128, high: i128) -> Option<T> {
        if !self.value.get_ref().is_integer() {
            return self.wrong(ValueForm::Whole);
        }
        let number = self.whole().and_then(|number| T::try_from(number).ok());
        number.or_else(|| {
            let message = format!("`{}` is a whole number from {low} to {high}", self.key);
            self.refuse(DiagnosticCode::OutOfRange, message)
        })
    }
}

/// Every one of them, read whatever became of the others; nothing where one is wrong.
pub(crate) fn each<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = read.collect();
    read.into_iter().collect()
}

impl FromDocument for String {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.text().map(str::to_owned).or_else(|| written.wrong(Self::FORM))
    }
}

impl FromDocument for PathBuf {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        String::read(written).map(Self::from)
    }
}

impl FromDocument for SocketAddr {
    const FORM: ValueForm = ValueForm::Text;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let Some(text) = written.text() else { return written.wrong(Self::FORM) };
        text.parse().ok().or_else(|| {
            let message = format!("`{}` is an address and a port", written.key);
            written.refuse(DiagnosticCode::Setting, (message, "write one such as \"127.0.0.1:8443\""))
        })
    }
}

impl FromDocument for bool {
    const FORM: ValueForm = ValueForm::Truth;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.value.get_ref().as_bool().or_else(|| written.wrong(Self::FORM))
    }
}

macro_rules! whole {
    ($($type:ident)*) => {$(
        impl FromDocument for $type {
            const FORM: ValueForm = ValueForm::Whole;

            fn read(written: &WrittenValue<'_>) -> Option<Self> {
                written.number(i128::from(Self::MIN), i128::from(Self::MAX).min(i128::from(i64::MAX)))
            }
        }
    )*};
}

whole!(u16 u32 u64 i64);

impl<T: FromDocument> FromDocument for Spanned<T> {
    const FORM: ValueForm = T::FORM;

    fn shape() -> DocumentShape {
        T::shape()
    }

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        Some(Self::new(written.span(), T::read(written)?))
    }
}

impl<T: FromDocument> FromDocument for Vec<T> {
    const FORM: ValueForm = ValueForm::List(&T::FORM);

    fn shape() -> DocumentShape {
        DocumentShape::List(Box::new(T::shape()))
    }

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        if !written.is_list() {
            return written.wrong(Self::FORM);
        }
        // A list where a list of lists is needed is one mistake, however long it is.
        if let ValueForm::List(inner) = T::FORM {
            let mut elements = written.elements();
            if elements.clone().next().is_some()
                && elements.all(|element| inner.fits(element.value.get_ref()))
            {
                return written.wrong(Self::FORM);
            }
        }
        each(written.elements().map(|element| T::read(&element)))
    }
}

impl<T: FromDocument> FromDocument for [T; 2] {
    const FORM: ValueForm = ValueForm::List(&T::FORM);

    fn shape() -> DocumentShape {
        DocumentShape::Pair(Box::new(T::shape()))
    }

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let values: Vec<T> = Vec::read(written)?;
        let count = values.len();
        values.try_into().ok().or_else(|| {
            let message =
                format!("`{}` is two values, the lowest and the highest, and not {count}", written.key);
            let help = format!("write `{} = [LOW, HIGH]`", written.key);
            written.refuse(DiagnosticCode::WrongType, (message, help))
        })
    }
}

/// Names that the author chooses, each with its value. One that is wrong has none.
impl<T: FromDocument> FromDocument for BTreeMap<Spanned<String>, Option<T>> {
    const FORM: ValueForm = ValueForm::Table;

    fn shape() -> DocumentShape {
        DocumentShape::Named(Box::new(T::shape()))
    }

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let DeValue::Table(table) = written.value.get_ref() else { return written.wrong(Self::FORM) };
        let named = |(key, value): (&Spanned<Cow<'_, str>>, _)| {
            let name = Spanned::new(key.span(), key.get_ref().to_string());
            (
                name,
                T::read(&WrittenValue {
                    reader: written.reader,
                    value,
                    key: key.get_ref(),
                    is_element: false,
                }),
            )
        };
        Some(entries(table).map(named).collect())
    }
}

/// The same, of which all must be right.
impl<T: FromDocument> FromDocument for BTreeMap<String, T> {
    const FORM: ValueForm = ValueForm::Table;

    fn shape() -> DocumentShape {
        DocumentShape::Named(Box::new(T::shape()))
    }

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let read: BTreeMap<Spanned<String>, Option<T>> = FromDocument::read(written)?;
        read.into_iter().map(|(name, value)| Some((name.into_inner(), value?))).collect()
    }
}

fn entries<'t>(
    table: &'t DeTable<'t>,
) -> impl Iterator<Item = (&'t Spanned<Cow<'t, str>>, &'t Spanned<DeValue<'t>>)> {
    table.iter()
}
