//! Any text can be read: nothing panics, hangs, or points outside of the text.
#![no_main]

use kibosh::syntax::{Command, Compound, Dialect, Script, Span, completeness, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Bash, Dialect::Posix] {
        let reading = read(text, dialect);
        for unread in &reading.unread {
            inside(text, unread.span);
        }
        script(text, &reading.script);
        let _ = completeness(text, dialect);
    }
});

fn inside(text: &str, span: Span) {
    assert!(text.get(span.start..span.end).is_some(), "{span:?}");
}

fn script(text: &str, script: &Script) {
    for statement in &script.statements {
        command(text, &statement.command);
    }
}

fn command(text: &str, of: &Command) {
    match of {
        Command::Simple(simple) => {
            inside(text, simple.span);
            for word in &simple.words {
                inside(text, word.span);
            }
            for redirect in &simple.redirects {
                inside(text, redirect.target.span);
            }
        }
        Command::Pipeline(commands) => commands.iter().for_each(|of| command(text, of)),
        Command::Compound { kind, span, .. } => {
            inside(text, *span);
            match kind {
                Compound::Subshell(body) | Compound::Group(body) => script(text, body),
                Compound::Function { body, .. } | Compound::Coprocess(body) => command(text, body),
                _ => {}
            }
        }
    }
}
