//! `kibosh watch`: a person who stays and is asked about each request as it comes.

use std::thread::sleep;
use std::time::Duration;

use super::board;
use super::notice::Notices;
use super::review::{failed, settled, terminal, unasked};
use crate::approve::Refusal;
use crate::approve::reviewer::{self, Choice, Keys};
use crate::approve::stage::Stage;
use crate::broker::reviewing::{self, Watch};
use crate::broker::{Error, Listed, Scope};
use crate::exit;
use crate::report::review as words;

/// How long a broker that is gone is given to be followed by another one.
pub(super) const AGAIN: Duration = Duration::from_millis(500);

/// Watches until the person leaves; gives the exit status.
#[must_use]
pub fn watch(say: &dyn Fn(&str)) -> u8 {
    let terminal = match terminal(say) {
        Ok(terminal) => terminal,
        Err(status) => return status,
    };
    let mut watch = match Watch::begin() {
        Ok(watch) => watch,
        Err(error) => return failed(&error, say),
    };
    match Stage::begin() {
        Ok(Some(stage)) => return board::run(stage, watch, terminal, say),
        // A terminal that cannot show a screen is written to line by line.
        Ok(None) => {}
        Err(Refusal::NoTerminal(absence)) => {
            say(&words::no_person(&absence));
            return exit::NOT_DONE;
        }
        Err(_) => return exit::NOT_DONE,
    }
    say(words::WATCHING);
    let mut seen = Seen::default();
    loop {
        let next = match seen.next(&mut watch, say) {
            Ok(next) => next,
            Err(_) => {
                // It was ended. What waited is gone with it, and the next request goes to another one.
                sleep(AGAIN);
                match Watch::begin() {
                    Ok(another) => watch = another,
                    Err(error) => return failed(&error, say),
                }
                seen = Seen {
                    notices: seen.notices,
                    ..Seen::default()
                };
                continue;
            }
        };
        match ask(next, &terminal, say) {
            Some(true) => {}
            Some(false) => seen.passed_over.push(next),
            None => return 0,
        }
    }
}

/// What a watcher has seen.
#[derive(Default)]
struct Seen {
    list: Vec<Listed>,
    /// What they have left to be answered otherwise.
    passed_over: Vec<u64>,
    told: u64,
    notices: Notices,
}

impl Seen {
    /// Waits for a request that is to be asked about; says what waits where that is new.
    fn next(&mut self, watch: &mut Watch, say: &dyn Fn(&str)) -> Result<u64, Error> {
        loop {
            if let Some(list) = watch.read()? {
                self.list = list;
            }
            let open: Vec<Listed> = self
                .list
                .iter()
                .filter(|one| !self.passed_over.contains(&one.number))
                .cloned()
                .collect();
            if let Some(first) = open.first() {
                let newest = open.iter().map(|one| one.number).max().unwrap_or_default();
                if newest > self.told {
                    self.told = newest;
                    let rules = open.last().map(|one| one.rules.clone());
                    let rings = self.notices.tell(&rules.unwrap_or_default());
                    let bell = if rings { words::BELL } else { "" };
                    say(&format!("{bell}{}", words::arrived(&open)));
                }
                // Until it is told again it is settled or passed over.
                let number = first.number;
                self.list.retain(|one| one.number != number);
                return Ok(number);
            }
            watch.wait()?;
        }
    }
}

/// Asks about one request. False where the person leaves it, none where they leave.
fn ask(number: u64, terminal: &str, say: &dyn Fn(&str)) -> Option<bool> {
    let shown = match reviewing::look(None, number) {
        Ok(Some(shown)) => shown,
        // It has been answered elsewhere, or ended.
        Ok(None) | Err(_) => return Some(true),
    };
    let scope = match reviewer::ask(&shown, None, Keys::Review) {
        Ok(Choice::Once) => Scope::Once,
        Ok(Choice::Session) => Scope::Session,
        Ok(Choice::Refuse) => {
            let outcome = reviewing::refuse(None, number, None);
            settled(number, &outcome, words::refused, say);
            return Some(true);
        }
        Ok(Choice::Leave) => {
            say(&words::left(number));
            return Some(false);
        }
        Err(Refusal::Timeout { .. } | Refusal::TooMuch) => {
            say(&words::left(number));
            return Some(false);
        }
        Err(refusal @ Refusal::NoTerminal(_)) => {
            say(&unasked(number, &refusal));
            return None;
        }
        Err(_) => return None,
    };
    let outcome = reviewing::approve(None, &shown, scope, terminal.to_owned());
    let status = settled(number, &outcome, words::approved, say);
    Some(status == 0)
}
