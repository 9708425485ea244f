//! Codes of the TFLite schema: operators and element types.

use crate::element::Element;

/// Codes and names of operators, as the schema's `BuiltinOperator` has them.
macro_rules! operators {
    ($($name:ident = $code:literal,)*) => {
        $(pub const $name: i32 = $code;)*
        const NAMES: &[(i32, &str)] = &[$(($code, stringify!($name)),)*];
    };
}

operators! {
    ADD = 0,
    AVERAGE_POOL_2D = 1,
    CONCATENATION = 2,
    CONV_2D = 3,
    DEPTHWISE_CONV_2D = 4,
    DEPTH_TO_SPACE = 5,
    DEQUANTIZE = 6,
    FLOOR = 8,
    FULLY_CONNECTED = 9,
    L2_NORMALIZATION = 11,
    LOGISTIC = 14,
    MAX_POOL_2D = 17,
    MUL = 18,
    RELU = 19,
    RELU_N1_TO_1 = 20,
    RELU6 = 21,
    RESHAPE = 22,
    RESIZE_BILINEAR = 23,
    SOFTMAX = 25,
    SPACE_TO_DEPTH = 26,
    TANH = 28,
    CUSTOM = 32,
    PAD = 34,
    GATHER = 36,
    TRANSPOSE = 39,
    MEAN = 40,
    SUB = 41,
    DIV = 42,
    SQUEEZE = 43,
    STRIDED_SLICE = 45,
    EXP = 47,
    SPLIT = 49,
    LOG_SOFTMAX = 50,
    CAST = 53,
    PRELU = 54,
    MAXIMUM = 55,
    ARG_MAX = 56,
    MINIMUM = 57,
    LESS = 58,
    NEG = 59,
    PADV2 = 60,
    GREATER = 61,
    GREATER_EQUAL = 62,
    LESS_EQUAL = 63,
    SELECT = 64,
    SLICE = 65,
    SIN = 66,
    TRANSPOSE_CONV = 67,
    TILE = 69,
    EXPAND_DIMS = 70,
    EQUAL = 71,
    NOT_EQUAL = 72,
    LOG = 73,
    SUM = 74,
    SQRT = 75,
    RSQRT = 76,
    SHAPE = 77,
    POW = 78,
    ARG_MIN = 79,
    REDUCE_PROD = 81,
    REDUCE_MAX = 82,
    PACK = 83,
    LOGICAL_OR = 84,
    LOGICAL_AND = 86,
    LOGICAL_NOT = 87,
    UNPACK = 88,
    REDUCE_MIN = 89,
    FLOOR_DIV = 90,
    SQUARE = 92,
    FLOOR_MOD = 95,
    RESIZE_NEAREST_NEIGHBOR = 97,
    LEAKY_RELU = 98,
    SQUARED_DIFFERENCE = 99,
    MIRROR_PAD = 100,
    ABS = 101,
    SPLIT_V = 102,
    CEIL = 104,
    COS = 108,
    ELU = 111,
    ROUND = 116,
    HARD_SWISH = 117,
    SELECT_V2 = 123,
    DENSIFY = 124,
    BATCH_MATMUL = 126,
    GELU = 150,
}

/// Names of further operators, which are not read, for messages.
const UNREAD: &[(i32, &str)] = &[
    (7, "EMBEDDING_LOOKUP"),
    (12, "L2_POOL_2D"),
    (13, "LOCAL_RESPONSE_NORMALIZATION"),
    (16, "LSTM"),
    (24, "RNN"),
    (27, "SVDF"),
    (35, "UNIDIRECTIONAL_SEQUENCE_RNN"),
    (37, "BATCH_TO_SPACE_ND"),
    (38, "SPACE_TO_BATCH_ND"),
    (44, "UNIDIRECTIONAL_SEQUENCE_LSTM"),
    (48, "TOPK_V2"),
    (52, "BIDIRECTIONAL_SEQUENCE_LSTM"),
    (85, "ONE_HOT"),
    (93, "ZEROS_LIKE"),
    (94, "FILL"),
    (96, "RANGE"),
    (105, "REVERSE_V2"),
    (106, "ADD_N"),
    (107, "GATHER_ND"),
    (109, "WHERE"),
    (114, "QUANTIZE"),
    (118, "IF"),
    (119, "WHILE"),
    (120, "NON_MAX_SUPPRESSION_V4"),
    (121, "NON_MAX_SUPPRESSION_V5"),
    (122, "SCATTER_ND"),
    (128, "CUMSUM"),
    (130, "BROADCAST_TO"),
    (132, "CONV_3D"),
    (142, "VAR_HANDLE"),
];

/// Name of an operator code.
pub fn name(code: i32) -> String {
    match NAMES.iter().chain(UNREAD).find(|&&(known, _)| known == code) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("operator code {code}"),
    }
}

/// What the schema calls the elements of a tensor, those that are not read included.
pub fn element_name(code: u8) -> &'static str {
    const NAMES: [&str; 20] = [
        "float32",
        "float16",
        "int32",
        "uint8",
        "int64",
        "string",
        "bool",
        "int16",
        "complex64",
        "int8",
        "float64",
        "complex128",
        "uint64",
        "resource",
        "variant",
        "uint32",
        "uint16",
        "int4",
        "bfloat16",
        "int2",
    ];
    NAMES.get(usize::from(code)).copied().unwrap_or("unknown")
}

/// Element types that the reader takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    F32,
    F16,
    I32,
    /// Of constants alone.
    I64,
    Bool,
}

impl ElementType {
    /// Bytes an element.
    pub fn size(self) -> usize {
        match self {
            ElementType::I64 => 8,
            ElementType::F32 | ElementType::I32 => 4,
            ElementType::F16 => 2,
            ElementType::Bool => 1,
        }
    }

    /// What a word holds where such a tensor takes part in a frame.
    pub fn element(self) -> Element {
        match self {
            ElementType::F32 | ElementType::F16 => Element::F32,
            ElementType::I32 | ElementType::I64 => Element::I32,
            ElementType::Bool => Element::Bool,
        }
    }

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            ElementType::F32 => "f32",
            ElementType::F16 => "f16",
            ElementType::I32 => "i32",
            ElementType::I64 => "i64",
            ElementType::Bool => "bool",
        }
    }
}

/// The element type behind a schema code; else, what to say of it.
pub fn element_type(code: u8) -> Result<ElementType, String> {
    let name = match code {
        0 => return Ok(ElementType::F32),
        1 => return Ok(ElementType::F16),
        2 => return Ok(ElementType::I32),
        4 => return Ok(ElementType::I64),
        6 => return Ok(ElementType::Bool),
        3 | 7 | 9 | 16 | 17 => {
            let name = match code {
                3 => "uint8",
                7 => "int16",
                9 => "int8",
                16 => "uint16",
                _ => "int4",
            };
            return Err(format!(
                "it holds {name}: this is a quantised model, and this engine computes in floating point; convert it \
                 without quantisation (float32, or weights of float16)"
            ));
        }
        5 => "strings",
        8 => "complex64",
        10 => "float64",
        11 => "complex128",
        12 => "uint64",
        15 => "uint32",
        code => return Err(format!("element type code {code}")),
    };
    Err(format!("elements of {name}"))
}
