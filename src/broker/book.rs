//! What a broker keeps: requests that wait, approvals and refusals, each for a while. Pure but for whether a
//! session lives, which it is told; times come from outside.
//!
//! Takes what is asked and said, gives what is to be told to whom. It never keeps what is denied, and never
//! takes an answer for another request than the one that was shown.

use std::time::{Duration, Instant};

use super::message::{
    Asked, Granted, Listed, MOST_BYTES, Reply, Reviewer, Root, Scope, Shown, rules, start,
};
use super::several::{ONCE, Reach, Several};
use crate::policy::schema::Effect;

/// How many requests of one session may wait.
pub const MOST_OF_SESSION: usize = 64;
/// How many may wait in all.
const MOST: usize = 512;
/// How much all that wait and count may hold.
const MOST_HELD: usize = 64 * MOST_BYTES;
/// How many of them are listed at once.
const MOST_LISTED: usize = 128;
/// How many approvals and refusals are kept; the oldest goes.
const MOST_SAID: usize = 1024;
/// How long a request waits after it was asked last.
const WAITS: Duration = Duration::from_secs(10 * 60);
/// The longest time for which a yes counts.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a no answers the same request.
const REFUSED: Duration = Duration::from_secs(5 * 60);

/// Who waits at the other end of a connection.
pub type Waiter = u64;

/// What to tell to whom.
pub type Told = Vec<(Waiter, Reply)>;

/// Everything.
#[derive(Default)]
pub struct Book {
    last: u64,
    changes: u64,
    pending: Vec<Pending>,
    grants: Vec<Grant>,
    refusals: Vec<Refused>,
    /// What was said no to at the terminal where it was asked, and until when that is remembered.
    noes: Vec<(String, Instant)>,
    /// Whose yes does not count where several people are wanted.
    uncounted: Option<u32>,
}

struct Pending {
    number: u64,
    key: String,
    asked: Asked,
    bytes: usize,
    /// The session that a yes can be for: that of the first who waits.
    session: Option<Root>,
    at: Instant,
    /// Each with the session that it comes from.
    waiters: Vec<(Waiter, Option<Root>)>,
    /// Who has said yes while more are wanted.
    said: Several,
}

impl Pending {
    /// Whether somebody waits of the session that a yes can be for, which lives.
    fn is_held(&self) -> bool {
        self.session.is_some_and(|session| session.is_there())
            && self.waiters.iter().any(|(_, of)| *of == self.session)
    }
}

struct Grant {
    number: u64,
    key: String,
    scope: Scope,
    /// The session in which it counts, where it is bound to one.
    session: Option<Root>,
    until: Option<Instant>,
    by: Reviewer,
    shown: Granted,
}

impl Grant {
    fn of(
        number: u64,
        asked: &Asked,
        (scope, session): Reach,
        until: Option<Instant>,
        by: Reviewer,
    ) -> Self {
        Self {
            number,
            key: asked.key(),
            scope,
            session,
            until,
            by,
            shown: Granted {
                number,
                scope,
                left: None,
                rules: rules(&asked.decision),
                text: start(&asked.text),
                cwd: asked.cwd.clone(),
            },
        }
    }
}

struct Refused {
    key: String,
    why: Option<String>,
    until: Instant,
}

impl Book {
    /// An empty one, in which the yes of a user does not count where several people are wanted.
    #[must_use]
    pub fn without(uncounted: Option<u32>) -> Self {
        Self {
            uncounted,
            ..Self::default()
        }
    }

    /// Whether a request waits that needs more than one person: no other is for other users.
    #[must_use]
    pub fn needs_several(&self, number: u64) -> bool {
        self.pending
            .iter()
            .any(|one| one.number == number && one.asked.decision.reviewers() > 1)
    }

    /// What is said to a request: an answer that was given before, or that it waits. `bytes` is its size.
    pub fn ask(
        &mut self,
        asked: Asked,
        bytes: usize,
        session: Option<Root>,
        waiter: Waiter,
        now: Instant,
    ) -> Option<Reply> {
        if !may_be_approved(&asked) {
            return None;
        }
        let key = asked.key();
        if let Some(reply) = self.said_before(&key, session, now) {
            return Some(reply);
        }
        if let Some(known) = self.pending.iter_mut().find(|one| one.key == key) {
            known.at = now;
            if !known.is_held() {
                known.session = session;
            }
            known.waiters.push((waiter, session));
            return Some(Reply::Waiting {
                number: known.number,
                is_watched: false,
                said: known.said.users(now),
            });
        }
        let of_session = self.pending.iter().filter(|one| one.session == session);
        let held: usize = self.pending.iter().map(|one| one.bytes).sum();
        if of_session.count() >= MOST_OF_SESSION
            || self.pending.len() >= MOST
            || held + bytes > MOST_HELD
        {
            return Some(Reply::Full);
        }
        self.last += 1;
        self.changes += 1;
        self.pending.push(Pending {
            number: self.last,
            key,
            asked,
            bytes,
            session,
            at: now,
            waiters: vec![(waiter, session)],
            said: Several::default(),
        });
        Some(Reply::Waiting {
            number: self.last,
            is_watched: false,
            said: Vec::new(),
        })
    }

    /// What was said to this request before, which is used up where it was a yes for one time.
    fn said_before(&mut self, key: &str, session: Option<Root>, now: Instant) -> Option<Reply> {
        if let Some(by) = self.take_grant(key, session, now) {
            return Some(Reply::Approved(by));
        }
        let refused = self.refusals.iter().find(|one| one.key == key);
        refused
            .filter(|one| one.until > now)
            .map(|refused| Reply::Refused {
                why: refused.why.clone(),
                is_earlier: true,
            })
    }

    /// What was said to a request before, without letting it wait; that it is gone where nothing was.
    pub fn recall(&mut self, asked: &Asked, session: Option<Root>, now: Instant) -> Option<Reply> {
        if !may_be_approved(asked) {
            return None;
        }
        let said = self.said_before(&asked.key(), session, now);
        Some(said.unwrap_or(Reply::Gone))
    }

    /// A yes for the session that was typed where it was asked.
    /// None for what wants several people.
    pub fn keep(&mut self, asked: &Asked, session: Option<Root>, by: Reviewer) -> Option<Reply> {
        if !may_be_approved(asked) || asked.decision.reviewers() > 1 {
            return None;
        }
        let Some(session) = session.filter(Root::is_there) else {
            return Some(Reply::NoSession);
        };
        self.last += 1;
        let reach = (Scope::Session, Some(session));
        self.push_grant(Grant::of(self.last, asked, reach, None, by));
        Some(Reply::Done)
    }

    /// A no that was typed where it was asked. The first may have been a mistake; another one answers the same
    /// request for a while.
    pub fn note_no(&mut self, asked: &Asked, now: Instant) {
        let key = asked.key();
        self.noes.retain(|(_, until)| *until > now);
        if self.noes.iter().any(|(known, _)| *known == key) {
            self.push_refusal(Refused {
                key,
                why: None,
                until: now + REFUSED,
            });
        } else if self.noes.len() < MOST_SAID {
            self.noes.push((key, now + REFUSED));
        }
    }

    fn push_grant(&mut self, grant: Grant) {
        self.grants.push(grant);
        if self.grants.len() > MOST_SAID {
            self.grants.remove(0);
        }
    }

    fn push_refusal(&mut self, refused: Refused) {
        if self.refusals.len() >= MOST_SAID {
            self.refusals.remove(0);
        }
        self.refusals.push(refused);
    }

    /// Uses an approval of this request, if there is one.
    fn take_grant(&mut self, key: &str, session: Option<Root>, now: Instant) -> Option<Reviewer> {
        let place = self.grants.iter().position(|grant| {
            grant.key == key
                && grant.until.is_none_or(|until| until > now)
                && (grant.session.is_none() || grant.session == session)
        })?;
        let grant = self.grants.get(place)?;
        let by = grant.by.clone();
        if grant.scope == Scope::Once {
            self.grants.remove(place);
        }
        Some(by)
    }

    /// A yes to a request of which `key` was shown, and for the session that was shown where it is for one. Gives
    /// what is said to the reviewer, and to who waits.
    pub fn approve(
        &mut self,
        number: u64,
        key: &str,
        reach: Reach,
        by: &Reviewer,
        now: Instant,
    ) -> (Reply, Told) {
        let found = self.pending.iter_mut().find(|one| one.number == number);
        let Some(pending) = found.filter(|one| one.key == key) else {
            return (Reply::Gone, Vec::new());
        };
        let reach = match reach {
            (Scope::Session, Some(session)) => {
                if pending.session != Some(session) || !session.is_there() {
                    return (Reply::NoSession, Vec::new());
                }
                reach
            }
            (Scope::Session, None) => return (Reply::NoSession, Vec::new()),
            (scope @ (Scope::Once | Scope::Seconds(_)), _) => (scope, None),
        };
        let wanted = pending.asked.decision.reviewers();
        let (by, (scope, session)) = if wanted > 1 {
            if self.uncounted == Some(by.uid) {
                return (Reply::Uncounted, Vec::new());
            }
            match pending.said.add(by.clone(), reach, wanted, now) {
                Ok(together) => together,
                Err(reply) => {
                    self.changes += 1;
                    return (reply, Vec::new());
                }
            }
        } else {
            (by.clone(), reach)
        };
        let until = match scope {
            Scope::Once => Some(now + ONCE),
            Scope::Session => None,
            Scope::Seconds(seconds) => Some(now + Duration::from_secs(seconds.into()).min(LONGEST)),
        };
        let mut told: Told = Vec::new();
        pending.waiters.retain(|(waiter, of)| {
            let is_answered = match scope {
                // The first of them is the one time. The others wait on.
                Scope::Once => told.is_empty(),
                Scope::Session => *of == session,
                Scope::Seconds(_) => true,
            };
            if is_answered {
                told.push((*waiter, Reply::Approved(by.clone())));
            }
            !is_answered
        });
        let is_used_up = scope == Scope::Once && !told.is_empty();
        let grant =
            (!is_used_up).then(|| Grant::of(number, &pending.asked, (scope, session), until, by));
        if let Some(grant) = grant {
            self.push_grant(grant);
        }
        self.pending
            .retain(|one| one.number != number || !one.waiters.is_empty());
        self.changes += 1;
        (Reply::Done, told)
    }

    /// A no to a request. Gives what is said to the reviewer, and to who waits.
    pub fn refuse(&mut self, number: u64, why: Option<String>, now: Instant) -> (Reply, Told) {
        let Some(place) = self.pending.iter().position(|one| one.number == number) else {
            return (Reply::Gone, Vec::new());
        };
        let pending = self.pending.remove(place);
        self.changes += 1;
        let told = pending
            .waiters
            .iter()
            .map(|(waiter, _)| {
                let reply = Reply::Refused {
                    why: why.clone(),
                    is_earlier: false,
                };
                (*waiter, reply)
            })
            .collect();
        self.push_refusal(Refused {
            key: pending.key,
            why,
            until: now + REFUSED,
        });
        (Reply::Done, told)
    }

    /// Nobody waits at this connection any more. The request itself stays.
    pub fn leave(&mut self, waiter: Waiter) {
        for pending in &mut self.pending {
            pending.waiters.retain(|(one, _)| *one != waiter);
        }
    }

    /// What waits, the oldest first.
    #[must_use]
    pub fn list(&self, now: Instant) -> Vec<Listed> {
        let listed = self.pending.iter().map(|one| Listed {
            number: one.number,
            age: now.saturating_duration_since(one.at).as_secs(),
            is_awaited: !one.waiters.is_empty(),
            said: one.said.users(now).len(),
            reviewers: one.asked.decision.reviewers(),
            rules: rules(&one.asked.decision),
            text: start(&one.asked.text),
            source: start(&one.asked.source),
            cwd: start(&one.asked.cwd),
        });
        listed.take(MOST_LISTED).collect()
    }

    /// A number that is another one whenever what waits has changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// One request, whole.
    #[must_use]
    pub fn look(&self, number: u64) -> Option<Shown> {
        let one = self.pending.iter().find(|one| one.number == number)?;
        Some(Shown {
            number,
            asked: one.asked.clone(),
            session: one.session,
        })
    }

    /// What has been approved and counts still.
    #[must_use]
    pub fn grants(&self, now: Instant) -> Vec<Granted> {
        let grants = self.grants.iter().map(|grant| Granted {
            left: grant
                .until
                .map(|until| until.saturating_duration_since(now).as_secs()),
            cwd: start(&grant.shown.cwd),
            ..grant.shown.clone()
        });
        grants.take(MOST_LISTED).collect()
    }

    /// Ends an approval; false where there is none of this number.
    pub fn revoke(&mut self, number: u64) -> bool {
        let before = self.grants.len();
        self.grants.retain(|grant| grant.number != number);
        self.grants.len() != before
    }

    /// Forgets what has had its time.
    pub fn turn(&mut self, now: Instant) {
        let before = self.pending.len();
        self.pending
            .retain(|one| !one.waiters.is_empty() || now < one.at + WAITS);
        for pending in &mut self.pending {
            self.changes += u64::from(pending.said.forget(now));
        }
        self.changes += u64::from(self.pending.len() != before);
        self.grants.retain(|grant| {
            grant.until.is_none_or(|until| until > now)
                && grant.session.is_none_or(|session| session.is_there())
        });
        self.refusals.retain(|one| one.until > now);
        self.noes.retain(|(_, until)| *until > now);
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
            && self.grants.is_empty()
            && self.refusals.is_empty()
            && self.noes.is_empty()
    }
}

/// Whether a request is one that may be approved: what is denied is none. Who asks otherwise is no asker of ours.
fn may_be_approved(asked: &Asked) -> bool {
    let findings = asked.decision.findings.iter().map(|finding| finding.effect);
    findings.fold(asked.decision.effect, Effect::max) == Effect::Confirm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Decision;

    fn asked(text: &str) -> Asked {
        Asked {
            decision: Decision {
                left_out: Vec::new(),
                deeds: Vec::new(),
                steps: Vec::new(),
                beyond: Vec::new(),
                effect: Effect::Confirm,
                findings: Vec::new(),
            },
            text: text.into(),
            source: "-c".into(),
            cwd: "/srv".into(),
            policy: "p".into(),
            program: None,
            environment: "e".into(),
            call: "c".into(),
        }
    }

    fn reviewer() -> Reviewer {
        Reviewer {
            uid: 1000,
            terminal: "/dev/pts/1".into(),
            with: Vec::new(),
        }
    }

    fn own() -> Option<Root> {
        Root::of(std::process::id().cast_signed())
    }

    /// Asks without waiting on; gives the number under which it waits.
    #[track_caller]
    fn waits(book: &mut Book, asked: Asked, session: Option<Root>, now: Instant) -> u64 {
        let reply = book.ask(asked, 100, session, 1, now);
        book.leave(1);
        match reply {
            Some(Reply::Waiting { number, .. }) => number,
            other => panic!("{other:?}"),
        }
    }

    fn is_approved(book: &mut Book, asked: Asked, session: Option<Root>, now: Instant) -> bool {
        let reply = book.ask(asked, 100, session, 1, now);
        book.leave(1);
        matches!(reply, Some(Reply::Approved(_)))
    }

    fn yes(book: &mut Book, text: &str, scope: Scope, now: Instant) -> u64 {
        let number = waits(book, asked(text), own(), now);
        let (reply, told) =
            book.approve(number, &asked(text).key(), (scope, own()), &reviewer(), now);
        assert!(matches!(reply, Reply::Done) && told.is_empty());
        number
    }

    #[test]
    fn once_is_once_and_only_for_the_very_same_request() {
        let (mut book, now) = (Book::default(), Instant::now());
        yes(&mut book, "a", Scope::Once, now);
        let others = [
            Asked {
                cwd: "/".into(),
                ..asked("a")
            },
            Asked {
                policy: "q".into(),
                ..asked("a")
            },
            Asked {
                program: Some("1".into()),
                ..asked("a")
            },
            Asked {
                environment: "f".into(),
                ..asked("a")
            },
            Asked {
                call: "d".into(),
                ..asked("a")
            },
            Asked {
                source: "script x".into(),
                ..asked("a")
            },
            asked("a "),
        ];
        for other in others {
            assert!(
                !is_approved(&mut book, other.clone(), own(), now),
                "{other:?}"
            );
        }
        assert!(is_approved(&mut book, asked("a"), None, now));
        assert!(!is_approved(&mut book, asked("a"), None, now));
    }

    #[test]
    fn a_yes_ends_with_its_time_and_with_its_session() {
        let (mut book, now) = (Book::default(), Instant::now());
        yes(&mut book, "a", Scope::Once, now);
        assert!(!is_approved(&mut book, asked("a"), own(), now + ONCE));
        yes(&mut book, "b", Scope::Seconds(60), now);
        for _ in 0..2 {
            assert!(is_approved(&mut book, asked("b"), None, now));
        }
        assert!(!is_approved(
            &mut book,
            asked("b"),
            None,
            now + Duration::from_secs(60)
        ));
        let number = yes(&mut book, "c", Scope::Session, now);
        let later = now + LONGEST * 2;
        book.turn(later);
        assert!(is_approved(&mut book, asked("c"), own(), later));
        assert!(!is_approved(&mut book, asked("c"), Root::of(1), later));
        assert!(!is_approved(&mut book, asked("c"), None, later));
        assert!(book.revoke(number) && !book.revoke(number));
        assert!(!is_approved(&mut book, asked("c"), own(), later));
    }

    #[test]
    fn an_answer_is_for_what_was_shown() {
        let (mut book, now) = (Book::default(), Instant::now());
        let number = waits(&mut book, asked("a"), None, now);
        let by = reviewer();
        for (number, key) in [(number, asked("b").key()), (number + 1, asked("a").key())] {
            let (reply, _) = book.approve(number, &key, (Scope::Once, None), &by, now);
            assert!(matches!(reply, Reply::Gone));
        }
        let key = asked("a").key();
        let (reply, _) = book.approve(number, &key, (Scope::Session, own()), &by, now);
        assert!(matches!(reply, Reply::NoSession));
        assert!(!is_approved(&mut book, asked("a"), None, now));
    }

    #[test]
    fn what_is_denied_or_allowed_is_not_asked_about() {
        let (mut book, now) = (Book::default(), Instant::now());
        for effect in [Effect::Allow, Effect::Deny] {
            let mut other = asked("a");
            other.decision.effect = effect;
            assert!(book.ask(other, 1, None, 1, now).is_none());
        }
        assert!(book.is_empty());
    }

    #[test]
    fn the_same_request_is_one_and_a_flood_is_bounded() {
        let (mut book, now) = (Book::default(), Instant::now());
        for _ in 0..10_000 {
            assert_eq!(waits(&mut book, asked("a"), own(), now), 1);
        }
        let full = (0..10_000).filter(|number| {
            let reply = book.ask(asked(&number.to_string()), 100, own(), 1, now);
            matches!(reply, Some(Reply::Full))
        });
        assert_eq!(full.count(), 10_000 - (MOST_OF_SESSION - 1));
        // Another session is still heard, and no number of sessions fills the memory.
        waits(&mut book, asked("x"), Root::of(1), now);
        for number in 0..10_000u64 {
            let session = Some(Root {
                id: 2,
                began: number,
            });
            book.ask(asked(&format!("{number}s")), 100, session, 1, now);
        }
        assert_eq!(book.pending.len(), MOST);
        assert_eq!(book.list(now).len(), MOST_LISTED);
        book.leave(1);
        book.turn(now + WAITS);
        assert!(book.is_empty());
    }

    #[test]
    fn a_no_answers_the_same_request_for_a_while_with_its_reason() {
        let (mut book, now) = (Book::default(), Instant::now());
        book.ask(asked("a"), 1, None, 7, now);
        let (_, told) = book.refuse(1, Some("use staging".into()), now);
        assert!(matches!(
            told.as_slice(),
            [(7, Reply::Refused { why: Some(why), is_earlier: false })] if why == "use staging"
        ));
        let reply = book.ask(asked("a"), 1, None, 8, now);
        assert!(matches!(
            reply,
            Some(Reply::Refused { why: Some(why), is_earlier: true }) if why == "use staging"
        ));
        waits(&mut book, asked("a"), None, now + REFUSED);
    }

    #[test]
    fn of_two_that_wait_for_the_same_one_gets_the_one_yes() {
        let (mut book, now) = (Book::default(), Instant::now());
        book.ask(asked("a"), 1, None, 7, now);
        book.ask(asked("a"), 1, None, 8, now);
        let key = asked("a").key();
        let (_, told) = book.approve(1, &key, (Scope::Once, None), &reviewer(), now);
        assert!(matches!(told.as_slice(), [(7, Reply::Approved(_))]));
        assert_eq!(book.list(now).len(), 1);
        let (_, told) = book.approve(1, &key, (Scope::Seconds(60), None), &reviewer(), now);
        assert!(matches!(told.as_slice(), [(8, Reply::Approved(_))]));
        assert!(book.list(now).is_empty());
    }

    #[test]
    fn a_yes_for_the_session_typed_where_it_was_asked_counts_there_only() {
        let (mut book, now) = (Book::default(), Instant::now());
        let recalled = |book: &mut Book, text: &str, session| {
            matches!(
                book.recall(&asked(text), session, now),
                Some(Reply::Approved(_))
            )
        };
        assert!(!recalled(&mut book, "a", own()));
        assert!(matches!(
            book.keep(&asked("a"), own(), reviewer()),
            Some(Reply::Done)
        ));
        for _ in 0..3 {
            assert!(recalled(&mut book, "a", own()));
        }
        assert!(!recalled(&mut book, "b", own()) && !recalled(&mut book, "a", None));
        assert!(book.list(now).is_empty() && book.grants(now).len() == 1);
        let gone = Some(Root { id: 1, began: 1 });
        assert!(matches!(
            book.keep(&asked("a"), gone, reviewer()),
            Some(Reply::NoSession)
        ));
        let mut denied = asked("a");
        denied.decision.effect = Effect::Deny;
        assert!(book.keep(&denied, own(), reviewer()).is_none());
        assert!(book.recall(&denied, own(), now).is_none());
    }

    #[test]
    fn a_second_no_answers_for_a_while() {
        let (mut book, now) = (Book::default(), Instant::now());
        let is_refused = |book: &mut Book, text: &str, now| {
            matches!(
                book.recall(&asked(text), own(), now),
                Some(Reply::Refused { .. })
            )
        };
        book.note_no(&asked("a"), now);
        book.note_no(&asked("b"), now);
        assert!(!is_refused(&mut book, "a", now));
        book.note_no(&asked("a"), now);
        assert!(is_refused(&mut book, "a", now) && !is_refused(&mut book, "b", now));
        let later = now + REFUSED;
        assert!(!is_refused(&mut book, "a", later));
        book.note_no(&asked("b"), later);
        assert!(!is_refused(&mut book, "b", later));
        book.turn(later + REFUSED);
        assert!(book.is_empty());
    }

    #[test]
    fn two_people_are_two_users_and_together_reach_no_further_than_either() {
        let two = |text: &str| {
            let mut asked = asked(text);
            asked.decision.findings.push(crate::decide::Finding {
                reviewers: 2,
                effect: Effect::Confirm,
                ..crate::decide::Finding::default()
            });
            asked
        };
        let by = |uid| Reviewer { uid, ..reviewer() };
        for (first, second, times) in [
            (Scope::Once, Scope::Once, 1),
            (Scope::Once, Scope::Session, 1),
            (Scope::Seconds(60), Scope::Once, 1),
            (Scope::Seconds(60), Scope::Session, 1),
            (Scope::Seconds(60), Scope::Seconds(600), 2),
            (Scope::Session, Scope::Session, 2),
        ] {
            let (mut book, now) = (Book::without(Some(7)), Instant::now());
            // One that is typed where it was asked is no more than one of them.
            assert!(book.keep(&two("a"), own(), by(1)).is_none());
            let number = waits(&mut book, two("a"), own(), now);
            let key = two("a").key();
            let mut yes = |uid, scope| book.approve(number, &key, (scope, own()), &by(uid), now).0;
            assert!(matches!(yes(7, second), Reply::Uncounted));
            assert!(matches!(yes(1, first), Reply::More(1)));
            for scope in [first, second] {
                assert!(matches!(yes(1, scope), Reply::Uncounted));
            }
            assert!(matches!(yes(7, second), Reply::Uncounted));
            assert!(!is_approved(&mut book, two("a"), own(), now));
            assert_eq!(book.list(now).first().map(|one| one.said), Some(1));
            let (reply, _) = book.approve(number, &key, (second, own()), &by(2), now);
            assert!(matches!(reply, Reply::Done));
            let reply = book.ask(two("a"), 1, own(), 1, now);
            book.leave(1);
            assert!(
                matches!(&reply, Some(Reply::Approved(by))
                    if by.uid == 2 && by.with.iter().map(|one| one.uid).eq([1])),
                "{reply:?}"
            );
            assert_eq!(is_approved(&mut book, two("a"), own(), now), times > 1);
            if second == Scope::Seconds(600) {
                let later = now + Duration::from_secs(60);
                assert!(!is_approved(&mut book, two("a"), own(), later));
            }
            // What is asked anew begins anew.
            if times == 1 {
                let number = waits(&mut book, two("a"), own(), now);
                let (reply, _) = book.approve(number, &key, (first, own()), &by(2), now);
                assert!(matches!(reply, Reply::More(1)));
            }
        }
    }
    #[test]
    fn a_yes_for_the_session_is_for_the_one_that_was_shown_and_reaches_no_other_that_waits() {
        let other = Root::of(1);
        let (mut book, now) = (Book::default(), Instant::now());
        let key = asked("a").key();
        let yes = |book: &mut Book, session| {
            let by = reviewer();
            book.approve(1, &key, (Scope::Session, session), &by, now)
        };
        book.ask(asked("a"), 1, own(), 7, now);
        book.ask(asked("a"), 1, other, 8, now);
        book.ask(asked("a"), 1, own(), 9, now);
        book.ask(asked("a"), 1, None, 10, now);
        assert_eq!(book.look(1).map(|shown| shown.session), Some(own()));
        for session in [other, None] {
            let (reply, told) = yes(&mut book, session);
            assert!(matches!(reply, Reply::NoSession) && told.is_empty());
        }
        let (_, told) = yes(&mut book, own());
        let told: Vec<Waiter> = told.into_iter().map(|(waiter, _)| waiter).collect();
        assert_eq!(told, [7, 9]);
        assert!(!is_approved(&mut book, asked("a"), other, now));
        assert!(is_approved(&mut book, asked("a"), own(), now));
        // The others wait on, now for themselves.
        book.ask(asked("a"), 1, other, 8, now);
        assert_eq!(book.look(1).map(|shown| shown.session), Some(other));
        let (_, told) = yes(&mut book, other);
        assert!(told.iter().all(|(waiter, _)| *waiter == 8) && !told.is_empty());
        book.leave(10);
        assert!(is_approved(&mut book, asked("a"), other, now));
    }

    #[test]
    fn the_first_yes_of_two_waits_no_longer_than_a_yes_does() {
        let mut two = asked("a");
        two.decision.findings.push(crate::decide::Finding {
            reviewers: 2,
            effect: Effect::Confirm,
            ..crate::decide::Finding::default()
        });
        let by = |uid| Reviewer { uid, ..reviewer() };
        let reach = (Scope::Once, None);
        let (mut book, mut now) = (Book::default(), Instant::now());
        let number = waits(&mut book, two.clone(), own(), now);
        let (reply, _) = book.approve(number, &two.key(), reach, &by(1), now);
        assert!(matches!(reply, Reply::More(1)));
        // It is asked again and again meanwhile.
        let said = |book: &mut Book, now| {
            let reply = book.ask(two.clone(), 1, own(), 1, now);
            let Some(Reply::Waiting { said, .. }) = reply else {
                panic!("{reply:?}")
            };
            book.turn(now);
            said
        };
        let last = now + ONCE;
        now = last.checked_sub(Duration::from_secs(1)).unwrap();
        assert_eq!(said(&mut book, now), [1]);
        let before = book.changes();
        assert!(said(&mut book, last).is_empty());
        assert_ne!(book.changes(), before);
        assert_eq!(book.list(last).first().map(|one| one.said), Some(0));
        for uid in [2, 1] {
            let (reply, told) = book.approve(number, &two.key(), reach, &by(uid), last);
            assert_eq!(matches!(reply, Reply::More(1)), uid == 2, "{reply:?}");
            assert_eq!(told.is_empty(), uid == 2);
        }
    }
}
