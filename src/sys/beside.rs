//! A supervisor beside a process that becomes another program.
//!
//! The supervisor is made by clone(2) with the memory and the descriptors of this process, which costs no
//! copy of either. For the few calls until this process has become the program, both use one memory: this
//! process makes only the calls in [`Beside::become_program`], the supervisor waits on a number. From then
//! on memory and descriptors are the supervisor's alone.
//!
//! It is no child of this process: the program would not be told of its end by a signal, but those that wait
//! for whatever there is (`__WALL`, as strace does) would wait for it for ever. So it is made by a process in
//! between, which ends at once.

use std::ffi::{CStr, CString, c_void};
use std::io;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use super::filter::{self, Instruction, Listener};
use super::process::Unseen;

/// How much stack the supervisor has. Pages that are not touched are not made.
const STACK: usize = 1 << 20;
/// How much the process in between has.
const SMALL_STACK: usize = 64 << 10;
/// What the three processes share.
const SHARED: libc::c_int = libc::CLONE_VM | libc::CLONE_FILES;

/// The states of [`Shared::step`]. The kernel writes the last one when this process has left the memory
/// that both use, because it became the program or ended (`set_tid_address(2)`).
const WAITING: u32 = 2;
/// The listener is there. A state of its own, because who waits for a number to change misses a wake that
/// comes before it waits, and then only the number tells.
const READY: u32 = 3;
const FAILED: u32 = 1;
const GONE: u32 = 0;

/// What both processes look at.
struct Shared {
    step: AtomicU32,
    /// The supervisor's process, or what kept it from being made, negative.
    process: AtomicI32,
    /// The number of the listener; -1 where there is none yet.
    listener: AtomicI32,
}

/// What the supervisor is started with.
struct Start<'a> {
    shared: &'static Shared,
    /// The end of the supervisor's stack.
    top: *mut c_void,
    work: Option<Box<dyn FnOnce(Listener) -> i32 + 'a>>,
}

/// A supervisor that waits for this process to become a program.
pub struct Beside {
    shared: &'static Shared,
    /// The supervisor's process.
    pub process: i32,
    /// Until this process has a memory of its own: by the time the program runs, nobody may look into this one.
    _unseen: Unseen,
}

/// Makes a supervisor. `work` is called in it once this process has become a program under a filter, and
/// gives its exit status; where that does not happen, the supervisor ends without a word.
///
/// # Errors
///
/// Where there is no memory or no process to be had.
pub fn start<'a>(work: Box<dyn FnOnce(Listener) -> i32 + 'a>) -> io::Result<Beside> {
    let shared: &'static Shared = Box::leak(Box::new(Shared {
        step: AtomicU32::new(WAITING),
        process: AtomicI32::new(0),
        listener: AtomicI32::new(-1),
    }));
    let start: *mut Start<'a> = Box::into_raw(Box::new(Start {
        shared,
        top: stack(STACK)?.wrapping_byte_add(STACK),
        work: Some(work),
    }));
    let unseen = Unseen::meanwhile();
    let between = stack(SMALL_STACK)?.wrapping_byte_add(SMALL_STACK);
    // This process waits until the one in between has ended.
    let flags = SHARED | libc::CLONE_VFORK;
    #[expect(unsafe_code, reason = "clone without a copy")]
    // SAFETY: the stack is mapped for this alone, and what the function gets lives as long as the memory
    // does: this process makes no call that could free or move it before it leaves the memory.
    let between = unsafe { libc::clone(make, between, flags, start.cast::<c_void>()) };
    if between < 0 {
        return Err(io::Error::last_os_error());
    }
    super::process::reap(between)?;
    let process = shared.process.load(Ordering::Acquire);
    if process <= 0 {
        return Err(io::Error::from_raw_os_error(process.wrapping_neg()));
    }
    Ok(Beside {
        shared,
        process,
        _unseen: unseen,
    })
}

/// The one function of the process in between.
extern "C" fn make(start: *mut c_void) -> libc::c_int {
    #[expect(unsafe_code, reason = "what clone hands on")]
    // SAFETY: the pointer is the one that `start` made, and whoever made it waits.
    let (shared, top) = unsafe {
        let start = &*start.cast::<Start<'_>>();
        (start.shared, start.top)
    };
    #[expect(unsafe_code, reason = "clone without a copy")]
    // SAFETY: as in `start`.
    let process = unsafe { libc::clone(supervise, top, SHARED, start) };
    let process = if process < 0 {
        -nix::errno::Errno::last_raw()
    } else {
        process
    };
    shared.process.store(process, Ordering::Release);
    super::process::leave(0)
}

/// Maps memory for a stack.
fn stack(size: usize) -> io::Result<*mut c_void> {
    #[expect(unsafe_code, reason = "memory that is never given back")]
    // SAFETY: a new mapping touches nothing that is there.
    let place = unsafe {
        libc::mmap(
            null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if place == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(place)
}

/// The supervisor's first function.
extern "C" fn supervise(start: *mut c_void) -> libc::c_int {
    #[expect(unsafe_code, reason = "what clone hands on")]
    // SAFETY: the pointer is the one that `start` made, and nobody else uses it.
    let start = unsafe { &mut *start.cast::<Start<'_>>() };
    let shared = start.shared;
    // A group of its own before anything else: what ends the shell's group is not for the supervisor.
    #[expect(unsafe_code, reason = "nothing may touch memory here")]
    // SAFETY: the call takes numbers.
    unsafe {
        libc::setpgid(0, 0);
    }
    super::process::stay_here();
    while shared.step.load(Ordering::Acquire) == WAITING {
        wait(&shared.step, WAITING);
    }
    let number = shared.listener.load(Ordering::Acquire);
    if number < 0 {
        super::process::leave(0);
    }
    // The first exec is the shell that was cleared, called by this program's own code.
    let listener = Listener::of_number(number);
    listener.wake_in_step();
    let let_go = listener
        .next()
        .and_then(|first| listener.reply(first.id, filter::Reply::Continue));
    while let_go.is_ok() && shared.step.load(Ordering::Acquire) == READY {
        wait(&shared.step, READY);
    }
    if shared.step.load(Ordering::Acquire) != GONE {
        super::process::leave(0);
    }
    // From here on memory and descriptors are this process's own, and it runs wherever its callers do.
    super::process::go_anywhere();
    match start.work.take() {
        Some(work) => super::process::leave(work(listener)),
        None => super::process::leave(0),
    }
}

/// Waits while a number stays as it is (futex(2)).
fn wait(place: &AtomicU32, value: u32) {
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the place lives, and no time limit is given.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            place.as_ptr(),
            libc::FUTEX_WAIT,
            value,
            null::<libc::timespec>(),
        );
    }
}

/// Wakes who waits for a number.
fn wake(place: &AtomicU32) {
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: the place lives.
    unsafe {
        libc::syscall(libc::SYS_futex, place.as_ptr(), libc::FUTEX_WAKE, 1);
    }
}

impl Beside {
    /// Becomes a program under a filter whose notifications the supervisor takes. Returns only where
    /// that failed; the supervisor has ended then.
    ///
    /// Nothing here may use memory that the supervisor uses: it waits, and the vectors are made before.
    pub fn become_program(
        self,
        filter: &[Instruction],
        may_gain: bool,
        path: &CStr,
        arguments: &[CString],
        environment: Option<&[CString]>,
    ) -> Failure {
        let arguments = pointers(arguments);
        let environment = environment.map(pointers);
        let environment = match &environment {
            Some(entries) => entries.as_ptr(),
            None => super::environment::vector(),
        };
        let number = match filter::install_here(filter, may_gain) {
            Ok(number) => number,
            Err(error) => {
                self.give_up();
                return Failure::Filter(error);
            }
        };
        let place = self.shared.step.as_ptr();
        #[expect(unsafe_code, reason = "a call without a safe form")]
        // SAFETY: the place lives as long as the memory does; the kernel writes GONE to it and wakes the
        // supervisor when this process has left it.
        unsafe {
            libc::syscall(libc::SYS_set_tid_address, place);
        }
        self.shared.listener.store(number, Ordering::Release);
        self.shared.step.store(READY, Ordering::Release);
        wake(&self.shared.step);
        #[expect(unsafe_code, reason = "nix would make the vectors here")]
        // SAFETY: both vectors are of strings that end in NUL, and end in null.
        unsafe {
            libc::execve(path.as_ptr(), arguments.as_ptr(), environment);
        }
        let error = io::Error::last_os_error();
        self.give_up();
        Failure::Program(error)
    }

    /// Tells the supervisor that there will be nothing to do. It ends by itself, and touches nothing but
    /// memory that is never given back.
    pub fn give_up(&self) {
        self.shared.step.store(FAILED, Ordering::Release);
        wake(&self.shared.step);
    }
}

/// Why this process did not become a program.
#[derive(Debug)]
pub enum Failure {
    /// The filter was refused. Nothing has changed.
    Filter(io::Error),
    /// The program cannot be started. The filter stays, so that nothing else can be started either.
    Program(io::Error),
}

/// A vector as execve(2) takes it.
fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts
        .iter()
        .map(|text| text.as_ptr())
        .chain([null()])
        .collect()
}
