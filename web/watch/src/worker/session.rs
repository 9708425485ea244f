//! The monitor of a session, with what it has not itself: a clock, pictures, and storage.

use std::collections::{BTreeMap, VecDeque};

use plumbline_core::geometry::ImageSize;
use plumbline_core::monitor::blocks::BlockLength;
use plumbline_core::monitor::features::FrameFacts;
use plumbline_core::monitor::probe::ImageProbe;
use plumbline_core::monitor::registry::ModelEntry;
use plumbline_core::monitor::session::{Monitor, Settings};
use plumbline_core::monitor::snapshot::{Cost, Snapshot, StorageView};
use plumbline_web::live::backend::Backend;
use plumbline_web::live::options::ModelName;
use plumbline_web::platform::page::now_millis;
use plumbline_web::platform::picture::Picture;
use plumbline_web::worker::pixels::PixelReader;
use plumbline_web::worker::protocol::Measurement;

use super::options::WatchOptions;
use super::records::Records;
use crate::platform::clock;

/// How long the search for thresholds goes on before frames have their turn.
const WORK_MILLIS: f64 = 25.0;
/// Frames over which the cost of watching is told.
const COST_FRAMES: usize = 300;
/// How a picture becomes the models' input, for the record.
const PREPROCESSING: &str =
    "RGB in 0 to 1; detector letterboxed, landmarks cropped upright around the person";
/// Seconds between the last frame of a clip and its first when it begins again.
const LOOP_SECS: f64 = 1.0 / 30.0;
/// Seconds between two sources: more than neighbouring frames can lie apart.
const SOURCE_SECS: f64 = 3.0;

/// A session; nothing is watched before a frame of a known model comes.
#[derive(Default)]
pub struct Session {
    options: WatchOptions,
    model: Option<(ModelName, [String; 2])>,
    monitor: Option<Monitor>,
    records: Records,
    reader: PixelReader,
    /// What the picture of a frame looks like, until its result comes.
    looked: Option<(u32, ImageProbe)>,
    /// The next frame whose picture is asked for.
    next_look: u32,
    clock: SessionClock,
    engine_costs: Costs,
    watch_costs: Costs,
}

impl Session {
    /// What the address asks for.
    pub fn begin(&mut self, query: &str) {
        self.options = WatchOptions::from_query(query);
    }

    /// What measures from now on. With another model a new session begins; it is compared with the same reference.
    pub fn use_model(&mut self, model: ModelName, weights: [String; 2]) {
        let model = Some((model, weights));
        if self.model == model {
            return;
        }
        self.model = model;
        if let Some(before) = self.monitor.take() {
            self.records.remember(before);
        }
    }

    /// Frames before and after are no neighbours.
    pub fn interrupt(&mut self) {
        if let Some(monitor) = &mut self.monitor {
            monitor.interrupt();
        }
    }

    /// Counts a frame; true where a block has ended.
    pub fn observe(
        &mut self,
        measurement: &Measurement,
        probe: Option<ImageProbe>,
        cost_millis: f64,
    ) -> bool {
        let begin_millis = now_millis();
        if cost_millis > 0.0 {
            self.engine_costs.add(cost_millis);
        }
        if self.monitor.is_none() {
            self.monitor = self.new_monitor(measurement.backend);
        }
        let Some(monitor) = &mut self.monitor else {
            return false;
        };
        let Stamp {
            time_secs,
            dropped,
            is_new_source,
        } = self.clock.stamp(measurement);
        if is_new_source {
            monitor.interrupt();
            self.next_look = 0;
        }
        let looked = self
            .looked
            .take()
            .filter(|(index, _)| *index == measurement.frame.index);
        let on_gpu = measurement.backend == Backend::Gpu;
        let facts = FrameFacts {
            pose: measurement.people.first().map(|person| &person.pose),
            probe: probe.or(looked.map(|(_, probe)| probe)),
            gpu_millis: measurement.timings.landmarks_millis.filter(|_| on_gpu),
            ran_detector: measurement.timings.detector_millis.is_some(),
            dropped_before: dropped,
            outline_doubt: measurement.cut.and_then(|cut| cut.doubt),
            ..FrameFacts::bare(
                time_secs,
                ImageSize {
                    width_px: measurement.width_px,
                    height_px: measurement.height_px,
                },
                measurement.total_millis,
            )
        };
        let news = monitor.observe(&facts);
        self.watch_costs.add(now_millis() - begin_millis);
        let has_block = news.block.is_some();
        if has_block {
            monitor.set_cost(Cost {
                engine_p95_millis: self.engine_costs.p95(),
                watch_p95_millis: self.watch_costs.p95(),
            });
        }
        has_block
    }

    /// Whether the next frame's picture is to be looked at: on the GPU, where nobody has read its pixels.
    pub fn wants_picture(&mut self, measurement: &Measurement) -> bool {
        let is_due = measurement.frame.index >= self.next_look;
        if is_due {
            self.next_look = measurement.frame.index + self.options.sample;
        }
        is_due && measurement.backend == Backend::Gpu
    }

    /// Looks at a frame's picture.
    pub async fn look(&mut self, index: u32, picture: &Picture) {
        // A browser that offers no way to read pixels leaves the picture's numbers out.
        if let Ok(pixels) = self.reader.read(picture).await {
            self.looked = ImageProbe::of(&pixels.rgba, pixels.size(), 4).map(|probe| (index, probe));
        }
    }

    /// Some steps of what takes longer than a frame, no longer than a frame may wait; true while there is more.
    pub fn work(&mut self) -> bool {
        let Some(monitor) = &mut self.monitor else {
            return false;
        };
        let begin_millis = now_millis();
        while monitor.work() {
            if now_millis() - begin_millis > WORK_MILLIS {
                return true;
            }
        }
        false
    }

    /// How far that is, 0 to 1; none where there is nothing to do.
    pub fn work_progress(&self) -> Option<f64> {
        self.monitor.as_ref().and_then(Monitor::work_progress)
    }

    /// Time has gone by, perhaps without frames.
    pub fn tick(&mut self) {
        if let Some(monitor) = &mut self.monitor {
            monitor.tick(self.clock.now_secs());
        }
    }

    /// What there is to see; none before the first frame.
    pub fn snapshot(&self, history: usize) -> Option<Snapshot> {
        self.monitor.as_ref().map(|monitor| monitor.snapshot(history))
    }

    /// A person has understood an alarm.
    ///
    /// # Errors
    /// A sentence.
    pub fn acknowledge(&mut self, alarm: u64) -> Result<(), String> {
        self.watched()?
            .acknowledge(alarm, clock::unix_secs())
            .map_err(spoken)
    }

    /// Compares with this session from now on.
    ///
    /// # Errors
    /// A sentence.
    pub fn use_as_reference(&mut self) -> Result<String, String> {
        let monitor = self.watched()?;
        let now = clock::unix_secs();
        monitor.use_as_reference("this session", now).map_err(spoken)?;
        Ok("This session is a draft of a reference now, and what follows is compared with it.".to_owned())
    }

    /// Compares with nothing.
    ///
    /// # Errors
    /// A sentence.
    pub fn forget_reference(&mut self) -> Result<String, String> {
        self.watched()?.drop_reference(clock::unix_secs());
        Ok("Nothing is compared any more.".to_owned())
    }

    /// Answers the datasheet.
    ///
    /// # Errors
    /// A sentence.
    pub fn describe(&mut self, answers: &BTreeMap<String, String>) -> Result<(), String> {
        let monitor = self.watched()?;
        answers
            .iter()
            .try_for_each(|(key, answer)| monitor.answer(key, answer).map_err(spoken))
    }

    /// Freezes the draft.
    ///
    /// # Errors
    /// A sentence with everything that is missing.
    pub fn freeze(&mut self) -> Result<String, String> {
        self.watched()?.freeze(clock::unix_secs()).map_err(spoken)?;
        Ok("The reference is frozen.".to_owned())
    }

    /// Compares with a reference of a file.
    ///
    /// # Errors
    /// A sentence.
    pub fn import(&mut self, text: &str) -> Result<String, String> {
        self.watched()?
            .import_profile(text, clock::unix_secs())
            .map_err(spoken)?;
        Ok("What follows is compared with the imported reference.".to_owned())
    }

    /// The reference as a file: its name and text.
    ///
    /// # Errors
    /// A sentence.
    pub fn export(&mut self) -> Result<(String, String), String> {
        let text = self
            .watched()?
            .export_profile(clock::unix_secs())
            .map_err(spoken)?;
        Ok(("plumbline-reference.json".to_owned(), text))
    }

    /// Everything that is recorded, as a zip: its name and bytes.
    ///
    /// # Errors
    /// A sentence.
    pub async fn evidence(&mut self) -> Result<(String, Vec<u8>), String> {
        let days = self.records.days().await;
        let bytes = self.watched()?.evidence(days, clock::unix_secs());
        let bytes = bytes.map_err(|error| spoken(error.to_string()))?;
        Ok(("plumbline-evidence.zip".to_owned(), bytes))
    }

    /// Keeps numbers and records on this device from now on, or no longer.
    ///
    /// # Errors
    /// A sentence, where nothing can be stored.
    pub async fn keep(&mut self, is_on: bool) -> Result<String, String> {
        let kept = self.records.keep(is_on).await;
        if let Some(monitor) = &mut self.monitor {
            self.records.begin(monitor).await;
        }
        self.show_storage();
        kept
    }

    /// Writes what the last block has left.
    pub async fn store_block(&mut self) {
        if let Some(monitor) = &mut self.monitor {
            self.records.store(monitor).await;
        }
        self.show_storage();
    }

    /// Writes what was recorded since.
    pub async fn store_records(&mut self) {
        self.store_block().await;
    }

    fn show_storage(&mut self) {
        let view: StorageView = self.records.view();
        if let Some(monitor) = &mut self.monitor {
            monitor.set_storage(view);
        }
    }

    fn watched(&mut self) -> Result<&mut Monitor, String> {
        self.monitor.as_mut().ok_or_else(|| {
            "Nothing has been measured yet. Start a camera, a clip or the drawn person first.".to_owned()
        })
    }

    fn new_monitor(&mut self, backend: Backend) -> Option<Monitor> {
        let (model, [detector, landmarks]) = self.model.clone()?;
        let monitor = Monitor::new(Settings {
            block: self.options.block,
            began_unix_secs: clock::unix_secs(),
            model: ModelEntry {
                sha256: landmarks,
                name: model.id().to_owned(),
                source: "comes with this page".to_owned(),
                licence: "Apache-2.0".to_owned(),
            },
            detector_sha256: Some(detector),
            preprocessing: PREPROCESSING.to_owned(),
            is_on_gpu: backend == Backend::Gpu,
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: 5,
            is_logging: self.records.is_on(),
        });
        Some(self.records.resume(monitor))
    }
}

/// A refusal as a sentence of its own.
fn spoken(error: impl ToString) -> String {
    let text = error.to_string();
    let text = crate::sentences::capitalised(&text);
    if text.ends_with('.') {
        text
    } else {
        format!("{text}.")
    }
}

/// The block length of a page that names none.
impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            block: BlockLength::default(),
            sample: WatchOptions::SAMPLE,
        }
    }
}

/// When a frame was taken, in the time of the session, which goes on over the ends of clips and sources.
struct Stamp {
    time_secs: f64,
    dropped: u32,
    is_new_source: bool,
}

#[derive(Default)]
struct SessionClock {
    last: Option<Last>,
    offset_secs: f64,
}

struct Last {
    index: u32,
    time_secs: f64,
    at_millis: f64,
}

impl SessionClock {
    fn stamp(&mut self, measurement: &Measurement) -> Stamp {
        let frame = measurement.frame;
        let mut is_new_source = false;
        let mut dropped = 0;
        if let Some(last) = &self.last {
            if frame.index <= last.index {
                is_new_source = true;
                self.offset_secs = last.time_secs + SOURCE_SECS - frame.time_secs;
            } else {
                dropped = frame.index - last.index - 1;
                if frame.time_secs + self.offset_secs <= last.time_secs {
                    self.offset_secs = last.time_secs + LOOP_SECS - frame.time_secs;
                }
            }
        }
        let time_secs = frame.time_secs + self.offset_secs;
        self.last = Some(Last {
            index: frame.index,
            time_secs,
            at_millis: now_millis(),
        });
        Stamp {
            time_secs,
            dropped,
            is_new_source,
        }
    }

    /// Now, in the time of the session.
    fn now_secs(&self) -> f64 {
        self.last.as_ref().map_or(0.0, |last| {
            last.time_secs + (now_millis() - last.at_millis) / 1000.0
        })
    }
}

/// What frames have cost lately.
#[derive(Default)]
struct Costs(VecDeque<f64>);

impl Costs {
    fn add(&mut self, millis: f64) {
        if self.0.len() == COST_FRAMES {
            self.0.pop_front();
        }
        self.0.push_back(millis);
    }

    fn p95(&self) -> f64 {
        let mut sorted: Vec<f64> = self.0.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = (sorted.len() * 95).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }
}
