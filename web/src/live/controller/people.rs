//! How many people are followed, and who of them is measured: chosen by menu, key or click.

use leptos::prelude::*;
use plumbline_core::geometry::Point2;
use plumbline_core::people::PersonId;

use super::Live;
use crate::live::inspection;
use crate::live::people::{self, InView};
use crate::live::source::SourceKind;
use crate::platform::page;

const MEMORY: &str = "plumbline.people";

/// The limit from the address first, then the remembered one.
pub(super) fn limit_at_start(asked: Option<u32>) -> u32 {
    let remembered = || people::limit_from_id(&page::remembered(MEMORY)?);
    asked.or_else(remembered).unwrap_or(1)
}

impl Live {
    /// Follows at most so many people from the next frame on.
    pub fn choose_people_limit(&self, limit: u32) {
        page::remember(MEMORY, &limit.to_string());
        self.people_limit.set(limit);
        let backend = self
            .session
            .with_untracked(|session| session.choice().map(|choice| choice.backend));
        if let Some(backend) = backend {
            self.set_frames_at_once(backend);
        }
        self.measure_again();
    }

    /// Measures who stands at a point of the stage, in its pixels.
    pub fn choose_person_at(&self, x_px: i32, y_px: i32) {
        let controller = self.controller();
        let id = {
            let (painter, last) = (controller.painter.borrow(), controller.last.borrow());
            let (Some(painter), Some(last)) = (painter.as_ref(), last.as_ref()) else {
                return;
            };
            let point = Point2::new(x_px as f32, y_px as f32);
            people::at(point, &last.people, &self.fit(painter, last))
        };
        if let Some(id) = id {
            self.choose_person(id);
        }
    }

    /// Measures the person in view with this number.
    pub fn choose_person(&self, id: PersonId) {
        let controller = self.controller();
        if self.people_limit.get_untracked() == 1 || !controller.choice.borrow_mut().choose(id) {
            return;
        }
        self.show_choice();
        self.repaint();
        self.update_readout(true);
    }

    /// Shows who is measured: in the list of people, in the table of a picture, and with `?inspect`.
    pub(super) fn show_choice(&self) {
        let controller = self.controller();
        let choice = controller.choice.borrow();
        if self.in_view.with_untracked(|shown| shown != choice.shown()) {
            self.in_view.set(choice.shown().clone());
        }
        let last = controller.last.borrow();
        let Some(last) = last.as_ref() else { return };
        if self
            .session
            .with_untracked(|session| session.source == Some(SourceKind::Picture))
        {
            self.picture_result
                .set(Some(last.pose_of(choice.measured()).cloned()));
        }
        if controller.options.inspect {
            let json = inspection::json(last, choice.measured(), self.people_limit.get_untracked());
            self.inspected.set(Some(json));
        }
    }

    /// Who is measured, in a sentence, where several people are followed.
    pub fn people_note(&self) -> String {
        if self.people_limit.get() == 1 {
            return String::new();
        }
        self.in_view.with(InView::note)
    }
}
