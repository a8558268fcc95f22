//! Memory for a program that mostly lives for less than a millisecond before it becomes another one.
//!
//! A mapping and a page that is met for the first time cost more than what a line computes. So the first
//! memory is handed out from one piece, without a call of the system and close together. What goes beyond it
//! comes from the system, small parts many at a time.
//!
//! A supervisor lives longer, and asks for the same few sizes again and again, for which the system's
//! allocator would map memory anew each time. So small parts that are given back are kept for the next who
//! asks for as much. Between two judgements other programs have the caches of the processor: so the part after the one
//! that is handed out is fetched meanwhile. They are kept by each thread for itself, so that nobody waits for anybody; this program has one,
//! and of two processes that use one memory ([`beside`](super::beside)) only one asks for any at a time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much is handed out before the system is asked.
const SIZE: usize = 256 << 10;

/// The largest alignment of the piece itself.
const PAGE: usize = 4096;

/// Parts are kept by powers of two, from 16 bytes to 256 KiB.
const SMALLEST: u32 = 4;
const LARGEST: u32 = 18;
/// Up to this class parts are taken from blocks.
const SMALL: u32 = 12;
/// How much a block holds.
const BLOCK: usize = 128 << 10;
const CLASSES: usize = (LARGEST - SMALLEST + 1) as usize;

thread_local! {
    /// Parts that this thread has given back, by their class; each begins with the address of the next one.
    static KEPT: [Cell<*mut u8>; CLASSES] = const { [const { Cell::new(null_mut()) }; CLASSES] };
    /// Where the rest of the last block begins, and how much that is.
    static REST: Cell<(*mut u8, usize)> = const { Cell::new((null_mut(), 0)) };
}

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

    /// Keeps a part for the next who asks for as much; false where such parts are not kept.
    fn keep(&self, part: *mut u8, layout: Layout) -> bool {
        // One of the piece is as long as it was asked for, one of the system was rounded up.
        let class = match self.place(part) {
            Some(_) => layout.size().checked_ilog2(),
            None => class_of(layout),
        };
        let Some(class) = class else { return false };
        if !(SMALLEST..=LARGEST).contains(&class) || !part.addr().is_multiple_of(16) {
            return false;
        }
        let keep = |first: &Cell<*mut u8>| {
            #[expect(unsafe_code, reason = "parts are linked through themselves")]
            // SAFETY: the part is at least 16 bytes long, aligned to 16, and nobody else's any more.
            unsafe {
                part.cast::<*mut u8>().write(first.get());
            }
            first.set(part);
        };
        first_of(class, keep).is_some()
    }

    /// A part that was kept and is long enough; none where there is none.
    fn kept(layout: Layout) -> Option<*mut u8> {
        let hand_out = |first: &Cell<*mut u8>| {
            let part = first.get();
            if part.is_null() {
                return None;
            }
            #[expect(unsafe_code, reason = "parts are linked through themselves")]
            // SAFETY: a part that is kept begins with the address of the next one.
            let next = unsafe { part.cast::<*mut u8>().read() };
            first.set(next);
            fetch(next);
            Some(part)
        };
        first_of(class_of(layout)?, hand_out).flatten()
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
            && self.next.load(Ordering::Relaxed) == end
            && self
                .next
                .compare_exchange(end, wanted, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// Works on the first of the kept parts of a class. There is none in a thread that ends.
fn first_of<T>(class: u32, work: impl FnOnce(&Cell<*mut u8>) -> T) -> Option<T> {
    let place = class.checked_sub(SMALLEST)? as usize;
    KEPT.try_with(|kept| kept.get(place).map(work)).ok()?
}

/// Has the processor fetch what is at an address, which need not be a valid one.
fn fetch(part: *const u8) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "instructions of one kind of processor")]
    // SAFETY: a prefetch reads nothing that the program sees, and faults at no address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(part.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = part;
}

/// The class whose parts are all long enough; none for what is not kept.
fn class_of(layout: Layout) -> Option<u32> {
    let class = layout
        .size()
        .checked_next_power_of_two()?
        .ilog2()
        .max(SMALLEST);
    (class <= LARGEST && layout.align() <= 16).then_some(class)
}

/// What the system is asked for in place of a layout, so that a part is worth as much when it comes back.
fn rounded(layout: Layout) -> Layout {
    let size = class_of(layout).map_or(layout.size(), |class| 1 << class);
    let align = layout.align().max(16);
    Layout::from_size_align(size, align).unwrap_or(layout)
}

/// Whether what is asked for so, and is not of the piece, is of a block.
fn is_of_a_block(layout: Layout) -> bool {
    class_of(layout).is_some_and(|class| class <= SMALL)
}

/// A small part of a block; none for what is larger, or where there are no more blocks. It is always kept when it is given
/// back, so the system gets none of it.
fn of_a_block(layout: Layout) -> Option<*mut u8> {
    if !is_of_a_block(layout) {
        return None;
    }
    let size = 1 << class_of(layout)?;
    let take = |rest: &Cell<(*mut u8, usize)>| {
        let (mut begin, mut left) = rest.get();
        if left < size {
            let block = Layout::from_size_align(BLOCK, PAGE).ok()?;
            #[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
            // SAFETY: the layout is not empty.
            let new = unsafe { System.alloc(block) };
            if new.is_null() {
                return None;
            }
            (begin, left) = (new, BLOCK);
        }
        rest.set((begin.wrapping_add(size), left - size));
        Some(begin)
    };
    REST.try_with(take).ok()?
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
// SAFETY: parts of the piece do not overlap, are aligned as asked because the piece is aligned to a page,
// and live as long as the program; all others are the system's. A part that was given back is handed out
// once more, to one who asks for no more than it holds. Nothing here panics.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(part) = Self::kept(layout).or_else(|| self.take(layout)) {
            return part;
        }
        if let Some(part) = of_a_block(layout) {
            return part;
        }
        // SAFETY: the caller gives a layout that is not empty, and it only becomes larger.
        unsafe { System.alloc(rounded(layout)) }
    }

    unsafe fn dealloc(&self, part: *mut u8, layout: Layout) {
        let is_last = self
            .place(part)
            .is_some_and(|place| self.resize_last(place, layout.size(), 0));
        let is_ours = || self.place(part).is_some() || is_of_a_block(layout);
        if is_last || self.keep(part, layout) || is_ours() {
            return;
        }
        // SAFETY: it is not of the piece nor of a block, so the system handed it out with this layout.
        unsafe { System.dealloc(part, rounded(layout)) }
    }

    unsafe fn realloc(&self, part: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return null_mut();
        };
        match self.place(part) {
            Some(place) if self.resize_last(place, layout.size(), size) => return part,
            // What is too large to be kept is the system's own, and may grow where it is.
            None if class_of(layout).is_none() && class_of(wanted).is_none() => {
                // SAFETY: the system handed it out with this layout.
                return unsafe { System.realloc(part, rounded(layout), size) };
            }
            // It is as long as its class.
            None if class_of(layout) == class_of(wanted) => return part,
            Some(_) | None => {}
        }
        // SAFETY: the caller gives a size that is not zero.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both are at least this long, and a new part overlaps no other.
            unsafe { moved.copy_from_nonoverlapping(part, layout.size().min(size)) };
            // SAFETY: it was handed out with this layout, and is not used any more.
            unsafe { self.dealloc(part, layout) };
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
    fn what_is_given_back_is_handed_out_again_to_who_asks_for_no_more() {
        let memory = Memory::new();
        let part = memory.take(layout(100, 16)).unwrap();
        memory.take(layout(1, 1)).unwrap();
        assert!(memory.keep(part, layout(100, 16)));
        assert_eq!(Memory::kept(layout(65, 8)), None);
        assert_eq!(Memory::kept(layout(64, 8)), Some(part));
        assert_eq!(Memory::kept(layout(64, 8)), None);
        assert!(!memory.keep(part, layout(8, 8)));
        assert!(!memory.keep(part.wrapping_add(8), layout(64, 8)));
        assert_eq!(Memory::kept(layout(1 << 20, 8)), None);
    }

    #[test]
    #[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
    fn what_the_system_gave_grows_within_its_class_where_it_is() {
        let memory = Memory::new();
        memory.take(layout(SIZE, 1)).unwrap();
        let [small, large, next] = [65, 128, 129].map(|size| layout(size, 8));
        // SAFETY: no layout is empty.
        let part = unsafe { memory.alloc(small) };
        // SAFETY: the layout is the one that the part has.
        let resized = |part, layout, size| unsafe { memory.realloc(part, layout, size) };
        assert_eq!(resized(part, small, large.size()), part);
        assert_ne!(resized(part, large, next.size()), part);
        assert_eq!(Memory::kept(large), Some(part));
    }

    #[test]
    fn small_parts_come_from_blocks_and_do_not_overlap() {
        let parts: Vec<(usize, usize)> = (0..2000)
            .map(|number| layout(1 + number % 4096, 1 << (number % 5)))
            .map(|layout| {
                let part = of_a_block(layout).unwrap();
                assert!(part.addr().is_multiple_of(16));
                (part.addr(), layout.size())
            })
            .collect();
        let mut sorted = parts.clone();
        sorted.sort_unstable();
        let follows = |pair: &[(usize, usize)]| pair[0].0 + pair[0].1 <= pair[1].0;
        assert!(sorted.windows(2).all(follows));
        // Behind one another, where a block does not end.
        let behind = parts
            .windows(2)
            .filter(|pair| pair[1].0.wrapping_sub(pair[0].0) <= 4096);
        assert!(behind.count() > 1900);
        assert_eq!(of_a_block(layout(4097, 8)), None);
        assert_eq!(of_a_block(layout(8, 32)), None);
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
