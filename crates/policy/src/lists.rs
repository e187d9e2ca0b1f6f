//! Code lists: those that are built in, and those that an office keeps in files beside its policy.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use csv_core::{ReadRecordResult, ReaderBuilder};
use lango_document::{DiagnosticCode, Document};
use lango_privacy::{Code, trimmed};

use crate::{labels::CodeLabels, within::In};

/// The most lines of a file beside a policy.
const LINES_MOST: usize = 200_000;
/// The most bytes of a label: it stands beside a code in tables.
const LABEL_BYTES_MOST: usize = 200;

/// A country of the built-in list: ISO 3166-1 alpha-3, alpha-2 and numeric codes, and the region and the subregion of the United
/// Nations' standard M49, where it is in one.
pub(crate) struct Country {
    alpha_3: &'static str,
    alpha_2: &'static str,
    numeric: &'static str,
    region: &'static str,
    /// The intermediate region where there is one, else the subregion: `011` is Western Africa.
    subregion: &'static str,
}

/// How a register writes countries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountryCodes {
    /// `GHA`: as answers do.
    Alpha3,
    /// `GH`.
    Alpha2,
    /// `288`: the United Nations' numbers, also without the zeros in front.
    M49,
}

impl CountryCodes {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Alpha3, Self::Alpha2, Self::M49];

    /// What a policy says in `written_as`; nothing where countries are written as they are declared.
    pub fn written_as(self) -> Option<&'static str> {
        match self {
            Self::Alpha3 => None,
            Self::Alpha2 => Some("alpha-2"),
            Self::M49 => Some("m49"),
        }
    }

    /// The texts that stand for a country.
    pub fn texts(self) -> BTreeSet<String> {
        match self.written_as() {
            None => alpha_3().map(str::to_owned).collect(),
            Some(word) => written_as(word).unwrap_or_default().into_iter().map(|(text, _)| text).collect(),
        }
    }
}

/// The built-in code list of countries: ISO 3166-1 alpha-3, officially assigned.
pub(crate) fn alpha_3() -> impl Iterator<Item = &'static str> {
    ALPHA_3.lines()
}

/// The countries with their other codes, in the order of the list.
pub(crate) fn countries() -> impl Iterator<Item = Country> {
    COUNTRIES.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let mut next = || fields.next();
        Some(Country {
            alpha_3: next()?,
            alpha_2: next()?,
            numeric: next()?,
            region: next()?,
            subregion: next()?,
        })
    })
}

/// How a register may write countries, by the policy's word for it: the texts of each, with its alpha-3 code.
pub(crate) fn written_as(word: &str) -> Option<Vec<(String, &'static str)>> {
    let texts: fn(&Country) -> Vec<String> = match word {
        "alpha-2" | "iso3166-1-alpha-2" => |country| vec![country.alpha_2.to_owned()],
        // Without the zeros in front, too: a spreadsheet takes them for numbers.
        "m49" | "iso3166-1-numeric" => |country| {
            let short = country.numeric.trim_start_matches('0');
            let mut texts = vec![country.numeric.to_owned(), short.to_owned()];
            texts.dedup();
            texts
        },
        _ => return None,
    };
    let texts = countries().flat_map(|country| {
        texts(&country).into_iter().map(|text| (text, country.alpha_3)).collect::<Vec<_>>()
    });
    Some(texts.collect())
}

/// A built-in grouping of countries, by the policy's name for it: pairs of an alpha-3 code and its group.
pub(crate) fn grouping(name: &str) -> Option<Vec<(String, String)>> {
    let group: fn(&Country) -> &'static str = match name {
        "m49-region" => |country| country.region,
        "m49-subregion" => |country| country.subregion,
        _ => return None,
    };
    let pairs = countries().filter(|country| !group(country).is_empty());
    let mut pairs: Vec<(String, String)> =
        pairs.map(|country| (country.alpha_3.to_owned(), group(&country).to_owned())).collect();
    // In the order of the groups' codes.
    pairs.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    Some(pairs)
}

/// The lines of a file with the columns `value,code`: each value without the blanks around it, and what it means.
pub(crate) fn pairs(at: &In<'_>) -> Option<Vec<(String, Code)>> {
    const LINE: DiagnosticCode = DiagnosticCode::ListLine;
    let reader = &at.reader;
    let mut lines = Lines::of(reader.document);
    let wrong = |(line, message): Unread| reader.refuse_line::<()>(LINE, line, message);
    let header = lines.next().map_err(wrong).ok()?.map(|(_, fields)| fields).unwrap_or_default();
    let place = |wanted: &str| header.iter().position(|name| trimmed(name) == wanted);
    let (Some(value_at), Some(code_at)) = (place("value"), place("code")) else {
        let words = ("the first line names the columns, `value,code`", "write `value,code` above the values");
        return reader.refuse_line(LINE, 1, words);
    };
    let (mut pairs, mut seen) = (Vec::new(), BTreeMap::new());
    let mut is_right = true;
    while let Some((line, fields)) = lines.next().map_err(wrong).ok()? {
        let field = |at: usize| fields.get(at).map_or("", |field| trimmed(field));
        let (value, code) = (field(value_at).to_owned(), field(code_at));
        let before = seen.insert(value.clone(), line);
        let message = match (fields.len() == header.len(), value.is_empty(), before, code.parse::<Code>()) {
            (false, ..) => format!("{} fields where the first line has {}", fields.len(), header.len()),
            (true, true, ..) => "`value` is blank: a blank value is missing wherever it stands".to_owned(),
            (true, false, Some(before), _) => format!("{value:?} stands on line {before} already"),
            (true, false, None, Err(error)) => error.to_string(),
            (true, false, None, Ok(code)) => {
                pairs.push((value, code));
                if pairs.len() > LINES_MOST {
                    return reader.refuse_line(
                        LINE,
                        line,
                        format!("the file has more than {LINES_MOST} lines"),
                    );
                }
                continue;
            }
        };
        reader.refuse_line::<()>(LINE, line, message);
        is_right = false;
    }
    if pairs.is_empty() && is_right {
        return reader.refuse_line(LINE, 1, "the file has no line below `value,code`");
    }
    is_right.then_some(pairs)
}

/// A list of codes that an office declares.
#[derive(Debug, Clone)]
pub(crate) struct CodeList {
    pub codes: Arc<[Code]>,
    pub labels: Arc<CodeLabels>,
}

/// The codes of a file with a column `code`, in the order of its lines, and what a column `label` calls them; other columns are
/// for people who read the file.
pub(crate) fn codes(at: &In<'_>) -> Option<CodeList> {
    const LINE: DiagnosticCode = DiagnosticCode::ListLine;
    let reader = &at.reader;
    let mut lines = Lines::of(reader.document);
    let wrong = |(line, message): Unread| reader.refuse_line::<()>(LINE, line, message);
    let header = lines.next().map_err(wrong).ok()?.map(|(_, fields)| fields).unwrap_or_default();
    let Some(place) = header.iter().position(|name| trimmed(name) == "code") else {
        let words = ("the first line names the columns, one of them `code`", "write `code` above the codes");
        return reader.refuse_line(LINE, 1, words);
    };
    let label_place = header.iter().position(|name| trimmed(name) == "label");
    let (mut codes, mut labels) = (Vec::new(), CodeLabels::new());
    let (mut seen, mut is_right) = (BTreeMap::new(), true);
    while let Some((line, fields)) = lines.next().map_err(wrong).ok()? {
        let field = |place: usize| fields.get(place).map_or("", |field| trimmed(field));
        let (code, label) = (field(place), label_place.map_or("", field));
        // A comma that does not stand in quotes makes two fields of a label, and another one the code.
        if fields.len() != header.len() {
            let message = format!("{} fields where the first line has {}", fields.len(), header.len());
            reader.refuse_line::<()>(LINE, line, (message, "write a field that holds a comma in quotes"));
            is_right = false;
            continue;
        }
        let message = match (code.parse::<Code>(), seen.insert(code.to_owned(), line)) {
            (_, Some(before)) => format!("{code:?} stands on line {before} already"),
            (Err(error), None) => error.to_string(),
            (Ok(_), None) if codes.len() >= LINES_MOST => {
                return reader.refuse_line(LINE, line, format!("the file has more than {LINES_MOST} lines"));
            }
            (Ok(_), None) if label.len() > LABEL_BYTES_MOST || label.chars().any(char::is_control) => {
                format!("the label of {code:?} is not one line of at most {LABEL_BYTES_MOST} bytes")
            }
            (Ok(code), None) => {
                if !label.is_empty() {
                    labels.insert(code.clone(), label.to_owned());
                }
                codes.push(code);
                continue;
            }
        };
        reader.refuse_line::<()>(LINE, line, message);
        is_right = false;
    }
    if codes.is_empty() && is_right {
        return reader.refuse_line(LINE, 1, "the file has no line below `code`");
    }
    is_right.then(|| CodeList { codes: codes.into(), labels: Arc::new(labels) })
}

/// A line that cannot be read, and why.
type Unread = (usize, &'static str);

/// The lines of a text of fields with commas between them, blank ones left out.
struct Lines<'a> {
    rest: &'a [u8],
    reader: csv_core::Reader,
    line: usize,
    /// Room for a record: none is longer than the text.
    record: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn of(document: &'a Document) -> Self {
        let text = document.text.strip_prefix('\u{feff}').unwrap_or(&document.text);
        let (rest, reader) = (text.as_bytes(), ReaderBuilder::new().build());
        Self { rest, reader, line: 1, record: vec![0; rest.len() + 1] }
    }

    /// The next line that is not blank, with its number; an error with its line ends the text.
    fn next(&mut self) -> Result<Option<(usize, Vec<String>)>, Unread> {
        while let [b'\r' | b'\n', rest @ ..] = self.rest {
            self.line += usize::from(self.rest.first() == Some(&b'\n'));
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let began = self.line;
        let record = &mut self.record;
        let mut ends = vec![0; 64];
        let wrong = |message: &'static str| Err((began, message));
        // The text may end without a line break; if a break does not end the record either, it is within quotes.
        let (result, read, written, mut fields) = self.reader.read_record(self.rest, record, &mut ends);
        let result = match result {
            ReadRecordResult::InputEmpty => {
                let (record, ends) = (record.get_mut(written..), ends.get_mut(fields..));
                let (result, _, _, more) =
                    self.reader.read_record(b"\n", record.unwrap_or_default(), ends.unwrap_or_default());
                fields += more;
                result
            }
            ReadRecordResult::OutputFull
            | ReadRecordResult::OutputEndsFull
            | ReadRecordResult::Record
            | ReadRecordResult::End => result,
        };
        match result {
            ReadRecordResult::Record => {}
            ReadRecordResult::OutputEndsFull => return wrong("more than 64 fields"),
            ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::End => {
                return wrong("a quote that is not closed before the file ends");
            }
        }
        let taken = self.rest.get(..read).unwrap_or_default();
        self.line += taken.iter().filter(|byte| **byte == b'\n').count();
        self.rest = self.rest.get(read..).unwrap_or_default();
        let mut start = 0;
        let mut values = Vec::new();
        for end in ends.iter().take(fields) {
            let field = record.get(start..*end).unwrap_or_default();
            values.push(String::from_utf8_lossy(field).into_owned());
            start = *end;
        }
        Ok(Some((began, values)))
    }
}

/// ISO 3166-1: the officially assigned alpha-3 codes.
const ALPHA_3: &str = include_str!("codelists/iso3166-1-alpha-3.txt");

/// Their other codes, with the regions of M49: <https://unstats.un.org/unsd/methodology/m49/>, as of 2024.
const COUNTRIES: &str = include_str!("codelists/countries.csv");

#[cfg(test)]
mod tests {
    use lango_document::{Mistakes, Reader};

    use super::*;

    #[test]
    fn every_country_has_its_codes_and_nearly_every_one_its_region() {
        assert_eq!(countries().count(), 249);
        assert!(alpha_3().eq(countries().map(|country| country.alpha_3)), "both lists are one");
        let texts = |word| written_as(word).unwrap().into_iter().collect::<BTreeMap<_, _>>();
        let (alpha_2, m49) = (texts("alpha-2"), texts("m49"));
        assert_eq!((alpha_2.len(), m49.len()), (249, 249 + 30));
        for (text, code) in [("NA", "NAM"), ("CI", "CIV"), ("TW", "TWN")] {
            assert_eq!(alpha_2[text], code);
        }
        for (text, code) in [("024", "AGO"), ("24", "AGO"), ("288", "GHA"), ("4", "AFG")] {
            assert_eq!(m49[text], code);
        }
        assert!(written_as("alpha-3").is_none());
        let counts = CountryCodes::ALL.map(|codes| codes.texts().len());
        assert_eq!(counts, [249, 249, 249 + 30]);
        let regions = grouping("m49-subregion").unwrap();
        let western: Vec<&str> =
            regions.iter().filter(|(_, group)| group == "011").map(|(code, _)| code.as_str()).collect();
        assert_eq!(western.len(), 17);
        assert!(western.contains(&"GHA") && !western.contains(&"CMR"));
        assert_eq!(grouping("m49-region").unwrap().len(), 248, "Antarctica is in none");
    }

    #[test]
    fn a_file_of_codes_is_read_or_refused_with_its_line() {
        let read = |text: &str| {
            let (document, findings) = (Document::new("sex.csv", text), Mistakes::default());
            let found = codes(&In { reader: Reader::new(&document, &findings), lists: &[] });
            findings
                .outcome(found)
                .map(|found| {
                    let label = |code: &Code| found.labels.get(code).map(|label| format!(":{label}"));
                    let codes =
                        found.codes.iter().map(|code| format!("{code}{}", label(code).unwrap_or_default()));
                    codes.collect::<Vec<_>>().join(" ")
                })
                .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"))
        };
        for (text, found) in [
            ("code\nF\nM\n", "F M"),
            ("label,code\n\"Women, girls\", F\n\nMen,M", "F:Women, girls M:Men"),
            ("\u{feff}code,label,note\r\nF, x ,1\r\nM,,2\r\n", "F:x M"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(found), "{text}");
        }
        let long = format!("code,label\nF,{}", "x".repeat(201));
        for text in ["code,label\nF,\"two\nlines\"", &long] {
            let error = read(text).unwrap_err();
            assert!(error.contains("the label of \"F\" is not one line"), "{error}");
        }
        for (text, expected) in [
            ("", "sex.csv:1:1: the first line names the columns, one of them `code`"),
            ("code\n", "sex.csv:1:1: the file has no line below `code`"),
            ("code\nF\nF", "sex.csv:3:1: \"F\" stands on line 2 already"),
            ("code\nF M", "sex.csv:2:1: `F M` is not a code"),
            ("label,code\nF", "sex.csv:2:1: 1 fields where the first line has 2"),
            ("label,code\nWomen, girls,F", "sex.csv:2:1: 3 fields where the first line has 2"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_of_pairs_is_read_or_refused_with_its_line() {
        let read = |text: &str| {
            let (document, findings) = (Document::new("sex.csv", text), Mistakes::default());
            let found = pairs(&In { reader: Reader::new(&document, &findings), lists: &[] });
            findings
                .outcome(found)
                .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"))
        };
        let texts = |found: Vec<(String, Code)>| {
            found.into_iter().map(|(value, code)| format!("{value}={code}")).collect::<Vec<_>>()
        };
        for text in [
            "\u{feff}value,code\n1,M\n\"Female, married\" ,F\n",
            "note,code,value\r\nx,M,1\r\n\r\ny,F,\" Female, married\"",
        ] {
            assert_eq!(texts(read(text).unwrap()), ["1=M", "Female, married=F"], "{text}");
        }
        for (text, expected) in [
            ("", "sex.csv:1:1: the first line names the columns, `value,code`"),
            ("value;code\n1;M", "sex.csv:1:1: the first line names the columns, `value,code`"),
            ("value,code\n", "sex.csv:1:1: the file has no line below `value,code`"),
            ("value,code\n1,M\n\n1,F", "sex.csv:4:1: \"1\" stands on line 2 already"),
            ("value,code\n1", "sex.csv:2:1: 1 fields where the first line has 2"),
            ("value,code\n ,M", "sex.csv:2:1: `value` is blank"),
            ("value,code\n1,M N", "sex.csv:2:1: `M N` is not a code"),
            ("value,code\n\"1,M\n2,F", "sex.csv:2:1: a quote that is not closed"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
