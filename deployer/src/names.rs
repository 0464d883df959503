//! Names: what may be one, the nearest to a mistyped one, and the making of
//! one from a table's name. Pure text.

/// The most characters that a name has.
pub const MOST_CHARS: usize = 63;

/// Checks a name of a project, an environment, a stream or a handler:
/// `[a-z][a-z0-9-]{0,62}`. They become paths, logical ids and metric
/// dimensions, so they are held to what all of these take.
///
/// # Errors
///
/// The rule, as the rest of a sentence that begins with the name.
pub fn check(name: &str) -> Result<(), String> {
    if is_name(name) {
        return Ok(());
    }
    let near = kebab(name);
    let near = if is_name(&near) { format!("; for example `{near}`") } else { String::new() };
    Err(format!("is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter{near}"))
}

fn is_name(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    first && rest && name.len() <= MOST_CHARS
}

/// The known word that the user most likely meant, if one is near.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    /// As clap has it: below, the guess is more often wrong than right.
    const NEAR: f64 = 0.7;
    let word = kebab(word);
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(near, _)| *near > NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `; did you mean …?`, or the choices, to end a message with.
pub fn suggest(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there is {}", list(known)),
    }
}

/// `a`, `b` and `c`, each in back quotes; of very many, the first.
pub fn list(words: &[&str]) -> String {
    /// More than the keys of any table, less than a screen.
    const MOST: usize = 30;
    if let Some(more) = words.len().checked_sub(MOST + 1) {
        let first = words[..MOST].iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        return format!("{first} and {} more", more + 1);
    }
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [most @ .., last] => {
            let most = most.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            format!("{most} and `{last}`")
        }
    }
}

/// `demo_Table.2` as `demo-table-2`, `BatchSize` as `batch-size`.
pub fn kebab(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_lower = false;
    for c in text.chars() {
        let starts_word = c.is_ascii_uppercase() && after_lower;
        if (!c.is_ascii_alphanumeric() || starts_word) && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

/// A stream's name made from its table's name, other than those `taken`.
pub fn for_stream(table: &str, taken: &[&str]) -> String {
    let mut base = kebab(table);
    if !base.starts_with(|c: char| c.is_ascii_lowercase()) {
        base = format!("table-{base}");
    }
    let numbered = |n: usize| {
        let suffix = if n == 1 { String::new() } else { format!("-{n}") };
        let base = &base[..base.len().min(MOST_CHARS - suffix.len())];
        format!("{}{suffix}", base.trim_end_matches('-'))
    };
    // One of the first `taken.len() + 1` names is free: they all differ.
    (1..=taken.len())
        .map(numbered)
        .find(|name| !taken.contains(&name.as_str()))
        .unwrap_or_else(|| numbered(taken.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_the_design_has_them() {
        for good in ["a", "clerk-file", "a-", "x1", &"a".repeat(63)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "1a", "-a", "A", "a_b", "a.b", "ä", "a b", "a/b", "..", &"a".repeat(64)] {
            assert!(check(bad).is_err(), "{bad}");
        }
        let rule = "is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter";
        assert_eq!(check("ClerkFile"), Err(format!("{rule}; for example `clerk-file`")));
        assert_eq!(check("9"), Err(rule.to_owned()));
    }

    #[test]
    fn the_nearest_word_is_found_in_other_spellings() {
        let known = ["memory-mb", "timeout-ms", "stream", "source"];
        for (word, near) in
            [("memory_mb", "memory-mb"), ("memory", "memory-mb"), ("TimeoutMs", "timeout-ms"), ("steam", "stream")]
        {
            assert_eq!(nearest(word, known), Some(near), "{word}");
        }
        assert_eq!(nearest("zzz", known), None);
    }

    #[test]
    fn words_are_listed() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert!(list(&["a"; 30]).ends_with("`a`, `a` and `a`"));
        assert!(list(&["a"; 32]).ends_with("`a`, `a` and 2 more"));
    }

    #[test]
    fn a_table_gives_a_stream_its_name() {
        for (table, name) in [
            ("test-table", "test-table"),
            ("My.Table", "my-table"),
            ("MyTable", "my-table"),
            ("demo_Table_2", "demo-table-2"),
            ("2024.log", "table-2024-log"),
            ("___", "table"),
            ("a__b..", "a-b"),
        ] {
            let derived = for_stream(table, &[]);
            assert_eq!(derived, name);
            assert_eq!(check(&derived), Ok(()));
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        assert_eq!(for_stream("My.Table", &["my-table", "my-table-3"]), "my-table-2");
        let long = "a".repeat(63);
        assert_eq!(for_stream(&long, &[&long]), format!("{}-2", "a".repeat(61)));
    }
}
