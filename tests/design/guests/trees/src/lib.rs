//! Reads a record that is typed.

mod bindings;

use bindings::gristmill::design::flat_trees::Value;
use bindings::{FlatRecord, Guest};
use order::{Address, Key, Line, Order};

/// The values of a record, which are taken out of it as they are read.
struct Values(Vec<Value>);

impl Values {
    fn take(&mut self, place: u32) -> Value {
        std::mem::replace(&mut self.0[place as usize], Value::Null)
    }

    fn map(&mut self, place: u32) -> Map<'_> {
        match self.take(place) {
            Value::M(attributes) => Map { values: self, attributes },
            _ => panic!("not a map"),
        }
    }

    fn lines(&mut self, place: u32) -> Vec<Line> {
        let Value::L(places) = self.take(place) else { panic!("not a list") };
        let line = |place| {
            let mut line = self.map(place);
            Line { sku: line.text("sku"), pieces: line.number("pieces") }
        };
        places.into_iter().map(line).collect()
    }
}

struct Map<'a> {
    values: &'a mut Values,
    attributes: Vec<(String, u32)>,
}

impl Map<'_> {
    fn place(&self, name: &str) -> u32 {
        self.attributes.iter().find(|(other, _)| other == name).expect("the attribute").1
    }

    fn text(&mut self, name: &str) -> String {
        match self.values.take(self.place(name)) {
            Value::S(text) => text,
            _ => panic!("not a text"),
        }
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str) -> T {
        match self.values.take(self.place(name)) {
            Value::N(number) => number.parse().ok().expect("a number"),
            _ => panic!("not a number"),
        }
    }
}

fn order(values: &mut Values, image: u32) -> Order {
    let mut image = values.map(image);
    let (lines, address) = (image.place("lines"), image.place("address"));
    let paid = matches!(image.values.take(image.place("paid")), Value::Bool(true));
    let (id, customer, total) = (image.text("id"), image.text("customer"), image.number("total"));
    let lines = values.lines(lines);
    let mut address = values.map(address);
    let address = Address { city: address.text("city"), zip: address.text("zip") };
    Order { id, customer, total, paid, lines, address }
}

struct Trees;

impl Guest for Trees {
    fn keys(record: FlatRecord) -> u64 {
        Key { id: Values(record.values).map(record.keys).text("id") }.sum()
    }

    fn image(record: FlatRecord) -> u64 {
        let image = record.new_image.expect("a new image");
        order(&mut Values(record.values), image).sum()
    }
}

bindings::export!(Trees with_types_in bindings);
