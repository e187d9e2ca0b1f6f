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

use crate::{Compression, Delimited, Encoding, ImportError, format::known};

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
    let file = ByteCounter { inner: File::open(path).map_err(failed)?, read: Arc::clone(read) };
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
        compression => ImportError::Damaged { line: 1, compression: compression.word(), cause },
    };
    let (head, mut plain) = peek(plain).map_err(damaged)?;
    let (utf_8, utf_16) =
        (head.starts_with(b"\xef\xbb\xbf"), delimited.encoding.name().starts_with("UTF-16"));
    let said = format!("text in {}", delimited.encoding.name());
    match known(&head) {
        Some(("text in UTF-16", _)) if utf_16 => {}
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
    if delimited.encoding == Encoding::UTF_8 {
        return Ok(Box::new(plain));
    }
    Ok(Box::new(Decoding::new(plain, delimited.encoding.0.new_decoder_with_bom_removal())))
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
        }
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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
