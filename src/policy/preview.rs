//! The placeholders of a preview, and whether one holds every word of a command, whatever that is.

/// Stands for the command as far as its subcommand, with the options before that.
pub const COMMAND: &str = "{command}";
/// Stands for the same without the words of the subcommand.
pub const PROGRAM: &str = "{program}";
/// Stands for the words behind the subcommand.
pub const ARGUMENTS: &str = "{arguments}";

/// Whether it begins with the command, and has the arguments behind that once, and no other placeholder.
#[must_use]
pub fn is_whole(words: &[String]) -> bool {
    let Some((first, others)) = words.split_first() else {
        return false;
    };
    let mut placeholders = others.iter().filter(|word| word.contains(['{', '}']));
    [COMMAND, PROGRAM].contains(&first.as_str())
        && placeholders.next().is_some_and(|word| word == ARGUMENTS)
        && placeholders.next().is_none()
}
