//! The elements on which sources show themselves, and opening one on them.

use plumbline_web::live::options::Pace;
use plumbline_web::live::source::SourceKind;
use plumbline_web::platform::source::camera::{Camera, CameraWish};
use plumbline_web::platform::source::clip::Clip;
use plumbline_web::platform::source::demo::Demo;
use plumbline_web::platform::source::file::PickedFile;
use plumbline_web::platform::source::{Reports, Source};
use web_sys::{HtmlCanvasElement, HtmlVideoElement};

/// Where sources show themselves, and what was found is shown above them.
#[derive(Clone, Debug)]
pub struct Screens {
    /// For cameras and clips.
    pub video: HtmlVideoElement,
    /// For the drawn person.
    pub canvas: HtmlCanvasElement,
    /// Above both.
    pub result: HtmlCanvasElement,
}

impl Screens {
    /// Opens a source on them; a clip is that of a file.
    ///
    /// # Errors
    /// A sentence.
    pub async fn open(
        &self,
        kind: SourceKind,
        file: Option<&PickedFile>,
        reports: Reports,
    ) -> Result<Source, String> {
        match kind {
            SourceKind::Camera => Camera::open(&CameraWish::default(), &self.video, reports)
                .await
                .map(Source::Camera),
            SourceKind::Clip => {
                let file = file.ok_or("Choose the file again.")?;
                Clip::open(file, &self.video, reports).await.map(Source::Clip)
            }
            SourceKind::Demo | SourceKind::Picture => Demo::open(&self.canvas, Pace::Clock, reports)
                .await
                .map(Source::Demo),
        }
    }
}
