//! The arguments and the environment of a program that is about to start, out of its caller's memory.
//!
//! Takes addresses, gives the texts joined as the kernel will lay them out: each with a NUL behind it. It
//! decides nothing, and what it reads may change a moment later (`verify` looks again).

use std::ffi::CStr;
use std::io;

use crate::sys::peek;

/// How many texts a vector may have.
const MOST_TEXTS: usize = 1 << 18;
/// How long all texts may be together; execve(2) takes at most 6 MiB.
const MOST_BYTES: usize = 8 << 20;
/// Texts that stand no further apart are read in one piece.
const NEAR: u64 = 512;
/// How much is read of a text at first, within its page: most are shorter.
const USUAL: u64 = 512;
/// How much may be read in one piece.
const MOST_PIECE: u64 = 1 << 20;
/// The longest path (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;
/// How many pieces one call reads (`IOV_MAX`).
const MOST_PIECES: usize = 1024;
/// The smallest page of any machine: memory is there or not there by pages.
const PAGE: u64 = 4096;

/// Texts as the kernel lays them out in a new program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The texts, each with a NUL behind it.
    pub bytes: Vec<u8>,
    /// How many there are.
    pub count: usize,
}

impl Texts {
    /// Adds one.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
        self.count = self.count.saturating_add(1);
    }

    /// What stands before and behind the first text that begins like this; all and nothing where none does.
    #[must_use]
    pub fn around(&self, start: &[u8]) -> (&[u8], &[u8]) {
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..) {
            let end = until_nul(rest).map_or(self.bytes.len(), |text| at + text.len() + 1);
            if rest.starts_with(start) {
                let before = self.bytes.get(..at).unwrap_or_default();
                return (before, self.bytes.get(end..).unwrap_or_default());
            }
            if end >= self.bytes.len() {
                break;
            }
            at = end;
        }
        (&self.bytes, &[])
    }

    /// The texts, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split(|&byte| byte == 0).take(self.count)
    }
}

/// What an exec is called with, before its texts are read.
#[derive(Debug)]
pub struct Call {
    /// The path.
    pub path: Vec<u8>,
    process: i32,
    argv: Vec<u64>,
    envp: Vec<u64>,
}

impl Call {
    /// The path, and where the arguments and the environment stand, behind three addresses.
    ///
    /// # Errors
    ///
    /// EFAULT where there is no memory, EPERM where it may not be read, `FileTooLarge` where there is more
    /// than a program can be given.
    pub fn of(process: i32, path: u64, argv: u64, envp: u64, pointer: usize) -> io::Result<Self> {
        // Most of what is asked for stands in these pieces, which one call reads; each ends with its page.
        let sizes = [(path, 256), (argv, 256), (envp, 768)];
        let parts = sizes.map(|(address, most): (u64, u64)| {
            let length = if address == 0 {
                0
            } else {
                most.min(PAGE - address % PAGE)
            };
            (address, usize::try_from(length).unwrap_or_default())
        });
        let mut buffer = [0u8; 1280];
        let whole: usize = parts.iter().map(|(_, length)| length).sum();
        let room = buffer.get_mut(..whole).unwrap_or_default();
        if peek::read_parts(process, &parts, room)? != whole {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        let mut rest = buffer.get(..whole).unwrap_or_default();
        let mut next = |length: usize| {
            let (part, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            part
        };
        let [first, second, third] = parts.map(|(_, length)| next(length));
        Ok(Self {
            path: match until_nul(first) {
                Some(path) => path.to_vec(),
                None => peek::string(process, path, LONGEST_PATH)?,
            },
            process,
            argv: addresses(process, argv, second, pointer)?,
            envp: addresses(process, envp, third, pointer)?,
        })
    }

    /// The arguments and the environment.
    ///
    /// # Errors
    ///
    /// As [`Self::of`].
    pub fn texts(&self) -> io::Result<(Texts, Texts)> {
        let all = self.argv.iter().chain(&self.envp).copied().collect();
        let pieces = Pieces::around(self.process, all)?;
        Ok((
            pieces.texts(self.process, &self.argv)?,
            pieces.texts(self.process, &self.envp)?,
        ))
    }
}

/// A text without the NUL at its end; none where there is no NUL.
fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    CStr::from_bytes_until_nul(bytes).ok().map(CStr::to_bytes)
}

/// The addresses in a vector, up to the null at its end, where the beginning has been read. A vector at
/// null is empty (execve(2), NOTES).
fn addresses(process: i32, vector: u64, begin: &[u8], pointer: usize) -> io::Result<Vec<u64>> {
    let mut found = Vec::with_capacity(64);
    if vector == 0 {
        return Ok(found);
    }
    let mut buffer = Vec::new();
    let mut left = begin.to_vec();
    let mut at = vector + begin.len() as u64;
    while found.len() < MOST_TEXTS {
        let whole = left.len() / pointer * pointer;
        for place in left.drain(..whole).as_slice().chunks_exact(pointer) {
            let address = place
                .iter()
                .rev()
                .fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
            if address == 0 {
                return Ok(found);
            }
            found.push(address);
        }
        let length = usize::try_from(PAGE - at % PAGE).map_err(io::Error::other)?;
        buffer.resize(length, 0);
        let part = buffer.as_mut_slice();
        let read = peek::read(process, at, part)?;
        if read == 0 {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        at += read as u64;
        left.extend_from_slice(part.get(..read).unwrap_or_default());
    }
    Err(io::ErrorKind::FileTooLarge.into())
}

/// Memory around texts, read at once.
struct Pieces {
    /// Where each begins, sorted, and where it stands in the bytes.
    starts: Vec<(u64, usize, usize)>,
    bytes: Vec<u8>,
}

impl Pieces {
    fn around(process: i32, mut addresses: Vec<u64>) -> io::Result<Self> {
        addresses.sort_unstable();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for address in addresses {
            let end = (address / PAGE + 1) * PAGE;
            let end = end.min(address + USUAL);
            match ranges.last_mut() {
                Some((start, last))
                    if address <= last.saturating_add(NEAR) && end - *start <= MOST_PIECE =>
                {
                    *last = end.max(*last);
                }
                _ => ranges.push((address, end)),
            }
        }
        ranges.truncate(MOST_PIECES);
        let mut total = 0usize;
        let mut parts = Vec::with_capacity(ranges.len());
        let mut starts = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            let length = usize::try_from(end - start).map_err(io::Error::other)?;
            if total + length > MOST_BYTES {
                break;
            }
            starts.push((start, total, length));
            parts.push((start, length));
            total += length;
        }
        let mut bytes = vec![0; total];
        let read = if parts.is_empty() {
            0
        } else {
            peek::read_parts(process, &parts, &mut bytes)?
        };
        bytes.truncate(read);
        Ok(Self { starts, bytes })
    }

    /// What was read from an address on.
    fn from(&self, address: u64) -> &[u8] {
        let after = self.starts.partition_point(|(start, ..)| *start <= address);
        let Some((start, place, length)) = after.checked_sub(1).and_then(|at| self.starts.get(at))
        else {
            return &[];
        };
        let skip = usize::try_from(address - start).unwrap_or(usize::MAX);
        let from = place.saturating_add(skip);
        let to = place.saturating_add(*length).min(self.bytes.len());
        self.bytes.get(from..to).unwrap_or_default()
    }

    fn texts(&self, process: i32, addresses: &[u64]) -> io::Result<Texts> {
        let mut texts = Texts {
            bytes: Vec::with_capacity(self.bytes.len()),
            count: 0,
        };
        for &address in addresses {
            let near = self.from(address);
            match until_nul(near) {
                Some(text) => texts.push(text),
                None => texts.push(&peek::string(process, address, MOST_BYTES)?),
            }
            if texts.bytes.len() > MOST_BYTES {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    /// Reads vectors of this very process.
    fn read_own(argv: &[CString], envp: &[CString]) -> (Texts, Texts) {
        let pointers = |texts: &[CString]| {
            let all = texts.iter().map(|text| text.as_ptr().addr() as u64);
            all.chain([0]).collect::<Vec<u64>>()
        };
        let (one, other) = (pointers(argv), pointers(envp));
        let own = std::process::id().cast_signed();
        let path = c"/bin/x";
        let call = Call::of(
            own,
            path.as_ptr().addr() as u64,
            one.as_ptr().addr() as u64,
            other.as_ptr().addr() as u64,
            8,
        )
        .unwrap();
        assert_eq!(call.path, b"/bin/x");
        call.texts().unwrap()
    }

    fn texts(words: &[&str]) -> Vec<CString> {
        words
            .iter()
            .map(|word| CString::new(*word).unwrap())
            .collect()
    }

    #[test]
    fn texts_come_as_the_kernel_lays_them_out() {
        let long = "x".repeat(20_000);
        let (argv, envp) = read_own(&texts(&["rm", "", "-rf", &long]), &texts(&["A=1", "A=2"]));
        assert_eq!(argv.count, 4);
        assert_eq!(argv.bytes, format!("rm\0\0-rf\0{long}\0").into_bytes());
        assert_eq!(envp.iter().collect::<Vec<_>>(), [b"A=1", b"A=2"]);
    }

    #[test]
    fn many_texts_far_apart_are_read() {
        let words: Vec<String> = (0..5_000)
            .map(|n| format!("{n}-{}", "y".repeat(n % 700)))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (argv, envp) = read_own(&texts(&words), &[]);
        let expected: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        assert_eq!(argv.iter().collect::<Vec<_>>(), expected);
        assert_eq!(envp, Texts::default());
    }

    #[test]
    fn a_vector_at_null_is_empty_and_one_at_nothing_is_an_error() {
        let own = std::process::id().cast_signed();
        let path = c"/bin/x".as_ptr().addr() as u64;
        let call = Call::of(own, path, 0, 0, 8).unwrap();
        assert_eq!(call.texts().unwrap(), Default::default());
        assert!(Call::of(own, path, 8, 0, 8).is_err());
    }
}
