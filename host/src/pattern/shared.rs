//! Which objects of a record several patterns look at, and for which names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Node, Place, Rule};

/// What is looked at in an object, by any pattern.
struct Object {
    number: usize,
    /// By name; with the object that is looked into there, if one is.
    names: BTreeMap<String, Option<Object>>,
}

/// Gives the same place to all nodes that look at the same object. Tells how
/// many places there are.
pub(super) fn places<'n>(roots: impl IntoIterator<Item = &'n mut Node>) -> usize {
    let mut roots: Vec<&mut Node> = roots.into_iter().collect();
    let mut places = 1;
    let mut record = Object { number: 0, names: BTreeMap::new() };
    for root in &roots {
        record.add(root, &mut places);
    }
    for root in &mut roots {
        record.place(root);
    }
    places
}

impl Object {
    fn add(&mut self, node: &Node, places: &mut usize) {
        for field in &node.fields {
            let inner = self.names.entry(field.name.clone()).or_default();
            if let Rule::Object(node) = &field.rule {
                let inner = inner.get_or_insert_with(|| {
                    *places += 1;
                    Self { number: *places - 1, names: BTreeMap::new() }
                });
                inner.add(node, places);
            }
        }
        node.alternatives.iter().flatten().for_each(|node| self.add(node, places));
    }

    fn place(&self, node: &mut Node) {
        let names: Arc<[String]> = self.names.keys().cloned().collect();
        self.place_by(node, &names);
    }

    fn place_by(&self, node: &mut Node, names: &Arc<[String]>) {
        node.place = Place { number: self.number, names: Arc::clone(names) };
        for field in &mut node.fields {
            // Every name was added.
            field.position = names.binary_search(&field.name).unwrap_or_default();
            if let (Rule::Object(node), Some(Some(inner))) = (&mut field.rule, self.names.get(&field.name)) {
                inner.place(node);
            }
        }
        node.alternatives.iter_mut().flatten().for_each(|node| self.place_by(node, names));
    }
}
