//! `kibosh watch` on a whole terminal: the requests of this user, and those of others that need two people, with the
//! chosen one below and a key for each answer.
//!
//! A key answers the request that was drawn when it was typed, or nothing: the request is kept as it was drawn, what
//! was typed before is discarded whenever another one is drawn, and then the keyboard must have been quiet.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::notice::Notices;
use super::review::failed;
use super::watch::AGAIN;
use crate::approve::Refusal;
use crate::approve::reviewer;
use crate::approve::stage::{Key, Stage, is_enough};
use crate::broker::reviewing::{self, Outcome, Watch};
use crate::broker::{Error, Listed, Scope, Shown};
use crate::report::board::{self as words, Board, Doing, Drawn, Entry};
use crate::report::prompt::Ask;
use crate::report::style::Style;

/// How long the keyboard must have been quiet, and the request have stood there, before a key answers.
const QUIET: Duration = Duration::from_millis(300);
/// How often the window's size is looked at.
const TICK: Duration = Duration::from_millis(200);
/// How often the brokers of other users are asked.
const OTHERS: Duration = Duration::from_secs(3);
/// How long after a key somebody looks.
const LOOKS: Duration = Duration::from_secs(3);
/// How long a yes waits for the key that makes it one.
const SURE: Duration = Duration::from_secs(10);
/// How far the yes of `t` reaches, in seconds.
const FOR_A_TIME: u32 = 600;
/// How many characters a person may type.
const MOST_TYPED: usize = 200;

/// Which request: whose it is where that is another user, and its number.
type Id = (Option<u32>, u64);

/// Shows it until the person leaves; gives the exit status.
pub(super) fn run(stage: Stage, watch: Watch, terminal: String, say: &dyn Fn(&str)) -> u8 {
    let mut desk = Desk {
        stage,
        watch,
        terminal,
        own: Vec::new(),
        others: Vec::new(),
        look_at: Instant::now(),
        chosen: None,
        order: Vec::new(),
        shown: None,
        doing: Doing::Choosing,
        asks: None,
        is_last_page: false,
        note: String::new(),
        known: Vec::new(),
        notices: Notices::default(),
        looked: Instant::now(),
        identity: None,
        since: Instant::now(),
        size: (0, 0),
        style: Style::of(
            std::env::var("NO_COLOR").ok().as_deref(),
            std::env::var("TERM").ok().as_deref(),
        ),
    };
    let end = desk.serve();
    // The terminal is given back before anything is said on it.
    drop(desk);
    match end {
        Ok(()) | Err(End::Left(_)) => 0,
        Err(End::Broker(error)) => failed(&error, say),
    }
}

/// Why it ends.
enum End {
    /// By a signal, or the terminal is gone.
    Left(#[expect(dead_code, reason = "all of them are the same end")] Refusal),
    /// There is no broker to be had.
    Broker(Error),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Left(refusal)
    }
}

/// What is known, and what the person does.
struct Desk {
    stage: Stage,
    watch: Watch,
    /// The name of the terminal, for the record.
    terminal: String,
    own: Vec<Listed>,
    others: Vec<(u32, Vec<Listed>)>,
    /// When the brokers of others are asked next.
    look_at: Instant,
    chosen: Option<Id>,
    /// What waited when it was chosen, in that order.
    order: Vec<Id>,
    /// The chosen one as it is drawn.
    shown: Option<(Shown, Option<String>)>,
    doing: Doing,
    /// What must be typed for a yes, where the chosen one is seen whole.
    asks: Option<Vec<Ask>>,
    is_last_page: bool,
    note: String,
    /// What has been drawn, so that it is no news.
    known: Vec<Id>,
    notices: Notices,
    /// When a key was pressed, or it began: then somebody looks.
    looked: Instant,
    /// Which request was drawn last, by the hash of all of it.
    identity: Option<(Id, String)>,
    /// When another one was drawn, or a key was typed that answers nothing.
    since: Instant,
    /// Rows and columns of what was drawn last.
    size: (usize, usize),
    style: Style,
}

impl Desk {
    fn serve(&mut self) -> Result<(), End> {
        loop {
            self.look();
            self.draw()?;
            self.tell()?;
            let ready = self.stage.wait(self.watch.descriptor(), TICK)?;
            // What was typed was typed at what is drawn, before anything else is known.
            if ready.keys {
                let keys = self.stage.keys()?;
                self.looked = Instant::now();
                if !self.take(&keys)? {
                    return Ok(());
                }
            }
            if ready.other {
                self.read()?;
            }
            if matches!(self.doing, Doing::Sure(_)) && self.since.elapsed() > SURE {
                self.doing = Doing::Choosing;
            }
            self.ask_others();
        }
    }

    /// Tells the person of a request that has come, if they do not look.
    fn tell(&mut self) -> Result<(), Refusal> {
        let ids = self.ids();
        let fresh = ids.iter().position(|id| !self.known.contains(id));
        self.known = ids;
        let all = self
            .own
            .iter()
            .chain(self.others.iter().flat_map(|(_, list)| list));
        let rules = fresh.and_then(|place| all.map(|one| &one.rules).nth(place));
        if let Some(rules) = rules
            && self.looked.elapsed() >= LOOKS
            && self.notices.tell(rules)
        {
            self.stage.ring()?;
        }
        Ok(())
    }

    /// Reads what waits now.
    fn read(&mut self) -> Result<(), End> {
        match self.watch.read() {
            Ok(Some(list)) => self.own = list,
            Ok(None) => {}
            Err(_) => {
                // It was ended, and what waited is gone with it. The next request goes to another one.
                self.own.clear();
                self.shown = None;
                sleep(AGAIN);
                self.watch = Watch::begin().map_err(End::Broker)?;
            }
        }
        Ok(())
    }

    /// Asks the brokers of other users, which may take a while: only where a key that is typed meanwhile is one for
    /// what is drawn.
    fn ask_others(&mut self) {
        let now = Instant::now();
        if now < self.look_at || self.since.elapsed() < QUIET {
            return;
        }
        self.others = reviewing::pending_of_others();
        if self.chosen.is_some_and(|(whose, _)| whose.is_some()) {
            // Another broker may run by now, with another request under that number.
            self.shown = None;
        }
        // Who is slow is asked less often.
        self.look_at = Instant::now() + OTHERS + now.elapsed() * 5;
    }

    fn ids(&self) -> Vec<Id> {
        let own = self.own.iter().map(|one| (None, one.number));
        let others = self.others.iter().flat_map(|(user, list)| {
            let user = *user;
            list.iter().map(move |one| (Some(user), one.number))
        });
        own.chain(others).collect()
    }

    /// Finds the chosen one, or chooses another where it waits no more, and looks at it.
    fn look(&mut self) {
        let mut ids = self.ids();
        while !ids.is_empty() {
            let place = self
                .chosen
                .and_then(|chosen| ids.iter().position(|id| *id == chosen));
            if place.is_none() {
                // What was begun was for the one that is gone.
                self.doing = Doing::Choosing;
                self.shown = None;
                self.chosen = self.behind_chosen(&ids);
            }
            self.order.clone_from(&ids);
            let Some(id) = self.chosen else { return };
            if self.shown.is_none() {
                match reviewing::look(id.0, id.1) {
                    Ok(Some(shown)) => {
                        let name = reviewer::session_of(&shown);
                        self.shown = Some((shown, name));
                    }
                    // It is gone, and the list tells it soon.
                    Ok(None) | Err(_) => {
                        self.forget(id);
                        ids.retain(|one| *one != id);
                        continue;
                    }
                }
            }
            return;
        }
        self.chosen = None;
        self.shown = None;
        self.doing = Doing::Choosing;
    }

    /// What is chosen in place of the one that is gone: the next that was behind it, else the last before it.
    fn behind_chosen(&self, ids: &[Id]) -> Option<Id> {
        let place = |chosen| self.order.iter().position(|id| *id == chosen);
        let (before, behind) = self
            .order
            .split_at(self.chosen.and_then(place).unwrap_or(0));
        let mut candidates = behind.iter().chain(before.iter().rev());
        let next = candidates.find(|id| ids.contains(id));
        next.or(ids.first()).copied()
    }

    /// Takes it from the list, until that is told again.
    fn forget(&mut self, (whose, number): Id) {
        match whose {
            None => self.own.retain(|one| one.number != number),
            Some(user) => {
                for (_, list) in self.others.iter_mut().filter(|(of, _)| *of == user) {
                    list.retain(|one| one.number != number);
                }
            }
        }
    }

    /// Draws all of it. Where that is another request, what was typed until now is for nothing.
    fn draw(&mut self) -> Result<(), Refusal> {
        let size = self.stage.size();
        let ids = self.ids();
        let identity = self
            .chosen
            .zip(self.shown.as_ref().map(|(shown, _)| shown.asked.key()));
        let is_another = identity != self.identity;
        if is_another || size != self.size {
            // What was begun was for what is not drawn any more, or not so.
            self.doing = Doing::Choosing;
        }
        self.size = size;
        let drawn = if is_enough(size) {
            let own = self.own.iter().map(|listed| Entry {
                whose: None,
                listed,
            });
            let others = self.others.iter().flat_map(|(user, list)| {
                list.iter().map(|listed| Entry {
                    whose: Some(*user),
                    listed,
                })
            });
            let entries: Vec<Entry<'_>> = own.chain(others).collect();
            let shown = self.shown.as_ref();
            words::draw(&Board {
                entries: &entries,
                chosen: self
                    .chosen
                    .and_then(|chosen| ids.iter().position(|id| *id == chosen)),
                shown: shown.map(|(shown, name)| (shown, name.clone())),
                doing: &self.doing,
                note: &self.note,
                size,
                style: self.style,
            })
        } else {
            words::too_small(size)
        };
        let Drawn {
            rows, cursor, asks, ..
        } = &drawn;
        self.stage.draw(rows, *cursor)?;
        self.is_last_page = drawn.is_last_page;
        if !matches!(self.doing, Doing::Naming(..) | Doing::Refusing(_)) {
            self.asks.clone_from(asks);
        }
        if is_another {
            self.identity = identity;
            self.stage.discard()?;
            self.since = Instant::now();
        }
        Ok(())
    }

    /// Takes what was typed at once; false where the person leaves.
    fn take(&mut self, keys: &[Key]) -> Result<bool, Refusal> {
        let is_typing = matches!(self.doing, Doing::Naming(..) | Doing::Refusing(_));
        if keys.len() > 2 && !is_typing {
            // Nobody answers so: it was pasted, or meant for something else.
            self.since = Instant::now();
            words::AT_ONCE.clone_into(&mut self.note);
            return Ok(!keys.contains(&Key::Leave));
        }
        let chosen = self.chosen;
        for key in keys {
            if *key == Key::Leave {
                return Ok(false);
            }
            if !self.press(*key)? {
                return Ok(false);
            }
            if self.chosen != chosen || self.shown.is_none() {
                // The rest was typed at what is drawn no more.
                break;
            }
        }
        Ok(true)
    }

    fn press(&mut self, key: Key) -> Result<bool, Refusal> {
        if key == Key::Redraw {
            self.stage.redraw();
            return Ok(true);
        }
        match std::mem::replace(&mut self.doing, Doing::Choosing) {
            Doing::Choosing => return self.choose(key),
            Doing::Sure(scope) => match (key, self.asks.as_deref()) {
                (Key::Enter, Some([Ask::Yes])) => self.approve(scope)?,
                (Key::Enter, Some([Ask::Name(_), ..])) => {
                    self.doing = Doing::Naming(scope, 0, String::new());
                }
                _ => self.since = Instant::now(),
            },
            Doing::Naming(scope, place, typed) => match edited(typed, key) {
                Typed::On(typed) => self.doing = Doing::Naming(scope, place, typed),
                Typed::Away => self.since = Instant::now(),
                Typed::Done(typed) => self.name(scope, place, &typed)?,
            },
            Doing::Refusing(typed) => match edited(typed, key) {
                Typed::On(typed) => self.doing = Doing::Refusing(typed),
                Typed::Away => self.since = Instant::now(),
                Typed::Done(typed) => self.refuse(typed)?,
            },
            Doing::Reading(page) => match key {
                Key::Down | Key::Character(' ' | 'j') if !self.is_last_page => {
                    self.doing = Doing::Reading(page + 1);
                }
                Key::Up | Key::Erase | Key::Character('b' | 'k') => {
                    self.doing = Doing::Reading(page.saturating_sub(1));
                }
                Key::Character('q' | 'd') | Key::Escape => self.since = Instant::now(),
                _ => self.doing = Doing::Reading(page),
            },
        }
        Ok(true)
    }

    /// A key where nothing was begun.
    fn choose(&mut self, key: Key) -> Result<bool, Refusal> {
        match key {
            Key::Character('q') => return Ok(false),
            Key::Up | Key::Character('k') => self.go(|place| place.saturating_sub(1)),
            Key::Down | Key::Character('j') => self.go(|place| place + 1),
            Key::Character('d') if self.shown.is_some() => {
                self.note.clear();
                self.doing = Doing::Reading(0);
            }
            Key::Character('y') => self.begin(Scope::Once),
            Key::Character('s') => self.begin(Scope::Session),
            Key::Character('t') => self.begin(Scope::Seconds(FOR_A_TIME)),
            Key::Character('n') if self.shown.is_some() && self.is_quiet() => {
                self.doing = Doing::Refusing(String::new());
            }
            Key::Escape => self.note.clear(),
            _ => self.since = Instant::now(),
        }
        Ok(true)
    }

    /// Chooses another one.
    fn go(&mut self, to: impl Fn(usize) -> usize) {
        let ids = self.ids();
        let place = self
            .chosen
            .and_then(|chosen| ids.iter().position(|id| *id == chosen));
        let Some(place) = place else { return };
        if let Some(id) = ids.get(to(place)).filter(|id| Some(**id) != self.chosen) {
            self.chosen = Some(*id);
            self.shown = None;
            self.note.clear();
        }
    }

    /// Whether a key answers by now; says so where it does not.
    fn is_quiet(&mut self) -> bool {
        let is_quiet = self.since.elapsed() >= QUIET;
        if is_quiet {
            self.note.clear();
        } else {
            words::TOO_SOON.clone_into(&mut self.note);
        }
        self.since = Instant::now();
        is_quiet
    }

    /// Begins a yes.
    fn begin(&mut self, scope: Scope) {
        let Some((shown, _)) = &self.shown else {
            return;
        };
        if scope == Scope::Session && shown.session.is_none() {
            self.note = words::no_session(shown.number);
        } else if self.asks.is_none() {
            words::NOT_SEEN.clone_into(&mut self.note);
        } else if self.is_quiet() {
            self.doing = Doing::Sure(scope);
        }
    }

    /// A name was typed.
    fn name(&mut self, scope: Scope, place: usize, typed: &str) -> Result<(), Refusal> {
        let asks = self.asks.clone().unwrap_or_default();
        match asks.get(place) {
            Some(ask) if ask.accepts(typed) && place + 1 < asks.len() => {
                self.doing = Doing::Naming(scope, place + 1, String::new());
                Ok(())
            }
            Some(ask) if ask.accepts(typed) => self.approve(scope),
            _ => {
                words::OTHER_NAME.clone_into(&mut self.note);
                self.since = Instant::now();
                Ok(())
            }
        }
    }

    /// Says yes to what is drawn.
    fn approve(&mut self, scope: Scope) -> Result<(), Refusal> {
        self.stage.check().map_err(Refusal::NoTerminal)?;
        if let (Some((whose, number)), Some((shown, _))) = (self.chosen, &self.shown) {
            let outcome = reviewing::approve(whose, shown, scope, self.terminal.clone());
            self.settle((whose, number), &outcome, words::approved);
        }
        Ok(())
    }

    /// Says no to what is drawn, if it is that still.
    fn refuse(&mut self, why: String) -> Result<(), Refusal> {
        self.stage.check().map_err(Refusal::NoTerminal)?;
        if let (Some((whose, number)), Some((shown, _))) = (self.chosen, &self.shown) {
            let outcome = match reviewing::look(whose, number) {
                Ok(Some(now)) if now.asked == shown.asked => {
                    let why = Some(why).filter(|why| !why.trim().is_empty());
                    reviewing::refuse(whose, number, why)
                }
                Ok(_) => Ok(Outcome::Gone),
                Err(error) => Err(error),
            };
            self.settle((whose, number), &outcome, words::refused);
        }
        Ok(())
    }

    /// Notes what came of an answer.
    fn settle(&mut self, id: Id, outcome: &Result<Outcome, Error>, done: fn(u64) -> String) {
        let number = id.1;
        self.note = match outcome {
            Ok(Outcome::Done) => done(number),
            Ok(Outcome::More(said)) => words::more(number, *said),
            Ok(Outcome::Uncounted) => words::uncounted(number),
            Ok(Outcome::Gone) => words::gone(number),
            Ok(Outcome::NoSession) => words::no_session(number),
            Err(error) => words::failed(number, error),
        };
        if matches!(outcome, Ok(Outcome::Done | Outcome::Gone)) {
            self.forget(id);
        }
        self.shown = None;
        self.since = Instant::now();
        self.look_at = Instant::now();
    }
}

/// What a key does to a line that is typed.
enum Typed {
    On(String),
    Done(String),
    Away,
}

fn edited(mut typed: String, key: Key) -> Typed {
    match key {
        Key::Enter => return Typed::Done(typed),
        Key::Escape => return Typed::Away,
        Key::Erase => drop(typed.pop()),
        Key::Character(character) if typed.chars().count() < MOST_TYPED => typed.push(character),
        _ => {}
    }
    Typed::On(typed)
}
