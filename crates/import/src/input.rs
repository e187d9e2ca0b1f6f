//! A text file as a stream of UTF-8: counted, decompressed, decoded.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Chain, Cursor, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use encoding_rs::{Decoder, DecoderResult};
use flate2::read::MultiGzDecoder;

use crate::{Compression, Delimited, Encoding, ImportError, RowError, format::known, open::opened};

/// Bytes that are read at once.
const CHUNK: usize = 128 << 10;
/// Bytes at the start of a file by which its format is recognised.
const HEAD: usize = 512;

/// Opens a text file; `read` counts the bytes of the file as they are read.
pub(crate) fn open(
    path: &Path,
    delimited: &Delimited,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn Read + Send>, ImportError> {
    let failed = |cause| ImportError::File { file: path.to_owned(), cause };
    let file = ByteCounter { inner: opened(path)?, read: Arc::clone(read) };
    let (head, file) = peek(file).map_err(failed)?;
    if head.is_empty() {
        return Err(ImportError::Empty(path.to_owned()));
    }
    let not_as_said = |said: &str, is, instead: &str| ImportError::NotAsSaid {
        file: path.to_owned(),
        said: said.to_owned(),
        is,
        instead: instead.to_owned(),
    };
    let file = BufReader::with_capacity(CHUNK, file);
    let plain: Box<dyn Read + Send> = match (delimited.compression, known(&head)) {
        (Compression::Plain, _) => Box::new(file),
        (Compression::Gzip, Some(("gzip", _))) => Box::new(MultiGzDecoder::new(file)),
        (Compression::Zstd, Some(("zstd", _))) => Box::new(zstd::Decoder::with_buffer(file).map_err(failed)?),
        (compression, other) => {
            let (is, instead) =
                other.unwrap_or(("not compressed so", "give it the name that says what it is"));
            return Err(not_as_said(compression.word(), is, instead));
        }
    };
    let damaged = |cause| match delimited.compression {
        Compression::Plain => failed(cause),
        compression => RowError::Damaged { line: 1, compression: compression.word(), cause }.into(),
    };
    let (head, mut plain) = peek(plain).map_err(damaged)?;
    let (utf_8, utf_16) =
        (head.starts_with(b"\xef\xbb\xbf"), delimited.encoding.name().starts_with("UTF-16"));
    let said = format!("text in {}", delimited.encoding.name());
    // Each mark of UTF-16 is in the other order of bytes another character.
    let marked =
        encoding_rs::Encoding::for_bom(&head).is_some_and(|(found, _)| found == delimited.encoding.0);
    match known(&head) {
        Some(("text in UTF-16", _)) if utf_16 && marked => {}
        Some((is, instead)) => return Err(not_as_said(&said, is, instead)),
        None if utf_8 && delimited.encoding != Encoding::UTF_8 => {
            return Err(not_as_said(&said, "text in UTF-8", "leave --encoding out"));
        }
        None if head.contains(&0) && !utf_16 => {
            return Err(not_as_said(
                &said,
                "no such text",
                "say --encoding utf-16le if it is that, or export it as CSV",
            ));
        }
        None => {}
    }
    if utf_8 {
        plain.read_exact(&mut [0; 3]).map_err(damaged)?;
    }
    let decoder = delimited.encoding.0.new_decoder_with_bom_removal();
    if delimited.encoding == Encoding::UTF_8 {
        return Ok(Box::new(plain));
    }
    if delimited.encoding.0.is_single_byte() {
        return Ok(Box::new(Decoding::new(OtherThanUtf8::new(plain), decoder)));
    }
    Ok(Box::new(Decoding::new(plain, decoder)))
}

/// A stream whose first bytes were inspected.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// The first bytes of a stream, and the stream as it was.
fn peek<R: Read>(mut stream: R) -> io::Result<(Vec<u8>, Whole<R>)> {
    let mut head = Vec::new();
    stream.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(stream)))
}

struct ByteCounter {
    inner: File,
    read: Arc<AtomicU64>,
}

impl Read for ByteCounter {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Bytes that are not in the encoding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotEncoded;

impl fmt::Display for NotEncoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not in the encoding")
    }
}

impl std::error::Error for NotEncoded {}

/// Bytes of which all that are beyond ASCII are letters of UTF-8, where the caller says another encoding: its letters one behind
/// the other are hardly ever that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IsUtf8;

impl fmt::Display for IsUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in UTF-8")
    }
}

impl std::error::Error for IsUtf8 {}

/// A stream that fails at its end if it was UTF-8.
struct OtherThanUtf8<R> {
    inner: R,
    /// Whether it may be so far, and whether it held more than ASCII.
    is_utf_8: bool,
    is_beyond_ascii: bool,
    /// The first bytes of a letter whose last are not read yet.
    begun: Vec<u8>,
}

impl<R: Read> OtherThanUtf8<R> {
    fn new(inner: R) -> Self {
        Self { inner, is_utf_8: true, is_beyond_ascii: false, begun: Vec::new() }
    }

    fn pass(&mut self, bytes: &[u8]) {
        if self.begun.is_empty() && bytes.is_ascii() {
            return;
        }
        self.is_beyond_ascii = true;
        self.begun.extend_from_slice(bytes);
        let (good, is_wrong) = match std::str::from_utf8(&self.begun) {
            Ok(text) => (text.len(), false),
            Err(error) => (error.valid_up_to(), error.error_len().is_some()),
        };
        self.is_utf_8 = !is_wrong;
        self.begun.drain(..good);
    }
}

impl<R: Read> Read for OtherThanUtf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if self.is_utf_8 {
            if count == 0 && !buffer.is_empty() && self.is_beyond_ascii && self.begun.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, IsUtf8));
            }
            self.pass(buffer.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

/// The most bytes that a decoder needs room for before it writes one letter.
const LETTER: usize = 16;

/// Another encoding as UTF-8. Fails at the first wrong byte, after all that stands before it.
struct Decoding<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    at: usize,
    filled: usize,
    ended: bool,
    /// The decoder has taken the end, and must not be used again.
    finished: bool,
    wrong: bool,
    /// Letters for which the reader's buffer has no room.
    letters: [u8; LETTER],
    letters_at: usize,
    letters_filled: usize,
}

impl<R: Read> Decoding<R> {
    fn new(inner: R, decoder: Decoder) -> Self {
        Self {
            inner,
            decoder,
            raw: vec![0; CHUNK / 2],
            at: 0,
            filled: 0,
            ended: false,
            finished: false,
            wrong: false,
            letters: [0; LETTER],
            letters_at: 0,
            letters_filled: 0,
        }
    }

    /// Decodes what there is into a buffer of [`LETTER`] bytes at least, and returns how many it wrote: 0 at the end.
    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.wrong {
            if self.finished {
                return Ok(0);
            }
            if self.at == self.filled && !self.ended {
                self.filled = self.inner.read(&mut self.raw)?;
                self.at = 0;
                self.ended = self.filled == 0;
            }
            let input = self.raw.get(self.at..self.filled).unwrap_or_default();
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(input, buffer, self.ended);
            self.at += read;
            self.wrong = matches!(result, DecoderResult::Malformed(..));
            self.finished = self.ended && result == DecoderResult::InputEmpty;
            if written > 0 || self.finished {
                return Ok(written);
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, NotEncoded))
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.letters_at == self.letters_filled {
            if buffer.len() >= LETTER {
                return self.decode(buffer);
            }
            let mut letters = [0; LETTER];
            self.letters_filled = self.decode(&mut letters)?;
            (self.letters, self.letters_at) = (letters, 0);
        }
        let mut left = self.letters.get(self.letters_at..self.letters_filled).unwrap_or_default();
        let count = left.read(buffer)?;
        self.letters_at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that arrive in pieces of these sizes, again and again.
    struct Pieces<'a> {
        left: &'a [u8],
        sizes: Vec<usize>,
        next: usize,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes[self.next % self.sizes.len()].clamp(1, buffer.len());
            self.next += 1;
            let count = (&self.left[..size.min(self.left.len())]).read(buffer)?;
            self.left = &self.left[count..];
            Ok(count)
        }
    }

    /// What stands before the first wrong byte, and whether there is one, read with buffers of a size.
    fn decoded(
        bytes: &[u8],
        encoding: &'static encoding_rs::Encoding,
        sizes: Vec<usize>,
        buffer: usize,
    ) -> (Vec<u8>, bool) {
        let inner = Pieces { left: bytes, sizes, next: 0 };
        let mut decoding = Decoding::new(inner, encoding.new_decoder_with_bom_removal());
        let (mut text, mut buffer) = (Vec::new(), vec![0; buffer]);
        loop {
            match decoding.read(&mut buffer) {
                Ok(0) => {
                    // A stream that ended goes on being at its end.
                    assert_eq!(decoding.read(&mut buffer).unwrap(), 0);
                    return (text, false);
                }
                Ok(count) => text.extend_from_slice(&buffer[..count]),
                Err(error) => {
                    assert!(error.get_ref().is_some_and(|inner| inner.is::<NotEncoded>()), "{error}");
                    assert!(decoding.read(&mut buffer).is_err());
                    return (text, true);
                }
            }
        }
    }

    /// The same by the library's own reading of the whole.
    fn whole(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> (Vec<u8>, bool) {
        let mut decoder = encoding.new_decoder_with_bom_removal();
        let mut text = vec![0; 8 * bytes.len() + 64];
        let (result, _, written) = decoder.decode_to_utf8_without_replacement(bytes, &mut text, true);
        text.truncate(written);
        (text, result != DecoderResult::InputEmpty)
    }

    /// Every encoding that the web knows, by one label of each.
    fn encodings() -> Vec<&'static encoding_rs::Encoding> {
        let labels = [
            "utf-8",
            "ibm866",
            "iso-8859-2",
            "iso-8859-3",
            "iso-8859-4",
            "iso-8859-5",
            "iso-8859-6",
            "iso-8859-7",
            "iso-8859-8",
            "iso-8859-8-i",
            "iso-8859-10",
            "iso-8859-13",
            "iso-8859-14",
            "iso-8859-15",
            "iso-8859-16",
            "koi8-r",
            "koi8-u",
            "macintosh",
            "windows-874",
            "windows-1250",
            "windows-1251",
            "windows-1252",
            "windows-1253",
            "windows-1254",
            "windows-1255",
            "windows-1256",
            "windows-1257",
            "windows-1258",
            "x-mac-cyrillic",
            "gbk",
            "gb18030",
            "big5",
            "euc-jp",
            "iso-2022-jp",
            "shift_jis",
            "euc-kr",
            "utf-16be",
            "utf-16le",
            "x-user-defined",
        ];
        labels.map(|label| Encoding::named(label).unwrap_or_else(|| panic!("{label}")).0).to_vec()
    }

    /// A text in an encoding; letters that it has not become others.
    fn encoded(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
        match encoding.name() {
            "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            _ => encoding.encode(text).0.into_owned(),
        }
    }

    #[test]
    fn every_encoding_reads_the_same_however_its_bytes_arrive() {
        let text = "id,name\n1,C\u{f4}te \u{20ac}\n2,\u{65e5}\u{672c}\u{d55c}\u{1f600}\u{416}";
        for encoding in encodings() {
            for text in [text.to_owned(), format!("\u{feff}{text}"), format!("{text}\n"), String::new()] {
                let all = encoded(&text, encoding);
                // Whole, and cut short within a letter.
                for bytes in
                    [&all[..], &all[..all.len().saturating_sub(1)], &all[..all.len().saturating_sub(3)]]
                {
                    let expected = whole(bytes, encoding);
                    for split in 1..=bytes.len().max(1) {
                        for buffer in [1, 2, 3, 5, LETTER, 1_000] {
                            let found = decoded(bytes, encoding, vec![split, 1_000], buffer);
                            assert_eq!(found, expected, "{} split at {split}, {buffer}", encoding.name());
                        }
                    }
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_in_any_encoding(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80),
            sizes in proptest::collection::vec(1_usize..9, 1..5),
            buffer in 1_usize..40,
        ) {
            for encoding in encodings() {
                let found = decoded(&bytes, encoding, sizes.clone(), buffer);
                proptest::prop_assert_eq!(found, whole(&bytes, encoding), "{}", encoding.name());
            }
        }
    }
}
