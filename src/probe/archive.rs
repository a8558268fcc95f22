//! One file out of a zip archive.
//!
//! Takes the bytes of an archive and a name, gives the content. It reads only what every reader reads alike: an
//! archive in one part with nothing behind its directory, no name in it twice, nothing encrypted. All
//! else gives none, so that nobody can show one content here and another to the program that will read it.

use miniz_oxide::inflate::decompress_to_vec_with_limit;

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
const FILE: &[u8] = b"PK\x03\x04";
const FILE_LENGTH: usize = 30;

/// Flags of an entry that change nothing of its content: sizes behind it, names in UTF-8.
const HARMLESS: u16 = 0x0808;

/// How long a file in it may be, in bytes.
const MOST: usize = 32 << 20;

/// The content of the file of this name.
pub(super) fn entry(archive: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let end_at = archive.len().checked_sub(END_LENGTH)?;
    let end = archive.get(end_at..)?;
    let directory_at = size(end, 16)?;
    // One part, no comment, and the directory ends where its end begins.
    let is_plain = end.starts_with(END)
        && short(end, 4)? == 0
        && short(end, 6)? == 0
        && short(end, 8)? == short(end, 10)?
        && short(end, 20)? == 0
        && directory_at.checked_add(size(end, 12)?)? == end_at;
    if !is_plain {
        return None;
    }
    let mut rest = archive.get(directory_at..end_at)?;
    let mut found = None;
    let mut names: Vec<&[u8]> = Vec::new();
    for _ in 0..short(end, 10)? {
        let head = rest.get(..ENTRY_LENGTH)?;
        let name_length = usize::from(short(head, 28)?);
        let behind = usize::from(short(head, 30)?) + usize::from(short(head, 32)?);
        let named = rest.get(ENTRY_LENGTH..ENTRY_LENGTH + name_length)?;
        if !head.starts_with(ENTRY) || names.contains(&named) {
            return None;
        }
        names.push(named);
        if named == name {
            found = Some(head);
        }
        rest = rest.get(ENTRY_LENGTH + name_length + behind..)?;
    }
    let head = found.filter(|_| rest.is_empty())?;
    content(archive.get(..directory_at)?, head)
}

fn content(files: &[u8], head: &[u8]) -> Option<Vec<u8>> {
    let (packed, length) = (size(head, 20)?, size(head, 24)?);
    let file = files.get(size(head, 42)?..)?;
    if short(head, 8)? & !HARMLESS != 0 || !file.starts_with(FILE) || length > MOST {
        return None;
    }
    let skipped = usize::from(short(file, 26)?) + usize::from(short(file, 28)?);
    let data = file.get(FILE_LENGTH + skipped..)?.get(..packed)?;
    let content = match short(head, 10)? {
        0 => data.to_vec(),
        8 => decompress_to_vec_with_limit(data, length).ok()?,
        _ => return None,
    };
    (content.len() == length).then_some(content)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

/// A size or a place; none where it stands somewhere else because it is larger than its field (zip64).
fn size(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?;
    let size = u32::from_le_bytes(bytes.try_into().ok()?);
    (size != u32::MAX).then(|| usize::try_from(size).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive with files as they are.
    pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut directory = Vec::new();
        let long = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let word = |length: usize| u16::try_from(length).unwrap().to_le_bytes();
        for (name, content) in files {
            let sizes = [long(content.len()), long(content.len())].concat();
            directory.extend([ENTRY, &[0; 16], &sizes, &word(name.len()), &[0; 12]].concat());
            directory.extend([&long(out.len())[..], name.as_bytes()].concat());
            out.extend([FILE, &[0; 14], &sizes, &word(name.len()), &[0; 2]].concat());
            out.extend([name.as_bytes(), content].concat());
        }
        let end = [&word(files.len())[..], &word(files.len())].concat();
        let place = [long(directory.len()), long(out.len())].concat();
        [
            out,
            directory,
            [END, &[0; 4], &end, &place, &[0; 2]].concat(),
        ]
        .concat()
    }

    #[test]
    fn a_file_is_found_by_its_name() {
        let files: &[(&str, &[u8])] = &[("a", b"one"), ("b", b"two")];
        let found = archive(files);
        assert_eq!(entry(&found, b"b"), Some(b"two".to_vec()));
        assert_eq!(entry(&found, b"c"), None);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let twice: &[(&str, &[u8])] = &[("a", b"one"), ("a", b"two")];
        assert_eq!(entry(&archive(twice), b"a"), None);
        let plain = archive(&[("a", b"one")]);
        let before = [b"#!/bin/sh\n".to_vec(), plain.clone()].concat();
        let behind = [plain.clone(), b"x".to_vec()].concat();
        for broken in [before, behind] {
            assert_eq!(entry(&broken, b"a"), None);
        }
        for length in 0..plain.len() {
            assert_eq!(entry(plain.get(..length).unwrap(), b"a"), None);
        }
        // Each byte of what describes the file; times, checksums and rights are not looked at.
        let directory_at = plain.len() - END_LENGTH - ENTRY_LENGTH - 1;
        for at in [0, 8, 10, 20, 24, 28, 30, 32, 42] {
            let mut broken = plain.clone();
            *broken.get_mut(directory_at + at).unwrap() ^= 1;
            assert_eq!(entry(&broken, b"a"), None, "byte {at}");
        }
    }
}
