//! What JPEG takes away from a picture, without writing a file: colour at half the resolution, and blocks of 8 by 8 whose
//! frequencies are rounded (ITU-T T.81, its tables of annex K, scaled for a quality as the Independent JPEG Group does).
//! Nothing is lost by the coding that follows in a file, so it is left out. Colours are widened as libjpeg widens them, by
//! a triangle; repeating them would be off by whole levels at every edge.

/// Annex K, table 1: brightness.
const BRIGHTNESS: [u16; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17,
    22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78,
    87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Annex K, table 2: colour.
const COLOUR: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// Half the cosine of k pi / 16 for k from 1 to 7; that of 4 is also the share of the mean. Written down, because the last
/// digit of a computed one depends on the machine.
const C: [f32; 8] = [
    0.353_553_4,
    0.490_392_65,
    0.461_939_75,
    0.415_734_8,
    0.353_553_4,
    0.277_785_12,
    0.191_341_71,
    0.097_545_16,
];

/// The even frequencies of the sums of opposite values, and the odd ones of their differences.
const EVEN: [[f32; 4]; 4] = [
    [C[0], C[0], C[0], C[0]],
    [C[2], C[6], -C[6], -C[2]],
    [C[4], -C[4], -C[4], C[4]],
    [C[6], -C[2], C[2], -C[6]],
];
const ODD: [[f32; 4]; 4] = [
    [C[1], C[3], C[5], C[7]],
    [C[3], -C[7], -C[1], -C[5]],
    [C[5], -C[1], C[7], C[3]],
    [C[7], -C[5], C[3], -C[1]],
];

/// One channel of a picture, 8 bits a value.
struct Plane {
    width: usize,
    height: usize,
    values: Vec<u8>,
}

impl Plane {
    fn at(&self, x: usize, y: usize) -> u8 {
        self.values[y.min(self.height - 1) * self.width + x.min(self.width - 1)]
    }
}

/// Replaces red, green and blue by what is left of them at this quality (1 to 49).
pub fn compress(rgba: &mut [u8], width: usize, quality: u32) {
    let height = rgba.len() / (4 * width);
    let [mut brightness, blue, red] = planes(rgba, width, height);
    let [mut blue, mut red] = [blue, red].map(|plane| halved(&plane));
    round(&mut brightness, &steps(&BRIGHTNESS, quality));
    round(&mut blue, &steps(&COLOUR, quality));
    round(&mut red, &steps(&COLOUR, quality));
    let [blue, red] = [blue, red].map(|plane| doubled(&plane, width, height));
    let colours = brightness.values.iter().zip(blue.values.iter().zip(&red.values));
    for (pixel, (&y, (&cb, &cr))) in rgba.chunks_exact_mut(4).zip(colours) {
        let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
        pixel[0] = super::level(y + 1.402 * cr);
        pixel[1] = super::level(y - 0.344_136 * cb - 0.714_136 * cr);
        pixel[2] = super::level(y + 1.772 * cb);
    }
}

/// The steps that frequencies are rounded to.
fn steps(table: &[u16; 64], quality: u32) -> [f32; 64] {
    let scale = 5000 / quality.max(1);
    table.map(|step| ((u32::from(step) * scale + 50) / 100).clamp(1, 255) as f32)
}

/// Brightness, and how much bluer and redder than grey (JFIF 1.02, with the 16 bits of libjpeg's integers).
fn planes(rgba: &[u8], width: usize, height: usize) -> [Plane; 3] {
    const WEIGHTS: [[i32; 3]; 3] = [
        [19_595, 38_470, 7_471],
        [-11_059, -21_709, 32_768],
        [32_768, -27_439, -5_329],
    ];
    // Grey is 128 in the last two, which are rounded to the lower one of two equally near.
    const STARTS: [i32; 3] = [1 << 15, (128 << 16) + (1 << 15) - 1, (128 << 16) + (1 << 15) - 1];
    std::array::from_fn(|plane| {
        let weights = WEIGHTS[plane];
        let value = |pixel: &[u8]| {
            let weighted = weights
                .iter()
                .zip(pixel)
                .map(|(weight, &value)| weight * i32::from(value));
            ((weighted.sum::<i32>() + STARTS[plane]) >> 16) as u8
        };
        Plane {
            width,
            height,
            values: rgba.chunks_exact(4).map(value).collect(),
        }
    })
}

/// The mean of each four, rounded up and down in turn.
fn halved(plane: &Plane) -> Plane {
    let (width, height) = (plane.width.div_ceil(2), plane.height.div_ceil(2));
    let mean = |index: usize| {
        let (x, y) = (2 * (index % width), 2 * (index / width));
        let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
        let sum: u16 = four.into_iter().map(|(x, y)| u16::from(plane.at(x, y))).sum();
        ((sum + 1 + (index % width % 2) as u16) / 4) as u8
    };
    Plane {
        width,
        height,
        values: (0..width * height).map(mean).collect(),
    }
}

/// Twice as wide and high: each value counts three times, its neighbour on that side once.
fn doubled(plane: &Plane, width: usize, height: usize) -> Plane {
    let mut values = Vec::with_capacity(width * height);
    let mut mixed = vec![0_u16; plane.width];
    for y in 0..height {
        let near = y / 2;
        let far = if y % 2 == 0 {
            near.saturating_sub(1)
        } else {
            near + 1
        };
        for (x, mixed) in mixed.iter_mut().enumerate() {
            *mixed = 3 * u16::from(plane.at(x, near)) + u16::from(plane.at(x, far));
        }
        for x in 0..width {
            let near = x / 2;
            let (far, half) = if x % 2 == 0 {
                (near.saturating_sub(1), 8)
            } else {
                (near + 1, 7)
            };
            let far = far.min(plane.width - 1);
            values.push(((3 * mixed[near] + mixed[far] + half) / 16) as u8);
        }
    }
    Plane {
        width,
        height,
        values,
    }
}

/// Rounds the frequencies of each block of 8 by 8. Beyond the border the last values repeat.
fn round(plane: &mut Plane, steps: &[f32; 64]) {
    for top in (0..plane.height).step_by(8) {
        for left in (0..plane.width).step_by(8) {
            let mut block: [f32; 64] =
                std::array::from_fn(|index| f32::from(plane.at(left + index % 8, top + index / 8)) - 128.0);
            for line in 0..8 {
                forward(&mut block, 8 * line, 1);
            }
            for line in 0..8 {
                forward(&mut block, line, 8);
            }
            for (value, step) in block.iter_mut().zip(steps) {
                *value = (*value / step).round() * step;
            }
            for line in 0..8 {
                backward(&mut block, line, 8);
            }
            for line in 0..8 {
                backward(&mut block, 8 * line, 1);
            }
            for y in 0..(plane.height - top).min(8) {
                for x in 0..(plane.width - left).min(8) {
                    plane.values[(top + y) * plane.width + left + x] = super::level(block[8 * y + x] + 128.0);
                }
            }
        }
    }
}

/// The cosine transform (DCT-II, orthonormal) of eight values, `step` apart.
fn forward(block: &mut [f32; 64], first: usize, step: usize) {
    let value = |index: usize| block[first + index * step];
    let sums: [f32; 4] = std::array::from_fn(|index| value(index) + value(7 - index));
    let differences: [f32; 4] = std::array::from_fn(|index| value(index) - value(7 - index));
    for (frequency, (even, odd)) in EVEN.iter().zip(&ODD).enumerate() {
        block[first + 2 * frequency * step] = product(even, &sums);
        block[first + (2 * frequency + 1) * step] = product(odd, &differences);
    }
}

/// Its inverse.
fn backward(block: &mut [f32; 64], first: usize, step: usize) {
    let evens: [f32; 4] = std::array::from_fn(|index| block[first + 2 * index * step]);
    let odds: [f32; 4] = std::array::from_fn(|index| block[first + (2 * index + 1) * step]);
    for index in 0..4 {
        let sum = product(&std::array::from_fn(|frequency| EVEN[frequency][index]), &evens);
        let difference = product(&std::array::from_fn(|frequency| ODD[frequency][index]), &odds);
        block[first + index * step] = sum + difference;
        block[first + (7 - index) * step] = sum - difference;
    }
}

fn product(weights: &[f32; 4], values: &[f32; 4]) -> f32 {
    weights[0] * values[0] + weights[1] * values[1] + weights[2] * values[2] + weights[3] * values[3]
}
