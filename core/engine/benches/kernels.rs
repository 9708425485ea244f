//! The CPU kernels one by one, on shapes of BlazePose: `cargo bench -p plumbline_engine --bench kernels`.
//!
//! The sparse kernel is measured at rising densities beside the dense one, which shows where it breaks even.

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    native::run();
}

/// Criterion needs threads and files; in a browser the benchmark `layers` measures whole models.
#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use criterion::{BenchmarkId, Criterion, Throughput};
    use plumbline_engine::cpu::Session;
    use plumbline_engine::graph::{Activation, Constant, Conv2d, Graph, Node, Op, Padding};
    use plumbline_engine::plan::Plan;

    /// One convolution.
    #[derive(Clone, Copy)]
    struct Layer {
        side: usize,
        channels: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        depthwise: bool,
        /// Part of the weights that is not zero, in percent.
        density: usize,
    }

    impl Layer {
        const fn pointwise(side: usize, channels: usize, outputs: usize, density: usize) -> Self {
            Self {
                side,
                channels,
                outputs,
                kernel: 1,
                stride: 1,
                depthwise: false,
                density,
            }
        }

        const fn depthwise(side: usize, channels: usize, kernel: usize, stride: usize) -> Self {
            Self {
                side,
                channels,
                outputs: channels,
                kernel,
                stride,
                depthwise: true,
                density: 100,
            }
        }

        fn macs(&self) -> u64 {
            let pixels = (self.side / self.stride).pow(2);
            let inner = if self.depthwise { 1 } else { self.channels };
            (pixels * self.outputs * self.kernel.pow(2) * inner) as u64
        }

        fn session(&self) -> Session {
            let mut graph = Graph::default();
            let out = self.side / self.stride;
            let x = graph.add_value("x", vec![1, self.side, self.side, self.channels], None);
            let kernel = if self.depthwise {
                vec![1, self.kernel, self.kernel, self.channels]
            } else {
                vec![self.outputs, self.kernel, self.kernel, self.channels]
            };
            let weight = |index: usize| {
                let value = (index * 2_654_435_761 % 1009) as f32 / 504.5 - 1.0;
                if index * 40_503 % 100 < self.density {
                    value
                } else {
                    0.0
                }
            };
            let len = kernel.iter().product();
            let weights = graph.add_value(
                "weights",
                kernel,
                Some(Constant::F32((0..len).map(weight).collect())),
            );
            let bias = Constant::F32(vec![0.1; self.outputs].into());
            let bias = graph.add_value("bias", vec![self.outputs], Some(bias));
            let y = graph.add_value("y", vec![1, out, out, self.outputs], None);
            let around = self.kernel - self.stride.min(self.kernel);
            let conv = Conv2d {
                stride: [self.stride; 2],
                dilation: [1, 1],
                padding: Padding {
                    top: around / 2,
                    bottom: around.div_ceil(2),
                    left: around / 2,
                    right: around.div_ceil(2),
                },
                activation: Activation::Relu6,
                residual: None,
            };
            graph.nodes.push(Node {
                origin: "layer".to_owned(),
                op: if self.depthwise {
                    Op::DepthwiseConv2d(conv)
                } else {
                    Op::Conv2d(conv)
                },
                inputs: vec![x, weights, bias],
                output: y,
            });
            graph.inputs.push(x);
            graph.outputs.push(y);
            let plan = Plan::new(graph).expect("one convolution can be planned");
            let mut session = Session::new(plan).expect("its weights are f32");
            for (index, value) in session.input_mut(0).iter_mut().enumerate() {
                *value = (index % 17) as f32 * 0.1 - 0.7;
            }
            session
        }
    }

    fn group(criterion: &mut Criterion, name: &str, layers: &[Layer]) {
        let mut group = criterion.benchmark_group(name);
        for layer in layers {
            let mut session = layer.session();
            group.throughput(Throughput::Elements(layer.macs()));
            let label = format!(
                "{0}x{0}x{1} to {2} channels, {3}x{3}/{4}, {5} % dense",
                layer.side, layer.channels, layer.outputs, layer.kernel, layer.stride, layer.density
            );
            group.bench_function(BenchmarkId::from_parameter(label), |bencher| {
                bencher.iter(|| session.run());
            });
        }
        group.finish();
    }

    pub fn run() {
        let mut criterion = Criterion::default().configure_from_args();
        let stem = Layer {
            side: 256,
            channels: 3,
            outputs: 24,
            kernel: 3,
            stride: 2,
            depthwise: false,
            density: 100,
        };
        group(
            &mut criterion,
            "convolution",
            &[
                stem,
                Layer::pointwise(128, 8, 32, 100),
                Layer::pointwise(64, 96, 16, 100),
                Layer::pointwise(16, 56, 336, 100),
                Layer::pointwise(8, 1632, 272, 100),
            ],
        );
        group(
            &mut criterion,
            "sparse",
            &[10, 25, 40, 48, 60, 100].map(|density| Layer::pointwise(14, 112, 672, density)),
        );
        group(
            &mut criterion,
            "depthwise",
            &[
                Layer::depthwise(64, 96, 3, 1),
                Layer::depthwise(128, 32, 3, 2),
                Layer::depthwise(16, 336, 5, 1),
                Layer::depthwise(14, 480, 5, 1),
                Layer::depthwise(64, 96, 5, 2),
            ],
        );
        criterion.final_summary();
    }
}
