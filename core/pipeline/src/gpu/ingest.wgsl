// Cuts a model's input out of the frame's picture: crop, rotation and bilinear sampling, one pixel of the input a
// thread. What comes out are levels, a byte a channel; the model's first kernel makes numbers of them. It computes what
// the CPU does (core/engine/src/image.rs), bit for bit where both use the same region, because a landmark model answers
// to single grey levels: coordinates in fixed point, rounded to 1/32 px; the mean of four neighbours in whole numbers,
// rounded to 8 bits.

/// A coordinate in px with 32 bits of fraction.
struct Fixed {
  whole: i32,
  fraction: u32,
}

/// Exact to 2^-32 px: the fraction of an f32 is cut off without rounding, 16 bits at a time.
fn to_fixed(px: f32) -> Fixed {
  // What is further away than this is outside of any picture, and no sum of three can overflow.
  let size = min(abs(px), 65536.0);
  let whole = floor(size);
  let upper = (size - whole) * 65536.0;
  let lower = (upper - floor(upper)) * 65536.0;
  let fraction = (u32(upper) << 16u) | u32(lower);
  if (px >= 0.0) { return Fixed(i32(whole), fraction); }
  return Fixed(-i32(whole) - select(0, 1, fraction != 0u), 0u - fraction);
}

/// `count` is below 2^16.
fn times(a: Fixed, count: u32) -> Fixed {
  let low = (a.fraction & 0xffffu) * count;
  let high = (a.fraction >> 16u) * count + (low >> 16u);
  return Fixed(a.whole * i32(count) + i32(high >> 16u), (high << 16u) | (low & 0xffffu));
}

fn plus(a: Fixed, b: Fixed) -> Fixed {
  let fraction = a.fraction + b.fraction;
  return Fixed(a.whole + b.whole + select(0, 1, fraction < a.fraction), fraction);
}

/// `a * i + b * j + c` in steps of 1/32 px, rounded to the nearest.
fn steps_at(a: f32, i: u32, b: f32, j: u32, c: f32) -> i32 {
  let half_step = Fixed(0, 1u << 26u);
  let at = plus(plus(times(to_fixed(a), i), times(to_fixed(b), j)), plus(to_fixed(c), half_step));
  return (at.whole << 5u) | i32(at.fraction >> 27u);
}

/// A pixel of the picture, 0 to 255, red first.
fn tap(column: i32, row: i32) -> vec3<i32> {
  let last = vec2<i32>(i32(parameters.width_px) - 1, i32(parameters.height_px) - 1);
  let inside = clamp(vec2<i32>(column, row), vec2<i32>(0), last);
  if (!EDGE_REPEATS && any(inside != vec2<i32>(column, row))) { return vec3<i32>(0); }
  return vec3<i32>(round(load_pixel(vec2<u32>(inside)).rgb * 255.0));
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
  if (thread.x >= SIDE || thread.y >= SIDE || !has_region()) { return; }
  let region = region_to_see();
  let x = steps_at(region.xx, thread.x, region.xy, thread.y, region.x0);
  let y = steps_at(region.yx, thread.x, region.yy, thread.y, region.y0);
  let column = x >> 5u;
  let row = y >> 5u;
  let right = x & 31;
  let lower = y & 31;
  let upper_pair = tap(column, row) * (32 - right) + tap(column + 1, row) * right;
  let lower_pair = tap(column, row + 1) * (32 - right) + tap(column + 1, row + 1) * right;
  let mean = (upper_pair * (32 - lower) + lower_pair * lower + 512) >> vec3<u32>(10u);
  arena[INPUT_AT + thread.y * SIDE + thread.x] = u32(mean.r | (mean.g << 8u) | (mean.b << 16u));
}
