//! The table of features: 32 numbers of a frame that are watched, what each is, and what to do when it changes.
//!
//! Goes in: nothing. Comes out: names, units, resolution and usual range of each feature. A feature's place in the
//! table is its index in rows, blocks, profiles and logs, so lines are only ever added at the end.
//!
//! The *floor* is the resolution below which a difference means nothing: a feature that never moved in the reference has
//! a standard deviation of zero, and any grain of noise would be infinitely far from it. Floors are a level of 8-bit
//! light, a hundredth of a share, two degrees, and what pose models scatter from frame to frame.

use serde::{Deserialize, Serialize};

use crate::geometry::ImageSize;
use crate::monitor::probe::ImageProbe;
use crate::pose::Pose;

/// How many features there are.
pub const FEATURE_COUNT: usize = 32;

/// What a feature tells about. States ask for changes in more than one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// The picture: light, contrast, sharpness, colour.
    Input,
    /// Where the person stands and how the camera sees them.
    Framing,
    /// How sure the model is.
    Confidence,
    /// Whether results fit each other, from frame to frame and mirrored.
    Consistency,
    /// How frames arrive and how long they take.
    System,
}

impl Family {
    /// All of them, in the table's order.
    pub const ALL: [Self; 5] = [
        Self::Input,
        Self::Framing,
        Self::Confidence,
        Self::Consistency,
        Self::System,
    ];

    /// As it is called in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Framing => "framing",
            Self::Confidence => "confidence",
            Self::Consistency => "consistency",
            Self::System => "system",
        }
    }
}

/// Which frames have a value of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Every frame: a block needs half of them.
    Frame,
    /// Every frame with a person: a block needs half of all its frames.
    Person,
    /// Frames that were chosen for a closer look: a block needs two.
    Sample,
}

/// What is known of a feature before anything was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureSpec {
    /// As files and the command line call it.
    pub name: &'static str,
    /// As a sentence calls it: "*sharpness* has been lower than in the reference".
    pub label: &'static str,
    /// What it tells about.
    pub family: Family,
    /// Of its values.
    pub unit: &'static str,
    /// Which frames have it.
    pub basis: Basis,
    /// Smallest difference that means anything, in its unit.
    pub floor: f64,
    /// Where its values are looked for: what lies outside is counted as under or over.
    pub range: [f64; 2],
    /// What to do when it has changed, one sentence.
    pub advice: &'static str,
}

macro_rules! features {
    ($($variant:ident, $name:literal, $label:literal, $family:ident, $unit:literal, $basis:ident, $floor:literal,
       [$low:literal, $high:literal], $advice:literal, $doc:literal;)+) => {
        /// A feature; its number is its place in the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Feature {
            $(#[doc = $doc] $variant,)+
        }

        impl Feature {
            /// All of them, in the table's order.
            pub const ALL: [Self; FEATURE_COUNT] = [$(Self::$variant,)+];
        }

        /// The table.
        pub const FEATURES: [FeatureSpec; FEATURE_COUNT] = [$(FeatureSpec {
            name: $name,
            label: $label,
            family: Family::$family,
            unit: $unit,
            basis: Basis::$basis,
            floor: $floor,
            range: [$low, $high],
            advice: $advice,
        },)+];
    };
}

features! {
    LumaMean, "luma_mean", "light", Input, "level", Sample, 1.0, [0.0, 255.0],
        "Bring the light back to what it was, or make a reference for this light.",
        "Mean light of the picture, levels 0 to 255.";
    LumaContrast, "luma_contrast", "contrast", Input, "level", Sample, 1.0, [0.0, 128.0],
        "Look for haze on the lens, light from behind, or a curtain that was drawn.",
        "Standard deviation of the light, levels.";
    Sharpness, "sharpness", "sharpness", Input, "ln level²", Sample, 0.05, [-7.0, 14.0],
        "Wipe the lens, let the camera focus again, or move to better light.",
        "Logarithm of the mean squared Laplacian.";
    Noise, "noise", "grain of the picture", Input, "level", Sample, 0.5, [0.0, 255.0],
        "Add light: cameras make up for darkness with grain.",
        "Median of the absolute Laplacian, levels.";
    DarkShare, "dark_share", "share of black pixels", Input, "share", Sample, 0.01, [0.0, 1.0],
        "Look for a bar or an object before the lens, or add light.",
        "Share of samples of at most 16 levels.";
    ClippedShare, "clipped_share", "share of white pixels", Input, "share", Sample, 0.01, [0.0, 1.0],
        "Turn away from windows and lamps, or lower the camera's exposure.",
        "Share of samples of at least 239 levels.";
    RedShare, "red_share", "share of red", Input, "share", Sample, 0.002, [0.0, 1.0],
        "Check the colour of the light and the camera's white balance.",
        "Red of all colour.";
    BlueShare, "blue_share", "share of blue", Input, "share", Sample, 0.002, [0.0, 1.0],
        "Check the colour of the light and the camera's white balance.",
        "Blue of all colour.";
    PersonShare, "person_share", "share of frames with a person", Framing, "share", Frame, 0.02, [0.0, 1.0],
        "Stand where the camera sees the whole body.",
        "Share of frames in which a person was found.";
    BodyHeight, "body_height", "height of the person in the picture", Framing, "of the frame", Person, 0.01, [0.0, 2.0],
        "Stand as far from the camera as in the reference.",
        "Height of all landmarks together, of the picture's.";
    CentreX, "centre_x", "place from left to right", Framing, "of the frame", Person, 0.01, [-0.5, 1.5],
        "Stand in the middle of the picture, or turn the camera.",
        "Middle of the hips, of the picture's width.";
    CentreY, "centre_y", "height of the hips in the picture", Framing, "of the frame", Person, 0.01, [-0.5, 1.5],
        "Put the camera back to its height.",
        "Middle of the hips, of the picture's height from above.";
    TrunkTilt, "trunk_tilt_deg", "tilt of the trunk in the picture", Framing, "degree", Person, 1.0, [-180.0, 180.0],
        "Set the camera upright.",
        "Angle of the trunk to the picture's vertical, clockwise.";
    ViewYaw, "view_yaw_deg", "angle of view", Framing, "degree", Person, 2.0, [-180.0, 180.0],
        "Turn to the camera as in the reference; if only the sign has changed, the picture may be mirrored.",
        "Turn of shoulders and hips from facing the camera.";
    OutsideShare, "outside_share", "share of joints outside of the picture", Framing, "share", Person, 0.01, [0.0, 1.0],
        "Step back until the whole body is in the picture.",
        "Share of landmarks outside of the picture.";
    PoseScore, "pose_score", "certainty that there is a person", Confidence, "probability", Person, 0.01, [0.0, 1.0],
        "Check that one person alone is before the camera, and the light.",
        "The model's certainty that it sees a person.";
    VisibilityMean, "visibility_mean", "certainty of the joints", Confidence, "probability", Person, 0.01, [0.0, 1.0],
        "Look for clothing, objects or light that hide joints.",
        "Mean visibility of the twelve large joints.";
    VisibilityLow, "visibility_low", "certainty of the least sure joints", Confidence, "probability", Person, 0.01, [0.0, 1.0],
        "Look for what hides the least sure joints.",
        "Tenth percentile of the visibility of the twelve large joints.";
    HiddenShare, "hidden_share", "share of hidden joints", Confidence, "share", Person, 0.01, [0.0, 1.0],
        "Look for what hides joints, and step back if some are outside.",
        "Share of the twelve large joints with a visibility below .3.";
    PresenceMean, "presence_mean", "certainty that joints are in the picture", Confidence, "probability", Person, 0.01, [0.0, 1.0],
        "Step back until the whole body is in the picture.",
        "Mean presence of the twelve large joints.";
    LeftRightVisibility, "left_right_visibility", "difference between left and right joints", Confidence, "probability", Person, 0.01, [-1.0, 1.0],
        "Turn to the camera as in the reference; if only the sign has changed, the picture may be mirrored.",
        "Mean visibility of the left large joints less that of the right ones.";
    OutlineDoubt, "outline_doubt", "doubt about the outline", Confidence, "share", Sample, 0.01, [0.0, 1.0],
        "Stand before a plainer background, or away from other people.",
        "Doubt about which pixels are the person.";
    Jitter, "jitter", "jitter of the joints", Consistency, "of the trunk", Person, 0.001, [0.0, 1.0],
        "Hold the camera still, add light, and look at the frame rate.",
        "Second difference of the joints in space, of the trunk's length.";
    BoneChange, "bone_change", "change of bone lengths", Consistency, "share", Person, 0.005, [0.0, 1.0],
        "Bones do not change: look at the skeleton before trusting angles.",
        "How far bone lengths are from their own running mean, mean of eight bones.";
    SwapShare, "swap_share", "share of frames in which sides swap", Consistency, "share", Person, 0.005, [0.0, 1.0],
        "Turn a little more to the camera, so that both sides are seen.",
        "Share of frames in which left and right have changed places since the frame before.";
    FlipOks, "flip_oks", "agreement with the mirrored picture", Consistency, "similarity", Sample, 0.01, [0.0, 1.0],
        "The model contradicts itself in the mirrored picture: do not trust single joints.",
        "Similarity of the pose to that of the mirrored picture.";
    ShadowOks, "shadow_oks", "agreement of the two models", Consistency, "similarity", Sample, 0.01, [0.0, 1.0],
        "Compare both models on this picture before changing to the other.",
        "Similarity of the pose to that of the model in the shadow.";
    DetectorShare, "detector_share", "share of frames with a new search", System, "share", Frame, 0.01, [0.0, 1.0],
        "The person is lost again and again: check that they stay in the picture.",
        "Share of frames for which the person was searched anew.";
    FrameMillis, "frame_millis", "time a frame takes", System, "ln ms", Frame, 0.05, [-3.0, 11.0],
        "Close other programs, let the device cool down, or choose a smaller model.",
        "Logarithm of the milliseconds from frame to result.";
    IntervalMillis, "interval_millis", "time between frames", System, "ln ms", Frame, 0.05, [-3.0, 11.0],
        "Check the camera's frame rate: in poor light cameras slow down.",
        "Logarithm of the milliseconds between frames.";
    DroppedShare, "dropped_share", "share of dropped frames", System, "share", Frame, 0.01, [0.0, 1.0],
        "Close other programs or choose a smaller model.",
        "Share of frames that were dropped before this one.";
    RepeatedShare, "repeated_share", "share of repeated pictures", System, "share", Sample, 0.01, [0.0, 1.0],
        "The camera repeats or has frozen pictures: start it again.",
        "Share of pictures that equal the one before.";
}

impl Feature {
    /// Its place in rows and blocks.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// What is known of it.
    pub const fn spec(self) -> &'static FeatureSpec {
        &FEATURES[self as usize]
    }

    /// The feature that files call so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.spec().name == name)
    }
}

/// What is known of a frame after it was measured. It is looked at and not kept: only sums of blocks are.
#[derive(Clone, Copy, Debug)]
pub struct FrameFacts<'a> {
    /// When the frame was taken, seconds since any origin.
    pub time_secs: f64,
    /// Who is in it.
    pub pose: Option<&'a Pose>,
    /// Size of the picture.
    pub image: ImageSize,
    /// Statistics of the picture, where pixels were at hand.
    pub probe: Option<ImageProbe>,
    /// From the frame to its result.
    pub total_millis: f64,
    /// Time on the GPU, where one was used and told.
    pub gpu_millis: Option<f64>,
    /// Memory of the programs that measure, where it is known.
    pub memory_bytes: Option<u64>,
    /// Whether the person was searched anew in it.
    pub ran_detector: bool,
    /// Frames that were dropped since the one before.
    pub dropped_before: u32,
    /// Similarity to the result of the mirrored picture, where it was looked at.
    pub flip_oks: Option<f64>,
    /// Similarity to the result of the model in the shadow, where it was run.
    pub shadow_oks: Option<f64>,
    /// Doubt about the outline, where there is one.
    pub outline_doubt: Option<f32>,
}

impl FrameFacts<'_> {
    /// A frame of which nothing is known but its time, size and duration.
    pub fn bare(time_secs: f64, image: ImageSize, total_millis: f64) -> Self {
        Self {
            time_secs,
            pose: None,
            image,
            probe: None,
            total_millis,
            gpu_millis: None,
            memory_bytes: None,
            ran_detector: false,
            dropped_before: 0,
            flip_oks: None,
            shadow_oks: None,
            outline_doubt: None,
        }
    }
}

/// The features of a frame.
#[derive(Clone, Copy, Debug)]
pub struct FeatureRow {
    /// When the frame was taken, seconds.
    pub time_secs: f64,
    /// By the table's order; NaN means not measured in this frame, and means so in this type only.
    pub values: [f32; FEATURE_COUNT],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        for (place, feature) in Feature::ALL.into_iter().enumerate() {
            let spec = feature.spec();
            assert_eq!(feature.index(), place);
            assert_eq!(Feature::named(spec.name), Some(feature));
            assert!(spec.floor > 0.0 && spec.range[0] < spec.range[1], "{}", spec.name);
            assert!(
                spec.floor < (spec.range[1] - spec.range[0]) / 15.0,
                "{}: a cell of the histogram is not finer than the floor",
                spec.name
            );
            assert!(
                spec.advice.ends_with('.') && !spec.advice.contains('!'),
                "{}: advice is a quiet sentence",
                spec.name
            );
        }
        assert_eq!(Feature::named("sharpnes"), None);
    }

    #[test]
    fn families_stand_together() {
        let families: Vec<Family> = FEATURES.iter().map(|spec| spec.family).collect();
        assert!(families.is_sorted());
        for (family, count) in Family::ALL.into_iter().zip([8, 7, 7, 5, 5]) {
            let of_it = families.iter().filter(|&&found| found == family).count();
            assert_eq!(of_it, count, "{family:?}");
        }
    }
}
