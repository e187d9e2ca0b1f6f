//! One column of a row group, decoded a chunk at a time.

use std::io::Write;

use parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType, FixedLenByteArray, Int96},
    errors::{ParquetError, Result},
};

use super::text::Writing;

/// A column and the chunk of it that is at hand.
pub(super) struct ColumnDecoder {
    reader: ColumnReader,
    writing: Writing,
    values: DecodedValues,
    /// Where there may be gaps: for each row, 0 up to the greatest.
    levels: Vec<i16>,
    /// For each row of the chunk, the position of its value.
    positions: Vec<Option<usize>>,
}

enum DecodedValues {
    Truths(Vec<bool>),
    Narrow(Vec<i32>),
    Wide(Vec<i64>),
    Moments(Vec<Int96>),
    Single(Vec<f32>),
    Double(Vec<f64>),
    Texts(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl ColumnDecoder {
    pub(super) fn new(reader: ColumnReader, writing: Writing) -> Self {
        let values = match &reader {
            ColumnReader::BoolColumnReader(_) => DecodedValues::Truths(Vec::new()),
            ColumnReader::Int32ColumnReader(_) => DecodedValues::Narrow(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => DecodedValues::Wide(Vec::new()),
            ColumnReader::Int96ColumnReader(_) => DecodedValues::Moments(Vec::new()),
            ColumnReader::FloatColumnReader(_) => DecodedValues::Single(Vec::new()),
            ColumnReader::DoubleColumnReader(_) => DecodedValues::Double(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => DecodedValues::Texts(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => DecodedValues::Fixed(Vec::new()),
        };
        Self { reader, writing, values, levels: Vec::new(), positions: Vec::new() }
    }

    /// Whether its values are texts that the office wrote, and no numbers or days by the file's own types.
    pub(super) fn is_text(&self) -> bool {
        self.writing == Writing::Plain
            && matches!(self.values, DecodedValues::Texts(_) | DecodedValues::Fixed(_))
    }

    /// Whether its values are whole numbers, and no days or moments by the file's own types.
    pub(super) fn is_whole(&self) -> bool {
        self.writing == Writing::Plain
            && matches!(self.values, DecodedValues::Narrow(_) | DecodedValues::Wide(_))
    }

    /// Decodes exactly `rows` rows.
    pub(super) fn decode(&mut self, rows: usize) -> Result<()> {
        let levels = &mut self.levels;
        levels.clear();
        let values = match (&mut self.reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(reader), DecodedValues::Truths(values)) => {
                exactly(reader, rows, levels, values)
            }
            (ColumnReader::Int32ColumnReader(reader), DecodedValues::Narrow(values)) => {
                exactly(reader, rows, levels, values)
            }
            (ColumnReader::Int64ColumnReader(reader), DecodedValues::Wide(values)) => {
                exactly(reader, rows, levels, values)
            }
            (ColumnReader::Int96ColumnReader(reader), DecodedValues::Moments(values)) => {
                exactly(reader, rows, levels, values)
            }
            (ColumnReader::FloatColumnReader(reader), DecodedValues::Single(values)) => {
                exactly(reader, rows, levels, values)
            }
            (ColumnReader::DoubleColumnReader(reader), DecodedValues::Double(values)) => {
                exactly(reader, rows, levels, values)
            }
            (ColumnReader::ByteArrayColumnReader(reader), DecodedValues::Texts(values)) => {
                exactly(reader, rows, levels, values)
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), DecodedValues::Fixed(values)) => {
                exactly(reader, rows, levels, values)
            }
            _ => Err(ParquetError::General("a column changed its type".to_owned())),
        }?;
        self.place(rows, values)
    }

    /// Finds each row's value: a row has one if its level is the greatest, and a column without gaps has no levels.
    fn place(&mut self, rows: usize, values: usize) -> Result<()> {
        self.positions.clear();
        if self.levels.is_empty() {
            self.positions.extend((0..rows).map(Some));
        } else {
            // A column that is not nested has one level of gaps.
            let mut next = 0;
            self.positions.extend(self.levels.iter().map(|level| {
                let has = *level > 0;
                next += usize::from(has);
                has.then(|| next - 1)
            }));
        }
        let placed = self.positions.iter().flatten().count();
        if self.positions.len() != rows || placed != values {
            return Err(ParquetError::General("a column has fewer values than rows".to_owned()));
        }
        Ok(())
    }

    /// Writes an identifier of a row of the chunk as text. A float that does not hold every whole number of its size is written
    /// with an exponent, for its last digits are lost.
    pub(super) fn write_identifier(&self, row: usize, out: &mut Vec<u8>) {
        let at = self.positions.get(row).copied().flatten();
        let (value, most) = match &self.values {
            DecodedValues::Single(values) => {
                (at.and_then(|at| values.get(at)).map(|value| f64::from(*value)), f32::MANTISSA_DIGITS)
            }
            DecodedValues::Double(values) => {
                (at.and_then(|at| values.get(at)).copied(), f64::MANTISSA_DIGITS)
            }
            DecodedValues::Truths(_)
            | DecodedValues::Narrow(_)
            | DecodedValues::Wide(_)
            | DecodedValues::Moments(_)
            | DecodedValues::Texts(_)
            | DecodedValues::Fixed(_) => (None, 0),
        };
        match value.filter(|value| value.is_finite() && value.abs() > (1_u64 << most) as f64) {
            Some(value) => out.extend(format!("{value:e}").replace('e', "E+").into_bytes()),
            None => self.write(row, out),
        }
    }

    /// Writes the value of a row of the chunk as text; nothing where there is none.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        let Some(at) = self.positions.get(row).copied().flatten() else { return };
        let writing = self.writing;
        // Writing to a vector does not fail; floats are written as the shortest decimal that reads back the same.
        let _ = match &self.values {
            DecodedValues::Truths(values) => values.get(at).map(|value| write!(out, "{value}")),
            DecodedValues::Single(values) => {
                values.get(at).map(|value| Writing::float(*value, value.is_nan(), out))
            }
            DecodedValues::Double(values) => {
                values.get(at).map(|value| Writing::float(*value, value.is_nan(), out))
            }
            DecodedValues::Narrow(values) => {
                values.get(at).map(|value| writing.integer(i64::from(*value), true, out))
            }
            DecodedValues::Wide(values) => values.get(at).map(|value| writing.integer(*value, false, out)),
            DecodedValues::Moments(values) => {
                values.get(at).map(|value| self.writing.nanoseconds(nanoseconds(value), out))
            }
            DecodedValues::Texts(values) => values.get(at).map(|value| writing.bytes(value.data(), out)),
            DecodedValues::Fixed(values) => values.get(at).map(|value| writing.bytes(value.data(), out)),
        };
    }
}

/// Reads exactly `rows` rows; returns the number of them that have a value.
fn exactly<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> Result<usize> {
    values.clear();
    let (mut read, mut valued) = (0, 0);
    while read < rows {
        let (records, filled, _) = reader.read_records(rows - read, Some(levels), None, values)?;
        if records == 0 {
            return Err(ParquetError::General("a column ends before the others".to_owned()));
        }
        read += records;
        valued += filled;
    }
    Ok(valued)
}

/// Nanoseconds since 1970-01-01 of a Julian day and the nanoseconds in it.
fn nanoseconds(value: &Int96) -> i128 {
    let [low, high, day] = value.data() else { return 0 };
    let within = (i128::from(*high) << 32) | i128::from(*low);
    (i128::from(*day) - 2_440_588) * 86_400_000_000_000 + within
}
