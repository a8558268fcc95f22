//! A refused shell that ends by itself, with a status, before its first instruction.
//!
//! Takes a task that stands at its exec, has it call exit_group(2). Many agents start a shell for each command, and give
//! their model what that wrote and its status; where the start fails they tell it of an error of their own, and
//! nothing of why.

use std::io;
use std::path::Path;

use crate::sys::{peek, trace};

/// The address of the kernel's own code for programs, in their auxiliary vector (getauxval(3)).
const AT_SYSINFO_EHDR: u64 = 33;
/// How much of that code is looked at, in bytes.
const MOST: usize = 16 << 10;

/// An instruction that calls the kernel.
#[cfg(target_arch = "x86_64")]
const CALL: &[u8] = &[0x0f, 0x05];
#[cfg(target_arch = "aarch64")]
const CALL: &[u8] = &[0x01, 0x00, 0x00, 0xd4];

/// Has a task that stands before its first instruction leave with a status; `folder` is its `/proc/TASK`.
///
/// # Errors
///
/// Where that cannot be done; it still stands then.
pub fn with(task: i32, folder: &Path, status: u8) -> io::Result<()> {
    let code = kernels_code(folder)?;
    let mut bytes = vec![0; MOST];
    let read = peek::read(task, code, &mut bytes)?;
    bytes.truncate(read);
    let step = if cfg!(target_arch = "x86_64") { 1 } else { 4 };
    let mut places = (0..bytes.len()).step_by(step);
    let place = places.find(|&at| bytes.get(at..).is_some_and(|rest| rest.starts_with(CALL)));
    let place = place.ok_or(io::ErrorKind::NotFound)?;
    trace::leave(task, code + place as u64, status.into())
}

/// Where the kernel's own code is in a program.
fn kernels_code(folder: &Path) -> io::Result<u64> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(folder.join("auxv"))?
        .take(4096)
        .read_to_end(&mut bytes)?;
    let word = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_ne_bytes);
    let mut pairs = bytes.chunks_exact(16).filter_map(|pair| {
        let (name, value) = pair.split_at(8);
        Some((word(name)?, word(value)?))
    });
    let found = pairs.find(|(name, _)| *name == AT_SYSINFO_EHDR);
    found
        .map(|(_, value)| value)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}
