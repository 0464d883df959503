//! Shards, iterators, positions: what is read when, and from where.

use gristmill_mapping::testing::{Rig, START, UUID, parameters, succeed};
use gristmill_mapping::trace::{Decision, IteratorWhy};
use gristmill_mapping::{Parameters, Position, SourceError, Timestamp};

use super::*;

fn latest() -> Parameters {
    Parameters { starting_position: Some("LATEST".to_owned()), ..parameters() }
}

#[test]
fn a_parent_is_done_before_its_children_are_read() {
    let parameters = Parameters { maximum_retry_attempts: Some(3), ..with_destination(QUEUE) };
    let mut rig = Rig::new(parameters, fail_with("poison"));
    let parent = rig.stream.shards().remove(0);
    rig.stream.put("poison");
    let children = rig.stream.split(&parent);
    for key in ["a", "b", "c", "d", "e", "f"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(1));
    assert!(rig.target.calls().iter().all(|call| call.keys == ["poison"]));
    rig.advance(seconds(10));
    assert_eq!(rig.counts().delivered, 6);
    // Of the second generation, too.
    let grandchildren = rig.stream.split(&children[0]);
    rig.stream.roll(&grandchildren[1]);
    for key in ["a", "b", "c", "d", "e", "f"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(10));
    assert_eq!(rig.counts().delivered, 12);
    assert_eq!(rig.positions.of(UUID)[&parent], Position::Finished);
    let finished = |entry: &gristmill_mapping::trace::Entry| matches!(entry.decision, Decision::ShardFinished { .. });
    assert_eq!(rig.trace.entries().iter().filter(|entry| finished(entry)).count(), 3);
}

#[test]
fn a_description_of_several_pages_is_read_whole() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.stream.shards_a_page(2);
    for _ in 0..3 {
        for shard in rig.stream.open_shards() {
            rig.stream.split(&shard);
        }
    }
    assert_eq!(rig.stream.shards().len(), 15);
    for n in 0..100 {
        rig.stream.put(&n.to_string());
    }
    rig.advance(seconds(5));
    assert_eq!(rig.counts().delivered, 100);
}

#[test]
fn an_expired_iterator_is_got_again_from_the_position() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    let first = rig.stream.put("1");
    rig.advance(seconds(1));
    rig.stream.expire_iterators();
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["1 a", "2 b"]);
    let again = |decision: &Decision| match decision {
        Decision::Iterator { r#type, sequence_number, why: IteratorWhy::Expired, .. } => {
            *r#type == "AFTER_SEQUENCE_NUMBER" && sequence_number.as_ref() == Some(&first)
        }
        _ => false,
    };
    assert!(rig.trace.has(again));
}

#[test]
fn an_iterator_expires_while_a_batch_holds_back_the_shard() {
    // Two batches for each lane are read and no more, so the iterator waits.
    let mut rig = Rig::new(Parameters { batch_size: Some(500), ..parameters() }, fail_with("0"));
    for n in 0..1_500 {
        rig.stream.put(&n.to_string());
    }
    rig.advance(seconds(20 * 60));
    assert_eq!(rig.counts().read, 1_000);
    rig.target.answer(|_| succeed());
    rig.advance(seconds(120));
    assert_eq!(rig.counts().delivered, 1_500);
    assert!(rig.trace.has(|decision| matches!(decision, Decision::Iterator { why: IteratorWhy::Expired, .. })));
}

#[test]
fn a_latest_iterator_that_expires_misses_nothing() {
    let mut rig = Rig::new(latest(), |_| succeed());
    rig.stream.put_at("before", "", Timestamp::from_ms(START.ms() - 1_000));
    rig.advance(seconds(2));
    rig.stream.outage(Some(SourceError::AccessDenied("no".to_owned())));
    rig.advance(seconds(10 * 60));
    rig.stream.put("during");
    rig.advance(seconds(10 * 60));
    rig.stream.outage(None);
    rig.advance(seconds(60));
    assert_eq!(first_deliveries(&rig), ["during"]);
    assert_eq!((rig.counts().skipped, rig.counts().delivered), (1, 1));
}

/// DynamoDB's times are whole seconds, and a mapping begins at any moment of one.
#[test]
fn latest_takes_what_was_written_in_the_second_that_it_began_in() {
    let mut rig = Rig::new(Parameters { enabled: Some(false), ..latest() }, |_| succeed());
    rig.stream.put_at("before", "", Timestamp::from_ms(START.ms() - 1_000));
    rig.advance(Duration::from_millis(500));
    rig.enable(true);
    rig.advance(Duration::from_millis(400));
    // Its iterator expires, so that the records are told apart by their times.
    rig.stream.outage(Some(SourceError::AccessDenied("no".to_owned())));
    rig.stream.put_at("the same second", "", START);
    rig.advance(seconds(20 * 60));
    rig.stream.outage(None);
    rig.advance(seconds(60));
    assert_eq!(first_deliveries(&rig), ["the same second"]);
}

#[test]
fn a_position_that_has_left_the_stream_goes_on_with_the_oldest_that_is_left() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.stream.put("1");
    rig.advance(seconds(1));
    rig.enable(false);
    rig.advance(seconds(1));
    rig.stream.put("lost");
    rig.advance(seconds(2 * 86_400));
    rig.stream.put("2");
    rig.enable(true);
    rig.advance(seconds(1));
    assert_eq!(first_deliveries(&rig), ["1", "2"]);
    assert!(rig.trace.has(|decision| matches!(decision, Decision::Iterator { why: IteratorWhy::Trimmed, .. })));
}

#[test]
fn a_throttled_stream_is_read_later() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    for _ in 0..4 {
        rig.stream.fail(SourceError::Throttled);
    }
    rig.stream.put("1");
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["1 a"]);
    assert!(rig.trace.has(|decision| matches!(decision, Decision::SourceFailed { .. })));
}

#[test]
fn a_stream_that_is_not_there_leaves_the_mapping_enabled() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.advance(seconds(1));
    rig.stream.outage(Some(SourceError::ResourceNotFound("Stream".to_owned())));
    rig.advance(seconds(600));
    assert_eq!(rig.handle().describe().state, "Enabled");
    rig.stream.outage(None);
    rig.stream.put("1");
    rig.advance(seconds(20));
    assert_eq!(calls(&rig), ["1 a"]);
}

#[test]
fn a_stream_that_was_switched_off_is_read_to_its_end() {
    let mut rig = Rig::new(Parameters { maximum_batching_window_in_seconds: Some(300), ..parameters() }, |_| succeed());
    rig.advance(seconds(1));
    rig.stream.put("1");
    rig.stream.disable();
    // Nothing more can come, so nothing waits for the batching window.
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["1 a"]);
    assert!(rig.positions.of(UUID).values().all(|position| *position == Position::Finished));
    // After a day the shard has left the stream, and the store.
    rig.advance(seconds(90_000));
    assert!(rig.positions.of(UUID).is_empty());
    assert_eq!(rig.handle().describe().state, "Enabled");
}

#[test]
fn latest_begins_with_what_is_written_from_then_on() {
    let mut rig = Rig::new(latest(), |_| succeed());
    rig.stream.put("before");
    let parent = rig.stream.shards().remove(0);
    rig.stream.split(&parent);
    rig.stream.put("before too");
    rig.advance(seconds(1));
    assert!(rig.target.calls().is_empty());
    // Shards that come later are read from their beginning, also when they were
    // not looked at before they had records.
    for shard in rig.stream.open_shards() {
        rig.stream.split(&shard);
    }
    for key in ["1", "2", "3", "4", "5", "6"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(11));
    let mut delivered = first_deliveries(&rig);
    delivered.sort();
    assert_eq!(delivered, ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn latest_is_not_taken_again_after_a_restart() {
    let mut rig = Rig::new(latest(), |_| succeed());
    rig.stream.put_at("before", "", Timestamp::from_ms(START.ms() - 1_000));
    rig.advance(seconds(2));
    rig.restart();
    rig.stream.put("while it was down");
    rig.advance(seconds(1));
    assert_eq!(first_deliveries(&rig), ["while it was down"]);
}

#[test]
fn the_position_survives_a_restart_and_what_was_not_written_comes_again() {
    let mut rig = Rig::new(Parameters { batch_size: Some(2), ..parameters() }, |_| succeed());
    for key in ["1", "2", "3", "4", "5"] {
        rig.stream.put(key);
    }
    rig.target.takes(seconds(10));
    // [12] is done, [34] is in flight.
    rig.advance(seconds(15));
    rig.restart();
    rig.advance(seconds(60));
    assert_eq!(calls(&rig), ["12 a", "34 b", "34 c", "5 d"]);
}

#[test]
fn a_page_that_comes_again_is_taken_once() {
    // The store is behind the reader: after a trim all of the shard is read
    // again.
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.stream.put("1");
    rig.advance(seconds(1));
    rig.stream.fail(SourceError::TrimmedDataAccess);
    rig.stream.put("2");
    rig.advance(seconds(1));
    assert_eq!(calls(&rig), ["1 a", "2 b"]);
    assert_eq!((rig.counts().read, rig.counts().skipped, rig.counts().delivered), (3, 1, 2));
}

#[test]
fn a_record_without_a_sequence_number_stops_the_shard_and_says_why() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.stream.put_json("x", |_| r#"{"eventSource":"aws:dynamodb","dynamodb":{}}"#.to_owned());
    rig.stream.put("1");
    rig.advance(seconds(30));
    assert!(rig.target.calls().is_empty());
    let says = |decision: &Decision| match decision {
        Decision::SourceFailed { error, .. } => error.contains("Records[0].dynamodb.SequenceNumber"),
        _ => false,
    };
    assert!(rig.trace.has(says));
    assert!(rig.stream.calls() < 50, "{} calls", rig.stream.calls());
}

#[test]
fn an_empty_stream_is_polled_four_times_a_second_and_a_write_can_hurry_it() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.advance(seconds(1));
    let before = rig.stream.calls();
    rig.advance(seconds(100));
    let polls = rig.stream.calls() - before;
    assert!((400..=412).contains(&polls), "{polls} calls");
    rig.stream.put("1");
    rig.handle().poll_now();
    rig.advance(Duration::ZERO);
    assert_eq!(rig.counts().delivered, 1);
}

#[test]
fn a_day_of_stream_time_with_rolling_shards() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    for hour in 0..24 {
        for minute in 0..60 {
            rig.stream.put(&format!("{}", (hour * 60 + minute) % 7));
            rig.advance(seconds(60));
        }
        if hour % 4 == 3 {
            for shard in rig.stream.open_shards() {
                rig.stream.roll(&shard);
            }
        }
    }
    assert_eq!(rig.counts().delivered, 1_440);
    rig.advance(seconds(2 * 86_400));
    // What has left the stream is forgotten.
    assert_eq!(rig.positions.of(UUID).len(), rig.stream.shards().len());
}

#[test]
fn what_is_read_and_not_done_is_bounded() {
    // In number: two batches for each lane, with one of the lanes stuck.
    let parameters = Parameters { batch_size: Some(100), parallelization_factor: Some(10), ..parameters() };
    let mut rig = Rig::new(parameters.clone(), fail_with("stuck"));
    rig.stream.put("stuck");
    for n in 0..10_000 {
        rig.stream.put(&n.to_string());
    }
    rig.advance(seconds(5));
    assert!((2_000..=3_000).contains(&rig.counts().read), "{} read", rig.counts().read);
    // In bytes: a payload for each lane and one more, and the page that passed
    // the bound.
    let mut rig = Rig::new(parameters, fail_with("stuck"));
    rig.stream.put("stuck");
    let large = format!(r#","text":{{"S":"{}"}}"#, "x".repeat(400_000));
    for n in 0..300 {
        rig.stream.put_image(&n.to_string(), &large);
    }
    rig.advance(seconds(5));
    let most = 11 * 6 * 1024 * 1024 / 400_000 + 3;
    assert!((100..=most).contains(&rig.counts().read), "{} read", rig.counts().read);
}

#[test]
fn a_shard_that_left_the_stream_during_an_outage_gives_way_to_its_child() {
    let mut rig = Rig::new(parameters(), |_| succeed());
    rig.stream.put("1");
    rig.advance(seconds(1));
    let parent = rig.stream.shards().remove(0);
    rig.stream.outage(Some(SourceError::AccessDenied("no".to_owned())));
    rig.stream.put("lost");
    rig.stream.roll(&parent);
    rig.advance(seconds(2 * 86_400));
    rig.stream.put("2");
    rig.stream.outage(None);
    rig.advance(seconds(60));
    assert_eq!(first_deliveries(&rig), ["1", "2"]);
    assert!(!rig.positions.of(UUID).contains_key(&parent));
}
