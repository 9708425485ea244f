//! Which backend is faster here, and on the GPU which way of running, found out by running them: a pure state machine
//! without a clock.
//!
//! Goes in: what the engine reports (a result, a GPU that is ready or fails, a frame timed on both) and what an earlier
//! visit has left behind. Comes out: an [`Order`] for the engine, and for each frame whether it is to be timed on both.
//!
//! ```text
//!                      ┌────────── the next way ───────────┐
//!                      v                                   │
//! Waiting ──drawn──> Preparing ──ready──> Timing ──enough──┴──> Settled
//!    │                  │ ^                                       ^ ^
//!    │                  │ └── the fastest way, no longer loaded ──│─┘ ready
//!    │                  └──remembered as the faster, ready────────┘
//!    └──software, lost twice, or remembered as the slower─────────^
//! ```
//!
//! The CPU answers from the first frame on, and nothing is asked of the GPU before that. While both are timed, the GPU
//! gets the frames that the CPU answers, in the order CPU GPU, GPU CPU, so that a machine that becomes slower or faster
//! meanwhile treats both alike; only frames on which both followed a person count. The time is that of one frame alone,
//! from the picture to the result. On the GPU frames also overlap, which gives it a higher rate than this time says.
//!
//! How far kernels are best fused and whether halves of numbers are worth their conversion differs from GPU to GPU, so
//! the GPU is timed in several ways, one after the other: only one of them is ever compiled and held.

use std::collections::VecDeque;

use plumbline_engine::encoding::Precision;
use plumbline_engine::fusion::Level;
use plumbline_pipeline::{Timings, Variant};

use crate::live::backend::{Adapter, Backend, UNNAMED};
use crate::live::frame_times::{FrameTimes, VariantTime, median};
use crate::live::trial::{Trial, Verdict, medians};

/// So often may the GPU be taken away in a visit before it is left alone.
const MOST_LOSSES: u32 = 1;
/// An adapter that does not say what it is, and takes more than this many times the CPU's time in the way that is never
/// slow to compile, is taken for software and not timed in other ways.
const PROMISING: f64 = 2.0;

/// The ways to run on graphics hardware. Levels between them gain less than they cost to time, and binary16 at a level
/// that writes more values moves heavy's landmarks by more than a tenth of a pixel.
const ON_HARDWARE: [Variant; 3] = [
    way(Level::Tail, Precision::Single),
    way(Level::Tail, Precision::Half),
    way(Level::Pairs, Precision::Single),
];
/// The ways that are not out of the question on an adapter that computes on the CPU.
const ON_SOFTWARE: [Variant; 2] = [Variant::SOFTWARE, way(Level::Folded, Precision::Half)];

const fn way(level: Level, precision: Precision) -> Variant {
    Variant { level, precision }
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
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Compile the models for the GPU in this way, in place of what it holds, while the CPU answers.
    PrepareGpu(Variant),
    /// The same, and these times are worth remembering.
    PrepareAndRemember(Variant, FrameTimes),
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
    Timing {
        /// Ways to run on the GPU that have been timed.
        done: usize,
        /// Ways that will be, with these.
        of: usize,
    },
    /// Both have been timed, now or in an earlier visit.
    Timed {
        /// The medians.
        times: FrameTimes,
        /// In an earlier visit.
        is_remembered: bool,
        /// The one that was worth it answers. False only while the GPU compiles that was the faster one.
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
    /// Ways to run on the GPU that are still to be timed.
    untimed: VecDeque<Variant>,
    timed: Vec<VariantTime>,
    /// Medians of the CPU, one for each of `timed`.
    cpu_millis: Vec<f64>,
    /// What the GPU said when it last failed.
    failure: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Waiting(Option<FrameTimes>),
    /// To be timed.
    Preparing(Variant),
    /// To answer: the fastest way, by these times.
    TakingOver {
        times: FrameTimes,
        is_remembered: bool,
    },
    Timing(Variant, Trial),
    Settled(Backend, Standing),
}

impl Standing {
    /// As in `data-tuning`.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Timing { .. } => "timing",
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
                Some(times) if times.better() == Backend::Cpu => stay(settled_by(times, true)),
                other => Stage::Waiting(other),
            }
        };
        let untimed = if adapter.is_software {
            ON_SOFTWARE.into()
        } else if adapter.name == UNNAMED {
            [Variant::SOFTWARE].into()
        } else {
            ON_HARDWARE.into()
        };
        Self {
            adapter,
            stage,
            follows: false,
            untimed,
            timed: Vec::new(),
            cpu_millis: Vec::new(),
            failure: None,
        }
    }

    /// Takes a report; gives what is to be done about it.
    pub fn update(&mut self, report: Report) -> Option<Order> {
        if let Report::Drawn { follows } = report {
            self.follows = follows;
        }
        match (&mut self.stage, report) {
            (Stage::Waiting(None), Report::Drawn { .. }) => Some(self.go_on(None)),
            (Stage::Waiting(Some(times)), Report::Drawn { .. }) => {
                let times = times.clone();
                let best = times.best()?;
                self.stage = Stage::TakingOver {
                    times,
                    is_remembered: true,
                };
                Some(Order::PrepareGpu(best.variant))
            }
            (Stage::Preparing(variant), Report::Ready) => {
                self.stage = Stage::Timing(*variant, Trial::default());
                None
            }
            (Stage::TakingOver { times, is_remembered }, Report::Ready) => {
                let standing = settled_by(times.clone(), *is_remembered);
                Some(self.settle(Backend::Gpu, standing))
            }
            (Stage::TakingOver { .. }, Report::Failed(sentence)) => {
                Some(self.settle(Backend::Cpu, Standing::Failed(sentence)))
            }
            (Stage::Preparing(_) | Stage::Timing(..), Report::Failed(sentence)) => {
                self.failure = Some(sentence);
                Some(self.go_on(None))
            }
            (Stage::Timing(variant, trial), Report::Compared { cpu, gpu }) => {
                let variant = *variant;
                match trial.take(&cpu, &gpu)? {
                    Verdict::Undecided => Some(self.settle(Backend::Cpu, Standing::Undecided)),
                    Verdict::Timed(pairs) => {
                        let [cpu_millis, millis] = medians(&pairs);
                        self.cpu_millis.push(cpu_millis);
                        self.timed.push(VariantTime { variant, millis });
                        if self.is_first_of_unnamed() && millis <= PROMISING * cpu_millis {
                            self.untimed.extend(ON_HARDWARE);
                        }
                        Some(self.go_on(Some(variant)))
                    }
                }
            }
            // Reports of a stage that is over, such as the last frame that was on its way.
            (
                Stage::Waiting(_)
                | Stage::Preparing(_)
                | Stage::TakingOver { .. }
                | Stage::Timing(..)
                | Stage::Settled(..),
                Report::Drawn { .. } | Report::Ready | Report::Failed(_) | Report::Compared { .. },
            ) => None,
        }
    }

    /// Which backend runs the next frame first, if it is to be run on both. The CPU's result is the one that is drawn.
    pub fn runs_both(&self) -> Option<Backend> {
        match &self.stage {
            Stage::Timing(_, trial) if self.follows => Some(trial.first()),
            Stage::Timing(..)
            | Stage::Waiting(_)
            | Stage::Preparing(_)
            | Stage::TakingOver { .. }
            | Stage::Settled(..) => None,
        }
    }

    /// The backend that answers.
    pub fn backend(&self) -> Backend {
        match self.stage {
            Stage::Settled(backend, _) => backend,
            Stage::Waiting(_) | Stage::Preparing(_) | Stage::TakingOver { .. } | Stage::Timing(..) => {
                Backend::Cpu
            }
        }
    }

    /// For the page.
    pub fn standing(&self) -> Standing {
        match &self.stage {
            Stage::Waiting(Some(times)) => Standing::Timed {
                times: times.clone(),
                is_remembered: true,
                is_running: false,
            },
            Stage::TakingOver { times, is_remembered } => Standing::Timed {
                times: times.clone(),
                is_remembered: *is_remembered,
                is_running: false,
            },
            Stage::Waiting(None) => Standing::Preparing,
            Stage::Preparing(_) if self.timed.is_empty() => Standing::Preparing,
            Stage::Preparing(_) | Stage::Timing(..) => Standing::Timing {
                done: self.timed.len(),
                of: self.timed.len() + 1 + self.untimed.len(),
            },
            Stage::Settled(_, standing) => standing.clone(),
        }
    }

    /// Whether it makes sense to begin once more.
    pub fn may_be_repeated(&self) -> bool {
        matches!(&self.stage, Stage::Settled(_, standing) if *standing != Standing::Software)
    }

    fn is_first_of_unnamed(&self) -> bool {
        self.adapter.name == UNNAMED && self.timed.len() == 1
    }

    /// To the next way, or to the end; `loaded` is what the GPU holds and has run without failing.
    fn go_on(&mut self, loaded: Option<Variant>) -> Order {
        if let Some(next) = self.untimed.pop_front() {
            self.stage = Stage::Preparing(next);
            return Order::PrepareGpu(next);
        }
        let times = FrameTimes {
            cpu_millis: median(self.cpu_millis.iter().copied()),
            gpu: self.timed.clone(),
        };
        let Some(best) = times.best() else {
            let sentence = self.failure.take().unwrap_or_default();
            return self.settle(Backend::Cpu, Standing::Failed(sentence));
        };
        if times.better() == Backend::Gpu && loaded != Some(best.variant) {
            self.stage = Stage::TakingOver {
                times: times.clone(),
                is_remembered: false,
            };
            return Order::PrepareAndRemember(best.variant, times);
        }
        self.settle(times.better(), settled_by(times.clone(), false));
        Order::SettleAndRemember(times.better(), times)
    }

    fn settle(&mut self, backend: Backend, standing: Standing) -> Order {
        self.stage = Stage::Settled(backend, standing);
        Order::Settle(backend)
    }
}

fn settled_by(times: FrameTimes, is_remembered: bool) -> Standing {
    Standing::Timed {
        times,
        is_remembered,
        is_running: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::trial::{COUNTED_FRAMES, WARM_UP_FRAMES};

    const LAST: Variant = ON_HARDWARE[ON_HARDWARE.len() - 1];

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

    fn unnamed() -> Candidate {
        let mut unnamed = candidate(None);
        unnamed.adapter.name = UNNAMED.to_owned();
        unnamed
    }

    fn times(cpu_millis: f64, gpu: &[(Variant, f64)]) -> FrameTimes {
        let gpu = gpu
            .iter()
            .map(|&(variant, millis)| VariantTime { variant, millis });
        FrameTimes {
            cpu_millis,
            gpu: gpu.collect(),
        }
    }

    fn remembered(cpu_millis: f64, gpu_millis: f64) -> Option<FrameTimes> {
        Some(times(cpu_millis, &[(ON_HARDWARE[2], gpu_millis)]))
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
            Some(Order::PrepareGpu(ON_HARDWARE[0])),
            "after a result, not before"
        );
        assert_eq!(tuning.update(drawn(true)), None, "once");
        assert_eq!(tuning.runs_both(), None, "it compiles");
        assert_eq!(tuning.standing(), Standing::Preparing);
        assert_eq!(tuning.update(Report::Ready), None);
        assert_eq!(tuning.standing(), Standing::Timing { done: 0, of: 3 });
        tuning
    }

    /// Feeds frames until the machine gives an order; gives it and how many frames it took.
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

    /// Times every way that is asked for, each as told, until the machine decides; gives the ways in their order.
    fn race_all(
        tuning: &mut Autotune,
        cpu_millis: f64,
        gpu: impl Fn(Variant) -> f64,
    ) -> (Order, Vec<Variant>) {
        let mut order = tuning.update(drawn(true));
        let mut ways = Vec::new();
        loop {
            match order {
                Some(Order::PrepareGpu(variant)) => {
                    ways.push(variant);
                    assert_eq!(tuning.update(Report::Ready), None);
                    order = race(tuning, std::iter::repeat_n((cpu_millis, gpu(variant)), 60)).0;
                }
                Some(order) => return (order, ways),
                None => panic!("no order after {ways:?}"),
            }
        }
    }

    #[test]
    fn each_way_can_win() {
        for fastest in ON_HARDWARE {
            let mut tuning = Autotune::new(candidate(None), 0);
            let gpu = |variant| if variant == fastest { 4.0 } else { 6.0 };
            let (order, ways) = race_all(&mut tuning, 11.0, gpu);
            assert_eq!(ways, ON_HARDWARE, "one after the other");
            let found = times(11.0, &ON_HARDWARE.map(|variant| (variant, gpu(variant))));
            if fastest != LAST {
                // It is not what the GPU holds any more.
                assert_eq!(order, Order::PrepareAndRemember(fastest, found.clone()));
                assert_eq!((tuning.backend(), tuning.runs_both()), (Backend::Cpu, None));
                assert_eq!(tuning.standing().id(), "timed");
                assert_eq!(tuning.update(Report::Ready), Some(Order::Settle(Backend::Gpu)));
            } else {
                assert_eq!(order, Order::SettleAndRemember(Backend::Gpu, found.clone()));
            }
            assert_eq!((tuning.backend(), tuning.runs_both()), (Backend::Gpu, None));
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
            let mut tuning = Autotune::new(candidate(None), 0);
            // The last way is the fastest, so that it need not be loaded again.
            let gpu = |variant| gpu_millis + if variant == LAST { 0.0 } else { 0.01 };
            let (order, _) = race_all(&mut tuning, cpu_millis, gpu);
            let found = times(cpu_millis, &ON_HARDWARE.map(|variant| (variant, gpu(variant))));
            assert_eq!(order, Order::SettleAndRemember(backend, found));
            assert_eq!((tuning.backend(), tuning.runs_both()), (backend, None));
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
        assert_eq!(counted, ["cpu", "gpu"].repeat(COUNTED_FRAMES / 2));
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
        let (order, n_frames) = race(&mut tuning, slow_start.into_iter().chain(with_outliers));
        assert_eq!(order, Some(Order::PrepareGpu(ON_HARDWARE[1])));
        assert_eq!(n_frames, 10, "two to warm up, eight counted");
        assert_eq!(tuning.standing(), Standing::Timing { done: 1, of: 3 });
        assert!((tuning.cpu_millis[0] - 11.0).abs() < 0.2);
        assert!((tuning.timed[0].millis - 4.1).abs() < 0.2);
    }

    #[test]
    fn a_hopeless_way_is_given_up_early() {
        let mut tuning = timing();
        let (order, n_frames) = race(&mut tuning, std::iter::repeat_n((11.0, 4_000.0), 60));
        assert_eq!(order, Some(Order::PrepareGpu(ON_HARDWARE[1])));
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
    fn a_way_that_fails_leaves_the_others() {
        let mut tuning = timing();
        tuning.update(compared(11.0, 4.0));
        let refused = || Report::Failed("no".to_owned());
        assert_eq!(tuning.update(refused()), Some(Order::PrepareGpu(ON_HARDWARE[1])));
        assert_eq!(tuning.update(Report::Ready), None);
        let (order, _) = race(&mut tuning, std::iter::repeat_n((11.0, 4.0), 20));
        assert_eq!(order, Some(Order::PrepareGpu(LAST)));
        assert_eq!(
            tuning.update(refused()),
            Some(Order::PrepareAndRemember(
                ON_HARDWARE[1],
                times(11.0, &[(ON_HARDWARE[1], 4.0)])
            )),
            "what failed last is not what runs"
        );
    }

    #[test]
    fn a_gpu_that_fails_leaves_the_cpu() {
        let sentence = "The GPU cannot run the models: no.".to_owned();
        let mut preparing = Autotune::new(candidate(None), 0);
        preparing.update(drawn(false));
        let mut half_timed = timing();
        half_timed.update(compared(11.0, 4.0));
        let mut known_as_faster = Autotune::new(candidate(remembered(11.0, 4.0)), 0);
        known_as_faster.update(drawn(true));
        for mut tuning in [preparing, half_timed, known_as_faster] {
            let orders =
                (0..ON_HARDWARE.len()).filter_map(|_| tuning.update(Report::Failed(sentence.clone())));
            assert_eq!(
                orders.last(),
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
        let mut slower = Autotune::new(candidate(remembered(11.0, 40.0)), 0);
        assert_eq!(slower.update(drawn(true)), None, "the GPU is never asked");
        assert_eq!(slower.backend(), Backend::Cpu);
        assert!(slower.may_be_repeated());

        let mut faster = Autotune::new(candidate(remembered(11.0, 4.0)), 0);
        assert_eq!(faster.backend(), Backend::Cpu, "until the GPU has compiled");
        assert_eq!(
            faster.update(drawn(false)),
            Some(Order::PrepareGpu(ON_HARDWARE[2])),
            "the way that was the fastest"
        );
        assert_eq!(faster.update(Report::Ready), Some(Order::Settle(Backend::Gpu)));
        assert_eq!((faster.backend(), faster.runs_both()), (Backend::Gpu, None));
        assert_eq!(
            faster.standing(),
            Standing::Timed {
                times: times(11.0, &[(ON_HARDWARE[2], 4.0)]),
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
        for remembered in [None, remembered(11.0, 4.0)] {
            let mut tuning = Autotune::new(software(remembered, false), 0);
            for report in [drawn(true), Report::Ready, compared(11.0, 1.0)] {
                assert_eq!(tuning.update(report), None);
                assert_eq!((tuning.backend(), tuning.runs_both()), (Backend::Cpu, None));
            }
            assert_eq!(tuning.standing(), Standing::Software);
            assert!(!tuning.may_be_repeated());
        }
        let mut on_demand = Autotune::new(software(None, true), 0);
        let (order, ways) = race_all(&mut on_demand, 11.0, |_| 40.0);
        assert_eq!(ways, ON_SOFTWARE, "nothing that takes it minutes to compile");
        assert!(matches!(order, Order::SettleAndRemember(Backend::Cpu, _)));
    }

    #[test]
    fn an_adapter_without_a_name_has_to_prove_that_it_is_hardware() {
        let mut slow = Autotune::new(unnamed(), 0);
        let (order, ways) = race_all(&mut slow, 11.0, |_| 23.0);
        assert_eq!(ways, [Variant::SOFTWARE]);
        assert!(matches!(order, Order::SettleAndRemember(Backend::Cpu, _)));
        let mut promising = Autotune::new(unnamed(), 0);
        let (order, ways) = race_all(&mut promising, 11.0, |variant| match variant {
            Variant::SOFTWARE => 21.0,
            _ => 5.0,
        });
        assert_eq!((ways[0], &ways[1..]), (Variant::SOFTWARE, &ON_HARDWARE[..]));
        assert!(matches!(order, Order::PrepareAndRemember(variant, _) if variant == ON_HARDWARE[0]));
    }

    #[test]
    fn a_gpu_that_is_taken_away_gets_one_more_chance() {
        let mut again = Autotune::new(candidate(remembered(11.0, 4.0)), 1);
        assert!(matches!(again.update(drawn(true)), Some(Order::PrepareGpu(_))));
        let mut never = Autotune::new(candidate(remembered(11.0, 4.0)), 2);
        assert_eq!(never.update(drawn(true)), None);
        assert_eq!(
            (never.backend(), never.standing()),
            (Backend::Cpu, Standing::Lost)
        );
    }
}
