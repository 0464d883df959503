//! What a record changed: the difference of its two images, by attribute.
//!
//! Values are compared by what they mean to DynamoDB and not by their text: a number by its value, a set in any order, a
//! map in any order of names. Knows nothing of how images are read into types.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::de::Scanner;
use crate::number::canonical;
use crate::{AttributeValue, EventName, ImageError, Number, StreamRecord};

/// What became of one attribute.
///
/// ```
/// use gristmill_sdk::{AttributeValue, Change};
///
/// let change = Change::Modified { old: 1.into(), new: 2.into() };
/// assert_eq!(change.old_value(), Some(&AttributeValue::from(1)));
/// assert_eq!(change.to_string(), r#"modified from {"N":"1"} to {"N":"2"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The attribute is new, with this value.
    Added(AttributeValue),
    /// The attribute is gone, and had this value.
    Removed(AttributeValue),
    /// The attribute has another value, or one of another type.
    Modified {
        /// The value before the change.
        old: AttributeValue,
        /// The value after it.
        new: AttributeValue,
    },
}

impl Change {
    /// The value before the change; None when there was none.
    #[must_use]
    pub fn old_value(&self) -> Option<&AttributeValue> {
        match self {
            Self::Added(_) => None,
            Self::Removed(old) | Self::Modified { old, .. } => Some(old),
        }
    }

    /// The value after the change; None when there is none.
    #[must_use]
    pub fn new_value(&self) -> Option<&AttributeValue> {
        match self {
            Self::Removed(_) => None,
            Self::Added(new) | Self::Modified { new, .. } => Some(new),
        }
    }
}

/// For people: `modified from {"N":"1"} to {"N":"2"}`, with values as DynamoDB JSON.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(new) => write!(f, "added {new}"),
            Self::Removed(old) => write!(f, "removed {old}"),
            Self::Modified { old, new } => write!(f, "modified from {old} to {new}"),
        }
    }
}

/// The attributes that a record changed, by name and sorted by it. Empty when there are none.
pub type Changes = BTreeMap<String, Change>;

/// Why it cannot be told what a record changed.
///
/// Like every error of this crate `?` makes it a retry. An image that the stream does not carry will be missing the next
/// time too: [`crate::OrFail::or_reject`] says that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// The item was there before this event, and the record does not say how: the stream's view type must be
    /// `NEW_AND_OLD_IMAGES`.
    NoOldImage(EventName),
    /// The item is there after this event, and the record does not say how: the stream's view type must be
    /// `NEW_AND_OLD_IMAGES`.
    NoNewImage(EventName),
    /// An image is not DynamoDB JSON.
    Unreadable(ImageError),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (event_name, image) = match self {
            Self::NoOldImage(event_name) => (event_name, "old"),
            Self::NoNewImage(event_name) => (event_name, "new"),
            Self::Unreadable(error) => return error.fmt(f),
        };
        write!(
            f,
            "the {event_name} record has no {image} image, so what changed is not known; the stream's view type must be \
             NEW_AND_OLD_IMAGES"
        )
    }
}

impl std::error::Error for ChangeError {}

impl From<ImageError> for ChangeError {
    fn from(error: ImageError) -> Self {
        Self::Unreadable(error)
    }
}

impl StreamRecord {
    /// Whether an attribute of the item differs between the old image and the new one.
    ///
    /// Values are compared by what they mean: `1`, `1.0` and `1E0` are one number, sets and maps have no order, and lists
    /// have one. An attribute that is in one image alone has changed, also when the value there is null. Of an insert
    /// every attribute of the new image has changed, of a removal every one of the old image. An attribute that is in
    /// neither image has not.
    ///
    /// Both images are copied out of the host and passed over; the value of this attribute alone is read, and only when
    /// its two texts differ. For several attributes, [`Self::changes`] copies the images once.
    ///
    /// ```
    /// use gristmill_sdk::testing::Record;
    ///
    /// let paid = Record::modify("orders").key("id", "1").old_attribute("status", "new").new_attribute("status", "paid");
    /// let paid = paid.attribute("total", 1200).build();
    /// assert!(paid.changed("status")?);
    /// assert!(!paid.changed("total")?);
    /// # Ok::<(), gristmill_sdk::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ChangeError::NoOldImage`], [`ChangeError::NoNewImage`]: the stream's view type keeps an image back that the
    ///   answer needs. A modification needs both, an insert the new one, a removal the old one. It is an error for keys
    ///   too.
    /// - [`ChangeError::Unreadable`]: an image is not a JSON object, or has the attribute twice, or the value is not
    ///   DynamoDB JSON. A value that was not read is not checked.
    pub fn changed(&self, attribute: &str) -> Result<bool, ChangeError> {
        let images = Images::of(self)?;
        let old = find(&images.old, attribute).map_err(|error| error.of(OLD))?;
        let new = find(&images.new, attribute).map_err(|error| error.of(NEW))?;
        Ok(match (old, new) {
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
            (Some(old), Some(new)) => modified(attribute, old, new)?.is_some(),
        })
    }

    /// The attributes of the item that differ between the old image and the new one, with their values.
    ///
    /// What differs is what [`Self::changed`] says. Top-level attributes: a map of which one element changed is one
    /// change, with the whole map before and after. Both images are copied out of the host; of their values, those are
    /// read whose texts differ.
    ///
    /// ```
    /// use gristmill_sdk::Change;
    /// use gristmill_sdk::testing::Record;
    ///
    /// let record = Record::modify("orders")
    ///     .key("id", "1")
    ///     .attribute("total", 1200)
    ///     .old_attribute("status", "new")
    ///     .new_attribute("status", "paid")
    ///     .new_attribute("card", "4242")
    ///     .build();
    /// let changes = record.changes()?;
    /// assert_eq!(changes.keys().collect::<Vec<_>>(), ["card", "status"]);
    /// assert_eq!(changes["card"], Change::Added("4242".into()));
    /// assert_eq!(changes["status"], Change::Modified { old: "new".into(), new: "paid".into() });
    /// # Ok::<(), gristmill_sdk::ChangeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ChangeError::NoOldImage`], [`ChangeError::NoNewImage`]: as for [`Self::changed`].
    /// - [`ChangeError::Unreadable`]: an image is not a JSON object, or has a name twice, or a value that changed is not
    ///   DynamoDB JSON.
    pub fn changes(&self) -> Result<Changes, ChangeError> {
        let images = Images::of(self)?;
        let mut old = attributes(&images.old).map_err(|error| error.of(OLD))?;
        let mut changes = Changes::new();
        for (name, new) in attributes(&images.new).map_err(|error| error.of(NEW))? {
            let change = match old.remove(&name) {
                None => Some(Change::Added(value(&name, new, NEW)?)),
                Some(old) => modified(&name, old, new)?,
            };
            if let Some(change) = change {
                changes.insert(name.into_owned(), change);
            }
        }
        for (name, old) in old {
            let change = Change::Removed(value(&name, old, OLD)?);
            changes.insert(name.into_owned(), change);
        }
        Ok(changes)
    }
}

/// What errors call the images.
const OLD: &str = "old image";
const NEW: &str = "new image";

/// The item before and after, as DynamoDB JSON.
struct Images {
    old: String,
    new: String,
}

impl Images {
    /// An image that is absent because there was no item stands for an item without attributes. The event's name tells
    /// that from an image that the view type keeps back, which stands for nothing: to take it for empty would make
    /// everything changed, and to take it for the other image nothing.
    fn of(record: &StreamRecord) -> Result<Self, ChangeError> {
        let no_item = || "{}".to_owned();
        let event_name = record.event_name();
        let old = match (record.old_image_json(), event_name) {
            (Some(image), _) => image,
            (None, EventName::Insert) => no_item(),
            (None, EventName::Modify | EventName::Remove) => return Err(ChangeError::NoOldImage(event_name)),
        };
        let new = match (record.new_image_json(), event_name) {
            (Some(image), _) => image,
            (None, EventName::Remove) => no_item(),
            (None, EventName::Insert | EventName::Modify) => return Err(ChangeError::NoNewImage(event_name)),
        };
        Ok(Self { old, new })
    }
}

/// Shows each attribute of an image, its name and the text of its value, and checks nothing of the value.
fn each_attribute<'a>(
    image: &'a str,
    mut see: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), ImageError>,
) -> Result<(), ImageError> {
    let mut scan = Scanner::new(image);
    let mut first = true;
    scan.enter(b'{')?;
    while scan.next(first, b'}')? {
        first = false;
        let name = scan.string()?;
        scan.expect(b':')?;
        see(name, scan.raw()?)?;
    }
    scan.leave();
    scan.end()
}

/// The text of one attribute's value; None when the image does not have it. To the end, since what is there twice is not
/// known before.
fn find<'a>(image: &'a str, attribute: &str) -> Result<Option<&'a str>, ImageError> {
    let mut found = None;
    each_attribute(image, |name, text| {
        if name == attribute && found.replace(text).is_some() {
            return Err(twice(&name));
        }
        Ok(())
    })?;
    Ok(found)
}

/// The texts of all values, by name.
fn attributes(image: &str) -> Result<BTreeMap<Cow<'_, str>, &str>, ImageError> {
    let mut all = BTreeMap::new();
    each_attribute(image, |name, text| match all.insert(name.clone(), text) {
        Some(_) => Err(twice(&name)),
        None => Ok(()),
    })?;
    Ok(all)
}

fn twice(name: &str) -> ImageError {
    ImageError::new("the attribute is there twice").in_attribute(name)
}

fn value(name: &str, text: &str, image: &'static str) -> Result<AttributeValue, ImageError> {
    text.parse().map_err(|error: ImageError| error.in_attribute(name).of(image))
}

/// The change of an attribute that both images have; None when it is the same. Nearly always the texts are too.
fn modified(name: &str, old: &str, new: &str) -> Result<Option<Change>, ImageError> {
    if old == new {
        return Ok(None);
    }
    let (old, new) = (value(name, old, OLD)?, value(name, new, NEW)?);
    Ok((!is_same(&old, &new)).then_some(Change::Modified { old, new }))
}

/// Whether two values are one to DynamoDB. `==` compares numbers by their texts, since that is what a [`Number`] keeps.
fn is_same(a: &AttributeValue, b: &AttributeValue) -> bool {
    use AttributeValue::{B, Bool, Bs, L, M, N, Ns, Null, S, Ss};
    match (a, b) {
        (N(a), N(b)) => a == b || canonical(a) == canonical(b),
        (Ns(a), Ns(b)) => a.len() == b.len() && sorted(a) == sorted(b),
        (L(a), L(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (M(a), M(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((name, a), (other, b))| name == other && is_same(a, b))
        }
        (S(_) | N(_) | B(_) | Ss(_) | Ns(_) | Bs(_) | M(_) | L(_) | Bool(_) | Null, _) => a == b,
    }
}

fn sorted(set: &[Number]) -> Vec<Option<(bool, i64, Vec<u8>)>> {
    let mut numbers: Vec<_> = set.iter().map(canonical).collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests;
