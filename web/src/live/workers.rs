//! How many workers compute a frame on the CPU.

use plumbline_team::lead::Terms;

/// What the address asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkersWish {
    /// Two where the machine has processors to spare and two are measured to be faster.
    #[default]
    Auto,
    /// One.
    One,
    /// Two, whatever is faster.
    Two,
}

/// From this many processors on, a second worker takes none away from the page, the camera and the engine.
const PROCESSORS_FOR_TWO: u32 = 4;

impl WorkersWish {
    const ALL: [Self; 3] = [Self::Auto, Self::One, Self::Two];

    /// As in the query parameter and in messages.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::One => "1",
            Self::Two => "2",
        }
    }

    /// The wish behind an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.id() == id)
    }

    /// On which terms a second worker is started on a machine of so many processors; nothing where none is.
    pub fn terms(self, processors: u32) -> Option<Terms> {
        match self {
            Self::Auto if processors >= PROCESSORS_FOR_TWO => Some(Terms::WhileFaster),
            Self::Auto | Self::One => None,
            Self::Two => Some(Terms::Always),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_worker_needs_a_processor_to_spare_or_a_wish() {
        for (wish, processors, terms) in [
            (WorkersWish::Auto, 1, None),
            (WorkersWish::Auto, 2, None),
            (WorkersWish::Auto, 4, Some(Terms::WhileFaster)),
            (WorkersWish::One, 16, None),
            (WorkersWish::Two, 2, Some(Terms::Always)),
        ] {
            assert_eq!(wish.terms(processors), terms, "{wish:?} on {processors}");
        }
    }

    #[test]
    fn ids_lead_back() {
        for wish in WorkersWish::ALL {
            assert_eq!(WorkersWish::from_id(wish.id()), Some(wish));
        }
        assert_eq!(WorkersWish::from_id("3"), None);
    }
}
