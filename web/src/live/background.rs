//! What stands behind the person on the stage: the choices, how they are remembered, and what is said of the cut.

use std::borrow::Cow;

use plumbline_core::selfie::SelfieModel;

/// Which background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackgroundKind {
    /// The picture as it is; no mask is computed.
    #[default]
    AsItIs,
    /// The room out of focus.
    Blur,
    /// One colour.
    Colour,
    /// Another picture.
    Picture,
    /// Nothing: the stage's own ground shows.
    CutOut,
}

impl BackgroundKind {
    /// All, in the order of the menu.
    pub const ALL: [Self; 5] = [
        Self::AsItIs,
        Self::Blur,
        Self::Colour,
        Self::Picture,
        Self::CutOut,
    ];

    /// As in the menu's values, the query parameter, messages and memory.
    pub fn id(self) -> &'static str {
        match self {
            Self::AsItIs => "none",
            Self::Blur => "blur",
            Self::Colour => "colour",
            Self::Picture => "picture",
            Self::CutOut => "cut-out",
        }
    }

    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::AsItIs => "As it is",
            Self::Blur => "Blur",
            Self::Colour => "Colour",
            Self::Picture => "Picture",
            Self::CutOut => "Cut out",
        }
    }

    /// The kind behind an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

/// Who says which pixels are people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaskSource {
    /// The model that finds the skeleton.
    #[default]
    Skeleton,
    /// A model of its own, which needs no skeleton.
    Selfie(SelfieModel),
}

impl MaskSource {
    /// All, in the order of the menu.
    pub const ALL: [Self; 3] = [
        Self::Skeleton,
        Self::Selfie(SelfieModel::General),
        Self::Selfie(SelfieModel::Landscape),
    ];

    /// As in the menu's values, the manifest, messages and memory.
    pub fn id(self) -> &'static str {
        match self {
            Self::Skeleton => "skeleton",
            Self::Selfie(SelfieModel::General) => "selfie",
            Self::Selfie(SelfieModel::Landscape) => "selfie-landscape",
        }
    }

    /// As a person reads it, with what it is for.
    pub fn label(self) -> &'static str {
        match self {
            Self::Skeleton => "With the skeleton: one person",
            Self::Selfie(SelfieModel::General) => "Selfie, general: everybody near",
            Self::Selfie(SelfieModel::Landscape) => "Selfie, landscape: wide pictures",
        }
    }

    /// What makes the mask, where, and of whom.
    pub fn note(self) -> &'static str {
        match self {
            Self::Skeleton => "The pose model makes the mask, of the person whose skeleton it finds.",
            Self::Selfie(SelfieModel::General) => {
                "Selfie segmentation makes the mask (256 × 256, on the CPU), of everybody within about two metres, also \
                 where no skeleton is found."
            }
            Self::Selfie(SelfieModel::Landscape) => {
                "Selfie segmentation makes the mask (256 × 144, on the CPU), of everybody within about two metres, also \
                 where no skeleton is found."
            }
        }
    }

    /// The source behind an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.id() == id)
    }
}

/// The model that makes masks, on its way to the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MaskModel {
    /// It is here, or none is needed.
    #[default]
    Here,
    /// So many hundredths of it are.
    OnItsWay(u8),
    /// It cannot be had; a sentence.
    Missing(String),
}

/// The background that is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Background {
    /// Which.
    pub kind: BackgroundKind,
    /// Red, green, blue; also what stands behind the person while a picture is wanted and none was chosen.
    pub colour: [u8; 3],
    /// Over how many pixels of the picture the person's edge fades, on both sides.
    pub softness_px: u32,
    /// Who says where the person is.
    pub mask: MaskSource,
}

/// The softest edge that can be chosen.
pub const SOFTEST_PX: u32 = 16;

impl Default for Background {
    fn default() -> Self {
        Self {
            kind: BackgroundKind::default(),
            // A wall in the shade: skin and clothes of any tone stand out from it.
            colour: [70, 84, 96],
            softness_px: 1,
            mask: MaskSource::default(),
        }
    }
}

impl Background {
    /// Whether frames are shown with another background than their own.
    pub fn is_on(&self) -> bool {
        self.kind != BackgroundKind::AsItIs
    }

    /// The model of masks that frames need.
    pub fn selfie(&self) -> Option<SelfieModel> {
        match self.mask {
            MaskSource::Selfie(model) if self.is_on() => Some(model),
            MaskSource::Selfie(_) | MaskSource::Skeleton => None,
        }
    }

    /// The colour as `input type=color` writes it: a number sign and six hexadecimal digits.
    pub fn colour_text(&self) -> String {
        let [r, g, b] = self.colour;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// The same with another colour, if the text is one.
    pub fn with_colour_text(self, text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_number)?;
        let [_, r, g, b] = number.to_be_bytes();
        Some(Self {
            colour: [r, g, b],
            ..self
        })
    }

    /// The same with another softness, if the text is a number; one beyond the limit is taken for the limit.
    pub fn with_softness_text(self, text: &str) -> Option<Self> {
        let softness_px = text.parse::<u32>().ok()?.min(SOFTEST_PX);
        Some(Self { softness_px, ..self })
    }
}

/// From here on the outline is said to be uncertain: the double of what photos of people seen whole and the drawn person
/// show, which is 0.05 to 0.07 ([`plumbline_core::mask::RegionMask::doubt`]).
const MUCH_DOUBT: f64 = 0.14;

/// What the page knows of the frames that it shows with another background.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// Nobody was found: the background stands before everything.
    Nobody,
    /// A person, and how unsure the model is of the outline.
    Person {
        /// [`plumbline_core::mask::RegionMask::doubt`], calmed.
        doubt: f64,
    },
}

/// What is said of the background: what is missing, what it hides, when not to trust it. One thing at most; the most
/// pressing one.
pub fn note(
    background: &Background,
    has_picture: bool,
    cut: Option<Cut>,
    model: &MaskModel,
) -> Option<Cow<'static, str>> {
    if !background.is_on() {
        return None;
    }
    if let (MaskModel::OnItsWay(hundredths), Some(_)) = (model, background.selfie()) {
        return Some(Cow::Owned(format!(
            "Selfie segmentation is being loaded, {hundredths} %. Until it is here the background covers everything."
        )));
    }
    let said = match cut {
        Some(Cut::Nobody) => Some("Nobody is found, so the background covers everything."),
        _ if background.kind == BackgroundKind::Picture && !has_picture => {
            Some("Choose a picture. Until then a plain colour stands there.")
        }
        Some(Cut::Person { doubt }) if doubt >= MUCH_DOUBT => Some(
            "The outline is uncertain: parts of the room may show, or of the person be missing. More light, a plainer \
             room and the whole body in the picture help.",
        ),
        Some(Cut::Person { .. }) | None => None,
    };
    said.map(Cow::Borrowed)
}

/// How much of a new frame's doubt counts: a sentence that comes and goes with single frames cannot be read.
const DOUBT_SHARE: f64 = 0.05;

/// What was cut out of the last frames, calmed.
#[derive(Clone, Copy, Debug, Default)]
pub struct CutMeter {
    last: Option<Cut>,
}

impl CutMeter {
    /// Notes a frame's doubt, or that nobody was found in it.
    pub fn record(&mut self, doubt: Option<f32>) {
        self.last = Some(match (self.last, doubt.map(f64::from)) {
            (_, None) => Cut::Nobody,
            (Some(Cut::Person { doubt: before }), Some(doubt)) => Cut::Person {
                doubt: before + (doubt - before) * DOUBT_SHARE,
            },
            (_, Some(doubt)) => Cut::Person { doubt },
        });
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.last = None;
    }

    /// How things stand; nothing before the first frame.
    pub fn cut(&self) -> Option<Cut> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: BackgroundKind) -> Background {
        Background {
            kind,
            ..Background::default()
        }
    }

    #[test]
    fn ids_lead_back() {
        for kind in BackgroundKind::ALL {
            assert_eq!(BackgroundKind::from_id(kind.id()), Some(kind));
            assert_eq!(of(kind).is_on(), kind.id() != "none");
        }
        assert_eq!(BackgroundKind::from_id("green"), None);
    }

    #[test]
    fn what_is_remembered_is_read_or_left() {
        let start = Background::default();
        for (text, colour) in [
            // In two parts: it is no colour of the interface, and those stand in one file.
            (concat!("#", "1a2B3c"), Some([0x1a, 0x2b, 0x3c])),
            ("1a2b3c", None),
            ("#1a2b3", None),
            ("#+12345", None),
            ("#äöü", None),
            ("", None),
        ] {
            let read = start.with_colour_text(text);
            assert_eq!(read.map(|background| background.colour), colour, "{text}");
        }
        let text = concat!("#", "0a0b0c");
        let read = start.with_colour_text(text).expect("a colour");
        assert_eq!(read.colour_text(), text);
        for (text, softness_px) in [
            ("0", Some(0)),
            ("16", Some(16)),
            ("99", Some(16)),
            ("-1", None),
            ("x", None),
        ] {
            let read = start.with_softness_text(text);
            assert_eq!(
                read.map(|background| background.softness_px),
                softness_px,
                "{text}"
            );
        }
    }

    #[test]
    fn the_most_pressing_thing_is_said() {
        let sure = Some(Cut::Person { doubt: 0.04 });
        let unsure = Some(Cut::Person { doubt: 0.3 });
        for (kind, has_picture, cut, fragment) in [
            (BackgroundKind::AsItIs, false, unsure, None),
            (BackgroundKind::Blur, false, sure, None),
            (BackgroundKind::Blur, false, None, None),
            (BackgroundKind::Blur, false, unsure, Some("uncertain")),
            (
                BackgroundKind::CutOut,
                false,
                Some(Cut::Nobody),
                Some("covers everything"),
            ),
            (BackgroundKind::Picture, false, sure, Some("Choose a picture")),
            (BackgroundKind::Picture, true, sure, None),
        ] {
            let said = note(&of(kind), has_picture, cut, &MaskModel::Here);
            assert_eq!(said.is_some(), fragment.is_some(), "{kind:?}: {said:?}");
            assert!(said.unwrap_or_default().contains(fragment.unwrap_or_default()));
        }
    }

    #[test]
    fn what_is_on_its_way_is_said_of_what_waits_for_it() {
        for source in MaskSource::ALL {
            assert_eq!(MaskSource::from_id(source.id()), Some(source));
            for kind in BackgroundKind::ALL {
                let background = Background {
                    mask: source,
                    ..of(kind)
                };
                let waits = kind != BackgroundKind::AsItIs && source != MaskSource::Skeleton;
                assert_eq!(background.selfie().is_some(), waits, "{background:?}");
                let said = note(&background, true, None, &MaskModel::OnItsWay(45));
                assert_eq!(said.is_some(), waits, "{background:?}: {said:?}");
                assert!(!waits || said.is_some_and(|said| said.contains("45 %")));
            }
        }
    }

    #[test]
    fn doubt_is_calm_and_nobody_is_said_at_once() {
        let mut meter = CutMeter::default();
        assert_eq!(meter.cut(), None);
        meter.record(Some(0.25));
        assert_eq!(meter.cut(), Some(Cut::Person { doubt: 0.25 }));
        meter.record(Some(0.0));
        assert!(matches!(meter.cut(), Some(Cut::Person { doubt }) if doubt > 0.2));
        meter.record(None);
        assert_eq!(meter.cut(), Some(Cut::Nobody));
        meter.record(Some(0.5));
        assert_eq!(meter.cut(), Some(Cut::Person { doubt: 0.5 }));
        meter.clear();
        assert_eq!(meter.cut(), None);
    }
}
