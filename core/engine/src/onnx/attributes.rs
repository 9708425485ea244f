//! The attributes of a node, which a reader asks for one by one.
//!
//! An attribute that nobody asked for changes what the node computes in a way that the reader does not know. So
//! [`Attributes::finish`] names those that are left, and nothing that a file says is ignored.

use rten_onnx::onnx::{AttributeProto, AttributeType, GraphProto};

use super::tensors;
use crate::error::ModelError;
use crate::tensor::Tensor;

/// What a node has, without what was asked for.
#[derive(Debug)]
pub struct Attributes {
    place: String,
    left: Vec<AttributeProto>,
}

impl Attributes {
    /// The attributes of a node. `place` names the node in errors.
    ///
    /// # Errors
    /// *Invalid* when an attribute has no name or no type, or when two have the same name.
    pub fn new(attributes: Vec<AttributeProto>, place: impl Into<String>) -> Result<Self, ModelError> {
        let place = place.into();
        let mut names = Vec::with_capacity(attributes.len());
        for attribute in &attributes {
            let name = attribute.name.as_deref().unwrap_or_default();
            let message = if name.is_empty() {
                "one of its attributes has no name".to_owned()
            } else if names.contains(&name) {
                format!("it has two attributes '{name}'")
            } else if attribute
                .r#type
                .is_none_or(|kind| kind == AttributeType::UNDEFINED)
            {
                format!("attribute '{name}' does not say its type")
            } else {
                names.push(name);
                continue;
            };
            return Err(ModelError::invalid(place, message));
        }
        Ok(Self {
            place,
            left: attributes,
        })
    }

    /// Takes the attribute with this name, which must have this type.
    fn take(&mut self, name: &str, kind: AttributeType) -> Result<Option<AttributeProto>, ModelError> {
        let is_named = |attribute: &AttributeProto| attribute.name.as_deref() == Some(name);
        let Some(position) = self.left.iter().position(is_named) else {
            return Ok(None);
        };
        let attribute = self.left.swap_remove(position);
        let found = attribute.r#type.unwrap_or(AttributeType::UNDEFINED);
        if found == kind {
            Ok(Some(attribute))
        } else {
            let message = format!(
                "attribute '{name}' is {}; the operator takes {}",
                kind_name(found),
                kind_name(kind)
            );
            Err(ModelError::invalid(&self.place, message))
        }
    }

    /// An integer; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type.
    pub fn int(&mut self, name: &str) -> Result<Option<i64>, ModelError> {
        // Writers of proto3 leave out what is zero.
        let attribute = self.take(name, AttributeType::INT)?;
        Ok(attribute.map(|attribute| attribute.i.unwrap_or_default()))
    }

    /// A number; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type.
    pub fn float(&mut self, name: &str) -> Result<Option<f32>, ModelError> {
        let attribute = self.take(name, AttributeType::FLOAT)?;
        Ok(attribute.map(|attribute| attribute.f.unwrap_or_default()))
    }

    /// A string; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ModelError> {
        let attribute = self.take(name, AttributeType::STRING)?;
        Ok(attribute.map(|attribute| attribute.s.unwrap_or_default()))
    }

    /// Integers; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type.
    pub fn ints(&mut self, name: &str) -> Result<Option<Vec<i64>>, ModelError> {
        let attribute = self.take(name, AttributeType::INTS)?;
        Ok(attribute.map(|attribute| attribute.ints))
    }

    /// Numbers; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type.
    pub fn floats(&mut self, name: &str) -> Result<Option<Vec<f32>>, ModelError> {
        let attribute = self.take(name, AttributeType::FLOATS)?;
        Ok(attribute.map(|attribute| attribute.floats))
    }

    /// Strings; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ModelError> {
        let attribute = self.take(name, AttributeType::STRINGS)?;
        Ok(attribute.map(|attribute| attribute.strings))
    }

    /// A tensor; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type, and those of [`tensors::read`].
    pub fn tensor(&mut self, name: &str) -> Result<Option<Tensor>, ModelError> {
        let Some(attribute) = self.take(name, AttributeType::TENSOR)? else {
            return Ok(None);
        };
        let place = format!("{}, attribute '{name}'", self.place);
        let tensor = attribute
            .t
            .ok_or_else(|| ModelError::invalid(&place, "the tensor is missing"))?;
        tensors::read(tensor, &place).map(Some)
    }

    /// A graph; `None` when the node has no such attribute.
    ///
    /// # Errors
    /// *Invalid* when it is of another type.
    pub fn graph(&mut self, name: &str) -> Result<Option<GraphProto>, ModelError> {
        let Some(attribute) = self.take(name, AttributeType::GRAPH)? else {
            return Ok(None);
        };
        let missing = || {
            ModelError::invalid(
                format!("{}, attribute '{name}'", self.place),
                "the graph is missing",
            )
        };
        attribute.g.ok_or_else(missing).map(Some)
    }

    /// Ends the reading of the node.
    ///
    /// # Errors
    /// *Unsupported* when there are attributes that nobody asked for.
    pub fn finish(self) -> Result<(), ModelError> {
        if self.left.is_empty() {
            return Ok(());
        }
        let mut names: Vec<&str> = self
            .left
            .iter()
            .filter_map(|attribute| attribute.name.as_deref())
            .collect();
        names.sort_unstable();
        let message = format!("attributes that are not read here: {}", names.join(", "));
        Err(ModelError::unsupported(self.place, message))
    }
}

/// The type of an attribute in words.
fn kind_name(kind: AttributeType) -> String {
    let name = match kind {
        AttributeType::FLOAT => "a number",
        AttributeType::INT => "an integer",
        AttributeType::STRING => "a string",
        AttributeType::TENSOR => "a tensor",
        AttributeType::GRAPH => "a graph",
        AttributeType::FLOATS => "a list of numbers",
        AttributeType::INTS => "a list of integers",
        AttributeType::STRINGS => "a list of strings",
        AttributeType(other) => return format!("of type {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use rten_onnx::onnx::{DataType, TensorProto};

    use super::*;
    use crate::error::ErrorKind;

    fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
        AttributeProto {
            name: Some(name.to_owned()),
            r#type: Some(kind),
            ..AttributeProto::default()
        }
    }

    fn node(attributes: Vec<AttributeProto>) -> Attributes {
        Attributes::new(attributes, "node 3 (Pad)").expect("named and typed")
    }

    #[test]
    fn each_type_is_handed_out_once() {
        let tensor = TensorProto {
            data_type: Some(DataType::INT64),
            dims: vec![2],
            int64_data: vec![4, -4],
            ..TensorProto::default()
        };
        let mut attributes = node(vec![
            AttributeProto {
                i: Some(-7),
                ..attribute("axis", AttributeType::INT)
            },
            AttributeProto {
                f: Some(0.5),
                ..attribute("alpha", AttributeType::FLOAT)
            },
            AttributeProto {
                s: Some("reflect".to_owned()),
                ..attribute("mode", AttributeType::STRING)
            },
            AttributeProto {
                ints: vec![1, 2],
                ..attribute("pads", AttributeType::INTS)
            },
            AttributeProto {
                floats: vec![1.5],
                ..attribute("scales", AttributeType::FLOATS)
            },
            AttributeProto {
                strings: vec!["a".to_owned()],
                ..attribute("names", AttributeType::STRINGS)
            },
            AttributeProto {
                t: Some(tensor),
                ..attribute("value", AttributeType::TENSOR)
            },
            attribute("zero", AttributeType::INT),
            attribute("nothing", AttributeType::FLOAT),
            attribute("empty", AttributeType::STRING),
        ]);
        assert_eq!(attributes.int("axis"), Ok(Some(-7)));
        assert_eq!(attributes.int("axis"), Ok(None));
        assert_eq!(attributes.float("alpha"), Ok(Some(0.5)));
        assert_eq!(attributes.text("mode"), Ok(Some("reflect".to_owned())));
        assert_eq!(attributes.ints("pads"), Ok(Some(vec![1, 2])));
        assert_eq!(attributes.floats("scales"), Ok(Some(vec![1.5])));
        assert_eq!(attributes.texts("names"), Ok(Some(vec!["a".to_owned()])));
        let value = attributes
            .tensor("value")
            .expect("a tensor")
            .expect("it is there");
        assert_eq!(value.ints().as_deref(), Some(&[4, -4][..]));
        assert_eq!(attributes.int("zero"), Ok(Some(0)));
        assert_eq!(attributes.float("nothing"), Ok(Some(0.0)));
        assert_eq!(attributes.text("empty"), Ok(Some(String::new())));
        assert_eq!(attributes.finish(), Ok(()));
    }

    #[test]
    fn what_nobody_asked_for_is_named() {
        let mut attributes = node(vec![
            attribute("then_branch", AttributeType::GRAPH),
            attribute("axis", AttributeType::INT),
            attribute("clip", AttributeType::FLOAT),
        ]);
        assert_eq!(attributes.int("axis"), Ok(Some(0)));
        let error = attributes.finish().expect_err("two are left");
        assert_eq!(
            (error.kind(), error.place()),
            (ErrorKind::Unsupported, "node 3 (Pad)")
        );
        assert!(
            error.to_string().ends_with("not read here: clip, then_branch"),
            "{error}"
        );
    }

    #[test]
    fn contradictions_are_refused() {
        let cases = [
            (vec![attribute("", AttributeType::INT)], "has no name"),
            (vec![AttributeProto::default()], "has no name"),
            (
                vec![attribute("axis", AttributeType::UNDEFINED)],
                "'axis' does not say its type",
            ),
            (
                vec![
                    attribute("axis", AttributeType::INT),
                    attribute("axis", AttributeType::INTS),
                ],
                "two attributes 'axis'",
            ),
        ];
        for (attributes, message) in cases {
            let error = Attributes::new(attributes, "node 3 (Pad)").expect_err(message);
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(message), "{error}");
        }
        let mut attributes = node(vec![
            attribute("axis", AttributeType::INTS),
            attribute("mode", AttributeType(99)),
            attribute("value", AttributeType::TENSOR),
        ]);
        let messages = [
            (
                attributes.int("axis").map(|_| ()),
                "'axis' is a list of integers; the operator takes an integer",
            ),
            (
                attributes.text("mode").map(|_| ()),
                "'mode' is of type 99; the operator takes a string",
            ),
            (
                attributes.tensor("value").map(|_| ()),
                "node 3 (Pad), attribute 'value': the tensor is missing",
            ),
        ];
        for (outcome, message) in messages {
            let error = outcome.expect_err(message);
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
