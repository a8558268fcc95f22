//! Terminals: modes to the last bit, window, control, and a child process to converse on one.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::unistd::{ForkResult, Pid};

/// The modes of a terminal, every bit of them. nix keeps only the flags that it has names for, which
/// is too few to put a terminal back as it was.
#[derive(Clone)]
pub struct Modes(libc::termios);

impl PartialEq for Modes {
    fn eq(&self, other: &Self) -> bool {
        // The speeds are in the control flags (CBAUD).
        let parts = |modes: &libc::termios| {
            let flags = [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag];
            (flags, modes.c_line, modes.c_cc)
        };
        parts(&self.0) == parts(&other.0)
    }
}

impl Modes {
    /// Reads them; see tcgetattr(3).
    ///
    /// # Errors
    ///
    /// What tcgetattr reports, ENOTTY where it is no terminal.
    pub fn of(terminal: BorrowedFd<'_>) -> io::Result<Self> {
        let mut modes = MaybeUninit::uninit();
        #[expect(unsafe_code, reason = "modes that are exact")]
        // SAFETY: the descriptor is open, and the pointer is to room for one termios.
        let status = unsafe { libc::tcgetattr(terminal.as_raw_fd(), modes.as_mut_ptr()) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        #[expect(unsafe_code, reason = "modes that are exact")]
        // SAFETY: tcgetattr succeeded, so it has written the whole structure.
        let modes = unsafe { modes.assume_init() };
        Ok(Self(modes))
    }

    /// Sets them at once, without waiting for output that may never be read.
    ///
    /// # Errors
    ///
    /// What tcsetattr reports.
    pub fn set(&self, terminal: BorrowedFd<'_>) -> io::Result<()> {
        #[expect(unsafe_code, reason = "modes that are exact")]
        // SAFETY: the descriptor is open and the structure is whole.
        let status = unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &self.0) };
        if status == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Whether it gives whole lines to who reads it, as a shell's commands have it; full-screen programs take keys.
    #[must_use]
    pub fn gives_lines(&self) -> bool {
        self.0.c_lflag & libc::ICANON != 0
    }

    /// The same for a conversation: keys arrive one by one, are not shown and send no signal; output
    /// is processed as on any terminal.
    #[must_use]
    pub fn conversation(&self) -> Self {
        let mut modes = self.0;
        modes.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ECHONL | libc::ISIG | libc::IEXTEN);
        modes.c_iflag &= !(libc::IXON | libc::INLCR | libc::IGNCR | libc::ISTRIP | libc::PARMRK);
        modes.c_iflag |= libc::ICRNL;
        modes.c_oflag |= libc::OPOST | libc::ONLCR;
        for (place, value) in [(libc::VMIN, 1), (libc::VTIME, 0)] {
            if let Some(character) = modes.c_cc.get_mut(place) {
                *character = value;
            }
        }
        Self(modes)
    }

    /// The same with everything passed through as it is, in both directions.
    #[must_use]
    pub fn transparent(&self) -> Self {
        let mut modes = self.conversation().0;
        modes.c_iflag &= !libc::ICRNL;
        modes.c_oflag &= !libc::OPOST;
        Self(modes)
    }
}

/// The rows and columns of a terminal, where it knows them.
#[must_use]
pub fn size(terminal: BorrowedFd<'_>) -> Option<(u16, u16)> {
    let window = window(terminal).ok()?;
    (window.rows > 0 && window.columns > 0).then_some((window.rows, window.columns))
}

/// A terminal's window: rows and columns, and pixels where they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many rows there are.
    pub rows: u16,
    /// How many columns there are.
    pub columns: u16,
    /// Its width and height in pixels; 0 where they are not known.
    pub pixels: (u16, u16),
}

/// The window of a terminal as it is, which may be without any size.
///
/// # Errors
///
/// What the terminal reports.
pub fn window(terminal: BorrowedFd<'_>) -> io::Result<Window> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    #[expect(unsafe_code, reason = "nix has no safe call for it")]
    // SAFETY: the descriptor is open and TIOCGWINSZ (ioctl_tty(2)) writes one winsize.
    let status = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Window {
        rows: size.ws_row,
        columns: size.ws_col,
        pixels: (size.ws_xpixel, size.ws_ypixel),
    })
}

/// Changes the window of a terminal. Where that is a change, the group in front gets SIGWINCH.
///
/// # Errors
///
/// What the terminal reports.
pub fn set_window(terminal: BorrowedFd<'_>, window: Window) -> io::Result<()> {
    let size = libc::winsize {
        ws_row: window.rows,
        ws_col: window.columns,
        ws_xpixel: window.pixels.0,
        ws_ypixel: window.pixels.1,
    };
    #[expect(unsafe_code, reason = "nix has no safe call for it")]
    // SAFETY: the descriptor is open and TIOCSWINSZ (ioctl_tty(2)) reads one winsize.
    let status = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Makes a terminal the controlling one of this process, which must lead a session without one.
///
/// # Errors
///
/// What TIOCSCTTY (ioctl_tty(2)) reports.
pub fn control(terminal: BorrowedFd<'_>) -> io::Result<()> {
    #[expect(unsafe_code, reason = "nix has no safe call for it")]
    // SAFETY: the descriptor is open, and the argument is a number: do not take it from others.
    let status = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Runs `work` in a child process, which ends with what it returns.
///
/// # Errors
///
/// Where this process has several threads (their locks would stay taken in the child for ever), or
/// what fork(2) reports.
pub fn in_child(work: impl FnOnce() -> i32) -> io::Result<Pid> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("several threads run"));
    }
    #[expect(unsafe_code, reason = "fork")]
    // SAFETY: there is one thread, so the child is a whole process and may do what the parent may.
    let forked = unsafe { nix::unistd::fork() }?;
    match forked {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            // Nothing of the parent may go on in the child: no message, no destructor.
            std::panic::set_hook(Box::new(|_| {}));
            let status = catch_unwind(AssertUnwindSafe(work)).unwrap_or(1);
            #[expect(unsafe_code, reason = "leaves no way back into the parent's code")]
            // SAFETY: _exit takes no pointer and does not return.
            unsafe {
                libc::_exit(status)
            }
        }
    }
}
