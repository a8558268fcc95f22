//! `kibosh check --batch`: one JSON question a line in, one JSON answer a line out, in order. Text and
//! policy alone are judged: no file, no environment, no machine.

use std::io::{BufRead, Write};

use serde::Deserialize;
use serde_json::Value;

use crate::judge;
use crate::normalise::Context;
use crate::policy::Policy;
use crate::policy::paths::Place;
use crate::report::check;

/// One question.
#[derive(Deserialize)]
struct Question {
    /// Given back with the answer.
    #[serde(default)]
    id: Option<Value>,
    /// The command line.
    command: String,
    /// Where it would run.
    #[serde(default)]
    cwd: Option<String>,
}

/// Answers every line of `input` on `output`. A line that is no question is answered with an error,
/// which is never an allow.
///
/// # Errors
///
/// Those of reading and writing.
pub fn answer(
    policy: &Policy,
    mut input: impl BufRead,
    mut output: impl Write,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answered = match serde_json::from_slice::<Question>(&line) {
            Ok(question) => {
                let mut context = Context::text_only();
                if let Some(cwd) = question.cwd {
                    context.place = Place {
                        workspace: cwd.clone(),
                        cwd,
                        ..context.place
                    };
                }
                let judgement = judge::judge(policy, &question.command, &context);
                check::json(question.id.as_ref(), &judgement.decision)
            }
            Err(error) => check::json_error(None, &error.to_string()),
        };
        output.write_all(answered.as_bytes())?;
        output.write_all(b"\n")?;
        // A person or a program may wait for each answer.
        output.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_keep_the_order_and_a_broken_line_is_never_allowed() {
        let input =
            b"{\"id\":1,\"command\":\"ls\"}\nnonsense\n{\"id\":\"b\",\"command\":\"ls -l\"}\n";
        let mut output = Vec::new();
        answer(&Policy::shipped(), &input[..], &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        let decisions: Vec<(Value, Value)> = output
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap())
            .map(|v| (v["id"].clone(), v["decision"].clone()))
            .collect();
        assert_eq!(
            decisions,
            [
                (1.into(), "allow".into()),
                (Value::Null, "deny".into()),
                ("b".into(), "allow".into())
            ]
        );
    }
}
