//! The credentials that everything started here gets: the environment as the policy wants it.

use std::ffi::CString;

use crate::policy::Policy;
use crate::policy::glob;
use crate::policy::schema::Credentials;
use crate::sys::environment;

/// Takes out of this process's environment, and puts into it, what the policy says. Nothing has been judged or
/// started yet.
pub(super) fn apply(policy: &Policy) {
    let wanted = policy.credentials();
    if wanted.is_empty() {
        return;
    }
    let mut entries: Vec<Vec<u8>> = environment::entries().map(<[u8]>::to_vec).collect();
    for one in wanted {
        change(&mut entries, one);
    }
    let entries = entries.into_iter();
    environment::replace(entries.filter_map(|one| CString::new(one).ok()).collect());
}

fn change(entries: &mut Vec<Vec<u8>>, wanted: &Credentials) {
    let name = |entry: &[u8]| -> String {
        let name = entry.split(|&byte| byte == b'=').next();
        String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
    };
    entries.retain(|entry| {
        let name = name(entry);
        let mut unset = wanted.unset.iter();
        !wanted.set.contains_key(&name) && !unset.any(|one| glob::matches(one, &name))
    });
    let set = wanted.set.iter();
    entries.extend(set.map(|(name, value)| format!("{name}={value}").into_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_is_gone_and_what_is_set_stands_once() {
        let mut entries: Vec<Vec<u8>> = [
            "A=1",
            "AWS_PROFILE=admin",
            "GH_TOKEN=x",
            "no entry",
            "AWS_PROFILE=other",
        ]
        .map(|one| one.as_bytes().to_vec())
        .into();
        let wanted = Credentials {
            unset: vec!["*_TOKEN".into()],
            set: [("AWS_PROFILE".to_owned(), "readonly".to_owned())].into(),
        };
        change(&mut entries, &wanted);
        let text: Vec<String> = entries
            .into_iter()
            .map(|one| String::from_utf8(one).unwrap())
            .collect();
        assert_eq!(text, ["A=1", "no entry", "AWS_PROFILE=readonly"]);
    }
}
