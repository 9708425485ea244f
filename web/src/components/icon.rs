//! Line icons, 24 units square, drawn in the colour of the text beside them. Decorative: the word says it.

use leptos::prelude::*;

/// Which icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IconName {
    /// A figure.
    Live,
    /// A line that rises out of its band.
    Monitor,
    /// A stack of layers.
    Models,
    /// A list with ticks.
    Evaluate,
    /// A closed lock.
    Privacy,
    /// A half-filled disc.
    Theme,
    /// A keyboard.
    Keys,
    /// A plumb line.
    Mark,
}

impl IconName {
    /// The path in a box of 24 by 24.
    fn path(self) -> &'static str {
        match self {
            Self::Live => "M12 3.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4M5 10h14M12 10v5M12 15l-4 6M12 15l4 6",
            Self::Monitor => "M3 8h18M3 16h18M4 13l4-2 4 2 4-8 4 3",
            Self::Models => "M12 3l9 5-9 5-9-5zM3 12.5l9 5 9-5M3 17l9 5 9-5",
            Self::Evaluate => "M4 7l2 2 3-4M4 16l2 2 3-4M12 8h8M12 17h8",
            Self::Privacy => "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11M12 14.5v2",
            Self::Theme => "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
            Self::Keys => "M3 7h18v10H3zM6.5 10.5h.01M10 10.5h.01M14 10.5h.01M17.5 10.5h.01M8 14h8",
            Self::Mark => "M7 4h10M12 4v8M12 11.5l3.5 3.5-3.5 6-3.5-6z",
        }
    }
}

/// An icon.
#[component]
pub fn Icon(
    /// Which one.
    name: IconName,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=name.path()></path>
        </svg>
    }
}
