//! From a file's bytes to a document.

use crate::{Diagnostic, DiagnosticCode, Document, TextPlace};

/// The most bytes of a document: a thousand grants are half of it.
const BYTES_MOST: usize = 1 << 20;
/// The most bytes of a list beside a policy: its lines have a bound of their own.
const LIST_BYTES_MOST: usize = 8 << 20;

impl Document {
    /// A document out of a file's bytes: UTF-8, and not larger than a document of its kind may be.
    pub fn decoded(file: &str, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        let empty = || TextPlace::of_file(file);
        let most = Self::bytes_most(file);
        if bytes.len() > most {
            return Err(Self::too_large(file, most));
        }
        let wide = match bytes.as_slice() {
            // Without its mark: three of four bytes of ASCII are 0.
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => {
                Some("UTF-32")
            }
            // Every second one.
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Some("UTF-16"),
            _ => None,
        };
        if let Some(name) = wide {
            let message = format!("the file is {name}, and not UTF-8");
            let words = (message, "save it as UTF-8, without a byte order mark");
            return Err(Diagnostic::error(DiagnosticCode::NotUtf8, empty(), words));
        }
        String::from_utf8(bytes).map(|text| Self::new(file, text)).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let found = error.as_bytes().get(good).copied().unwrap_or_default();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let place = Self::new(file, text).place(good..good + '\u{fffd}'.len_utf8());
            let message = format!("the byte 0x{found:02x} is no UTF-8");
            let help = "save the file as UTF-8: a letter with an accent was written in another encoding";
            Diagnostic::error(DiagnosticCode::NotUtf8, place, (message, help))
        })
    }

    /// A file that is larger than a document may be.
    pub fn too_large(file: &str, most: usize) -> Diagnostic {
        let message = format!("the file has more than {} MiB", most >> 20);
        let help = "put long lists of codes into files of their own beside the policy";
        Diagnostic::error(DiagnosticCode::TooLarge, TextPlace::of_file(file), (message, help))
    }

    /// The most bytes of a file of this name.
    pub fn bytes_most(file: &str) -> usize {
        if file.ends_with(".csv") { LIST_BYTES_MOST } else { BYTES_MOST }
    }
}
