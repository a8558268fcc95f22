//! From the text of a policy file to its content, or to everything that is wrong with it.

use super::Layer;
use super::discover::Folders;
use super::error::{PolicyError, PolicyErrors};
use super::schema::PolicyFile;

/// Reads the files of the layers that `folders` have, in their order.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn layers(folders: &Folders) -> Result<Vec<(Layer, String, PolicyFile)>, PolicyErrors> {
    let _ = folders;
    Ok(Vec::new())
}

/// Reads one policy file.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse(file: &str, text: &str) -> Result<PolicyFile, PolicyErrors> {
    toml::from_str(text).map_err(|error| {
        PolicyErrors(vec![PolicyError {
            file: file.to_owned(),
            line: 0,
            column: 0,
            length: 0,
            source_line: String::new(),
            message: error.message().to_owned(),
            hint: None,
        }])
    })
}
