//! A policy's files as one text, of which its digest is made.

use lango_document::Document;

/// The bytes of a policy that its digest is of: how many files there are, and each with its name and its text, both after their
/// lengths, in the order of the names. Numbers are of eight bytes, the highest first. Two sets of files have the same bytes only
/// if they have the same names and texts, however a text is cut into files. A name is the file's own: the folder is not in it.
pub fn canonical_bytes(documents: &[Document]) -> Vec<u8> {
    let mut files: Vec<(&str, &str)> =
        documents.iter().map(|document| (own_name(&document.file), &*document.text)).collect();
    files.sort_unstable();
    let mut bytes = length(files.len()).to_vec();
    for part in files.iter().flat_map(|(name, text)| [name, text]) {
        bytes.extend(length(part.len()));
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// The files that these bytes are of; nothing where they are not what [`canonical_bytes`] writes.
pub fn canonical_documents(bytes: &[u8]) -> Option<Vec<Document>> {
    fn number(bytes: &mut &[u8]) -> Option<usize> {
        let (number, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        usize::try_from(u64::from_be_bytes(*number)).ok()
    }
    fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
        let length = number(bytes)?;
        let (part, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        std::str::from_utf8(part).ok()
    }
    let mut rest = bytes;
    let mut documents = Vec::new();
    for _ in 0..number(&mut rest)? {
        documents.push(Document::new(part(&mut rest)?, part(&mut rest)?));
    }
    (canonical_bytes(&documents) == bytes).then_some(documents)
}

fn own_name(file: &str) -> &str {
    file.rsplit_once('/').map_or(file, |(_, name)| name)
}

fn length(length: usize) -> [u8; 8] {
    u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(files: &[(&str, &str)]) -> Vec<u8> {
        let documents: Vec<Document> = files.iter().map(|(name, text)| Document::new(*name, *text)).collect();
        canonical_bytes(&documents)
    }

    #[test]
    fn no_two_sets_of_files_have_the_same_bytes() {
        let one = bytes(&[("a.toml", "x\n"), ("b.toml", "y\n")]);
        for other in [
            &[("a.toml", "x\ny\n"), ("b.toml", "")][..],
            &[("a.toml", "x\ny\n")],
            &[("a.toml", "x\n"), ("c.toml", "y\n")],
            &[("a.tomlx", "\n"), ("b.toml", "y\n")],
            &[("a.toml", "y\n"), ("b.toml", "x\n")],
            &[],
        ] {
            assert_ne!(one, bytes(other), "{other:?}");
        }
    }

    #[test]
    fn the_files_are_read_back_from_their_bytes_and_from_no_others() {
        for files in [&[][..], &[("a.toml", "x\n")], &[("a.toml", ""), ("b.csv", "é")]] {
            let bytes = bytes(files);
            let found = canonical_documents(&bytes).unwrap();
            let found: Vec<(&str, &str)> = found.iter().map(|file| (&*file.file, &*file.text)).collect();
            assert_eq!(found, files);
            for end in 0..bytes.len() {
                assert!(canonical_documents(&bytes[..end]).is_none(), "{end}");
            }
            assert!(canonical_documents(&[&bytes[..], &[0]].concat()).is_none());
        }
        let unsorted = [bytes(&[("b", "y")]), bytes(&[("a", "x")])[8..].to_vec()].concat();
        let unsorted = [&[0, 0, 0, 0, 0, 0, 0, 2], &unsorted[8..]].concat();
        assert!(canonical_documents(&unsorted).is_none());
    }

    #[test]
    fn neither_the_folder_nor_the_order_counts() {
        let one = bytes(&[("a.toml", "x\n"), ("b.toml", "y\n")]);
        assert_eq!(one, bytes(&[("/etc/lango/policies/b.toml", "y\n"), ("policies/a.toml", "x\n")]));
        assert_eq!(
            bytes(&[("a", "b")]),
            [&[0, 0, 0, 0, 0, 0, 0, 1][..], &[0, 0, 0, 0, 0, 0, 0, 1], b"a", &[0, 0, 0, 0, 0, 0, 0, 1], b"b"]
                .concat()
        );
    }
}
