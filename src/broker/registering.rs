//! The end of who registers the terminal of their session, and of who wants to know which are registered.

use std::io;

use super::Error;
use super::line::Line;
use super::message::{Reply, Said};
use super::place::Place;
pub use super::registry::{Known, Registered, Unfit};

/// Registers the terminal of this session with the broker of this user, which is started where none runs or only one
/// of another version of kibosh; or takes that back. Whether it may be is what the broker sees of this process, and not
/// what this process says.
///
/// # Errors
///
/// Where there is no broker, or why it does not.
pub fn register(is_undo: bool) -> Result<Result<(), Unfit>, Error> {
    let say = |broker| Line::to_broker(broker).ask(&Said::Register { is_undo });
    let reply = if is_undo {
        match Place::here().and_then(|place| place.connect()) {
            Err(Error::Nobody) => return Ok(Ok(())),
            broker => say(broker?)?,
        }
    } else {
        let place = Place::make()?;
        match place.connect_or_start().and_then(say) {
            Err(error) if error.is_another_version() => {
                place.start(|| place.connect().and_then(say))?
            }
            reply => reply?,
        }
    };
    match reply {
        Reply::Done => Ok(Ok(())),
        Reply::Unfit(why) => Ok(Err(why)),
        _ => Err(Error::Broken),
    }
}

/// Which terminals are registered with the broker that runs; none where none runs, or none could.
///
/// # Errors
///
/// That it does not tell.
pub fn known() -> Result<Known, Error> {
    let broker = match Place::here().and_then(|place| place.connect()) {
        Err(Error::Nobody) => return Ok(Known::default()),
        Err(Error::Place(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Known::default());
        }
        broker => broker?,
    };
    match Line::to_broker(broker).ask(&Said::Registered)? {
        Reply::Registered(known) => Ok(known),
        _ => Err(Error::Broken),
    }
}
