//! What the address asks for: the query parameters of the Live page (the list stands in `pages/live.rs`), and the
//! models that can be chosen.

use crate::live::backend::BackendWish;
use crate::live::background::BackgroundKind;
use crate::live::people;
use crate::live::workers::WorkersWish;

/// A landmark model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModelName {
    /// Smallest and fastest.
    Lite,
    /// The balance that the page starts with.
    #[default]
    Full,
    /// Largest and most precise.
    Heavy,
}

impl ModelName {
    /// All models, smallest first.
    pub const ALL: [Self; 3] = [Self::Lite, Self::Full, Self::Heavy];

    /// As in the manifest, the menu's values and the query parameter.
    pub fn id(self) -> &'static str {
        match self {
            Self::Lite => "lite",
            Self::Full => "full",
            Self::Heavy => "heavy",
        }
    }

    /// As a person reads it, with what speaks for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Lite => "Lite: fastest",
            Self::Full => "Full: balanced",
            Self::Heavy => "Heavy: most precise",
        }
    }

    /// The model behind an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.id() == id)
    }
}

/// How the drawn person moves on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// By the clock, skipping what is late, and again from the start.
    #[default]
    Clock,
    /// Each frame waits for the result of the one before; ends after the last.
    EveryOnce,
    /// The same, and again from the start.
    EveryAgain,
}

/// The query parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageOptions {
    /// Fill `data-landmarks` and keep every result.
    pub inspect: bool,
    /// How the drawn person moves on.
    pub pace: Pace,
    /// Watch the session.
    pub watches: bool,
    /// No tracking and no smoothing.
    pub each_frame_alone: bool,
    /// On the GPU, copy frames into textures, as browsers do that cannot look at them where they lie.
    pub copies_frames: bool,
    /// Time a software adapter as if it were hardware.
    pub times_software: bool,
    /// Start with the drawn person.
    pub start_demo: bool,
    /// Preselected model.
    pub model: Option<ModelName>,
    /// Preselected backend.
    pub backend: Option<BackendWish>,
    /// Preselected background.
    pub background: Option<BackgroundKind>,
    /// How many people are followed.
    pub people: Option<u32>,
    /// How many workers compute a frame on the CPU.
    pub workers: WorkersWish,
}

impl PageOptions {
    /// Reads `location.search`, with or without its question mark. Unknown names and values are ignored.
    pub fn from_query(query: &str) -> Self {
        let mut options = Self::default();
        for pair in query.trim_start_matches('?').split('&') {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("inspect", _) => options.inspect = true,
                ("static", _) => options.each_frame_alone = true,
                ("pace", "every") => options.pace = Pace::EveryOnce,
                ("pace", "loop") => options.pace = Pace::EveryAgain,
                ("watch", "on") => options.watches = true,
                ("frames", "copy") => options.copies_frames = true,
                ("tune", "software") => options.times_software = true,
                ("source", "demo") => options.start_demo = true,
                ("model", id) => options.model = ModelName::from_id(id),
                ("backend", id) => options.backend = BackendWish::from_id(id),
                ("background", id) => options.background = BackgroundKind::from_id(id),
                ("people", id) => options.people = people::limit_from_id(id),
                ("workers", id) => options.workers = WorkersWish::from_id(id).unwrap_or_default(),
                _ => {}
            }
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::backend::Backend;

    #[test]
    fn the_query_is_read() {
        assert_eq!(PageOptions::from_query(""), PageOptions::default());
        assert_eq!(
            PageOptions::from_query(
                "?inspect&pace=loop&watch=on&static&frames=copy&tune=software&source=demo&model=lite&backend=cpu&background=blur&people=3&workers=2&x=1"
            ),
            PageOptions {
                inspect: true,
                pace: Pace::EveryAgain,
                watches: true,
                each_frame_alone: true,
                copies_frames: true,
                times_software: true,
                start_demo: true,
                model: Some(ModelName::Lite),
                backend: Some(BackendWish::Forced(Backend::Cpu)),
                background: Some(BackgroundKind::Blur),
                people: Some(3),
                workers: WorkersWish::Two,
            }
        );
        assert_eq!(PageOptions::from_query("pace=every").pace, Pace::EveryOnce);
        assert_eq!(
            PageOptions::from_query("?model=huge&pace=slow&tune=always&workers=9&background=green&people=9"),
            PageOptions::default()
        );
    }
}
