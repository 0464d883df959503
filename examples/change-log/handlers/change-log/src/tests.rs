//! Native: `cargo test` in the example's folder, without WebAssembly.

use std::{env, fs};

use gristmill_sdk::testing::{self, Record, ViewType};
use gristmill_sdk::{AttributeValue, Change, Failure};

use super::{Entry, Order, entries, log};

const TABLE: &str = "shop-dev_orders";

fn opened() -> Record {
    Record::insert(TABLE).key("id", "1").new_attribute("status", "open").new_attribute("cents", 1200)
}

/// Two attributes that are watched, and one that is not.
fn paid() -> Record {
    Record::modify(TABLE)
        .key("id", "1")
        .attribute("cents", 1200)
        .old_attribute("status", "open")
        .new_attribute("status", "paid")
        .new_attribute("courier", "Zoë")
        .new_attribute("viewed_at", "2026-01-05T09:31:00Z")
}

/// Nothing that is watched.
fn viewed() -> Record {
    Record::modify(TABLE)
        .key("id", "1")
        .attribute("status", "paid")
        .attribute("cents", 1200)
        .attribute("courier", "Zoë")
        .old_attribute("viewed_at", "2026-01-05T09:31:00Z")
        .new_attribute("viewed_at", "2026-01-05T09:32:00Z")
}

fn removed() -> Record {
    Record::remove(TABLE)
        .key("id", "1")
        .attribute("status", "paid")
        .attribute("cents", 1200)
        .attribute("courier", "Zoë")
}

fn expired() -> Record {
    Record::ttl_delete(TABLE).key("id", "2").attribute("status", "open").attribute("cents", 80)
}

fn changed(attribute: &str, change: Change) -> Entry {
    Entry::Changed { attribute: attribute.to_owned(), change }
}

#[test]
fn a_new_order_is_told_as_a_whole() {
    let order = Order { status: "open".to_owned(), cents: 1200, courier: None };
    assert_eq!(order.to_string(), "open, 1200 cents, no courier");
    assert_eq!(entries(&opened().build()), Ok(vec![Entry::New(order)]));
}

#[test]
fn each_watched_change_is_an_entry() {
    let status = Change::Modified { old: "open".into(), new: "paid".into() };
    let courier = Change::Added("Zoë".into());
    assert_eq!(entries(&paid().build()), Ok(vec![changed("courier", courier), changed("status", status)]));
}

#[test]
fn what_is_not_watched_makes_no_entry() {
    assert_eq!(entries(&viewed().build()), Ok(vec![]));
}

#[test]
fn another_spelling_of_a_number_is_no_change() {
    let cents = |text: &str| AttributeValue::N(text.parse().unwrap());
    let record = viewed().old_attribute("cents", cents("1200")).new_attribute("cents", cents("1.2E3"));
    assert_eq!(entries(&record.build()), Ok(vec![]));
}

#[test]
fn a_removed_order_is_told_and_an_expired_one_is_not() {
    let order = Order { status: "paid".to_owned(), cents: 1200, courier: Some("Zoë".to_owned()) };
    assert_eq!(entries(&removed().build()), Ok(vec![Entry::Gone(order)]));
    assert_eq!(entries(&expired().build()), Ok(vec![Entry::Expired]));
}

#[test]
fn what_will_never_go_better_is_rejected() {
    let no_status = Record::insert(TABLE).key("id", "1").new_attribute("cents", 1200).build();
    assert_eq!(log(&no_status), Err(Failure::reject("not an order: new image: missing field `status`")));
    let no_old_image = paid().view_type(ViewType::NewImage).build();
    assert!(
        matches!(log(&no_old_image), Err(Failure::Reject(text)) if text.starts_with("what changed is not known: "))
    );
    let no_image = opened().view_type(ViewType::KeysOnly).build();
    assert_eq!(log(&no_image), Err(Failure::reject("the stream does not carry new images")));
}

/// `event.json` is made of the records above; `GRISTMILL_BLESS=1 cargo test` writes it anew.
#[test]
fn the_event_is_of_these_records() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../event.json");
    let event = testing::event([opened(), paid(), viewed(), removed(), expired()]);
    if env::var_os("GRISTMILL_BLESS").is_some() {
        fs::write(file, &event).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), event);
}
