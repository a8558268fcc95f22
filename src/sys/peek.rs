//! Reading the memory of another process (process_vm_readv(2)).

use std::io;

/// The page size that reads do not cross where they may not: the smallest one of any machine.
const PAGE: u64 = 4096;

/// Reads up to `buffer.len()` bytes at an address of another process; gives how many there were before
/// memory that is not there.
///
/// # Errors
///
/// EPERM where it may not be read, ESRCH where it is gone, EFAULT where nothing is there.
pub fn read(process: i32, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    read_parts(process, &[(address, buffer.len())], buffer)
}

/// Whether the call is there at all: nothing is read, of this process.
#[must_use]
pub fn is_there() -> bool {
    read_parts(std::process::id().cast_signed(), &[], &mut []).is_ok()
}

/// Reads several parts, one behind the other, into one buffer; stops before the first that is not
/// wholly there.
///
/// # Errors
///
/// As [`read`].
pub fn read_parts(process: i32, parts: &[(u64, usize)], buffer: &mut [u8]) -> io::Result<usize> {
    let local = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let remote: Vec<libc::iovec> = parts
        .iter()
        .map(|&(address, length)| libc::iovec {
            iov_base: std::ptr::without_provenance_mut(address as usize),
            iov_len: length,
        })
        .collect();
    let count = libc::c_ulong::try_from(remote.len()).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "nix takes no numbers for addresses")]
    // SAFETY: the kernel writes at most as much as the buffer holds, and only reads the other process.
    let read =
        unsafe { libc::process_vm_readv(process, &raw const local, 1, remote.as_ptr(), count, 0) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Reads a text that ends in NUL, without the NUL.
///
/// # Errors
///
/// As [`read`]; `FileTooLarge` where there is no NUL within `longest` bytes.
pub fn string(process: i32, address: u64, longest: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut at = address;
    let mut buffer = [0; PAGE as usize];
    loop {
        let to_page_end = usize::try_from(PAGE - at % PAGE).map_err(io::Error::other)?;
        let part = buffer.get_mut(..to_page_end).unwrap_or_default();
        let read = read(process, at, part)?;
        let part = part.get(..read).unwrap_or_default();
        if let Some(end) = part.iter().position(|&byte| byte == 0) {
            text.extend_from_slice(part.get(..end).unwrap_or_default());
            return Ok(text);
        }
        text.extend_from_slice(part);
        if text.len() > longest {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        at += read as u64;
        if read == 0 {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
    }
}
