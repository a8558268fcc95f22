//! Secrets taken out of a text before it is recorded.
//!
//! What is a secret is told by names whose value is one (`--password x`, `API_TOKEN=x`,
//! `"secret": "x"`), by words that begin like one (`ghp_…`), by options of single programs
//! (`mysql -px`), all of them in the tables of `secrets.rs`, and by the form of URLs and private keys. A
//! password that looks like any other word stays. Every allowed command passes here, so there is one pass and no regular expression.

use std::borrow::Cow;
use std::ops::Range;

use super::secrets::{HARMLESS, NAMES, OPTIONS, PREFIXES, Place};

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";

/// A user in a URL that is this long, without a password, is a token.
const LONG_USER: usize = 20;
/// How many words of a command are searched for its options, so that time grows with the text only.
const MOST_WORDS: usize = 64;

/// The text with each secret replaced.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !is_suspicious(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut secrets = Vec::new();
    find_blocks(text, &mut secrets);
    find_urls(text, &mut secrets);
    find_names(text, &mut secrets);
    find_prefixes(text, &mut secrets);
    find_options(text, &mut secrets);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(replaced(text, secrets))
}

/// Whether there can be a secret at all: each has one of these bytes in or beside it, or is long.
fn is_suspicious(text: &[u8]) -> bool {
    let mut run = 0;
    text.iter().any(|byte| {
        run = if byte.is_ascii_alphanumeric() {
            run + 1
        } else {
            0
        };
        matches!(byte, b'=' | b':' | b'_' | b'-') || run > 15
    })
}

fn replaced(text: &str, mut secrets: Vec<Range<usize>>) -> String {
    secrets.sort_by_key(|secret| (secret.start, secret.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for secret in secrets {
        if secret.end <= done {
            continue;
        }
        if secret.start >= done {
            out.push_str(text.get(done..secret.start).unwrap_or_default());
            out.push_str(REDACTED);
        }
        done = secret.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Private keys in PEM: everything between the first and the last line.
fn find_blocks(text: &str, secrets: &mut Vec<Range<usize>>) {
    const HEAD: &str = "PRIVATE KEY";
    for (at, _) in text.match_indices("-----BEGIN ") {
        let Some(rest) = text.get(at..) else { continue };
        let label = rest.get(..rest.floor_char_boundary(64)).unwrap_or(rest);
        let Some(head) = label.find(HEAD) else {
            continue;
        };
        let start = at + head + HEAD.len();
        let end = text
            .get(start..)
            .and_then(|body| body.find("-----END"))
            .map_or(text.len(), |end| start + end);
        secrets.push(start..end);
    }
}

/// `scheme://user:secret@host`, and a long user without a password.
fn find_urls(text: &str, secrets: &mut Vec<Range<usize>>) {
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let Some(rest) = text.get(start..) else {
            continue;
        };
        let ends = |letter: char| letter.is_whitespace() || "/?#\"'`".contains(letter);
        let authority = rest
            .get(..rest.find(ends).unwrap_or(rest.len()))
            .unwrap_or(rest);
        let Some(at) = authority.rfind('@') else {
            continue;
        };
        let user = authority.get(..at).unwrap_or_default();
        let secret = match user.find(':') {
            Some(colon) => colon + 1..at,
            None if at >= LONG_USER => 0..at,
            None => continue,
        };
        let value = user.get(secret.clone()).unwrap_or_default();
        if !value.is_empty() && !is_reference(value) {
            secrets.push(start + secret.start..start + secret.end);
        }
    }
}

/// Values of names.
fn find_names(text: &str, secrets: &mut Vec<Range<usize>>) {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut done = 0;
    for name in runs(text, within) {
        let Some(word) = text.get(name.clone()) else {
            continue;
        };
        // What stands in a value already found is part of it.
        if name.start < done || word.len() < 5 || !is_secret_name(word) {
            continue;
        }
        if let Some(value) = value_of(text, &name, word) {
            done = value.end;
            secrets.push(value);
        }
    }
}

fn is_secret_name(word: &str) -> bool {
    let lower: String = word
        .chars()
        .map(|letter| {
            if matches!(letter, '-' | '.') {
                '_'
            } else {
                letter.to_ascii_lowercase()
            }
        })
        .collect();
    NAMES.iter().any(|name| lower.contains(name))
        && !HARMLESS.iter().any(|name| lower.contains(name))
}

/// Where the value of a name stands: after `=` or `:`, or in the next word after a long option and
/// after `Bearer`.
fn value_of(text: &str, name: &Range<usize>, word: &str) -> Option<Range<usize>> {
    let rest = text.get(name.end..)?;
    let marked = rest.trim_start_matches(['"', '\'', '\\']);
    if let Some(value) = marked.strip_prefix('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        // `NAME= command` sets it to nothing.
        let start = text.len() - value.len();
        return extent(text, start, false).filter(|_| !value.starts_with([' ', '\t']));
    }
    if let Some(value) = marked.strip_prefix(':') {
        let lower = word.to_ascii_lowercase();
        let is_header = lower.ends_with("authorization") || lower.ends_with("cookie");
        let spaced = value.trim_start_matches([' ', '\t']);
        // `pg:credentials:destroy` and `npm run token:refresh` are names, no values.
        let is_value = spaced.len() < value.len()
            || value.starts_with(['"', '\'', '\\'])
            || is_header
            || lower.starts_with("x-");
        let start = text.len() - spaced.len();
        return extent(text, start, is_header).filter(|_| is_value);
    }
    let takes_next = word.starts_with("--") || word.eq_ignore_ascii_case("bearer");
    let next = rest.trim_start_matches([' ', '\t']);
    if takes_next && next.len() < rest.len() && !next.starts_with('-') {
        return extent(text, text.len() - next.len(), false);
    }
    None
}

/// The value that starts at `start`: what is in the quotes, or up to a blank or an operator. A bare
/// reference to a variable is no secret.
fn extent(text: &str, start: usize, whole_line: bool) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    let (start, end) = match rest.chars().next()? {
        quote @ ('"' | '\'') if is_closing(text, start, quote) => return None,
        quote @ ('"' | '\'') => {
            let body = rest.get(1..)?;
            (start + 1, start + 1 + closing(body, quote))
        }
        _ if whole_line => (
            start,
            start + rest.find(['"', '\'', '\n']).unwrap_or(rest.len()),
        ),
        _ => (start, start + bare(rest)),
    };
    let value = text.get(start..end)?;
    (!value.is_empty() && !is_reference(value) && value != REDACTED).then_some(start..end)
}

/// Whether a value only names a variable, perhaps after the scheme of a header.
fn is_reference(value: &str) -> bool {
    let value = match value.split_once(' ') {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => rest,
        _ => value,
    };
    value.starts_with('$')
        && value.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'_' | b'{' | b'}' | b'(')
        })
}

/// Whether the quote at `at` ends a quoted text, as in `grep '^TOKEN=' file`, and begins none: there is
/// an odd number of them before it in its line, and nothing but a blank or an operator after it.
fn is_closing(text: &str, at: usize, quote: char) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let after = text.get(at + 1..).and_then(|rest| rest.chars().next());
    let ends = after.is_none_or(|next| next.is_whitespace() || ")|;&<>\"'".contains(next));
    ends && line.matches(quote).count() % 2 == 1
}

/// Where a quoted text ends; its end where the quote is never closed.
fn closing(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in body.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if letter == quote => return at,
            _ => {}
        }
    }
    body.len()
}

/// Where an unquoted word ends.
fn bare(rest: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' | '\'' | '&' | ';' | '|' | '<' | '>' | ')' | ',' | '`' | '}' => return at,
            _ if letter.is_whitespace() => return at,
            _ => {}
        }
    }
    rest.len()
}

/// Words that begin like a secret.
fn find_prefixes(text: &str, secrets: &mut Vec<Range<usize>>) {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    for word in runs(text, within) {
        let Some(letters) = text.get(word.clone()) else {
            continue;
        };
        let found = letters.len() >= 12
            && PREFIXES.iter().any(|(prefix, least)| {
                letters
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.len() >= *least)
            });
        if found {
            secrets.push(word);
        }
    }
}

/// Values of short options.
fn find_options(text: &str, secrets: &mut Vec<Range<usize>>) {
    for command in text.split(['\n', ';', '|', '&', '(']) {
        let offset = command.as_ptr().addr() - text.as_ptr().addr();
        let words: Vec<Range<usize>> = runs(command, |byte| !byte.is_ascii_whitespace()).collect();
        let word = |place: usize| {
            words
                .get(place)
                .and_then(|range| command.get(range.clone()))
        };
        for (place, range) in words.iter().enumerate() {
            let Some(name) = command.get(range.clone()) else {
                continue;
            };
            let name = name.rsplit('/').next().unwrap_or(name);
            let end = words.len().min(place + MOST_WORDS);
            for (_, option, kind) in OPTIONS.iter().filter(|(program, ..)| *program == name) {
                let login = (place..end).any(|at| word(at) == Some("login"));
                if *kind == Place::Login && !login {
                    continue;
                }
                for at in place + 1..end {
                    if let Some(secret) = option_value(command, &words, at, option, *kind) {
                        secrets.push(offset + secret.start..offset + secret.end);
                    }
                }
            }
        }
    }
}

/// The secret part of the option at word `at`, where that is `option`.
fn option_value(
    command: &str,
    words: &[Range<usize>],
    at: usize,
    option: &str,
    kind: Place,
) -> Option<Range<usize>> {
    let word = words.get(at)?.clone();
    let rest = command.get(word.clone())?.strip_prefix(option)?;
    let attached = (!rest.is_empty()).then_some(word.end - rest.len());
    let next = words.get(at + 1).map(|next| next.start);
    let start = match kind {
        Place::Attached => attached?,
        Place::Next | Place::Login => attached.is_none().then_some(next?)?,
        Place::Either | Place::AfterColon | Place::AfterPercent => attached.or(next)?,
        Place::Last => words.last()?.start,
    };
    let value = extent(command, start, false)?;
    let mark = match kind {
        Place::AfterColon => ':',
        Place::AfterPercent => '%',
        _ => return Some(value),
    };
    let after = command.get(value.clone())?.find(mark)? + 1;
    (value.start + after < value.end).then_some(value.start + after..value.end)
}

/// The longest ranges of ASCII bytes that all hold.
fn runs(text: &str, holds: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut bytes = text.bytes().enumerate().peekable();
    std::iter::from_fn(move || {
        let (start, _) = bytes.find(|(_, byte)| holds(*byte))?;
        let mut end = start + 1;
        while bytes.next_if(|(_, byte)| holds(*byte)).is_some() {
            end += 1;
        }
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_and_what_is_around_them_stays() {
        for (text, kept) in [
            (
                "mysql -u root -phunter2 shop",
                "mysql -u root -p[redacted] shop",
            ),
            (
                "mysqldump --password=hunter2 shop",
                "mysqldump --password=[redacted] shop",
            ),
            ("psql --password 'a b' x", "psql --password '[redacted]' x"),
            (
                "PGPASSWORD=abc psql -h db",
                "PGPASSWORD=[redacted] psql -h db",
            ),
            (
                "export API_TOKEN=\"x y\"; ls",
                "export API_TOKEN=\"[redacted]\"; ls",
            ),
            (
                "curl -H 'Authorization: Bearer abc.def' u",
                "curl -H 'Authorization: [redacted]' u",
            ),
            (
                "curl -H \"X-Api-Key: abc\" u",
                "curl -H \"X-Api-Key: [redacted]\" u",
            ),
            ("curl -u me:pw https://x", "curl -u me:[redacted] https://x"),
            (
                "curl --user me:pw https://x",
                "curl --user me:[redacted] https://x",
            ),
            (
                "git clone https://me:pw@h/x.git",
                "git clone https://me:[redacted]@h/x.git",
            ),
            (
                "psql postgres://me:p%40w@h:5432/db",
                "psql postgres://me:[redacted]@h:5432/db",
            ),
            (
                "curl 'https://h/x?token=abc&y=1'",
                "curl 'https://h/x?token=[redacted]&y=1'",
            ),
            ("echo ghp_0123456789abcdefABCD", "echo [redacted]"),
            (
                "aws configure set aws_access_key_id AKIAIOSFODNN7EXAMPLE",
                "aws configure set aws_access_key_id [redacted]",
            ),
            (
                "AWS_SECRET_ACCESS_KEY=wJalr/K7MDENG+b aws s3 ls",
                "AWS_SECRET_ACCESS_KEY=[redacted] aws s3 ls",
            ),
            (
                "curl -d '{\"password\": \"abc\", \"user\": \"me\"}' u",
                "curl -d '{\"password\": \"[redacted]\", \"user\": \"me\"}' u",
            ),
            (
                "curl -d '{\"password\":\"a\\\"b\"}' u",
                "curl -d '{\"password\":\"[redacted]\"}' u",
            ),
            ("sshpass -p abc ssh h", "sshpass -p [redacted] ssh h"),
            ("sshpass -pabc ssh h", "sshpass -p[redacted] ssh h"),
            (
                "redis-cli -a abc flushall",
                "redis-cli -a [redacted] flushall",
            ),
            (
                "docker login -u me -p abc r.io",
                "docker login -u me -p [redacted] r.io",
            ),
            (
                "kubectl create secret generic s --from-literal=password=abc",
                "kubectl create secret generic s --from-literal=password=[redacted]",
            ),
            (
                "echo 'password: abc' >c.yml",
                "echo 'password: [redacted]' >c.yml",
            ),
            (
                "/usr/bin/mysql -pabc; mysql -pdef",
                "/usr/bin/mysql -p[redacted]; mysql -p[redacted]",
            ),
            (
                "tool --api-key abc --verbose",
                "tool --api-key [redacted] --verbose",
            ),
            (
                "echo eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
                "echo [redacted]",
            ),
            (
                "smbclient -U me%pw //h/s",
                "smbclient -U me%[redacted] //h/s",
            ),
        ] {
            assert_eq!(redact(text), kept, "{text}");
        }
    }

    #[test]
    fn a_private_key_is_taken_out_whole_or_cut_off() {
        let key = "echo '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\nnNzaC1r\n-----END OPENSSH PRIVATE KEY-----' >k";
        assert_eq!(
            redact(key),
            "echo '-----BEGIN OPENSSH PRIVATE KEY[redacted]-----END OPENSSH PRIVATE KEY-----' >k"
        );
        assert_eq!(
            redact("-----BEGIN RSA PRIVATE KEY-----\nb3Blb"),
            "-----BEGIN RSA PRIVATE KEY[redacted]"
        );
    }

    #[test]
    fn ordinary_text_is_kept_as_it_is() {
        for text in [
            "ls -la",
            "heroku pg:credentials:destroy postgresql-1 -a shop",
            "npm run token:refresh",
            "X=$(grep '^JWT_SECRET=' .env | cut -d= -f2-) node -e 'run()'",
            "git push https://x-access-token:${GH_TOKEN}@github.com/me/x.git",
            "curl -H \"Authorization: Bearer $TOKEN\" u",
            "aws iam delete-access-key --access-key-id prod-access",
            "docker run -p 8080:80 nginx",
            "git commit -m 'fix token refresh and password reset'",
            "mkdir -p a/b && cp -p x y",
            "ssh -p 2222 host",
            "grep -rn password src/",
            "psql --password \"$PW\" x",
            "PASSWORD=$(cat f) run",
            "TOKEN= run",
            "docker login --password-stdin r.io",
            "ansible-vault view --vault-password-file f x",
            "git clone git@github.com:me/x.git",
            "curl https://user@host/path",
            "curl -u me https://x",
            "git show 0123456789abcdef0123456789abcdef01234567",
            "kubectl get secrets -n x",
            "cat tokens.txt",
            "mysql -u root -p shop",
            "curl http://localhost:8080/a@b",
            "npm_config_loglevel=silent npm ci",
            "find . -name 'secret*' -print",
        ] {
            assert_eq!(redact(text), text);
            assert!(matches!(redact(text), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn any_text_comes_through_without_a_panic_and_bounded() {
        for text in [
            "=",
            ":",
            "--password",
            "--password ",
            "--password=",
            "password:'",
            "://@",
            "://:@",
            "a://b:",
            "\"",
            "-p",
            "mysql -p",
            "curl -u",
            "curl -u :",
            "bearer ",
            "ä=ö",
            "pässword=ö",
            "password=ö",
            "-----BEGIN PRIVATE KEY",
            "password=\\",
            "token=\"\\",
            "htpasswd -b f u p",
        ] {
            assert!(
                redact(text).len() <= text.len() + 3 * REDACTED.len(),
                "{text}"
            );
        }
        assert_eq!(redact("htpasswd -b f u abc"), "htpasswd -b f u [redacted]");
    }
}
