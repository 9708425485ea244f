//! The engine's loop: takes messages from a channel one by one, and answers.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen_futures::spawn_local;

use super::measurer::Measurer;
use super::pixels::PixelReader;
use super::protocol::{FrameStamp, FromEngine, Measurement, ToEngine};
use super::wire;
use crate::live::backend::{Backend, BackendChoice, BackendWish, choose};
use crate::platform::channel::Channel;
use crate::platform::gpu_probe;
use crate::platform::page::now_millis;
use crate::platform::picture::Picture;

/// Serves the channel for the life of this worker or page.
pub fn serve(channel: Channel) {
    let host = Rc::new(Host {
        channel: channel.clone(),
        waiting: RefCell::new(VecDeque::new()),
        is_busy: Cell::new(false),
        work: RefCell::new(Some(Work::default())),
    });
    channel.on_message({
        let host = Rc::clone(&host);
        move |data| match wire::decode_request(&data) {
            Ok(message) => Rc::clone(&host).receive(message),
            Err(what) => host.answer(&FromEngine::Crashed {
                sentence: format!("The page and the engine are of different builds ({what})."),
            }),
        }
    });
    host.answer(&FromEngine::Started);
}

/// Tells the page, as its last words, what the engine dies of. Called from the panic hook.
pub fn report_panic(channel: &Channel, what: &str) {
    let message = FromEngine::Crashed {
        sentence: format!("The engine met an error of its own: {what}."),
    };
    // Nobody is left to hear that this failed.
    let _ = channel.post(&wire::encode_answer(&message, &Array::new()), &Array::new());
}

struct Host {
    channel: Channel,
    waiting: RefCell<VecDeque<ToEngine>>,
    is_busy: Cell<bool>,
    /// Out of its place while a message is being worked on.
    work: RefCell<Option<Work>>,
}

/// What the engine holds between messages.
#[derive(Default)]
struct Work {
    measurer: Option<Measurer>,
    reader: PixelReader,
}

impl Host {
    fn receive(self: Rc<Self>, message: ToEngine) {
        self.waiting.borrow_mut().push_back(message);
        if self.is_busy.replace(true) {
            return;
        }
        spawn_local(async move {
            let mut work = self.work.borrow_mut().take().unwrap_or_default();
            loop {
                let next = self.waiting.borrow_mut().pop_front();
                let Some(message) = next else { break };
                let answer = work.perform(message).await;
                self.answer(&answer);
            }
            *self.work.borrow_mut() = Some(work);
            self.is_busy.set(false);
        });
    }

    fn answer(&self, message: &FromEngine) {
        let transfer = Array::new();
        let value = wire::encode_answer(message, &transfer);
        // Fresh arrays and plain values can always be posted.
        let _ = self.channel.post(&value, &transfer);
    }
}

impl Work {
    async fn perform(&mut self, message: ToEngine) -> FromEngine {
        match message {
            ToEngine::Prepare {
                attempt,
                wish,
                detector,
                landmarks,
            } => {
                // The models before go first: two heavy ones together would need half a gigabyte.
                self.measurer = None;
                match prepare(wish, &detector, &landmarks).await {
                    Ok((measurer, choice)) => {
                        self.measurer = Some(measurer);
                        FromEngine::Prepared { attempt, choice }
                    }
                    Err(sentence) => FromEngine::PrepareFailed { attempt, sentence },
                }
            }
            ToEngine::Measure { frame, picture } => {
                let measured = self.measure(frame, &picture).await;
                picture.close();
                match measured {
                    Ok(measurement) => FromEngine::Measured(Box::new(measurement)),
                    Err(sentence) => FromEngine::FrameFailed { frame, sentence },
                }
            }
        }
    }

    async fn measure(&mut self, frame: FrameStamp, picture: &Picture) -> Result<Measurement, String> {
        let start_millis = now_millis();
        let measurer = self
            .measurer
            .as_mut()
            .ok_or("A frame came before the models were ready.")?;
        let pixels = self.reader.read(picture).await?;
        let pixels_millis = now_millis() - start_millis;
        let result = measurer.measure(pixels, &frame).await?;
        Ok(Measurement {
            frame,
            width_px: pixels.width_px as u32,
            height_px: pixels.height_px as u32,
            pose: result.pose,
            pixels_millis,
            total_millis: now_millis() - start_millis,
        })
    }
}

/// Makes the models ready on the backend that fits the wish. Where the choice is free and the GPU refuses, it is the CPU.
async fn prepare(
    wish: BackendWish,
    detector: &ArrayBuffer,
    landmarks: &ArrayBuffer,
) -> Result<(Measurer, BackendChoice), String> {
    let choice = choose(wish, &gpu_probe::probe().await)?;
    let detector = Uint8Array::new(detector).to_vec();
    let landmarks = Uint8Array::new(landmarks).to_vec();
    match (
        Measurer::prepare(choice.backend, &detector, &landmarks).await,
        wish,
        choice.backend,
    ) {
        (Ok(measurer), ..) => Ok((measurer, choice)),
        (Err(_), BackendWish::Auto, Backend::Gpu) => {
            let measurer = Measurer::prepare(Backend::Cpu, &detector, &landmarks).await?;
            let reason = format!("the GPU refused the models ({})", choice.reason);
            Ok((
                measurer,
                BackendChoice {
                    backend: Backend::Cpu,
                    reason,
                },
            ))
        }
        (Err(sentence), ..) => Err(sentence),
    }
}
