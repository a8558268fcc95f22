//! Sizes as a policy writes them: `"1 GB"`.

/// A size in bytes: a number, a blank or none, and `B`, `kB`, `MB`, `GB` or `TB`.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|one: char| !one.is_ascii_digit())?);
    let times = match unit.strip_prefix(' ').unwrap_or(unit) {
        "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        for (text, size) in [
            ("1 GB", Some(1_000_000_000)),
            ("500MB", Some(500_000_000)),
            ("20 kB", Some(20_000)),
            ("0 B", Some(0)),
            ("3 TB", Some(3_000_000_000_000)),
            ("1", None),
            ("GB", None),
            ("1 gb", None),
            ("1  GB", None),
            ("-1 GB", None),
            ("1.5 GB", None),
            ("", None),
            ("99999999999 TB", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }
}
