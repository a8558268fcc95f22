//! In which environment something would happen, in words: "in production (kube context `prod-eu`)".

use super::escape::escape;
use crate::decide::Finding;

/// The words for a finding; none where it happens in no environment that is told apart.
#[must_use]
pub fn of(finding: &Finding) -> Option<String> {
    let mut environments = finding.around.environments.iter();
    let first = escape(environments.next()?);
    Some(environments.fold(format!("in {first}"), |text, next| {
        format!("{text} and in {}", escape(next))
    }))
}
