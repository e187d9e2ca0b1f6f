//! Bundles of entries: each entry behind its length, two bytes, the higher one first.

/// The most bytes of an entry.
pub const ENTRY_BYTES_MOST: usize = u16::MAX as usize;

/// Adds an entry to a bundle.
///
/// # Errors
/// [`BundleError::Long`].
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len()).map_err(|_| BundleError::Long { bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle of `width` entries.
///
/// # Errors
/// [`BundleError`] where it ends in an entry, or has fewer or more.
pub fn entries(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let (mut found, mut rest) = (Vec::with_capacity(width.into()), bundle);
    while !rest.is_empty() {
        let cut = BundleError::Cut { after: found.len() };
        let (length, behind) = rest.split_first_chunk::<2>().ok_or(cut)?;
        let (entry, behind) = behind.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(cut)?;
        found.push(entry);
        rest = behind;
    }
    if found.len() == usize::from(width) {
        Ok(found)
    } else {
        Err(BundleError::Width { width, found: found.len() })
    }
}

/// Why bytes are no bundle, or an entry goes into none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The entry is too long.
    #[error("an entry of {bytes} bytes is longer than {ENTRY_BYTES_MOST}")]
    Long {
        /// Its length.
        bytes: usize,
    },
    /// It ends within an entry.
    #[error("the bundle ends within its entry {after}, which counts from 0")]
    Cut {
        /// How many whole entries there are.
        after: usize,
    },
    /// It has another number of entries.
    #[error("the bundle has {found} entries instead of {width}")]
    Width {
        /// How many it should have.
        width: u16,
        /// How many it has.
        found: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_read_as_it_was_written() {
        let long = vec![7; ENTRY_BYTES_MOST];
        let mut bundle = Vec::new();
        for entry in [&b"one"[..], b"", &long] {
            append_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(bundle[..7], [0, 3, b'o', b'n', b'e', 0, 0]);
        assert_eq!(entries(&bundle, 3), Ok(vec![&b"one"[..], b"", &long]));
        assert_eq!(entries(&bundle, 2), Err(BundleError::Width { width: 2, found: 3 }));
        assert_eq!(entries(&bundle, 4), Err(BundleError::Width { width: 4, found: 3 }));
        for cut in [1, 2, 4, 6, 8, 100, bundle.len() - 1] {
            let error = entries(&bundle[..cut], 3).unwrap_err();
            assert!(matches!(error, BundleError::Cut { .. }), "{cut}: {error}");
        }
        let too_long = vec![0; ENTRY_BYTES_MOST + 1];
        assert_eq!(append_entry(&mut bundle, &too_long), Err(BundleError::Long { bytes: 65_536 }));
    }
}
