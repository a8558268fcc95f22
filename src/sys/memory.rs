//! Memory for a program that mostly lives for less than a millisecond before it becomes another one.
//!
//! A mapping and a page that is met for the first time cost more than what a line computes. So the first
//! memory is handed out from one piece, without a call of the system and close together, and nothing of it
//! is taken back but what was handed out last. What goes beyond it comes from the system.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much is handed out before the system is asked.
const SIZE: usize = 256 << 10;

/// The largest alignment of the piece itself.
const PAGE: usize = 4096;

/// The allocator of the binary.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Memory {
    piece: UnsafeCell<[u8; SIZE]>,
    next: AtomicUsize,
}

#[expect(unsafe_code, reason = "an allocator is shared by all threads")]
// SAFETY: bytes of the piece are handed out once, by an atomic exchange of `next`, and are only written
// by those who hold them.
unsafe impl Sync for Memory {}

impl Memory {
    /// An allocator that has handed out nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            piece: UnsafeCell::new([0; SIZE]),
            next: AtomicUsize::new(0),
        }
    }

    /// Takes a part of the piece; none where there is not enough left.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        if layout.align() > PAGE {
            return None;
        }
        let mut next = self.next.load(Ordering::Relaxed);
        loop {
            let start = next.checked_next_multiple_of(layout.align())?;
            let end = start.checked_add(layout.size())?;
            if end > SIZE {
                return None;
            }
            match self
                .next
                .compare_exchange_weak(next, end, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Some(self.piece.get().cast::<u8>().wrapping_add(start)),
                Err(other) => next = other,
            }
        }
    }

    /// The place of a part in the piece; none where it came from the system.
    fn place(&self, part: *mut u8) -> Option<usize> {
        let place = part.addr().checked_sub(self.piece.get().addr())?;
        (place < SIZE).then_some(place)
    }

    /// Moves the end of the part that was handed out last; false where it is another one, or where
    /// there is not enough left.
    fn resize_last(&self, place: usize, old: usize, new: usize) -> bool {
        let (Some(end), Some(wanted)) = (place.checked_add(old), place.checked_add(new)) else {
            return false;
        };
        wanted <= SIZE
            && self
                .next
                .compare_exchange(end, wanted, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
// SAFETY: parts of the piece do not overlap, are aligned as asked because the piece is aligned to a page,
// and live as long as the program; all others are the system's. Nothing here panics.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(part) => part,
            // SAFETY: the caller gives a layout that is not empty.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, part: *mut u8, layout: Layout) {
        match self.place(part) {
            Some(place) => {
                let _ = self.resize_last(place, layout.size(), 0);
            }
            // SAFETY: it is not of the piece, so the system handed it out with this layout.
            None => unsafe { System.dealloc(part, layout) },
        }
    }

    unsafe fn realloc(&self, part: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(place) = self.place(part) else {
            // SAFETY: it is not of the piece, so the system handed it out with this layout.
            return unsafe { System.realloc(part, layout, size) };
        };
        if self.resize_last(place, layout.size(), size) {
            return part;
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return null_mut();
        };
        // SAFETY: the caller gives a size that is not zero.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both are at least this long, and a new part overlaps no other.
            unsafe { moved.copy_from_nonoverlapping(part, layout.size().min(size)) };
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn parts_are_aligned_and_do_not_overlap() {
        let memory = Memory::new();
        let first = memory.take(layout(3, 1)).unwrap();
        let second = memory.take(layout(64, 64)).unwrap();
        let third = memory.take(layout(1, 1)).unwrap();
        assert!(second.addr().is_multiple_of(64));
        assert!(first.addr() + 3 <= second.addr() && second.addr() + 64 <= third.addr());
    }

    #[test]
    fn only_the_last_part_changes_its_size_in_place() {
        let memory = Memory::new();
        let first = memory.place(memory.take(layout(8, 8)).unwrap()).unwrap();
        assert!(memory.resize_last(first, 8, 16));
        let second = memory.place(memory.take(layout(8, 8)).unwrap()).unwrap();
        assert_eq!(second, 16);
        assert!(!memory.resize_last(first, 16, 32));
        assert!(!memory.resize_last(second, 8, SIZE));
        assert!(memory.resize_last(second, 8, 0));
    }

    #[test]
    fn when_it_is_used_up_there_is_none() {
        let memory = Memory::new();
        assert!(memory.take(layout(SIZE, 1)).is_some());
        assert!(memory.take(layout(1, 1)).is_none());
        assert!(Memory::new().take(layout(1, PAGE * 2)).is_none());
        assert!(Memory::new().take(layout(SIZE + 1, 1)).is_none());
    }
}
