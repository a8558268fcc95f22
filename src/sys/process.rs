//! Becoming another program.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::ForkResult;

/// Replaces this program, with the environment as it was inherited, byte for byte. Returns only where
/// that failed.
///
/// Signal dispositions, mask, descriptors and all else stay as they are: the standard library's
/// `exec` would reset SIGPIPE and the mask.
pub fn become_program(path: &CStr, arguments: &[CString]) -> io::Error {
    match nix::unistd::execv(path, arguments) {
        Ok(never) => match never {},
        Err(errno) => io::Error::from(errno),
    }
}

/// As [`become_program`], with another environment.
pub fn become_program_with(
    path: &CStr,
    arguments: &[CString],
    environment: &[CString],
) -> io::Error {
    match nix::unistd::execve(path, arguments, environment) {
        Ok(never) => match never {},
        Err(errno) => io::Error::from(errno),
    }
}

/// Whether this process has another effective user or group than its real one.
#[must_use]
pub fn runs_for_another() -> bool {
    use nix::unistd::{getegid, geteuid, getgid, getuid};
    getuid() != geteuid() || getgid() != getegid()
}

/// Makes standard input empty.
///
/// # Errors
///
/// Where `/dev/null` cannot be opened.
pub fn empty_input() -> io::Result<()> {
    let empty = std::fs::File::open("/dev/null")?;
    nix::unistd::dup2_stdin(empty)?;
    Ok(())
}

/// The path that execve(2) was given to start this program (getauxval(3), `AT_EXECFN`).
#[must_use]
pub fn started_from() -> Option<&'static CStr> {
    #[expect(unsafe_code, reason = "nothing offers the auxiliary vector safely")]
    // SAFETY: getauxval only looks a number up.
    let address = unsafe { libc::getauxval(libc::AT_EXECFN) };
    if address == 0 {
        return None;
    }
    #[expect(unsafe_code, reason = "the kernel gives an address")]
    // SAFETY: the kernel put a string that ends in NUL there, on the stack above `main`, where it stays.
    let path = unsafe { CStr::from_ptr(address as *const libc::c_char) };
    Some(path)
}

/// Which of the two processes this is after [`fork_beside`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The process that was there before.
    This,
    /// The new one, which is no child of it.
    Beside,
}

/// Makes a process that is not a child of this one, so that the program that this one becomes does not
/// wait for it. It shares session, process group and descriptors.
///
/// # Errors
///
/// That of fork(2).
pub fn fork_beside() -> io::Result<Side> {
    let ForkResult::Parent { child } = fork()? else {
        return match fork() {
            Ok(ForkResult::Child) => Ok(Side::Beside),
            Ok(ForkResult::Parent { .. }) => leave(0),
            Err(_) => leave(1),
        };
    };
    loop {
        match waitpid(child, None) {
            Err(Errno::EINTR) => {}
            // Where children are reaped by the kernel because SIGCHLD is ignored, there is no status.
            Err(Errno::ECHILD) | Ok(WaitStatus::Exited(_, 0)) => return Ok(Side::This),
            Err(errno) => return Err(errno.into()),
            Ok(_) => return Err(io::Error::other("no process could be made")),
        }
    }
}

fn fork() -> io::Result<ForkResult> {
    #[expect(unsafe_code, reason = "nothing offers fork safely")]
    // SAFETY: this program has one thread when it forks, so no lock is held and the heap is whole.
    let forked = unsafe { nix::unistd::fork() };
    Ok(forked?)
}

/// Waits for the end of a child that is not told by a signal; gives its exit status (wait(2), `__WALL`).
///
/// # Errors
///
/// ECHILD where there is none; where it was killed.
pub fn reap(child: i32) -> io::Result<i32> {
    loop {
        let mut status = 0;
        #[expect(unsafe_code, reason = "nix has no such flag everywhere")]
        // SAFETY: the kernel writes one number.
        let ended = unsafe { libc::waitpid(child, &raw mut status, libc::__WALL) };
        if ended == child && libc::WIFEXITED(status) {
            return Ok(libc::WEXITSTATUS(status));
        }
        if ended == child {
            return Err(io::Error::other("a child was killed"));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Ends this process without running what the standard library does at the end.
pub fn leave(status: i32) -> ! {
    #[expect(unsafe_code, reason = "nothing offers _exit safely")]
    // SAFETY: _exit takes no pointer and does not return.
    unsafe {
        libc::_exit(status)
    }
}

/// A descriptor that becomes readable when this process ends, whatever program it has become.
///
/// # Errors
///
/// That of pidfd_open(2).
pub fn watch_this() -> io::Result<OwnedFd> {
    watch(std::process::id().cast_signed())
}

/// A descriptor that becomes readable when a process ends.
///
/// # Errors
///
/// That of pidfd_open(2).
pub fn watch(process: i32) -> io::Result<OwnedFd> {
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: pidfd_open takes a process id and flags, and no pointer.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    new_descriptor(number)
}

/// A descriptor of another process, as one of this one (pidfd_getfd(2)).
///
/// # Errors
///
/// EPERM where the process may not be traced, EBADF where it has no such descriptor.
pub fn descriptor_of(process: i32, number: i32) -> io::Result<OwnedFd> {
    let watched = watch(process)?;
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: pidfd_getfd takes numbers only.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_getfd, watched.as_raw_fd(), number, 0) };
    new_descriptor(number)
}

/// How many machine words a set of processors has here: 1024 processors.
const PROCESSORS: usize = 16;
type Processors = [u64; PROCESSORS];

/// The processors that this process had before [`stay_here`], the first 64 first; none where it had stayed nowhere.
static BEFORE: [AtomicU64; PROCESSORS] = [const { AtomicU64::new(0) }; PROCESSORS];

/// Keeps this thread on the processor that it runs on now. Who hands work back and forth with others there
/// needs no other processor to be woken, which on an idle machine costs more than the work.
///
/// Nothing is allocated, and where it cannot be had nothing changes.
pub fn stay_here() {
    if let Some(here) = this_processor()
        && several_processors()
    {
        use_processors(0, &here);
    }
}

/// A task that is kept on one processor.
#[derive(Debug)]
pub struct Kept {
    /// The task.
    pub task: i32,
    before: Processors,
}

/// Keeps another task on the processor that this thread runs on now; none where it may not run there, or nowhere
/// else.
pub fn keep_here(task: i32) -> Option<Kept> {
    let here = this_processor()?;
    let before = processors_of(task)?;
    let is_one_of_several = before.iter().map(|part| part.count_ones()).sum::<u32>() > 1
        && before.iter().zip(&here).any(|(may, here)| may & here != 0);
    (is_one_of_several && use_processors(task, &here)).then_some(Kept { task, before })
}

impl Kept {
    /// Lets it run where it might before. `task` is the number that it has now.
    pub fn free(self, task: i32) {
        use_processors(task, &self.before);
    }
}

/// The processor that this thread runs on.
fn this_processor() -> Option<Processors> {
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: the call takes nothing.
    let here = unsafe { libc::sched_getcpu() };
    let here = usize::try_from(here).ok()?;
    let mut set = [0u64; PROCESSORS];
    *set.get_mut(here / 64)? = 1 << (here % 64);
    Some(set)
}

/// The processors that a task may run on; 0 is this thread.
fn processors_of(task: i32) -> Option<Processors> {
    let mut set = [0u64; PROCESSORS];
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: the kernel writes no more bytes than the set has.
    let read = unsafe {
        libc::syscall(
            libc::SYS_sched_getaffinity,
            task,
            size_of_val(&set),
            set.as_mut_ptr(),
        )
    };
    (read > 0).then_some(set)
}

/// Whether there is more than one processor to run on. They are noted once, before this thread first stays on one.
fn several_processors() -> bool {
    let noted = || BEFORE.iter().map(|part| part.load(Ordering::Relaxed));
    if noted().all(|part| part == 0) {
        let Some(before) = processors_of(0) else {
            return false;
        };
        for (kept, part) in BEFORE.iter().zip(before) {
            kept.store(part, Ordering::Relaxed);
        }
    }
    noted().map(u64::count_ones).sum::<u32>() > 1
}

/// Lets this thread, and what it starts, run on all processors that it had before [`stay_here`].
pub fn go_anywhere() {
    if several_processors() {
        use_processors(
            0,
            &BEFORE.each_ref().map(|part| part.load(Ordering::Relaxed)),
        );
    }
}

/// Has a task run on these processors only; whether it does.
fn use_processors(task: i32, set: &Processors) -> bool {
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: the kernel reads as many bytes as the set has.
    let status = unsafe {
        libc::syscall(
            libc::SYS_sched_setaffinity,
            task,
            size_of_val(set),
            set.as_ptr(),
        )
    };
    status == 0
}

/// Takes what a call gave that makes a descriptor.
pub(super) fn new_descriptor(number: libc::c_long) -> io::Result<OwnedFd> {
    let number = i32::try_from(number).map_err(io::Error::other)?;
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "a number from the kernel")]
    // SAFETY: the kernel has just made this descriptor, so nothing else owns it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    Ok(descriptor)
}

/// Makes this process one that only its work is left in: no descriptors but `kept`, no directory, no
/// signal that reaches it, and nobody of the same user may look into it or trace it (`PR_SET_DUMPABLE`).
///
/// # Errors
///
/// Where `/dev/null` cannot be opened.
pub fn become_supervisor(kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    SigSet::all().thread_set_mask()?;
    let usual = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    #[expect(unsafe_code, reason = "sigaction can install a function")]
    // SAFETY: the default is installed, no function.
    unsafe { nix::sys::signal::sigaction(Signal::SIGCHLD, &usual) }?;
    keep_only(kept)?;
    become_unseen()
}

/// Lets nobody of the same user look into this process or trace it (`PR_SET_DUMPABLE`), and keeps no
/// directory busy.
///
/// # Errors
///
/// What chdir(2) reports.
pub fn become_unseen() -> io::Result<()> {
    std::env::set_current_dir("/")?;
    super::limits::raise_descriptors();
    set_seen(0);
    Ok(())
}

/// Lets others of the same user look into this process and trace it again (`PR_SET_DUMPABLE`).
pub fn become_seen() {
    set_seen(1);
}

/// Nobody of the same user may look into this process or trace it (`PR_SET_DUMPABLE`). Dropping it makes that
/// as it was before.
pub struct Unseen {
    before: libc::c_int,
}

impl Unseen {
    /// From here on.
    #[must_use]
    pub fn meanwhile() -> Self {
        #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
        // SAFETY: this call takes numbers only.
        let before = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) };
        set_seen(0);
        Self { before }
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // Another value, which the kernel may set by itself, cannot be set.
        set_seen(libc::c_int::from(self.before == 1));
    }
}

fn set_seen(seen: libc::c_int) {
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: this call takes numbers only.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, seen, 0, 0, 0);
    }
}

/// Closes everything but the given descriptors, and puts `/dev/null` in the place of the standard ones,
/// so that nobody waits for the ends of what others hold. For a process that does nothing else any more.
///
/// # Errors
///
/// Where `/dev/null` cannot be opened.
pub fn keep_only(kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let null = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    nix::unistd::dup2_stderr(&null)?;
    drop(null);
    close_others(kept.iter().map(AsRawFd::as_raw_fd));
    Ok(())
}

/// Closes everything but the standard streams and the given descriptors. For a process that does nothing
/// else any more.
pub fn keep_standard_and(kept: &[BorrowedFd<'_>]) {
    close_others(kept.iter().map(AsRawFd::as_raw_fd));
}

/// Closes everything but standard input, standard error and the given descriptors, and puts
/// `/dev/null` on standard output, so that nobody waits for the ends of what others hold.
///
/// # Errors
///
/// Where `/dev/null` cannot be opened.
pub fn keep_input_and(kept: &[&OwnedFd]) -> io::Result<()> {
    let null = std::fs::File::options().write(true).open("/dev/null")?;
    nix::unistd::dup2_stdout(&null)?;
    drop(null);
    close_others(kept.iter().map(|one| one.as_raw_fd()));
    Ok(())
}

/// Closes all but the standard descriptors and those of the given numbers.
fn close_others(kept: impl Iterator<Item = RawFd>) {
    let mut numbers: Vec<u32> = kept.filter_map(|one| u32::try_from(one).ok()).collect();
    numbers.sort_unstable();
    let mut from = 3;
    for number in numbers {
        if number > from {
            close_range(from, number.saturating_sub(1));
        }
        from = from.max(number.saturating_add(1));
    }
    close_range(from, u32::MAX);
}

fn close_range(first: u32, last: u32) {
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: close_range takes numbers only; the callers own none of these descriptors.
    let status = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if status != 0 {
        close_one_by_one(first, last);
    }
}

/// The same where a filter does not know the call (Linux 5.9).
fn close_one_by_one(first: u32, last: u32) {
    let Ok(names) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers: Vec<u32> = names
        .filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for number in numbers {
        if (first..=last).contains(&number) {
            let _ = nix::unistd::close(number.cast_signed());
        }
    }
}
