//! The words that Rust and WGSL share: what the CPU tells a frame, what the GPU keeps between frames, what it answers.
//!
//! Each block is one table of fields; the WGSL struct is written from it and the offsets are computed from it, at
//! compile time, so a misspelt field does not build. All fields are 32 bits wide or made of such, so a field lies at
//! four times the number of words before it, in WGSL as in Rust; the test asks naga whether that is so.

use std::fmt::Write;

/// Changes whenever a block does. The GPU writes it into each answer.
pub const LAYOUT_VERSION: u32 = 2;

/// What a field is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `u32`
    Uint,
    /// `i32`
    Int,
    /// `f32`
    Float,
    /// `array<f32, n>`
    Floats(usize),
    /// [`REGION`]
    Region,
}

impl Kind {
    /// Words of 32 bits.
    const fn len(self) -> usize {
        match self {
            Kind::Uint | Kind::Int | Kind::Float => 1,
            Kind::Floats(len) => len,
            Kind::Region => REGION.len(),
        }
    }

    fn wgsl(self) -> String {
        match self {
            Kind::Uint => "u32".to_owned(),
            Kind::Int => "i32".to_owned(),
            Kind::Float => "f32".to_owned(),
            Kind::Floats(len) => format!("array<f32, {len}>"),
            Kind::Region => REGION.name.to_owned(),
        }
    }
}

/// A struct of words.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Its name in WGSL.
    pub name: &'static str,
    /// Name and kind of each field, in order.
    pub fields: &'static [(&'static str, Kind)],
}

impl Block {
    /// Words of 32 bits.
    #[allow(clippy::len_without_is_empty)] // A block always has fields.
    pub const fn len(&self) -> usize {
        let (mut words, mut i) = (0, 0);
        while i < self.fields.len() {
            words += self.fields[i].1.len();
            i += 1;
        }
        words
    }

    /// The first word of a field.
    ///
    /// # Panics
    /// When there is no such field; in a `const`, which is where it belongs, that ends the build.
    pub const fn at(&self, field: &str) -> usize {
        let (mut words, mut i) = (0, 0);
        while i < self.fields.len() {
            if is_same(self.fields[i].0, field) {
                return words;
            }
            words += self.fields[i].1.len();
            i += 1;
        }
        panic!("the block has no such field")
    }

    /// The struct as WGSL declares it.
    pub fn wgsl(&self) -> String {
        let mut text = format!("struct {} {{\n", self.name);
        for (name, kind) in self.fields {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {name}: {},", kind.wgsl());
        }
        text + "}\n"
    }
}

const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A square of the image, as numbers that need no sine, cosine or arc tangent on the GPU, whose are coarse there: the
/// centre, the side, the direction of its x axis, and the map from pixels of a model's input to pixels of the image,
/// `x = xx i + xy j + x0`, `y = yx i + yy j + y0`.
pub const REGION: Block = Block {
    name: "Region",
    fields: &[
        ("center_x", Kind::Float),
        ("center_y", Kind::Float),
        ("side_px", Kind::Float),
        ("cos_rotation", Kind::Float),
        ("sin_rotation", Kind::Float),
        ("xx", Kind::Float),
        ("xy", Kind::Float),
        ("x0", Kind::Float),
        ("yx", Kind::Float),
        ("yy", Kind::Float),
        ("y0", Kind::Float),
    ],
};

/// What the CPU says about a frame, written before it is submitted.
pub const PARAMETERS: Block = Block {
    name: "Parameters",
    fields: &[
        // Bits, see [`flag`].
        ("flags", Kind::Uint),
        // Comes back in the answer.
        ("frame", Kind::Uint),
        // When the frame was taken: microseconds, 64 bits in two words.
        ("time_low", Kind::Uint),
        ("time_high", Kind::Int),
        ("width_px", Kind::Uint),
        ("height_px", Kind::Uint),
        // Where to look, when the flags say so.
        ("seed", Kind::Region),
    ],
};

/// What the GPU keeps between frames. Zeros are a state: nobody is followed, nothing was seen.
pub const STATE: Block = Block {
    name: "State",
    fields: &[
        // Whether `region` is where to look in the next frame.
        ("has_region", Kind::Uint),
        ("region", Kind::Region),
        // Whether the filters have seen a frame, and when that was.
        ("has_history", Kind::Uint),
        ("time_low", Kind::Uint),
        ("time_high", Kind::Int),
        // For x and y of both alignment points: last raw value, smoothed value, smoothed speed.
        ("filters", Kind::Floats(12)),
    ],
};

/// What the GPU says about a frame: all that is read back.
pub const ANSWER: Block = Block {
    name: "Answer",
    fields: &[
        // [`LAYOUT_VERSION`]
        ("version", Kind::Uint),
        // Of the parameters.
        ("frame", Kind::Uint),
        // Bits, see [`status`].
        ("status", Kind::Uint),
        // Probability that the region holds a person.
        ("score", Kind::Float),
        // Side of the square around the body, px, which turns speeds in px into speeds in bodies.
        ("body_px", Kind::Float),
        // Where the model looked.
        ("region", Kind::Region),
        // 33 x (x px, y px, z px, visibility, presence) in the image, not smoothed.
        ("landmarks", Kind::Floats(165)),
        // 33 x (x, y, z) in metres, not smoothed.
        ("world", Kind::Floats(99)),
        // x and y px of both alignment points in the image, not smoothed.
        ("alignment", Kind::Floats(4)),
    ],
};

/// Bits of [`PARAMETERS`]' `flags`.
pub mod flag {
    /// Look at `seed`, not at the region that the state holds.
    pub const SEED: u32 = 1;
    /// Forget what the filters have seen.
    pub const FORGET: u32 = 2;
}

/// Bits of [`ANSWER`]'s `status`. Without `LOOKED` nothing else in the answer means anything.
pub mod status {
    /// There was a region to look at.
    pub const LOOKED: u32 = 1;
    /// The model is sure that it holds a person.
    pub const PERSON: u32 = 2;
    /// The alignment points make a body: the filters have seen this frame.
    pub const FOLLOWED: u32 = 4;
    /// The state has a region for the next frame.
    pub const HAS_NEXT: u32 = 8;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets by hand, so that a change of the layout is a decision.
    #[test]
    fn fields_lie_where_they_are_documented() {
        for (block, len, fields) in [
            (
                REGION,
                11,
                &[("center_x", 0), ("side_px", 2), ("xx", 5), ("y0", 10)][..],
            ),
            (PARAMETERS, 17, &[("flags", 0), ("time_high", 3), ("seed", 6)]),
            (STATE, 27, &[("region", 1), ("has_history", 12), ("filters", 15)]),
            (
                ANSWER,
                284,
                &[
                    ("status", 2),
                    ("region", 5),
                    ("landmarks", 16),
                    ("world", 181),
                    ("alignment", 280),
                ],
            ),
        ] {
            assert_eq!(block.len(), len, "{}", block.name);
            for &(field, at) in fields {
                assert_eq!(block.at(field), at, "{}.{field}", block.name);
            }
        }
    }

    #[test]
    fn an_answer_is_small() {
        assert!(ANSWER.len() * 4 < 1500);
    }
}
