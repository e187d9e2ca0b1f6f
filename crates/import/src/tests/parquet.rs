//! Parquet files of every type that a column may be stored as.

use std::{path::Path, sync::Arc};

use parquet::{
    basic::Compression,
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use rusqlite::types::Value;

use super::fixture::{Office, dataset, found, like, text, unfit};
use crate::{Finding, ImportError, ImportEvent, RowError, UnitKey};

const SCHEMA: &str = "message register {
    required binary person_id (UTF8);
    optional int32 age;
    optional fixed_len_byte_array(4) income (DECIMAL(9, 1));
    required int32 born (DATE);
    optional binary sex (UTF8);
    required int64 village;
}";

/// Writes persons in row groups of `group`; every third has no age, every fifth no sex.
fn write(path: &Path, schema: &str, rows: i32, group: i32, compression: Compression) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer =
        SerializedFileWriter::new(std::fs::File::create(path).unwrap(), schema, properties).unwrap();
    for first in (0..rows).step_by(group as usize) {
        let range = first..(first + group).min(rows);
        let mut at = 0;
        let mut row_group = writer.next_row_group().unwrap();
        while let Some(mut column) = row_group.next_column().unwrap() {
            let levels = |every: i32| range.clone().map(|n| i16::from(n % every != 0)).collect::<Vec<_>>();
            let gaps = if at == 1 { levels(3) } else { levels(5) };
            let kept = |every: i32| range.clone().filter(move |n| n % every != 0);
            match (column.untyped(), at) {
                (ColumnWriter::ByteArrayColumnWriter(writer), 0) => {
                    let ids: Vec<ByteArray> =
                        range.clone().map(|n| format!("{n:05}").as_str().into()).collect();
                    writer.write_batch(&ids, None, None).unwrap();
                }
                (ColumnWriter::Int32ColumnWriter(writer), 1) => {
                    let ages: Vec<i32> = kept(3).map(|n| n % 150).collect();
                    writer.write_batch(&ages, Some(&gaps), None).unwrap();
                }
                (ColumnWriter::FixedLenByteArrayColumnWriter(writer), 2) => {
                    let tenths =
                        kept(5).map(|n| FixedLenByteArray::from((n * 10 + 5).to_be_bytes().to_vec()));
                    writer.write_batch(&tenths.collect::<Vec<_>>(), Some(&gaps), None).unwrap();
                }
                (ColumnWriter::Int32ColumnWriter(writer), 3) => {
                    writer.write_batch(&range.clone().collect::<Vec<_>>(), None, None).unwrap();
                }
                (ColumnWriter::ByteArrayColumnWriter(writer), 4) => {
                    let sexes: Vec<ByteArray> = kept(5).map(|_| "F".into()).collect();
                    writer.write_batch(&sexes, Some(&gaps), None).unwrap();
                }
                (ColumnWriter::Int64ColumnWriter(writer), 5) => {
                    writer
                        .write_batch(&range.clone().map(i64::from).collect::<Vec<_>>(), None, None)
                        .unwrap();
                }
                _ => panic!("column {at} is of another type"),
            }
            at += 1;
            column.close().unwrap();
        }
        row_group.close().unwrap();
    }
    writer.close().unwrap();
}

/// Forty persons, `P0000` and so on, as Arrow writes them with `write_page_checksum`, neither compressed nor with a dictionary.
const CHECKED: &[u8] = include_bytes!("../../testdata/checked.parquet");

#[test]
fn repro_a_byte_that_was_changed_on_the_way_was_another_identifier() {
    let office = Office::new();
    assert_eq!(office.import(&office.write("a.parquet", CHECKED)).unwrap().rows, 40);
    let at = CHECKED.windows(5).position(|bytes| bytes == b"P0017").unwrap();
    for (flipped, bit) in [(at, 1), (at + 4, 1), (at + 4, 64)] {
        let mut bytes = CHECKED.to_vec();
        bytes[flipped] ^= bit;
        let said = office.import(&office.write("b.parquet", bytes)).unwrap_err().to_string();
        assert!(said.contains("b.parquet is damaged") && said.contains("CRC"), "{said}");
    }
}

#[test]
fn a_parquet_file_gives_the_rows_that_its_csv_would() {
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())]
    {
        let office = Office::new();
        let file = office.path("a.parquet");
        write(&file, SCHEMA, 10_000, 4_500, compression);
        let report = office.import(&file).unwrap();
        assert_eq!((report.rows, report.key), (10_000, Some(UnitKey::Unique)));
        assert_eq!((unfit(&report), report.files[0].by_line), (0, false), "{report:?}");
        for (n, row) in office.rows().into_iter().enumerate() {
            let number = n as i64;
            let or_null = |has: bool, value: Value| if has { value } else { Value::Null };
            let day = time::Date::from_julian_day(2_440_588 + n as i32).unwrap();
            let expected = vec![
                text(&format!("{n:05}")),
                or_null(n % 3 != 0, Value::Integer(number % 150)),
                text(&day.to_string()),
                or_null(n % 5 != 0, Value::Integer(number * 100 + 50)),
                or_null(n % 5 != 0, text("F")),
                text(&n.to_string()),
            ];
            assert_eq!(row, expected);
        }
    }
}

#[test]
fn an_interrupted_parquet_import_goes_on() {
    let mut office = Office::new();
    office.tuning.transaction_rows = 1;
    let file = office.path("a.parquet");
    write(&file, SCHEMA, 30_000, 7_000, Compression::SNAPPY);
    office.interrupt(&file, 15_000);
    let events = office.interrupt(&file, 20_000);
    assert!(matches!(events.first(), Some(ImportEvent::Resumed(15_000..))), "{events:?}");
    let report = office.import(&file).unwrap();
    let whole = Office::new();
    assert!(like(&report, &whole.import(&file).unwrap()) && office.rows() == whole.rows());
}

#[test]
fn a_parquet_file_that_does_not_fit_is_refused() {
    let office = Office::new();
    let file = office.path("a.parquet");
    write(&file, SCHEMA, 0, 1, Compression::UNCOMPRESSED);
    assert!(matches!(office.import(&file), Err(ImportError::NoRows(_))));

    write(&file, &SCHEMA.replace("village", "vilage"), 3, 3, Compression::UNCOMPRESSED);
    let error = office.import(&file).unwrap_err().to_string();
    assert!(error.ends_with("has no column `village`: did it mean `vilage`?"), "{error}");

    let nested = SCHEMA.replace("required int64 village;", "required group village { required int64 code; }");
    write(&file, &nested, 3, 3, Compression::UNCOMPRESSED);
    let error = office.import(&file).unwrap_err();
    assert!(matches!(&error, ImportError::NotFlat { column, .. } if column == "village"), "{error}");

    write(&file, SCHEMA, 50_000, 10_000, Compression::SNAPPY);
    let whole = std::fs::read(&file).unwrap();
    for (what, content) in [
        ("cut short", whole[..whole.len() / 2].to_vec()),
        ("a hole in it", [&whole[..5_000], &[0xff; 3_000][..], &whole[8_000..]].concat()),
    ] {
        let error = office.import(&office.write("b.parquet", content)).unwrap_err();
        assert!(
            matches!(error, ImportError::Parquet { .. } | ImportError::Row(RowError::NotEncoded { .. })),
            "{what}: {error}"
        );
    }
    assert!(office.is_tidy());
}

#[test]
fn values_of_a_parquet_file_that_do_not_read_are_reported_by_row() {
    let mut office = Office::new().accepting("born", 1.0);
    office.dataset = dataset(2);
    let file = office.path("a.parquet");
    let schema = SCHEMA.replace("required int32 born (DATE)", "required int32 born");
    write(&file, &schema, 20, 20, Compression::UNCOMPRESSED);
    let report = office.import(&file).unwrap();
    assert_eq!(found(&report, "born"), [(Finding::Unreadable, 20, (1..=10).collect())]);
    assert_eq!(report.key, Some(UnitKey::NotWanted));
}

/// Writes one row group; `fill` is called with each column's position and writer.
fn store(
    path: &Path,
    schema: &str,
    compression: Compression,
    mut fill: impl FnMut(usize, &mut ColumnWriter<'_>),
) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut row_group = writer.next_row_group().unwrap();
    let mut at = 0;
    while let Some(mut column) = row_group.next_column().unwrap() {
        fill(at, column.untyped());
        at += 1;
        column.close().unwrap();
    }
    row_group.close().unwrap();
    writer.close().unwrap();
}

/// Writes rows of texts under the names of a header.
fn store_texts(path: &Path, header: &str, rows: &[Vec<&str>]) {
    let columns = header.trim().split(',').map(|name| format!("required binary {name} (UTF8);"));
    let schema = format!("message register {{ {} }}", columns.collect::<String>());
    store(path, &schema, Compression::SNAPPY, |at, writer| {
        let ColumnWriter::ByteArrayColumnWriter(writer) = writer else { panic!("no texts") };
        let values: Vec<ByteArray> = rows.iter().map(|row| row[at].into()).collect();
        writer.write_batch(&values, None, None).unwrap();
    });
}

/// Writes the persons that `lines` writes as text.
pub(super) fn persons(path: &Path, persons: std::ops::Range<u32>) {
    let text = super::fixture::lines(persons);
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    store_texts(path, super::fixture::HEADER, &rows);
}

#[test]
fn every_type_that_offices_store_is_read() {
    const TYPES: &str = "message register {
        required fixed_len_byte_array(16) person_id (UUID);
        required fixed_len_byte_array(2) age (FLOAT16);
        required fixed_len_byte_array(25) income (DECIMAL(59, 3));
        required int64 born (TIMESTAMP(MILLIS, true));
        required binary sex (ENUM);
        required double village;
    }";
    let noon = |day: i64| day * 86_400_000 + 43_200_000;
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ] {
        let office = Office::new();
        let file = office.path("a.parquet");
        store(&file, TYPES, compression, |at, writer| match (writer, at) {
            (ColumnWriter::FixedLenByteArrayColumnWriter(writer), 0) => {
                let ids = [0x11_u8, 0xaa, 0xff].map(|byte| FixedLenByteArray::from(vec![byte; 16]));
                writer.write_batch(&ids, None, None).unwrap();
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(writer), 1) => {
                let ages = [34.5, 35.5, f32::NAN].map(half::f16::from_f32);
                let ages = ages.map(|age| FixedLenByteArray::from(age.to_le_bytes().to_vec()));
                writer.write_batch(&ages, None, None).unwrap();
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(writer), 2) => {
                let wide = |value: i64| {
                    let sign = if value < 0 { 0xff } else { 0 };
                    [&[sign; 17][..], &value.to_be_bytes()].concat()
                };
                let incomes = [1_200_505, 1_200_515, -5].map(|value| FixedLenByteArray::from(wide(value)));
                writer.write_batch(&incomes, None, None).unwrap();
            }
            (ColumnWriter::Int64ColumnWriter(writer), 3) => {
                writer.write_batch(&[0, noon(-1), noon(19_905)], None, None).unwrap();
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), 4) => {
                writer.write_batch(&["F ".into(), " F".into(), "M".into()], None, None).unwrap();
            }
            (ColumnWriter::DoubleColumnWriter(writer), 5) => {
                writer.write_batch(&[1.0, f64::NAN, 0.5], None, None).unwrap();
            }
            _ => panic!("column {at} is of another type"),
        });
        let report = office.import(&file).unwrap();
        assert_eq!(unfit(&report), 0, "{compression}");
        let person = |byte: &str, age, born, income, sex, village| {
            let byte = byte.repeat(2);
            let id = format!("{byte}{byte}-{byte}-{byte}-{byte}-{byte}{byte}{byte}");
            vec![text(&id), age, text(born), Value::Integer(income), text(sex), village]
        };
        assert_eq!(
            office.rows(),
            [
                person("11", Value::Integer(34), "1970-01-01", 120_050, "F", text("1")),
                person("aa", Value::Integer(36), "1969-12-31", 120_052, "F", Value::Null),
                person("ff", Value::Null, "2024-07-01", 0, "M", text("0.5")),
            ],
            "{compression}"
        );
    }
}

#[test]
fn texts_of_one_length_are_texts_and_bytes_that_are_none_are_refused() {
    const TYPES: &str = "message register {
        required fixed_len_byte_array(4) person_id;
        required binary sex (UTF8);
        required binary age (UTF8);
        required binary income (UTF8);
        required binary born (UTF8);
        required binary village (UTF8);
    }";
    let import = |ids: [&[u8; 4]; 2]| {
        let office = Office::new();
        let file = office.path("a.parquet");
        store(&file, TYPES, Compression::SNAPPY, |at, writer| match writer {
            ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
                let ids = ids.map(|id| FixedLenByteArray::from(id.to_vec()));
                writer.write_batch(&ids, None, None).unwrap();
            }
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                let value = ["", "F", "34", "1.5", "2000-01-01", "Tema"][at];
                writer.write_batch(&[value.into(), value.into()], None, None).unwrap();
            }
            _ => panic!("column {at} is of another type"),
        });
        office.import(&file).map(|_| office.rows().into_iter().map(|row| row[0].clone()).collect::<Vec<_>>())
    };
    assert_eq!(import([b"P001", b"P2  "]).unwrap(), [text("P001"), text("P2")]);
    let error = import([b"P001", b"P\xff\xfe2"]).unwrap_err();
    assert!(matches!(error, ImportError::Row(RowError::NotEncoded { line: 2, .. })), "{error}");
    let error = import([b"P001", b"P2\0\0"]).unwrap_err().to_string();
    assert!(error.contains("a letter that cannot be seen"), "{error}");
}

#[test]
fn identifiers_that_a_float_rounded_stop_an_import() {
    let mut office = Office::new();
    office.dataset = dataset(9);
    office.dataset.columns.clear();
    let file = office.path("a.parquet");
    for (numbers, expected) in [
        ([1001.0, 9_007_199_254_740_992.0], None),
        ([1001.0, 9_007_199_254_740_994.0], Some("1 of 2 identifiers are numbers without their last digits")),
    ] {
        store(&file, "message register { required double person_id; }", Compression::SNAPPY, |_, writer| {
            let ColumnWriter::DoubleColumnWriter(writer) = writer else { panic!("no floats") };
            writer.write_batch(&numbers, None, None).unwrap();
        });
        match expected {
            Some(expected) => {
                let error = office.import(&file).unwrap_err().to_string();
                assert!(error.contains(expected), "{error}");
            }
            None => {
                office.import(&file).unwrap();
                assert_eq!(office.rows(), [vec![text("1001")], vec![text("9007199254740992")]]);
            }
        }
    }
}

#[test]
fn moments_in_utc_fall_on_a_day_at_the_place() {
    let mut office = Office::new();
    let name: lango_privacy::Name = "born".parse().unwrap();
    let born = office.dataset.columns.remove(&name).unwrap();
    let reading =
        lango_privacy::Reading { time_zone: Some("Africa/Nairobi".to_owned()), ..born.reading.clone() };
    office.dataset.columns = [(name, born.with_reading(reading).unwrap())].into();
    let file = office.path("a.parquet");
    for (in_utc, day) in [(true, "2024-07-01"), (false, "2024-06-30")] {
        let schema = format!(
            "message register {{ required binary person_id (UTF8); required int64 born (TIMESTAMP(MILLIS, {in_utc})); }}"
        );
        store(&file, &schema, Compression::SNAPPY, |_, writer| match writer {
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                writer.write_batch(&["P1".into()], None, None).unwrap();
            }
            ColumnWriter::Int64ColumnWriter(writer) => {
                // The midnight in Nairobi that begins 2024-07-01.
                writer.write_batch(&[19_905 * 86_400_000 - 3 * 3_600_000], None, None).unwrap();
            }
            _ => panic!("another type"),
        });
        office.import(&file).unwrap();
        assert_eq!(office.rows(), [vec![text("P1"), text(day)]]);
    }
}

#[test]
fn texts_of_a_parquet_file_are_read_in_the_notation_that_is_said_and_its_own_types_are_not() {
    let header = super::fixture::HEADER;
    let rows = [
        vec!["1 ", "F", "34,5", "1 200,50", "31/12/2023 00:00", "Tema"],
        vec!["2", "F", "35,5", "1", "1/2/2023", "x"],
    ];
    let mut office = Office::new();
    office.options.notation = crate::Notation {
        decimal: crate::DecimalMark::Comma,
        thousands: Some(" ".parse().unwrap()),
        days: Some("%d/%m/%Y".parse().unwrap()),
    };
    let file = office.path("a.parquet");
    store_texts(&file, header, &rows);
    office.import(&file).unwrap();
    let person = |id, age, born, income, village| {
        vec![text(id), Value::Integer(age), text(born), Value::Integer(income), text("F"), text(village)]
    };
    let expected = [person("1", 34, "2023-12-31", 120_050, "Tema"), person("2", 36, "2023-02-01", 100, "x")];
    assert_eq!(office.rows(), expected);
    // The file's own numbers have a point and its days are in one order, whatever else is said.
    write(&file, SCHEMA, 20, 20, Compression::SNAPPY);
    assert_eq!(unfit(&office.import(&file).unwrap()), 0);
    // Without the options, the reasons are those of a text file.
    office.options.notation = crate::Notation::default();
    store_texts(&file, header, &rows);
    let error = office.import(&file).unwrap_err().to_string();
    assert!(
        error.contains(
            "`age`: 2 of 2 values are unread or undeclared, 100 % (rows 1, 2): say --decimal comma"
        ),
        "{error}"
    );
    // A header and a total among the rows are found there too.
    let names: Vec<&str> = header.trim().split(',').collect();
    let person = vec!["P1", "F", "1", "1", "2000-01-01", "Tema"];
    store_texts(&file, header, &[person.clone(), names, person.clone()]);
    let error = office.import(&file).unwrap_err();
    assert!(matches!(error, ImportError::Row(RowError::HeaderAgain { line: 2, by_line: false })), "{error}");
    store_texts(&file, header, &[person, vec!["Total", "", "9", "9", "", ""]]);
    let error = office.import(&file).unwrap_err();
    assert!(
        matches!(
            error,
            ImportError::Row(RowError::Total { line: 2, by_line: false, what: crate::TotalRow::NoDigit, .. })
        ),
        "{error}"
    );
}
