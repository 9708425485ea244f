//! A model of a few hundred bytes that uses every reader path: f16 and sparse weights, padding, a convolution, a
//! depthwise one, a resize that is added, a pooling, a concatenation.

use super::tflite_writer::{Field, file};

const F32: u8 = 0;
const F16: u8 = 1;
const I32: u8 = 2;

/// Values of the sparse 1x1 weights `[4, 1, 1, 4]`, dense, and as binary16: 1, 2, 0.5 and -1 off the diagonal's end.
pub const SPARSE_DENSE: [f32; 16] = [1., 0., 0., 0., 0., 2., 0., 0., 0., 0., 0.5, 0., -1., 0., 0., 0.];

struct Tensors {
    tensors: Vec<Vec<Field>>,
    buffers: Vec<Vec<Field>>,
}

impl Tensors {
    fn add(&mut self, name: &str, shape: &[i32], kind: u8, data: Option<Vec<u8>>, sparsity: Field) -> i32 {
        let buffer = match data {
            None => 0,
            Some(data) => {
                self.buffers.push(vec![Field::Bytes(data)]);
                self.buffers.len() as i32 - 1
            }
        };
        self.tensors.push(vec![
            Field::Ints(shape.to_vec()),
            Field::Byte(kind),
            Field::Int(buffer),
            Field::text(name),
            Field::Absent,
            Field::Absent,
            sparsity,
        ]);
        self.tensors.len() as i32 - 1
    }

    fn frame(&mut self, name: &str, shape: &[i32]) -> i32 {
        self.add(name, shape, F32, None, Field::Absent)
    }

    fn halves(&mut self, name: &str, shape: &[i32], halves: &[u16]) -> i32 {
        let data = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        self.add(name, shape, F16, Some(data), Field::Absent)
    }

    fn ints(&mut self, name: &str, ints: &[i32]) -> i32 {
        let data = ints.iter().flat_map(|int| int.to_le_bytes()).collect();
        self.add(name, &[ints.len() as i32], I32, Some(data), Field::Absent)
    }
}

fn operator(code: i32, inputs: &[i32], output: i32, options: Vec<Field>) -> Vec<Field> {
    vec![
        Field::Int(code),
        Field::Ints(inputs.to_vec()),
        Field::Ints(vec![output]),
        Field::Byte(1),
        Field::Table(options),
    ]
}

/// The bytes of the model: input `[1, 6, 6, 4]`, output `out` of `[1, 6, 6, 8]`.
pub fn tiny_model() -> Vec<u8> {
    let mut t = Tensors {
        tensors: Vec::new(),
        buffers: vec![vec![]],
    };
    let input = t.frame("input", &[1, 6, 6, 4]);
    // Row-major, each row compressed: one stored element a row.
    let level = |size: i32| vec![Field::Byte(0), Field::Int(size)];
    let compressed = vec![
        Field::Byte(1),
        Field::Int(0),
        Field::Byte(1),
        Field::Table(vec![Field::Ints(vec![0, 1, 2, 3, 4])]),
        Field::Byte(3),
        Field::Table(vec![Field::Bytes(vec![0, 1, 2, 0])]),
    ];
    let sparsity = Field::Table(vec![
        Field::Ints(vec![0, 1, 2, 3]),
        Field::Ints(vec![]),
        Field::Tables(vec![level(4), level(1), level(1), compressed]),
    ]);
    let stored: Vec<u8> = [0x3c00u16, 0x4000, 0x3800, 0xbc00]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect();
    let sparse = t.add("sparse", &[4, 1, 1, 4], F16, Some(stored), sparsity);
    let dense = t.add("dense", &[4, 1, 1, 4], F16, None, Field::Absent);
    let weights = t.frame("weights", &[4, 1, 1, 4]);
    let half_bias = t.halves("half bias", &[4], &[0x3c00, 0, 0, 0xc000]);
    let bias = t.frame("bias", &[4]);
    let pointwise = t.frame("pointwise", &[1, 6, 6, 4]);
    let amounts = t.ints("amounts", &[0, 0, 0, 1, 0, 1, 0, 0]);
    let padded = t.frame("padded", &[1, 7, 7, 4]);
    let half_kernel = t.halves("half kernel", &[1, 3, 3, 4], &[0x3400; 36]);
    let kernel = t.frame("kernel", &[1, 3, 3, 4]);
    let depthwise = t.frame("depthwise", &[1, 3, 3, 4]);
    let size = t.ints("size", &[6, 6]);
    let enlarged = t.frame("enlarged", &[1, 6, 6, 4]);
    let sum = t.frame("sum", &[1, 6, 6, 4]);
    let pooled = t.frame("pooled", &[1, 6, 6, 4]);
    let out = t.frame("out", &[1, 6, 6, 8]);

    let codes = [124, 6, 3, 34, 4, 23, 0, 17, 2];
    let code = |code: i32| {
        codes
            .iter()
            .position(|&known| known == code)
            .expect("the code is in the table") as i32
    };
    let b = Field::Byte;
    let i = Field::Int;
    let operators = vec![
        operator(code(124), &[sparse], dense, vec![]),
        operator(code(6), &[dense], weights, vec![]),
        operator(code(6), &[half_bias], bias, vec![]),
        operator(
            code(3),
            &[input, weights, bias],
            pointwise,
            vec![b(0), i(1), i(1), b(3)],
        ),
        operator(code(34), &[pointwise, amounts], padded, vec![]),
        operator(code(6), &[half_kernel], kernel, vec![]),
        operator(
            code(4),
            &[padded, kernel],
            depthwise,
            vec![b(1), i(2), i(2), i(1), b(0)],
        ),
        operator(
            code(23),
            &[depthwise, size],
            enlarged,
            vec![Field::Absent, Field::Absent, b(0), b(1)],
        ),
        operator(code(0), &[pointwise, enlarged], sum, vec![b(0)]),
        operator(code(17), &[sum], pooled, vec![b(0), i(1), i(1), i(2), i(2), b(0)]),
        operator(code(2), &[sum, pooled], out, vec![i(3), b(0)]),
    ];
    let subgraph = vec![
        Field::Tables(t.tensors),
        Field::Ints(vec![input]),
        Field::Ints(vec![out]),
        Field::Tables(operators),
    ];
    file(vec![
        Field::Int(3),
        Field::Tables(
            codes
                .iter()
                .map(|&code| vec![Field::Byte(code as u8), Field::Absent, Field::Absent, i(code)])
                .collect(),
        ),
        Field::Tables(vec![subgraph]),
        Field::text("tiny"),
        Field::Tables(t.buffers),
    ])
}
