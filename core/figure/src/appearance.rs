//! What a person looks like: skin, hair, clothes, and the light and room around them.
//!
//! Colours are linear light, red, green, blue in [0, 1]. What a detector needs to see a person was measured on
//! this figure: colour (skin against clothes against hair) before anything else, then the head, then volume, then
//! low-cut shoes; unlit grey on grey is not seen. So appearances vary, but always keep those contrasts.

use crate::random::Random;
use crate::vector::{Vec3, vec3};

/// Linear red, green, blue.
pub type Colour = Vec3<f32>;

/// How the hair is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hair {
    /// None.
    Bald,
    /// A short cut.
    Short,
    /// Tied up at the back.
    Bun,
    /// Down to the shoulders.
    Long,
}

/// How far sleeves and legs of the clothes reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Half way down the upper arm; shorts.
    Short,
    /// To the wrist; trousers.
    Long,
}

/// The lamp, which travels with the camera so that every view is lit from the front, and the fill light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Towards the camera's right per unit of height; negative is left.
    pub rightward: f32,
    /// Towards the camera per unit of height.
    pub forward: f32,
    /// Strength of the lamp.
    pub lamp: f32,
    /// Strength of the light that comes from everywhere.
    pub fill: f32,
}

impl Default for Light {
    fn default() -> Self {
        Self {
            rightward: -0.55,
            forward: 0.75,
            lamp: 0.95,
            fill: 0.62,
        }
    }
}

/// A person's looks and surroundings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Appearance {
    /// Skin.
    pub skin: Colour,
    /// Hair and brows.
    pub hair: Colour,
    /// Haircut.
    pub hair_cut: Hair,
    /// Shirt.
    pub shirt: Colour,
    /// Sleeves.
    pub sleeves: Cut,
    /// Shorts or trousers.
    pub trousers: Colour,
    /// Trouser legs.
    pub legs: Cut,
    /// Upper of the shoes.
    pub shoes: Colour,
    /// Wall of the room.
    pub wall: Colour,
    /// Mean of the floor boards.
    pub floor: Colour,
    /// Light.
    pub light: Light,
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            skin: vec3(0.66, 0.41, 0.30),
            hair: vec3(0.085, 0.052, 0.034),
            hair_cut: Hair::Short,
            shirt: vec3(0.115, 0.27, 0.41),
            sleeves: Cut::Short,
            trousers: vec3(0.055, 0.058, 0.075),
            legs: Cut::Short,
            shoes: vec3(0.72, 0.72, 0.74),
            wall: vec3(0.70, 0.69, 0.66),
            floor: vec3(0.50, 0.36, 0.24),
            light: Light::default(),
        }
    }
}

/// Skin tones from very fair to very dark, roughly even steps of the Monk scale.
const SKINS: [Colour; 6] = [
    vec3(0.78, 0.55, 0.44),
    vec3(0.66, 0.41, 0.30),
    vec3(0.48, 0.28, 0.18),
    vec3(0.31, 0.165, 0.098),
    vec3(0.175, 0.088, 0.052),
    vec3(0.088, 0.045, 0.030),
];
/// Hair from black to grey.
const HAIRS: [Colour; 5] = [
    vec3(0.018, 0.015, 0.014),
    vec3(0.085, 0.052, 0.034),
    vec3(0.21, 0.115, 0.055),
    vec3(0.46, 0.33, 0.17),
    vec3(0.40, 0.40, 0.40),
];
/// Shirts in colours that differ from every skin tone.
const SHIRTS: [Colour; 7] = [
    vec3(0.115, 0.27, 0.41),
    vec3(0.10, 0.30, 0.20),
    vec3(0.52, 0.10, 0.09),
    vec3(0.66, 0.66, 0.64),
    vec3(0.05, 0.05, 0.06),
    vec3(0.62, 0.47, 0.10),
    vec3(0.24, 0.13, 0.34),
];
/// Trousers and shorts.
const TROUSERS: [Colour; 4] = [
    vec3(0.055, 0.058, 0.075),
    vec3(0.06, 0.09, 0.18),
    vec3(0.27, 0.26, 0.23),
    vec3(0.16, 0.17, 0.12),
];
/// Shoes.
const SHOES: [Colour; 3] = [
    vec3(0.72, 0.72, 0.74),
    vec3(0.06, 0.06, 0.07),
    vec3(0.45, 0.10, 0.08),
];

impl Appearance {
    /// A different person for every seed; the same person for the same seed.
    pub fn random(seed: u64) -> Self {
        let mut random = Random::seeded(seed);
        let mut tinted = |colours: &[Colour]| {
            let shade = random.between(0.88, 1.12) as f32;
            random.pick(colours) * shade
        };
        let (skin, hair) = (tinted(&SKINS), tinted(&HAIRS));
        let (shirt, trousers, shoes) = (tinted(&SHIRTS), tinted(&TROUSERS), tinted(&SHOES));
        let grey = random.between(0.40, 0.75) as f32;
        let warmth = random.between(-0.05, 0.05) as f32;
        Self {
            skin,
            hair,
            hair_cut: random.pick(&[Hair::Bald, Hair::Short, Hair::Bun, Hair::Long]),
            shirt,
            sleeves: random.pick(&[Cut::Short, Cut::Long]),
            trousers,
            legs: random.pick(&[Cut::Short, Cut::Long]),
            shoes,
            wall: vec3(grey + warmth, grey, grey - warmth),
            floor: vec3(0.50, 0.36, 0.24) * random.between(0.6, 1.2) as f32,
            light: Light {
                rightward: random.between(-0.9, 0.9) as f32,
                forward: random.between(0.5, 1.0) as f32,
                lamp: random.between(0.75, 1.05) as f32,
                fill: random.between(0.45, 0.70) as f32,
            },
        }
    }
}
