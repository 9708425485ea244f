//! What stands behind the person: choosing it, telling the engine, showing the frames that come back.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Live;
use crate::live::background::{Background, BackgroundKind, MaskModel, MaskSource};
use crate::live::session::StageState;
use crate::platform::page;
use crate::platform::painter;
use crate::platform::picture::{Picture, Screen};
use crate::platform::source::Source;
use crate::platform::source::file::PickedFile;
use crate::platform::source::still;
use crate::worker::protocol::{Measurement, ToEngine};

const KIND: &str = "plumbline.background";
const COLOUR: &str = "plumbline.background-colour";
const SOFTNESS: &str = "plumbline.background-softness";
const MASK: &str = "plumbline.background-mask";

/// What was chosen last, with the kind that the address asks for. A picture is not kept, so a colour stands in its place
/// until one is chosen.
pub(super) fn at_start(asked: Option<BackgroundKind>) -> Background {
    let kind = asked.or_else(|| BackgroundKind::from_id(&page::remembered(KIND)?));
    let start = Background {
        kind: kind.unwrap_or_default(),
        mask: page::remembered(MASK)
            .and_then(|id| MaskSource::from_id(&id))
            .unwrap_or_default(),
        ..Background::default()
    };
    let coloured = page::remembered(COLOUR).and_then(|text| start.with_colour_text(&text));
    let start = coloured.unwrap_or(start);
    let softened = page::remembered(SOFTNESS).and_then(|text| start.with_softness_text(&text));
    softened.unwrap_or(start)
}

impl Live {
    /// Another kind of background.
    pub fn choose_background(&self, kind: BackgroundKind) {
        page::remember(KIND, kind.id());
        let before = self.background.get_untracked();
        self.change_background(Background { kind, ..before });
    }

    /// The background that stands behind the person, or the picture as it is; a first time, blur.
    pub fn toggle_background(&self) {
        let kind = match self.background.get_untracked().kind {
            BackgroundKind::AsItIs => self.controller().background_before.get(),
            BackgroundKind::Blur
            | BackgroundKind::Colour
            | BackgroundKind::Picture
            | BackgroundKind::CutOut => BackgroundKind::AsItIs,
        };
        self.choose_background(kind);
    }

    /// Another colour, as `input type=color` writes it.
    pub fn choose_background_colour(&self, text: &str) {
        if let Some(changed) = self.background.get_untracked().with_colour_text(text) {
            page::remember(COLOUR, text);
            self.change_background(changed);
        }
    }

    /// Another softness of the edge, in pixels.
    pub fn choose_background_softness(&self, text: &str) {
        if let Some(changed) = self.background.get_untracked().with_softness_text(text) {
            page::remember(SOFTNESS, text);
            self.change_background(changed);
        }
    }

    /// Another maker of masks.
    pub fn choose_mask(&self, mask: MaskSource) {
        page::remember(MASK, mask.id());
        let before = self.background.get_untracked();
        self.change_background(Background { mask, ..before });
    }

    /// Another picture.
    pub fn choose_background_picture(&self, file: PickedFile) {
        let live = *self;
        spawn_local(async move {
            match still::background(&file).await {
                Ok(picture) => {
                    let before = live.controller().behind.replace(Some(picture));
                    if let Some(before) = before {
                        before.close();
                    }
                    live.background_picture.set(Some(file.name()));
                    live.background_problem.set(None);
                    live.change_background(live.background.get_untracked());
                }
                Err(sentence) => live.background_problem.set(Some(sentence)),
            }
        });
    }

    /// Looks at what the stage shows, if there is a source.
    pub fn with_shown(&self, look: impl FnOnce(&Screen)) {
        let controller = self.controller();
        let is_on = self.background.with_untracked(Background::is_on) || self.is_broken.get_untracked();
        let screen = match controller.screens.borrow().as_ref().filter(|_| is_on) {
            Some(screens) => Some(Screen::Canvas(screens.composed.clone())),
            None => controller.source.borrow().as_ref().map(Source::screen),
        };
        if let Some(screen) = screen {
            look(&screen);
        }
    }

    fn change_background(&self, background: Background) {
        let before = self.background.get_untracked();
        self.background.set(background);
        if before.kind != BackgroundKind::AsItIs {
            self.controller().background_before.set(before.kind);
        }
        if before.selfie() != background.selfie() {
            self.expect_mask_model();
        }
        self.tell_background();
        if before.is_on() != background.is_on() {
            // Not the frame of another time: nothing, until the first one comes.
            self.clear_composed();
            self.update_readout(true);
        }
        if background.is_on() {
            self.measure_again();
        }
    }

    /// What is said until the engine says more of the model that is wanted.
    pub(super) fn expect_mask_model(&self) {
        let is_needed = self
            .background
            .with_untracked(|background| background.selfie().is_some());
        self.mask_model.set(match is_needed {
            true => MaskModel::OnItsWay(0),
            false => MaskModel::Here,
        });
    }

    pub(super) fn tell_background(&self) {
        let background = self.background.get_untracked();
        let behind = self.controller().behind.borrow().clone();
        self.tell_engine(ToEngine::SetBackground {
            background,
            behind: behind.filter(|_| background.kind == BackgroundKind::Picture),
        });
    }

    /// Where the picture stands still, the frame that it shows is measured once more.
    pub(super) fn measure_again(&self) {
        let controller = self.controller();
        let stands = self.session.with_untracked(|session| {
            let is_still = matches!(session.state(), StageState::Paused | StageState::Done);
            is_still && session.opened.is_some() && session.choice().is_some()
        });
        let Some(stamp) = controller.last_shown.get().filter(|_| stands) else {
            return;
        };
        let to_send = {
            let mut gate = controller.gate.borrow_mut();
            gate.open();
            let to_send = gate.shown(stamp);
            gate.close();
            to_send
        };
        if let Some(stamp) = to_send {
            self.send(stamp);
        }
    }

    /// Shows a frame in front of the background that was put behind it. The source's own picture lies under an opaque
    /// cover as long as a background is wanted, whether or not a frame is there to be shown.
    pub(super) fn show_composed(&self, composed: Option<&Picture>, measurement: &Measurement) {
        let controller = self.controller();
        // Without a background it is the picture that was spoiled on purpose.
        let is_on = self.background.with_untracked(Background::is_on);
        let is_broken = composed.is_some() && !is_on;
        if self.is_broken.get_untracked() != is_broken {
            self.is_broken.set(is_broken);
        }
        if let (true, Some(Picture::Bitmap(bitmap)), Some(screens)) =
            (is_on || is_broken, composed, controller.screens.borrow().as_ref())
        {
            // Where the browser gives no canvas the cover stays, and hides the room.
            let _ = painter::show(&screens.composed, bitmap);
        }
        if let Some(report) = measurement.cut {
            controller.cut.borrow_mut().record(report.doubt);
        }
    }

    pub(super) fn clear_composed(&self) {
        let controller = self.controller();
        controller.cut.borrow_mut().clear();
        self.is_broken.set(false);
        if let Some(screens) = controller.screens.borrow().as_ref() {
            painter::empty(&screens.composed);
        }
    }
}
