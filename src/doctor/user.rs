//! Who asks: the user that an agent would be, as `/etc/passwd` has it (passwd(5)).

use std::fs;

use nix::unistd::geteuid;

use super::facts::User;
use crate::policy::discover::Folders;

/// Looks the user up.
#[must_use]
pub fn look(folders: &Folders) -> User {
    let uid = geteuid().as_raw();
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    let (name, shell) = entry(&passwd, uid).unzip();
    User {
        uid,
        name,
        shell,
        home_proven: folders.home.as_ref().is_some_and(|home| home.proven),
    }
}

/// A user's name; the number where there is none.
#[must_use]
pub fn name_of(uid: u32) -> String {
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    entry(&passwd, uid).map_or_else(|| uid.to_string(), |(name, _)| name)
}

/// The name and the login shell of a user. An empty shell is `/bin/sh`.
fn entry(passwd: &[u8], uid: u32) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(passwd);
    let uid = uid.to_string();
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [name, _, number, _, _, _, shell] if *number == uid => {
                let shell = if shell.is_empty() { "/bin/sh" } else { shell };
                Some(((*name).to_owned(), shell.to_owned()))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn a_user_has_the_shell_of_the_entry() {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\nbroken:x:7\nu:x:7:7::/home/u:\n";
        let pair = |name: &str, shell: &str| Some((name.to_owned(), shell.to_owned()));
        assert_eq!(entry(passwd, 0), pair("root", "/bin/bash"));
        assert_eq!(entry(passwd, 7), pair("u", "/bin/sh"));
        assert_eq!(entry(passwd, 70), None);
    }
}
