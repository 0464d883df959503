//! What can be wrong with an image: a text, and the path of the attribute that it is about.

use std::fmt;

/// Why an image could not be read, and which attribute was in the way.
///
/// Printed, it reads `new image: orders[3].price: expected a number (N), found a string (S)`. It is one pointer wide, so
/// that a `Result` that succeeds stays small.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    image: Option<&'static str>,
    /// From the attribute outwards: it is put together while the error is on its way out.
    path: Vec<Step>,
    message: String,
}

#[derive(Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl ImageError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner { image: None, path: Vec::new(), message: message.into() }))
    }

    /// The path of the attribute that is wrong, for example `orders[3].price`; empty when it is the image as a whole.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.path.iter().rev() {
            match step {
                Step::Name(name) if is_plain(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Step::Name(name) => path.push_str(&format!("[{name:?}]")),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    pub(crate) fn of(mut self, image: &'static str) -> Self {
        self.0.image = Some(image);
        self
    }

    pub(crate) fn in_attribute(mut self, name: &str) -> Self {
        self.0.path.push(Step::Name(name.to_owned()));
        self
    }

    pub(crate) fn in_element(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }
}

/// Whether a name can stand in a path as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(image) = self.0.image {
            write!(f, "{image}: ")?;
        }
        if !self.0.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageError({:?})", self.to_string())
    }
}

impl std::error::Error for ImageError {}

impl serde::de::Error for ImageError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl From<crate::NumberError> for ImageError {
    fn from(error: crate::NumberError) -> Self {
        Self::new(error.to_string())
    }
}
