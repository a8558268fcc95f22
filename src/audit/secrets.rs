//! The tables by which [`super::redact`] tells a secret.

/// Parts of a name that make its value a secret, in lower case, `-` written as `_`.
pub const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "accesskey",
    "access_key",
    "privatekey",
    "private_key",
    "credential",
    "authorization",
    "signature",
    "pgpass",
    "mysql_pwd",
    "x_auth",
    "cookie",
    "sas_key",
    "account_key",
    "accountkey",
    "auth_key",
    "bearer",
];

/// Names with such a part whose value is none.
pub const HARMLESS: &[&str] = &[
    "password_file",
    "passwordfile",
    "password_stdin",
    "passphrase_file",
    "token_file",
    "secret_name",
    "secret_id",
    "secret_file",
    "credential_helper",
    "credentials_file",
    "secret_arn",
    "token_type",
    "max_tokens",
    "maxtokens",
    "tokenizer",
];

/// How a secret begins that is told by itself, and how many characters it has after that at least.
pub const PREFIXES: &[(&str, usize)] = &[
    ("AKIA", 12),
    ("ASIA", 12),
    ("AIza", 30),
    ("ya29.", 10),
    ("ghp_", 10),
    ("gho_", 10),
    ("ghu_", 10),
    ("ghs_", 10),
    ("ghr_", 10),
    ("github_pat_", 10),
    ("glpat-", 10),
    ("gldt-", 10),
    ("glrt-", 10),
    ("xoxb-", 8),
    ("xoxp-", 8),
    ("xoxa-", 8),
    ("xoxe-", 8),
    ("xoxs-", 8),
    ("xapp-", 8),
    ("sk-", 16),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("whsec_", 8),
    ("npm_", 20),
    ("pypi-", 20),
    ("dop_v1_", 10),
    ("hf_", 20),
    ("SG.", 20),
    ("eyJ", 20),
    ("hvs.", 10),
    ("glsa_", 10),
    ("shpat_", 10),
    ("dapi", 32),
    ("PMAK-", 20),
    ("ATATT", 20),
    ("AGE-SECRET-KEY-1", 10),
    ("tfp_", 10),
    ("lin_api_", 10),
    ("ops_", 40),
    ("sbp_", 20),
    ("fo1_", 20),
    ("rnd_", 20),
    ("nfp_", 20),
    ("vercel_", 20),
];

/// Programs, the short option whose value is a secret, and where the value stands.
pub const OPTIONS: &[(&str, &str, Place)] = &[
    ("mysql", "-p", Place::Attached),
    ("mysqldump", "-p", Place::Attached),
    ("mysqladmin", "-p", Place::Attached),
    ("mysqlimport", "-p", Place::Attached),
    ("mariadb", "-p", Place::Attached),
    ("mariadb-dump", "-p", Place::Attached),
    ("mariadb-admin", "-p", Place::Attached),
    ("sshpass", "-p", Place::Either),
    ("redis-cli", "-a", Place::Next),
    ("mongosh", "-p", Place::Next),
    ("mongo", "-p", Place::Next),
    ("mongodump", "-p", Place::Next),
    ("mongorestore", "-p", Place::Next),
    ("docker", "-p", Place::Login),
    ("podman", "-p", Place::Login),
    ("sqlcmd", "-P", Place::Either),
    ("bcp", "-P", Place::Either),
    ("ldapsearch", "-w", Place::Either),
    ("ldapmodify", "-w", Place::Either),
    ("ldapdelete", "-w", Place::Either),
    ("curl", "-u", Place::AfterColon),
    ("curl", "--user", Place::AfterColon),
    ("wget", "--user", Place::AfterColon),
    ("http", "-a", Place::AfterColon),
    ("https", "-a", Place::AfterColon),
    ("smbclient", "-U", Place::AfterPercent),
    ("zip", "-P", Place::Next),
    ("unzip", "-P", Place::Either),
    ("7z", "-p", Place::Attached),
    ("htpasswd", "-b", Place::Last),
];

/// Where the value of an option stands, and which part of it is secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the same word.
    Attached,
    /// In the next word.
    Next,
    /// In the same word, or the next where there is nothing more in it.
    Either,
    /// In the next word, where a word of the command is `login`.
    Login,
    /// In the next word or the same, after a colon.
    AfterColon,
    /// The same, after a percent sign.
    AfterPercent,
    /// In the last word of the command.
    Last,
}
