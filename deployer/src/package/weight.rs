//! What a package weighs, and Lambda's limits. Numbers and words, no files.

use super::Contained;

/// The most that a package may be unzipped: AWS-FACTS, "250 MB".
pub const MOST_BYTES: u64 = 262_144_000;

/// The most that the zip may be when it is uploaded directly, and not through
/// S3: AWS-FACTS, "50 MB".
pub const MOST_ZIPPED_BYTES: u64 = 52_428_800;

/// How many of the heaviest a message names: enough to see where to begin.
const NAMED: usize = 5;

/// Checks that Lambda takes what is in a package.
///
/// # Errors
///
/// When it is more than `most` bytes, which is [`MOST_BYTES`]: how much, what
/// weighs most, and what can be done.
pub fn check(contents: &[Contained], most: u64) -> Result<(), String> {
    let total = total(contents);
    if total <= most {
        return Ok(());
    }
    let mut heaviest: Vec<&Contained> = contents.iter().collect();
    heaviest.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    let named: Vec<String> =
        heaviest.iter().take(NAMED).map(|entry| format!("{} {}", label(entry), megabytes(entry.bytes))).collect();
    let others = heaviest.len().saturating_sub(NAMED);
    let others = if others > 0 { format!(", and {others} more") } else { String::new() };
    Err(format!(
        "the package has {} ({} bytes) unzipped, and Lambda takes at most {} bytes. It is made of {}{others}. Make the \
         heaviest smaller (a release build without debug information, fewer libraries), or move handlers to a project of \
         their own, which is another function",
        megabytes(total),
        grouped(total),
        grouped(most),
        named.join(", "),
    ))
}

/// Checks that the zip can be uploaded directly.
///
/// # Errors
///
/// When it is larger than Lambda takes it by itself: what to do.
pub fn check_direct(zip_bytes: u64) -> Result<(), String> {
    if zip_bytes <= MOST_ZIPPED_BYTES {
        return Ok(());
    }
    Err(format!(
        "the zip has {} bytes, and Lambda takes at most {} directly: upload it through S3",
        grouped(zip_bytes),
        grouped(MOST_ZIPPED_BYTES)
    ))
}

/// All of it unzipped.
pub fn total(contents: &[Contained]) -> u64 {
    contents.iter().map(|entry| entry.bytes).sum()
}

/// What an entry is, for people: the handlers of code, the file's name else.
pub fn label(entry: &Contained) -> String {
    if entry.handlers.is_empty() { entry.name.clone() } else { entry.handlers.join(" + ") }
}

/// Megabytes as Lambda counts them, of 1,048,576 bytes.
pub fn megabytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10).div_ceil(1 << 20);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// A number with a comma between every three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, handlers: &[&str], bytes: u64) -> Contained {
        let handlers = handlers.iter().map(|&handler| handler.to_owned()).collect();
        Contained { name: name.to_owned(), handlers, bytes, zipped_bytes: 0 }
    }

    #[test]
    fn what_is_too_heavy_is_told_by_handler() {
        let contents = [
            entry("bootstrap", &[], 7 << 20),
            entry("handlers.json", &[], 900),
            entry("a.cwasm", &["small"], 2 << 20),
            entry("b.cwasm", &["etl", "report"], 120 << 20),
            entry("c.cwasm", &["python"], 130 << 20),
            entry("d.cwasm", &["tiny"], 1 << 20),
            entry("e.cwasm", &["tinier"], 1 << 10),
        ];
        let told = check(&contents, MOST_BYTES).unwrap_err();
        assert!(
            told.starts_with(
                "the package has 260.1 MB (272,631,684 bytes) unzipped, and Lambda takes at most 262,144,000 bytes."
            ),
            "{told}"
        );
        let made_of = "It is made of python 130.0 MB, etl + report 120.0 MB, bootstrap 7.0 MB, small 2.0 MB, tiny 1.0 MB, and 2 more.";
        assert!(told.contains(made_of), "{told}");
        assert!(told.contains("move handlers to a project of their own"), "{told}");
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        check(&[entry("bootstrap", &[], MOST_BYTES)], MOST_BYTES).unwrap();
        check(&[entry("bootstrap", &[], MOST_BYTES), entry("x", &[], 1)], MOST_BYTES).unwrap_err();
        check(&[], 0).unwrap();
        check_direct(MOST_ZIPPED_BYTES).unwrap();
        let told = check_direct(MOST_ZIPPED_BYTES + 1).unwrap_err();
        assert_eq!(
            told,
            "the zip has 52,428,801 bytes, and Lambda takes at most 52,428,800 directly: upload it through S3"
        );
    }

    #[test]
    fn numbers_are_for_people() {
        let numbers = [0, 7, 999, 1_000, 52_428_800, u64::MAX];
        let shown = numbers.map(grouped);
        assert_eq!(shown, ["0", "7", "999", "1,000", "52,428,800", "18,446,744,073,709,551,615"]);
        assert_eq!([0, 1, 1 << 20, (1 << 20) + 1].map(megabytes), ["0.0 MB", "0.1 MB", "1.0 MB", "1.1 MB"]);
    }
}
