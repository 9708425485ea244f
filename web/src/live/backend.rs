//! Which backend runs the models, and the sentence that says why.

/// What runs the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// WebAssembly with SIMD.
    Cpu,
    /// WebGPU.
    Gpu,
}

impl Backend {
    /// As in `data-backend` and the query parameter.
    pub fn id(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }

    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
        }
    }
}

/// What the person asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendWish {
    /// Whatever is better here.
    #[default]
    Auto,
    /// This one, or an error.
    Forced(Backend),
}

impl BackendWish {
    /// All choices, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Forced(Backend::Cpu), Self::Forced(Backend::Gpu)];

    /// As in the menu's values and the query parameter.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Forced(backend) => backend.id(),
        }
    }

    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Auto => "Automatic",
            Self::Forced(Backend::Cpu) => "CPU (WebAssembly)",
            Self::Forced(Backend::Gpu) => "GPU (WebGPU)",
        }
    }

    /// The wish behind an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.id() == id)
    }
}

/// What the browser offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpuProbe {
    /// No `navigator.gpu` where the engine runs.
    NoWebGpu,
    /// WebGPU, but no adapter behind it.
    NoAdapter,
    /// An adapter that computes on the processor.
    Software {
        /// What the browser tells of it.
        name: String,
    },
    /// A graphics processor.
    Hardware {
        /// What the browser tells of it.
        name: String,
    },
}

/// What stands behind WebGPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// What the browser tells of it.
    pub name: String,
    /// It computes on the processor.
    pub is_software: bool,
}

/// Words in an adapter's description that mean "not a graphics processor": Chromium's SwiftShader, Mesa's lavapipe and
/// llvmpipe, Windows' basic render driver.
const SOFTWARE_ADAPTERS: [&str; 5] = ["swiftshader", "llvmpipe", "lavapipe", "basic render", "software"];

/// The name of an adapter of which the browser tells nothing, as Firefox does.
pub const UNNAMED: &str = "unnamed";

impl GpuProbe {
    /// Judges an adapter by what the browser tells: `GPUAdapterInfo`'s text fields joined, and its own
    /// `isFallbackAdapter`.
    pub fn of_adapter(name: &str, is_fallback: bool) -> Self {
        let lower = name.to_lowercase();
        let shown = if name.trim().is_empty() {
            UNNAMED.to_owned()
        } else {
            name.trim().to_owned()
        };
        if is_fallback || SOFTWARE_ADAPTERS.iter().any(|word| lower.contains(word)) {
            Self::Software { name: shown }
        } else {
            Self::Hardware { name: shown }
        }
    }

    /// The adapter, if there is one.
    pub fn adapter(&self) -> Option<Adapter> {
        let (name, is_software) = match self {
            Self::NoWebGpu | Self::NoAdapter => return None,
            Self::Software { name } => (name, true),
            Self::Hardware { name } => (name, false),
        };
        Some(Adapter {
            name: name.clone(),
            is_software,
        })
    }
}

/// A backend and the sentence that says why it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendChoice {
    /// What runs.
    pub backend: Backend,
    /// Why, without a full stop: it stands after "CPU: ".
    pub reason: String,
}

/// Chooses what answers the first frame. Where the choice is free this is the CPU, which is ready at once; whether the GPU
/// takes its place is found out by [`crate::live::autotune`].
///
/// # Errors
/// A sentence, when the GPU was asked for and there is none.
pub fn choose(wish: BackendWish, probe: &GpuProbe) -> Result<BackendChoice, String> {
    let choice = |backend, reason: String| Ok(BackendChoice { backend, reason });
    match (wish, probe) {
        (BackendWish::Forced(Backend::Cpu), _) => choice(Backend::Cpu, "chosen by hand".to_owned()),
        (BackendWish::Forced(Backend::Gpu), GpuProbe::NoWebGpu) => Err(
            "This browser has no WebGPU, so the models cannot run on the GPU. Choose Automatic or CPU.".to_owned(),
        ),
        (BackendWish::Forced(Backend::Gpu), GpuProbe::NoAdapter) => Err(
            "This browser has WebGPU but offers no adapter, so the models cannot run on the GPU. Choose Automatic \
             or CPU."
                .to_owned(),
        ),
        (BackendWish::Forced(Backend::Gpu), GpuProbe::Software { name }) => {
            choice(Backend::Gpu, format!("chosen by hand, on a software adapter ({name})"))
        }
        (BackendWish::Forced(Backend::Gpu), GpuProbe::Hardware { name }) => {
            choice(Backend::Gpu, format!("chosen by hand ({name})"))
        }
        (BackendWish::Auto, GpuProbe::NoWebGpu) => {
            choice(Backend::Cpu, "this browser has no WebGPU".to_owned())
        }
        (BackendWish::Auto, GpuProbe::NoAdapter) => {
            choice(Backend::Cpu, "WebGPU offers no adapter here".to_owned())
        }
        (BackendWish::Auto, GpuProbe::Software { name }) => {
            choice(Backend::Cpu, format!("the only WebGPU adapter here is software ({name})"))
        }
        (BackendWish::Auto, GpuProbe::Hardware { name }) => {
            choice(Backend::Cpu, format!("it answers first; there is WebGPU on {name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_adapters_are_recognised() {
        for (name, is_fallback, software) in [
            ("google swiftshader SwiftShader Device (Subzero)", false, true),
            ("mesa llvmpipe (LLVM 15.0.6, 256 bits)", false, true),
            ("Microsoft Basic Render Driver", false, true),
            ("nvidia ampere", false, false),
            ("nvidia ampere", true, true),
            ("apple metal-3", false, false),
            ("", false, false),
        ] {
            let probe = GpuProbe::of_adapter(name, is_fallback);
            let adapter = probe.adapter().expect("there is one");
            assert_eq!(adapter.is_software, software, "{name}: {probe:?}");
        }
        assert_eq!(GpuProbe::NoAdapter.adapter(), None);
    }

    #[test]
    fn every_choice_has_its_reason() {
        let software = GpuProbe::Software {
            name: "SwiftShader".to_owned(),
        };
        let hardware = GpuProbe::Hardware {
            name: "nvidia ampere".to_owned(),
        };
        let forced_gpu = BackendWish::Forced(Backend::Gpu);
        for (wish, probe, backend, reason) in [
            (
                BackendWish::Auto,
                &GpuProbe::NoWebGpu,
                Backend::Cpu,
                "this browser has no WebGPU",
            ),
            (
                BackendWish::Auto,
                &GpuProbe::NoAdapter,
                Backend::Cpu,
                "WebGPU offers no adapter here",
            ),
            (
                BackendWish::Auto,
                &software,
                Backend::Cpu,
                "the only WebGPU adapter here is software (SwiftShader)",
            ),
            (
                BackendWish::Auto,
                &hardware,
                Backend::Cpu,
                "it answers first; there is WebGPU on nvidia ampere",
            ),
            (
                BackendWish::Forced(Backend::Cpu),
                &hardware,
                Backend::Cpu,
                "chosen by hand",
            ),
            (
                forced_gpu,
                &software,
                Backend::Gpu,
                "chosen by hand, on a software adapter (SwiftShader)",
            ),
            (
                forced_gpu,
                &hardware,
                Backend::Gpu,
                "chosen by hand (nvidia ampere)",
            ),
        ] {
            let choice = choose(wish, probe).expect("possible");
            assert_eq!((choice.backend, choice.reason.as_str()), (backend, reason));
        }
        for probe in [GpuProbe::NoWebGpu, GpuProbe::NoAdapter] {
            assert!(
                choose(forced_gpu, &probe)
                    .expect_err("no GPU")
                    .contains("cannot run on the GPU")
            );
        }
    }

    #[test]
    fn ids_lead_back() {
        for wish in BackendWish::ALL {
            assert_eq!(BackendWish::from_id(wish.id()), Some(wish));
        }
        assert_eq!(BackendWish::from_id("tpu"), None);
    }
}
