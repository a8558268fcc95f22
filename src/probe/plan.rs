//! A saved plan of terraform's or OpenTofu's: what it would do to which resource.
//!
//! Takes the bytes of the file, gives what it destroys, replaces and forgets. The file is a zip archive in which
//! `tfplan` is a message in the protocol buffer format (planfile.proto of both programs). A field or an action that is not known
//! here gives none: it may mean anything.

use super::archive;
use super::{Fate, Resource};

/// The version of the format.
const VERSION: u64 = 3;

/// What a plan would do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Resources that do not stay as they are.
    pub gone: Vec<Resource>,
}

/// Reads a plan.
pub(super) fn read(file: &[u8]) -> Option<Plan> {
    message(&archive::entry(file, b"tfplan")?)
}

/// Fields of a plan that say nothing of what happens to resources, or only where from it is known: variables,
/// outputs, targets, backend, versions, drift, checks, times.
const ABOUT: &[u64] = &[
    2, 4, 5, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 25, 26, 27, 28,
];

fn message(mut rest: &[u8]) -> Option<Plan> {
    let mut plan = Plan::default();
    let mut version = None;
    while !rest.is_empty() {
        match field(&mut rest)? {
            (1, Content::Number(number)) if version.is_none() => version = Some(number),
            (3, Content::Bytes(bytes)) => plan.gone.extend(change_of_resource(bytes)?),
            (number, _) if ABOUT.contains(&number) => {}
            _ => return None,
        }
    }
    (version == Some(VERSION)).then_some(plan)
}

/// What happens to one resource, where it does not stay: `Some(None)` where it does.
fn change_of_resource(mut rest: &[u8]) -> Option<Option<Resource>> {
    let mut address = None;
    let mut done = None;
    while !rest.is_empty() {
        match field(&mut rest)? {
            (9, Content::Bytes(bytes)) if done.is_none() => done = Some(action(bytes)?),
            (13, Content::Bytes(bytes)) if address.is_none() => {
                address = Some(String::from_utf8(bytes.to_vec()).ok()?);
            }
            // Its older address and object, provider, what the provider says, and reasons.
            (7 | 8 | 10 | 11 | 12 | 14, _) => {}
            _ => return None,
        }
    }
    let (address, fate) = (address?, fate(done?)?);
    Some(fate.map(|fate| Resource { address, fate }))
}

/// The number of the action in a change.
fn action(mut rest: &[u8]) -> Option<u64> {
    let mut action = None;
    while !rest.is_empty() {
        match field(&mut rest)? {
            (1, Content::Number(number)) if action.is_none() => action = Some(number),
            // Values, what in them is secret, an import, and identities.
            (2..=8, Content::Bytes(_)) => {}
            _ => return None,
        }
    }
    Some(action.unwrap_or_default())
}

fn fate(action: u64) -> Option<Option<Fate>> {
    match action {
        // Nothing, create, read, update.
        0..=3 => Some(None),
        5 => Some(Some(Fate::Destroyed)),
        // Destroy and create, in either order.
        6 | 7 => Some(Some(Fate::Replaced)),
        // Forget, and create and forget.
        8 | 9 => Some(Some(Fate::Forgotten)),
        _ => None,
    }
}

enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Takes the next field: its number and what it holds.
fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Content<'a>)> {
    let key = number(rest)?;
    let content = match key & 7 {
        0 => Content::Number(number(rest)?),
        2 => {
            let length = usize::try_from(number(rest)?).ok()?;
            let (bytes, behind) = rest.split_at_checked(length)?;
            *rest = behind;
            Content::Bytes(bytes)
        }
        _ => return None,
    };
    Some((key >> 3, content))
}

/// Takes a number of up to 64 bits, seven of them in a byte.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        let bits = u64::from(byte & 0x7f);
        if place == 9 && byte > 1 {
            return None;
        }
        number |= bits << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    }

    fn resource(address: &str, action: u8) -> Vec<u8> {
        let change = bytes(9, &[8, action]);
        bytes(3, &[change, bytes(13, address.as_bytes())].concat())
    }

    const HEAD: &[u8] = &[8, 3];

    #[test]
    fn what_does_not_stay_is_told_with_its_fate() {
        let actions = [0, 1, 2, 3, 5, 6, 7, 8, 9];
        let changes = actions.map(|action| resource(&format!("r.{action}"), action));
        let gone = |address: &str, fate| Resource {
            address: address.to_owned(),
            fate,
        };
        assert_eq!(
            message(&[HEAD, &changes.concat()].concat()).unwrap().gone,
            [
                gone("r.5", Fate::Destroyed),
                gone("r.6", Fate::Replaced),
                gone("r.7", Fate::Replaced),
                gone("r.8", Fate::Forgotten),
                gone("r.9", Fate::Forgotten),
            ]
        );
    }

    #[test]
    fn what_is_not_known_of_a_plan_makes_all_of_it_unknown() {
        let kept = resource("r.a", 1);
        let twice = bytes(9, &[8, 5, 8, 1]);
        for (what, rest) in [
            ("an action to come", resource("r.a", 4)),
            ("an action far off", resource("r.a", 10)),
            ("actions that are invoked", bytes(30, b"")),
            (
                "a field to come",
                bytes(15, b"").into_iter().chain([0x98, 6, 1]).collect(),
            ),
            ("another version", vec![8, 3]),
            ("no action", bytes(3, &bytes(13, b"r.a"))),
            ("no address", bytes(3, &bytes(9, &[8, 1]))),
            (
                "two actions",
                bytes(3, &[bytes(13, b"r.a"), twice].concat()),
            ),
            (
                "two changes",
                bytes(
                    3,
                    &[bytes(13, b"r.a"), bytes(9, &[8, 1]), bytes(9, &[8, 5])].concat(),
                ),
            ),
            ("the end of a message", vec![0x1a, 9, 1]),
            ("a number without end", vec![0x88, 0x80]),
        ] {
            assert_eq!(message(&[HEAD, &kept, &rest].concat()), None, "{what}");
        }
        assert!(message(&[HEAD, &kept].concat()).is_some());
        assert_eq!(message(&kept), None, "no version");
        assert_eq!(message(&[&[8, 4], &kept[..]].concat()), None, "version 4");
    }
}
