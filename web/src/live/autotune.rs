//! Which backend is faster here, found out by running both: a pure state machine without a clock.
//!
//! Goes in: what the engine reports (a result, a GPU that is ready or fails, a frame timed on both) and what an earlier
//! visit has left behind. Comes out: an [`Order`] for the engine, and for each frame whether it is to be timed on both.
//!
//! ```text
//! Waiting ──a result is drawn──> Preparing ──ready──> Timing ──enough pairs──> Settled
//!    │                               └──remembered as the faster──────────────────^
//!    └──software, lost twice, or remembered as the slower─────────────────────────^
//! ```
//!
//! The CPU answers from the first frame on, and nothing is asked of the GPU before that. While both are timed, the GPU
//! gets the frames that the CPU answers, in the order CPU GPU, GPU CPU, so that a machine that becomes slower or faster
//! meanwhile treats both alike; only frames on which both followed a person count. The time is that of one frame alone,
//! from the picture to the result. On the GPU frames also overlap, which gives it a higher rate than this time says.

use plumbline_pipeline::Timings;

use crate::live::backend::{Adapter, Backend};

/// Frames that both have followed and that are not counted: drivers finish kernels at their first use.
const WARM_UP_FRAMES: u32 = 2;
/// Frames that are counted; half of them start on the GPU.
const COUNTED_FRAMES: usize = 8;
/// By how much the GPU must win. Less is within the noise of eight frames, and the CPU has nothing to compile at each
/// start and is never taken away.
const MARGIN: f64 = 1.1;
/// A GPU that takes this many times as long, twice in a row, is not timed any further.
const HOPELESS: f64 = 10.0;
/// After so many frames without enough that count, the CPU stays for this visit.
const MOST_FRAMES: u32 = 60;
/// So often may the GPU be taken away in a visit before it is left alone.
const MOST_LOSSES: u32 = 1;

/// Median times of a frame, from the picture to the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameTimes {
    /// On the CPU.
    pub cpu_millis: f64,
    /// On the GPU.
    pub gpu_millis: f64,
}

impl FrameTimes {
    /// The backend that is worth running.
    pub fn better(self) -> Backend {
        if self.gpu_millis * MARGIN < self.cpu_millis {
            Backend::Gpu
        } else {
            Backend::Cpu
        }
    }

    /// The GPU is faster, but not by enough.
    pub fn is_close(self) -> bool {
        self.gpu_millis < self.cpu_millis && self.better() == Backend::Cpu
    }
}

/// A GPU that may be better than the CPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What the browser tells of it.
    pub adapter: Adapter,
    /// What an earlier visit measured, with this very adapter, browser, app and weights.
    pub remembered: Option<FrameTimes>,
    /// Time a software adapter as if it were hardware. For tests, and for looking closely.
    pub times_software: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// A result of a moving source was drawn.
    Drawn {
        /// Whether the landmark model alone found it: somebody is being followed.
        follows: bool,
    },
    /// The GPU has compiled the models.
    Ready,
    /// It refuses them, or failed on a frame; a sentence.
    Failed(String),
    /// A frame was run on both; each total is from the picture to the result.
    Compared {
        /// On the CPU.
        cpu: Timings,
        /// On the GPU.
        gpu: Timings,
    },
}

/// What the engine is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Compile the models for the GPU, while the CPU answers.
    PrepareGpu,
    /// From now on this one answers; free the other.
    Settle(Backend),
    /// The same, and these times are worth remembering.
    SettleAndRemember(Backend, FrameTimes),
}

/// How things stand, for the sentence that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Nothing has been asked of the GPU yet, or it compiles.
    Preparing,
    /// Both are timed.
    Timing,
    /// Both have been timed, now or in an earlier visit.
    Timed {
        /// The medians.
        times: FrameTimes,
        /// In an earlier visit.
        is_remembered: bool,
        /// The one that was worth it answers. False only while the GPU compiles that was the faster one before.
        is_running: bool,
    },
    /// The adapter is software: not timed.
    Software,
    /// The GPU failed before it was timed to the end; a sentence.
    Failed(String),
    /// The GPU was taken away too often in this visit.
    Lost,
    /// Too few frames counted.
    Undecided,
}

/// The machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Autotune {
    /// What the browser tells of the GPU.
    pub adapter: Adapter,
    stage: Stage,
    follows: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Waiting(Option<FrameTimes>),
    Preparing(Option<FrameTimes>),
    Timing(Trial),
    Settled(Backend, Standing),
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Trial {
    /// Frames run on both.
    run: u32,
    /// Of them, those on which both followed a person.
    followed: u32,
    counted: Vec<FrameTimes>,
    hopeless_in_a_row: u32,
}

impl Standing {
    /// As in `data-tuning`.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Timing => "timing",
            Self::Timed { .. } => "timed",
            Self::Software => "software",
            Self::Failed(_) => "failed",
            Self::Lost => "lost",
            Self::Undecided => "undecided",
        }
    }
}

impl Autotune {
    /// The CPU is ready, and there is an adapter that was taken away `losses` times in this visit.
    pub fn new(candidate: Candidate, losses: u32) -> Self {
        let Candidate {
            adapter,
            remembered,
            times_software,
        } = candidate;
        let stay = |standing| Stage::Settled(Backend::Cpu, standing);
        let stage = if adapter.is_software && !times_software {
            stay(Standing::Software)
        } else if losses > MOST_LOSSES {
            stay(Standing::Lost)
        } else {
            match remembered {
                Some(times) if times.better() == Backend::Cpu => stay(timed(times, true)),
                other => Stage::Waiting(other),
            }
        };
        Self {
            adapter,
            stage,
            follows: false,
        }
    }

    /// Takes a report; gives what is to be done about it.
    pub fn update(&mut self, report: Report) -> Option<Order> {
        if let Report::Drawn { follows } = report {
            self.follows = follows;
        }
        match (&mut self.stage, report) {
            (Stage::Waiting(remembered), Report::Drawn { .. }) => {
                self.stage = Stage::Preparing(*remembered);
                Some(Order::PrepareGpu)
            }
            (Stage::Preparing(None), Report::Ready) => {
                self.stage = Stage::Timing(Trial::default());
                None
            }
            (Stage::Preparing(Some(times)), Report::Ready) => {
                let times = *times;
                Some(self.settle(Backend::Gpu, timed(times, true)))
            }
            (Stage::Preparing(_) | Stage::Timing(_), Report::Failed(sentence)) => {
                Some(self.settle(Backend::Cpu, Standing::Failed(sentence)))
            }
            (Stage::Timing(trial), Report::Compared { cpu, gpu }) => {
                let verdict = trial.take(&cpu, &gpu)?;
                let Some(times) = verdict else {
                    return Some(self.settle(Backend::Cpu, Standing::Undecided));
                };
                self.settle(times.better(), timed(times, false));
                Some(Order::SettleAndRemember(times.better(), times))
            }
            // Reports of a stage that is over, such as the last frame that was on its way.
            (
                Stage::Waiting(_) | Stage::Preparing(_) | Stage::Timing(_) | Stage::Settled(..),
                Report::Drawn { .. } | Report::Ready | Report::Failed(_) | Report::Compared { .. },
            ) => None,
        }
    }

    /// Which backend runs the next frame first, if it is to be run on both. The CPU's result is the one that is drawn.
    pub fn runs_both(&self) -> Option<Backend> {
        match &self.stage {
            Stage::Timing(trial) if self.follows => Some(trial.first()),
            Stage::Timing(_) | Stage::Waiting(_) | Stage::Preparing(_) | Stage::Settled(..) => None,
        }
    }

    /// The backend that answers.
    pub fn backend(&self) -> Backend {
        match self.stage {
            Stage::Settled(backend, _) => backend,
            Stage::Waiting(_) | Stage::Preparing(_) | Stage::Timing(_) => Backend::Cpu,
        }
    }

    /// For the page.
    pub fn standing(&self) -> Standing {
        match &self.stage {
            Stage::Waiting(Some(times)) | Stage::Preparing(Some(times)) => Standing::Timed {
                times: *times,
                is_remembered: true,
                is_running: false,
            },
            Stage::Waiting(None) | Stage::Preparing(None) => Standing::Preparing,
            Stage::Timing(_) => Standing::Timing,
            Stage::Settled(_, standing) => standing.clone(),
        }
    }

    /// Whether it makes sense to begin once more.
    pub fn may_be_repeated(&self) -> bool {
        matches!(&self.stage, Stage::Settled(_, standing) if *standing != Standing::Software)
    }

    fn settle(&mut self, backend: Backend, standing: Standing) -> Order {
        self.stage = Stage::Settled(backend, standing);
        Order::Settle(backend)
    }
}

fn timed(times: FrameTimes, is_remembered: bool) -> Standing {
    Standing::Timed {
        times,
        is_remembered,
        is_running: true,
    }
}

impl Trial {
    /// Which backend begins: the CPU while the GPU warms up, then in turns.
    fn first(&self) -> Backend {
        if self.followed >= WARM_UP_FRAMES && self.counted.len() % 2 == 1 {
            Backend::Gpu
        } else {
            Backend::Cpu
        }
    }

    /// Notes a frame. Nothing while more are needed; then the medians, or nothing where too few frames counted.
    fn take(&mut self, cpu: &Timings, gpu: &Timings) -> Option<Option<FrameTimes>> {
        self.run += 1;
        if follows(cpu) && follows(gpu) {
            self.followed += 1;
            self.count(FrameTimes {
                cpu_millis: cpu.total_millis,
                gpu_millis: gpu.total_millis,
            });
        }
        if self.counted.len() >= COUNTED_FRAMES || self.hopeless_in_a_row >= 2 {
            Some(Some(FrameTimes {
                cpu_millis: median(self.counted.iter().map(|times| times.cpu_millis)),
                gpu_millis: median(self.counted.iter().map(|times| times.gpu_millis)),
            }))
        } else if self.run >= MOST_FRAMES {
            Some(None)
        } else {
            None
        }
    }

    fn count(&mut self, times: FrameTimes) {
        let is_hopeless = times.gpu_millis > HOPELESS * times.cpu_millis;
        // The very first may compile something; after that, ten times as long is what the GPU takes here.
        if self.followed == 1 || (self.followed <= WARM_UP_FRAMES && !is_hopeless) {
            return;
        }
        self.hopeless_in_a_row = if is_hopeless {
            self.hopeless_in_a_row + 1
        } else {
            0
        };
        self.counted.push(times);
    }
}

/// Whether a frame ran the landmark model alone. A detector that only one of the two needed would decide the race.
pub fn follows(timings: &Timings) -> bool {
    timings.landmarks_millis.is_some() && timings.detector_millis.is_none()
}

/// The middle value, or the mean of the two middle ones; 0 for nothing.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    match values.len() {
        0 => 0.0,
        len if len % 2 == 1 => values[upper],
        _ => (values[upper - 1] + values[upper]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(remembered: Option<FrameTimes>) -> Candidate {
        Candidate {
            adapter: Adapter {
                name: "nvidia ampere".to_owned(),
                is_software: false,
            },
            remembered,
            times_software: false,
        }
    }

    fn times(cpu_millis: f64, gpu_millis: f64) -> FrameTimes {
        FrameTimes {
            cpu_millis,
            gpu_millis,
        }
    }

    fn drawn(follows: bool) -> Report {
        Report::Drawn { follows }
    }

    /// A frame of a person who is followed.
    fn frame(total_millis: f64) -> Timings {
        Timings {
            landmarks_millis: Some(total_millis),
            total_millis,
            ..Timings::default()
        }
    }

    /// A frame that needed the detector.
    fn search(total_millis: f64) -> Timings {
        Timings {
            detector_millis: Some(1.0),
            ..frame(total_millis)
        }
    }

    fn compared(cpu_millis: f64, gpu_millis: f64) -> Report {
        Report::Compared {
            cpu: frame(cpu_millis),
            gpu: frame(gpu_millis),
        }
    }

    /// A machine whose GPU is ready and untimed.
    fn timing() -> Autotune {
        let mut tuning = Autotune::new(candidate(None), 0);
        assert_eq!(tuning.runs_both(), None);
        assert_eq!(
            tuning.update(drawn(true)),
            Some(Order::PrepareGpu),
            "after a result, not before"
        );
        assert_eq!(tuning.update(drawn(true)), None, "once");
        assert_eq!(tuning.runs_both(), None, "it compiles");
        assert_eq!(tuning.update(Report::Ready), None);
        assert_eq!(tuning.standing(), Standing::Timing);
        tuning
    }

    /// Feeds frames until the machine decides; gives its order and how many frames it took.
    fn race(
        tuning: &mut Autotune,
        frame_times: impl IntoIterator<Item = (f64, f64)>,
    ) -> (Option<Order>, usize) {
        for (position, (cpu_millis, gpu_millis)) in frame_times.into_iter().enumerate() {
            assert_eq!(tuning.backend(), Backend::Cpu, "the CPU answers meanwhile");
            assert!(tuning.runs_both().is_some());
            let order = tuning.update(compared(cpu_millis, gpu_millis));
            if order.is_some() {
                return (order, position + 1);
            }
        }
        (None, 0)
    }

    #[test]
    fn the_faster_one_is_kept_and_remembered() {
        for (cpu_millis, gpu_millis, backend) in [
            (11.0, 4.0, Backend::Gpu),
            (11.0, 40.0, Backend::Cpu),
            (150.0, 12.0, Backend::Gpu),
            // Faster, but by less than a tenth: not worth what the GPU costs.
            (11.0, 11.0, Backend::Cpu),
            (11.0, 10.2, Backend::Cpu),
            (11.0, 9.9, Backend::Gpu),
        ] {
            let mut tuning = timing();
            let (order, n_frames) = race(&mut tuning, std::iter::repeat_n((cpu_millis, gpu_millis), 60));
            let found = times(cpu_millis, gpu_millis);
            assert_eq!(order, Some(Order::SettleAndRemember(backend, found)));
            assert_eq!(n_frames, 10, "two to warm up, eight counted");
            assert_eq!((tuning.backend(), tuning.runs_both()), (backend, None));
            assert_eq!(
                tuning.standing(),
                Standing::Timed {
                    times: found,
                    is_remembered: false,
                    is_running: true
                }
            );
            assert_eq!(
                tuning.update(compared(1.0, 9.0)),
                None,
                "the frame that was on its way"
            );
        }
    }

    #[test]
    fn both_begin_equally_often() {
        let mut tuning = timing();
        let mut firsts = Vec::new();
        while let Some(first) = tuning.runs_both() {
            firsts.push(first.id());
            tuning.update(compared(11.0, 4.0));
        }
        let (warm_up, counted) = firsts.split_at(WARM_UP_FRAMES as usize);
        assert_eq!(warm_up, ["cpu", "cpu"]);
        assert_eq!(counted, ["cpu", "gpu"].repeat(4));
    }

    #[test]
    fn warm_up_and_outliers_do_not_count() {
        let mut tuning = timing();
        let slow_start = [(11.0, 900.0), (11.0, 60.0)];
        let with_outliers = [
            (11.0, 4.0),
            (11.0, 4.2),
            (300.0, 4.0),
            (11.2, 500.0),
            (10.8, 4.1),
            (11.0, 3.9),
            (11.0, 80.0),
            (11.0, 4.0),
        ];
        let (order, _) = race(&mut tuning, slow_start.into_iter().chain(with_outliers));
        let Some(Order::SettleAndRemember(Backend::Gpu, found)) = order else {
            panic!("{order:?}");
        };
        assert!(
            (found.cpu_millis - 11.0).abs() < 0.2 && (found.gpu_millis - 4.1).abs() < 0.2,
            "{found:?}"
        );
    }

    #[test]
    fn a_hopeless_gpu_is_given_up_early() {
        let mut tuning = timing();
        let (order, n_frames) = race(&mut tuning, std::iter::repeat_n((11.0, 4_000.0), 60));
        assert_eq!(
            order,
            Some(Order::SettleAndRemember(Backend::Cpu, times(11.0, 4_000.0)))
        );
        assert_eq!(n_frames, 3);
    }

    #[test]
    fn only_frames_that_both_followed_count() {
        let mut tuning = timing();
        for _ in 0..10 {
            for (cpu, gpu) in [
                (search(20.0), frame(4.0)),
                (frame(11.0), search(9.0)),
                (search(20.0), search(9.0)),
            ] {
                assert_eq!(tuning.update(Report::Compared { cpu, gpu }), None);
            }
        }
        tuning.update(drawn(false));
        assert_eq!(tuning.runs_both(), None, "nobody is followed: the GPU rests");
        tuning.update(drawn(true));
        assert!(tuning.runs_both().is_some());
        let (order, n_frames) = race(&mut tuning, std::iter::repeat_n((11.0, 4.0), 20));
        assert_eq!((order.is_some(), n_frames), (true, 10));
    }

    #[test]
    fn a_person_who_is_never_followed_ends_it() {
        let mut tuning = timing();
        let mut orders = (0..100).filter_map(|_| {
            tuning.update(Report::Compared {
                cpu: frame(11.0),
                gpu: search(9.0),
            })
        });
        assert_eq!(
            orders.next(),
            Some(Order::Settle(Backend::Cpu)),
            "and nothing is remembered"
        );
        assert_eq!(orders.next(), None);
        assert_eq!(tuning.standing(), Standing::Undecided);
    }

    #[test]
    fn a_gpu_that_fails_leaves_the_cpu() {
        let sentence = "The GPU cannot run the models: no.".to_owned();
        let mut preparing = Autotune::new(candidate(None), 0);
        preparing.update(drawn(false));
        let mut half_timed = timing();
        half_timed.update(compared(11.0, 4.0));
        let mut known_as_faster = Autotune::new(candidate(Some(times(11.0, 4.0))), 0);
        known_as_faster.update(drawn(true));
        for mut tuning in [preparing, half_timed, known_as_faster] {
            let order = tuning.update(Report::Failed(sentence.clone()));
            assert_eq!(
                order,
                Some(Order::Settle(Backend::Cpu)),
                "and nothing is remembered"
            );
            assert_eq!(tuning.standing(), Standing::Failed(sentence.clone()));
            assert_eq!(tuning.update(Report::Ready), None);
            assert_eq!((tuning.backend(), tuning.runs_both()), (Backend::Cpu, None));
        }
    }

    #[test]
    fn what_is_remembered_is_not_timed_again() {
        let mut slower = Autotune::new(candidate(Some(times(11.0, 40.0))), 0);
        assert_eq!(slower.update(drawn(true)), None, "the GPU is never asked");
        assert_eq!(slower.backend(), Backend::Cpu);
        assert!(slower.may_be_repeated());

        let mut faster = Autotune::new(candidate(Some(times(11.0, 4.0))), 0);
        assert_eq!(faster.backend(), Backend::Cpu, "until the GPU has compiled");
        assert_eq!(faster.update(drawn(false)), Some(Order::PrepareGpu));
        assert_eq!(faster.update(Report::Ready), Some(Order::Settle(Backend::Gpu)));
        assert_eq!((faster.backend(), faster.runs_both()), (Backend::Gpu, None));
        assert_eq!(
            faster.standing(),
            Standing::Timed {
                times: times(11.0, 4.0),
                is_remembered: true,
                is_running: true
            }
        );
    }

    #[test]
    fn a_software_adapter_is_never_tried() {
        let software = |remembered, times_software| Candidate {
            adapter: Adapter {
                name: "google swiftshader".to_owned(),
                is_software: true,
            },
            times_software,
            ..candidate(remembered)
        };
        for remembered in [None, Some(times(11.0, 4.0))] {
            let mut tuning = Autotune::new(software(remembered, false), 0);
            for report in [drawn(true), Report::Ready, compared(11.0, 1.0)] {
                assert_eq!(tuning.update(report), None);
                assert_eq!((tuning.backend(), tuning.runs_both()), (Backend::Cpu, None));
            }
            assert_eq!(tuning.standing(), Standing::Software);
            assert!(!tuning.may_be_repeated());
        }
        let mut on_demand = Autotune::new(software(None, true), 0);
        assert_eq!(on_demand.update(drawn(true)), Some(Order::PrepareGpu));
    }

    #[test]
    fn a_gpu_that_is_taken_away_gets_one_more_chance() {
        let remembered = Some(times(11.0, 4.0));
        let mut again = Autotune::new(candidate(remembered), 1);
        assert_eq!(again.update(drawn(true)), Some(Order::PrepareGpu));
        let mut never = Autotune::new(candidate(remembered), 2);
        assert_eq!(never.update(drawn(true)), None);
        assert_eq!(
            (never.backend(), never.standing()),
            (Backend::Cpu, Standing::Lost)
        );
    }

    #[test]
    fn medians_ignore_the_ends() {
        for (values, expected) in [
            (vec![], 0.0),
            (vec![3.0], 3.0),
            (vec![9.0, 1.0, 2.0], 2.0),
            (vec![500.0, 1.0, 2.0, 4.0], 3.0),
        ] {
            assert_eq!(median(values.iter().copied()), expected, "{values:?}");
        }
    }
}
