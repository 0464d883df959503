//! R2: the order of records.

use super::*;

/// The payload positions of records with these numbers, in the order that
/// they run in.
fn run_order(numbers: &[&str]) -> Vec<usize> {
    let records: Vec<Value> = numbers
        .iter()
        .enumerate()
        .map(|(i, number)| {
            let mut record = small();
            record["eventID"] = json!(format!("e{i}"));
            record["dynamodb"]["SequenceNumber"] = json!(number);
            record
        })
        .collect();
    let event = read(json!({ "Records": records }).to_string());
    for (position, record) in event.records().enumerate() {
        assert_eq!(record.sequence_number().as_str(), numbers[record.index()], "the text is as it came");
        assert_eq!(event.record(position).index(), record.index());
        assert_eq!(record.json().parse::<Value>().unwrap()["eventID"], format!("e{}", record.index()));
    }
    event.records().map(Record::index).collect()
}

#[test]
fn r02_records_run_in_ascending_order_whatever_the_payload_has() {
    assert_eq!(run_order(&["3", "1", "2"]), [1, 2, 0]);
    assert_eq!(run_order(&["1", "2", "3"]), [0, 1, 2]);
}

#[test]
fn r02_21_digits_come_before_22_and_39_before_40() {
    let nines = "9".repeat(21);
    let tens = format!("1{}", "0".repeat(21));
    assert_eq!(run_order(&[&tens, &nines]), [1, 0]);
    let (long, longest) = ("9".repeat(39), format!("1{}", "0".repeat(39)));
    assert_eq!(run_order(&[&longest, &tens, &long, &nines]), [3, 1, 2, 0]);
    // Neighbours that no float and no u128 keeps apart.
    let (a, b) = (format!("{}7", "9".repeat(39)), format!("{}8", "9".repeat(39)));
    assert_eq!(run_order(&[&b, &a]), [1, 0]);
}

#[test]
fn r02_leading_zeros_do_not_count() {
    assert_eq!(run_order(&["00000000000000000000010", "9"]), [1, 0]);
    assert_eq!(run_order(&["10", "009", "0011"]), [1, 0, 2]);
}

#[test]
fn r02_equal_numbers_run_in_payload_order() {
    assert_eq!(run_order(&["5", "5", "4", "005", "5"]), [2, 0, 1, 3, 4]);
    let same = vec!["7"; 100];
    assert_eq!(run_order(&same), (0..100).collect::<Vec<_>>());
}
