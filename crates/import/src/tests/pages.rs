//! Parquet files whose pages take much memory.

use std::{path::Path, sync::Arc};

use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    column::writer::ColumnWriter,
    data_type::ByteArray,
    file::{
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};
use rusqlite::types::Value;

use super::fixture::Office;
use crate::ImportError;

/// Writes persons with these villages, each column as one page.
fn write(path: &Path, encoding: Encoding, villages: &[String]) {
    let schema = "message register { required binary person_id (UTF8); required binary village (UTF8); }";
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_encoding(encoding)
        .set_data_page_size_limit(64 << 20)
        .build();
    let file = std::fs::File::create(path).unwrap();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut row_group = writer.next_row_group().unwrap();
    let ids: Vec<ByteArray> = (0..villages.len()).map(|n| format!("GHA{n}").as_str().into()).collect();
    let villages: Vec<ByteArray> = villages.iter().map(|village| village.as_str().into()).collect();
    for values in [ids, villages] {
        let mut column = row_group.next_column().unwrap().unwrap();
        let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() else { panic!("no texts") };
        writer.write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    row_group.close().unwrap();
    writer.close().unwrap();
}

fn office() -> Office {
    let mut office = Office::new();
    office.dataset.columns.retain(|name, _| name.as_str() == "village");
    office
}

#[test]
fn a_page_that_takes_more_memory_than_there_may_be_is_refused_before_it_is_decoded() {
    let office = office();
    let path = office.path("a.parquet");
    write(&path, Encoding::PLAIN, &vec!["Tema".to_owned(); 5_000]);
    office.import(&path).unwrap();
    // The header of the last column's page says how large it is when it is decoded: type, size, bytes as stored.
    let stored = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
    let at = stored.metadata().row_group(0).column(1).data_page_offset() as usize;
    let mut bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes[at..at + 3], [0x15, 0x00, 0x15]);
    let end = (at + 3..).find(|at| bytes[*at] < 0x80).unwrap();
    // 800 MiB.
    bytes.splice(at + 3..=end, [0x80, 0x80, 0x80, 0xa0, 0x06]);
    std::fs::write(&path, &bytes).unwrap();
    let error = office.import(&path).unwrap_err();
    assert!(
        matches!(&error, ImportError::LargePages { column, bytes, .. } if column == "village" && *bytes == 800 << 20),
        "{error}"
    );
    let said = error.to_string();
    assert!(
        said.contains("MiB when they are decoded, 800 of them those of `village`, and 512 MiB is the most"),
        "{said}"
    );
    assert!(bytes.len() < 50_000 && office.is_tidy());
}

#[test]
fn texts_that_repeat_the_beginning_of_the_one_before_are_decoded_a_few_at_a_time() {
    let office = office();
    let path = office.path("a.parquet");
    let villages: Vec<String> = (0..9_000).map(|n| format!("{}{n}", "x".repeat(5_000))).collect();
    write(&path, Encoding::DELTA_BYTE_ARRAY, &villages);
    assert!(std::fs::metadata(&path).unwrap().len() < 200_000);
    assert_eq!(office.import(&path).unwrap().rows, 9_000);
    let sql = "SELECT village FROM residents ORDER BY rowid";
    let connection = office.open();
    let mut select = connection.prepare(sql).unwrap();
    let stored: Vec<Value> =
        select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert!(stored.into_iter().eq(villages.into_iter().map(Value::Text)));
}
