//! What is said of policies: mistakes in them, and what is in force.

use super::diagnostic::Diagnostic;
use crate::policy::error::PolicyErrors;

/// That the policy cannot be read, so that nothing runs: every mistake with its place.
#[must_use]
pub fn unreadable(errors: &PolicyErrors) -> String {
    let mut text = "kibosh: nothing was run: the policy cannot be read".to_owned();
    for error in &errors.0 {
        text.push_str("\n\n");
        text.push_str(&Diagnostic::from(error).to_string());
    }
    text.push_str("\n\nhint: a person mends these files; until then no command runs");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::error::PolicyError;

    #[test]
    fn every_mistake_is_shown_with_its_place() {
        let text = "[settings]\nbsh = \"/bin/bash\"\n";
        let one = PolicyError::at("a.toml", text, 11..14, "unknown key `bsh`".to_owned());
        let errors = PolicyErrors(vec![
            one.hinted("did you mean `bash`?"),
            PolicyError::whole("b.toml", "is not a file"),
        ]);
        assert_eq!(
            unreadable(&errors),
            "kibosh: nothing was run: the policy cannot be read\n\n\
             a.toml:2:1: error: unknown key `bsh`\n  bsh = \"/bin/bash\"\n  ^~~\n\
             hint: did you mean `bash`?\n\n\
             b.toml: error: is not a file\n\n\
             hint: a person mends these files; until then no command runs"
        );
    }
}
