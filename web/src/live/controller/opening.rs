//! Opening a source and loading an engine: what takes time, and may be overtaken.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Live;
use crate::live::backend::BackendWish;
use crate::live::background::Background;
use crate::live::options::ModelName;
use crate::live::people::InView;
use crate::live::session::{Attempt, Event};
use crate::live::source::SourceKind;
use crate::platform::engine_link::EngineLink;
use crate::platform::page;
use crate::platform::source::camera::{self, Camera};
use crate::platform::source::clip::Clip;
use crate::platform::source::demo::Demo;
use crate::platform::source::still::Still;
use crate::platform::source::{Reports, Screens, Source, SourceEnd};
use crate::worker::protocol::ToEngine;

impl Live {
    pub(super) fn open_source(&self, kind: SourceKind, attempt: Attempt) {
        let controller = self.controller();
        let Some(screens) = controller.screens.borrow().clone() else {
            return;
        };
        *controller.last.borrow_mut() = None;
        controller.last_shown.set(None);
        self.clear_composed();
        let fresh = controller.gate.borrow().for_next_source();
        *controller.gate.borrow_mut() = fresh;
        controller.meter.borrow_mut().clear();
        controller.stages.borrow_mut().clear();
        self.frames.set(0);
        self.picture_result.set(None);
        controller.choice.borrow_mut().begin();
        self.in_view.set(InView::default());
        self.inspected.set(None);
        self.repaint();
        let live = *self;
        let reports = Reports {
            shown: Rc::new(move |stamp| live.frame_shown(stamp)),
            ended: Rc::new(move |end| {
                live.dispatch(match end {
                    SourceEnd::Finished => Event::SourceEnded(attempt),
                    SourceEnd::Lost(sentence) => Event::SourceFailed(attempt, sentence),
                });
            }),
        };
        let run = controller.run.get();
        spawn_local(async move {
            let opened = live.open(kind, &screens, reports).await;
            if controller.run.get() != run {
                // Overtaken: whatever was opened is dropped here, and with it freed.
                return;
            }
            match opened {
                Ok(source) => {
                    page::mark("plumbline:source");
                    let description = source.describe();
                    *controller.source.borrow_mut() = Some(source);
                    live.dispatch(Event::SourceOpened(attempt, description));
                    if kind == SourceKind::Camera {
                        // Names of cameras are told only once one has been allowed.
                        live.refresh_cameras();
                    }
                }
                Err(sentence) => live.dispatch(Event::SourceFailed(attempt, sentence)),
            }
        });
    }

    async fn open(&self, kind: SourceKind, screens: &Screens, reports: Reports) -> Result<Source, String> {
        let controller = self.controller();
        let file = controller.file.borrow().clone();
        let no_file = || "Choose the file again.".to_owned();
        match kind {
            SourceKind::Camera => {
                let wish = self.camera_wish.get_untracked();
                Camera::open(&wish, &screens.video, reports)
                    .await
                    .map(Source::Camera)
            }
            SourceKind::Clip => Clip::open(&file.ok_or_else(no_file)?, &screens.video, reports)
                .await
                .map(Source::Clip),
            SourceKind::Picture => Still::open(&file.ok_or_else(no_file)?, &screens.canvas, reports)
                .await
                .map(Source::Still),
            SourceKind::Demo => Demo::open(&screens.canvas, controller.options.pace, reports)
                .await
                .map(Source::Demo),
        }
    }

    /// The first time, lists the cameras, and from then on follows what is plugged in. Both start processes of the
    /// browser's (Chromium: audio and video capture), which cost a tenth of all that the first skeleton costs.
    pub(super) fn look_for_cameras(&self) {
        if self.controller().lacks_cameras.replace(false) {
            let live = *self;
            camera::on_devices_changed(move || live.refresh_cameras());
            self.refresh_cameras();
        }
    }

    pub(super) fn refresh_cameras(&self) {
        let live = *self;
        spawn_local(async move { live.cameras.set(camera::list().await) });
    }

    pub(super) fn ensure_link(&self) {
        let controller = self.controller();
        if controller.link.borrow().is_some() {
            return;
        }
        let live = *self;
        let link = EngineLink::start(controller.module_workers, move |message| {
            live.engine_said(message)
        });
        self.place.set(Some(link.place()));
        *controller.link.borrow_mut() = Some(link);
        self.connect_watcher();
        if self.background.with_untracked(Background::is_on) {
            self.expect_mask_model();
            self.tell_background();
        }
    }

    pub(super) fn load_engine(&self, attempt: Attempt, model: ModelName, wish: BackendWish) {
        self.ensure_link();
        let controller = self.controller();
        self.tell_engine(ToEngine::Prepare {
            attempt,
            wish,
            copies_frames: controller.options.copies_frames,
            workers: controller.options.workers,
            model,
        });
    }
}
