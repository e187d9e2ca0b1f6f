//! How much memory the pages of a column take when they are decoded, by the header of each: known before any is decoded.
//!
//! A header is a struct of Apache Thrift's compact protocol, of which the size in a file is known only once it is read.

use std::{fs::File, os::unix::fs::FileExt as _};

use parquet::{
    errors::{ParquetError, Result},
    file::metadata::ColumnChunkMetaData,
};

/// Bytes that are read of a header at first, and the most that one may have.
const HEADER_BYTES: usize = 512;
const HEADER_BYTES_MOST: usize = 1 << 20;
/// Structs and lists within one another are no deeper.
const DEPTH_MOST: usize = 8;

/// The type of a page of the column's distinct values, and the encoding of texts that repeat the beginning of the one before,
/// as the format numbers them.
const DICTIONARY_PAGE: i64 = 2;
const DELTA_BYTE_ARRAY: i64 = 7;

/// The pages of a column in a row group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pages {
    /// The bytes of its largest page when it is decoded, and of its page of distinct values, which is kept beside it.
    pub(super) bytes: u64,
    /// Whether its texts may take many times more than their pages do.
    pub(super) repeat_beginnings: bool,
}

impl Pages {
    /// Reads the headers of a column's pages. Where they break off, the library that decodes them will say so.
    pub(super) fn of(file: &File, chunk: &ColumnChunkMetaData) -> Result<Self> {
        let from = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
        let mut at = u64::try_from(from)?;
        let end = at.saturating_add(u64::try_from(chunk.compressed_size())?);
        let (mut dictionary, mut largest, mut pages) = (0, 0, Self::default());
        while at < end {
            let Some((header, bytes)) = read(file, at)? else { break };
            let (Some(size), Some(stored)) = (size(header.size), size(header.stored)) else { break };
            if header.page_type == Some(DICTIONARY_PAGE) {
                dictionary = size.max(dictionary);
            } else {
                largest = size.max(largest);
            }
            pages.repeat_beginnings |= header.encoding == Some(DELTA_BYTE_ARRAY);
            at = at.saturating_add(bytes as u64).saturating_add(stored);
        }
        Ok(Self { bytes: dictionary.saturating_add(largest), ..pages })
    }
}

fn size(bytes: Option<i64>) -> Option<u64> {
    bytes.and_then(|bytes| u64::try_from(bytes).ok())
}

/// The header at a place in a file, and how many bytes it has; `None` where it breaks off.
fn read(file: &File, at: u64) -> Result<Option<(PageHeader, usize)>> {
    let mut room = HEADER_BYTES;
    loop {
        let mut buffer = vec![0; room];
        let mut filled = 0;
        while filled < room {
            match file.read_at(buffer.get_mut(filled..).unwrap_or_default(), at + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        let mut fields =
            Fields { left: buffer.get(..filled).unwrap_or_default(), header: PageHeader::default() };
        if fields.read(0, 0).is_some() {
            return Ok(Some((fields.header, filled - fields.left.len())));
        }
        if filled < room {
            return Ok(None);
        }
        if room >= HEADER_BYTES_MOST {
            return Err(ParquetError::General("the header of a page does not end".to_owned()));
        }
        room *= 8;
    }
}

/// What is needed of a page's header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct PageHeader {
    page_type: Option<i64>,
    /// Its bytes when it is decoded, and as they are stored.
    size: Option<i64>,
    stored: Option<i64>,
    encoding: Option<i64>,
}

/// The fields of a header's structs, one after the other.
struct Fields<'a> {
    left: &'a [u8],
    header: PageHeader,
}

impl Fields<'_> {
    /// Reads a struct to its end, which is the field of this number in another, or the header itself. `None` where it breaks off.
    fn read(&mut self, within: i64, depth: usize) -> Option<()> {
        let mut number = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            number = match i64::from(head >> 4) {
                0 => self.number()?,
                step => number + step,
            };
            let value = self.value(head & 0x0f, number, depth)?;
            let header = &mut self.header;
            match (within, number) {
                (0, 1) => header.page_type = value,
                (0, 2) => header.size = value,
                (0, 3) => header.stored = value,
                // Of a page of data in the first version of the format and in the second.
                (5, 2) | (8, 4) => header.encoding = value,
                _ => {}
            }
        }
    }

    /// Reads a value of a type; the outer `None` where it breaks off, the inner where it is no whole number.
    fn value(&mut self, value_type: u8, number: i64, depth: usize) -> Option<Option<i64>> {
        match value_type {
            // True and false, which are types.
            1 | 2 => {}
            3 => self.skip(1)?,
            4..=6 => return self.number().map(Some),
            7 => self.skip(8)?,
            8 => {
                let bytes = self.varint()?;
                self.skip(bytes)?;
            }
            _ if depth >= DEPTH_MOST => return None,
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    count => u64::from(count),
                };
                self.elements(count, &[head & 0x0f], depth + 1)?;
            }
            11 => match self.varint()? {
                0 => {}
                count => {
                    let types = self.byte()?;
                    self.elements(count, &[types >> 4, types & 0x0f], depth + 1)?;
                }
            },
            12 => self.read(if depth == 0 { number } else { -1 }, depth + 1)?,
            _ => return None,
        }
        Some(None)
    }

    /// Reads the elements of a list, or the pairs of a map.
    fn elements(&mut self, count: u64, types: &[u8], depth: usize) -> Option<()> {
        for _ in 0..count {
            for value_type in types {
                match value_type {
                    // Here a truth value is a byte.
                    1 | 2 => self.skip(1)?,
                    other => {
                        self.value(*other, -1, depth)?;
                    }
                }
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.left.split_first()?;
        self.left = rest;
        Some(*first)
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        self.left = self.left.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A whole number, of which the last bit is its sign.
    fn number(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of data in the first version, with statistics behind what is needed.
    const HEADER: &[u8] = &[
        0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0xc8, 0x01, 0x2c, 0x15, 0x06, 0x15, 0x0e, 0x15, 0x06, 0x15, 0x06,
        0x1c, 0x18, 0x03, b'a', b'b', b'c', 0x26, 0x04, 0x11, 0x19, 0x28, 0x01, b'x', 0x01, b'y', 0x00, 0x00,
        0x00,
    ];

    fn read(bytes: &[u8]) -> Option<(PageHeader, usize)> {
        let mut fields = Fields { left: bytes, header: PageHeader::default() };
        fields.read(0, 0)?;
        Some((fields.header, bytes.len() - fields.left.len()))
    }

    #[test]
    fn a_header_is_read_to_its_end_and_none_that_breaks_off() {
        let expected = PageHeader {
            page_type: Some(0),
            size: Some(300),
            stored: Some(100),
            encoding: Some(DELTA_BYTE_ARRAY),
        };
        assert_eq!(read(HEADER), Some((expected, HEADER.len())));
        assert_eq!(read(&[HEADER, b"the page"].concat()), Some((expected, HEADER.len())));
        for length in 0..HEADER.len() {
            assert_eq!(read(&HEADER[..length]), None, "{length}");
        }
        // Lists within lists to no end, a type that there is not, and a text that is longer than anything.
        for wrong in [vec![0x19; 100_000], vec![0x1d, 0x00], vec![0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]] {
            assert_eq!(read(&wrong), None);
        }
    }
}
