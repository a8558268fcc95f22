//! Attaching to a task for the length of one exec (ptrace(2)).

use std::io;

use nix::errno::Errno;

/// What happened to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new program stands before its first instruction; `former` is the number that the task had.
    Exec {
        /// The number of the task that called execve.
        former: i32,
    },
    /// It stopped without a signal that it has to get.
    Stop,
    /// It stopped before it gets this signal.
    Signal(i32),
    /// It has ended.
    Gone,
}

/// The request, whose type differs between C libraries.
#[cfg(target_env = "musl")]
type Request = libc::c_int;
#[cfg(not(target_env = "musl"))]
type Request = libc::c_uint;

fn ptrace(request: Request, task: i32, data: usize) -> io::Result<()> {
    #[expect(
        unsafe_code,
        reason = "nix has no form of it for what is not its child"
    )]
    // SAFETY: the requests of this file take a number as data, but for GETEVENTMSG, whose caller gives
    // the address of room for a number.
    let status = unsafe { libc::ptrace(request, task, std::ptr::null_mut::<u8>(), data) };
    if status == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Attaches to a task without stopping it: it stops at its next exec, and dies with this process.
///
/// # Errors
///
/// EPERM where it is traced already or may not be traced, ESRCH where it is gone.
pub fn seize(task: i32) -> io::Result<()> {
    let options = libc::PTRACE_O_TRACEEXEC | libc::PTRACE_O_EXITKILL;
    ptrace(
        libc::PTRACE_SEIZE as Request,
        task,
        usize::try_from(options).unwrap_or_default(),
    )
}

/// Whether the call is there at all: of a task that cannot be, it is said that it is not.
#[must_use]
pub fn is_there() -> bool {
    seize(-1).is_err_and(|error| error.raw_os_error() == Some(libc::ESRCH))
}

/// Makes an attached task stop when it next could.
///
/// # Errors
///
/// ESRCH where it is gone.
pub fn interrupt(task: i32) -> io::Result<()> {
    ptrace(libc::PTRACE_INTERRUPT as Request, task, 0)
}

/// Lets a stopped task go, with a signal or none.
///
/// # Errors
///
/// ESRCH where it is gone or not stopped.
pub fn detach(task: i32, signal: i32) -> io::Result<()> {
    ptrace(
        libc::PTRACE_DETACH as Request,
        task,
        usize::try_from(signal).unwrap_or_default(),
    )
}

/// Lets a task that stands at its exec go on to where its first instruction would be, and stop there.
///
/// # Errors
///
/// ESRCH where it is gone or not stopped.
pub fn on_to_first_instruction(task: i32) -> io::Result<()> {
    interrupt(task)?;
    ptrace(libc::PTRACE_CONT as Request, task, 0)
}

/// Has a task that stands before an instruction of its own leave at once: it executes `exit_group(status)` in place of
/// that, at the address of an instruction that calls the kernel.
///
/// # Errors
///
/// Where its registers cannot be set; it still stands then.
pub fn leave(task: i32, call: u64, status: u64) -> io::Result<()> {
    let mut registers = registers(task).ok_or(io::ErrorKind::Unsupported)?;
    #[cfg(target_arch = "x86_64")]
    // struct user_regs_struct: rax, rdi, orig_rax, rip.
    let set = [
        (10, libc::SYS_exit_group.cast_unsigned()),
        (14, status),
        (15, u64::MAX),
        (16, call),
    ];
    #[cfg(target_arch = "aarch64")]
    // struct user_pt_regs: x0, x8, pc.
    let set = [
        (0, status),
        (8, libc::SYS_exit_group.cast_unsigned()),
        (32, call),
    ];
    for (place, value) in set {
        *registers.get_mut(place).ok_or(io::ErrorKind::Unsupported)? = value;
    }
    let mut room = libc::iovec {
        iov_base: registers.as_mut_ptr().cast(),
        iov_len: size_of_val(&registers),
    };
    #[expect(unsafe_code, reason = "nix has no form of it for this")]
    // SAFETY: the kernel reads as much as the room has.
    let done = unsafe {
        libc::ptrace(
            libc::PTRACE_SETREGSET as Request,
            task,
            STATUS,
            &raw mut room,
        )
    };
    if done == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The number that a task had before the exec at which it stands.
fn former(task: i32) -> io::Result<i32> {
    let mut message: libc::c_ulong = 0;
    let place = &raw mut message;
    ptrace(libc::PTRACE_GETEVENTMSG as Request, task, place.addr())?;
    i32::try_from(message).map_err(io::Error::other)
}

/// A status of a child or an attached task, as the kernel gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The process or task.
    pub id: i32,
    /// As waitpid(2) gives it.
    pub raw: i32,
}

/// Takes the next status of any child or attached task; none where there is none at the moment.
#[must_use]
pub fn next_status() -> Option<Status> {
    loop {
        let mut raw = 0;
        let flags = libc::__WALL | libc::WNOHANG | libc::WUNTRACED;
        #[expect(
            unsafe_code,
            reason = "nix cannot tell statuses that it has no name for"
        )]
        // SAFETY: the kernel writes one number.
        let id = unsafe { libc::waitpid(-1, &raw mut raw, flags) };
        if id > 0 {
            return Some(Status { id, raw });
        }
        if id == 0 || Errno::last() != Errno::EINTR {
            return None;
        }
    }
}

impl Status {
    /// What it tells of an attached task. `only` is the task that calls execve, where there is but one.
    #[must_use]
    pub fn event(self, only: Option<i32>) -> Event {
        if !libc::WIFSTOPPED(self.raw) {
            return Event::Gone;
        }
        match self.raw >> 16 {
            0 => Event::Signal(libc::WSTOPSIG(self.raw)),
            libc::PTRACE_EVENT_EXEC => Event::Exec {
                former: only.unwrap_or_else(|| former(self.id).unwrap_or(self.id)),
            },
            _ => Event::Stop,
        }
    }
}

/// How many registers a program of 64 bits has.
const WHOLE: usize = if cfg!(target_arch = "x86_64") { 27 } else { 34 };
/// Which they are: NT_PRSTATUS of elf(5).
const STATUS: usize = 1;

/// The registers of a stopped task; none where they are not 64 bits wide.
fn registers(task: i32) -> Option<[u64; WHOLE]> {
    let mut registers = [0u64; WHOLE];
    let mut room = libc::iovec {
        iov_base: registers.as_mut_ptr().cast(),
        iov_len: size_of_val(&registers),
    };
    #[expect(unsafe_code, reason = "nix has no form of it for this")]
    // SAFETY: the kernel writes at most as much as the room has, and how much it was.
    let status = unsafe {
        libc::ptrace(
            libc::PTRACE_GETREGSET as Request,
            task,
            STATUS,
            &raw mut room,
        )
    };
    (status == 0 && room.iov_len == size_of_val(&registers)).then_some(registers)
}

/// The stack pointer of a stopped task, which at an exec is where the first words of the program stand;
/// none where its words are not 64 bits wide.
#[must_use]
pub fn first_words(task: i32) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    const PLACE: usize = 19; // struct user_regs_struct, `rsp`
    #[cfg(target_arch = "aarch64")]
    const PLACE: usize = 31; // struct user_pt_regs, `sp`
    registers(task)?.get(PLACE).copied()
}
