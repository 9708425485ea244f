// From the landmark model's tensors to landmarks in the image, and to the region of the next frame: what
// `PoseTracker::advance` does on the CPU (core/src/tracker.rs), without the smoothing of what is shown. One workgroup,
// because all landmarks together are less work than a second dispatch would cost.
//
// 1. All threads: confidence of each cell of the heatmap around each landmark.
// 2. A thread a landmark: decode, move to the centre of mass of these cells, place in the image and in the world.
// 3. One thread: is there a person, and where to look next.

const WINDOW: i32 = 2 * REACH + 1;
const CELLS: u32 = u32(WINDOW * WINDOW);
/// The body's landmarks and, right after them, the two alignment points.
const POINTS: u32 = BODY_POINTS + 2u;
const TAU: f32 = 6.283185307179586;

/// -1 where a cell does not count.
var<workgroup> confidence: array<f32, POINTS * CELLS>;
var<workgroup> alignment: array<vec2<f32>, 2>;

fn sigmoid(logit: f32) -> f32 {
  // Beyond this, the exponential may overflow and the result does not change.
  return 1.0 / (1.0 + exp(-clamp(logit, -80.0, 80.0)));
}

/// A number of the landmark tensor: 0 to 2 are x, y, z in px of the input, 3 and 4 the logits of visibility and
/// presence.
fn raw(point: u32, part: u32) -> f32 {
  return tensor(LANDMARKS_AT + point * 5u + part);
}

/// The cell of the heatmap that a coordinate in px of the input lies in, rounded towards zero.
fn cell_of(px: f32) -> i32 {
  return i32(clamp(px / INPUT_SIDE * f32(GRID), -65536.0, 65536.0));
}

fn confidence_at(point: u32, cell: u32) -> f32 {
  let column = cell_of(raw(point, 0u));
  let row = cell_of(raw(point, 1u));
  // Below the input is compared as the CPU does, which does as the reference.
  if (column < 0 || column >= GRID || row < 0 || row >= GRID + REACH) { return -1.0; }
  let x = column - REACH + i32(cell) % WINDOW;
  let y = row - REACH + i32(cell) / WINDOW;
  if (x < 0 || x >= GRID || y < 0 || y >= GRID) { return -1.0; }
  return sigmoid(heat(u32(y * GRID + x), point));
}

/// A landmark in px of the input, x and y refined.
fn refined(point: u32) -> vec2<f32> {
  let px = vec2<f32>(raw(point, 0u), raw(point, 1u));
  let first = vec2<i32>(cell_of(px.x) - REACH, cell_of(px.y) - REACH);
  var total = 0.0;
  var sum = vec2<f32>(0.0);
  var best = 0.0;
  for (var cell = 0u; cell < CELLS; cell++) {
    let c = confidence[point * CELLS + cell];
    if (c < 0.0) { continue; }
    let at = first + vec2<i32>(i32(cell) % WINDOW, i32(cell) / WINDOW);
    total += c;
    sum += vec2<f32>(at) * c;
    best = max(best, c);
  }
  if (best < MIN_CONFIDENCE) { return px; }
  return sum / f32(GRID) / total * INPUT_SIDE;
}

/// Weight of the new value in a low-pass filter of this cutoff.
fn alpha(rate_hz: f32, cutoff_hz: f32) -> f32 {
  return 1.0 / (1.0 + rate_hz / (TAU * cutoff_hz));
}

/// One-Euro filter `index` (core/src/smoothing.rs), the state updated.
fn smoothed(index: u32, px: f32, bodies_per_px: f32, elapsed_secs: f32) -> f32 {
  let rate_hz = 1.0 / elapsed_secs;
  let at = 3u * index;
  let raw_speed = (px - state.filters[at]) * bodies_per_px * rate_hz;
  let speed = mix(state.filters[at + 2u], raw_speed, alpha(rate_hz, SPEED_CUTOFF_HZ));
  let value = mix(state.filters[at + 1u], px, alpha(rate_hz, MIN_CUTOFF_HZ + BETA * abs(speed)));
  state.filters[at] = px;
  state.filters[at + 1u] = value;
  state.filters[at + 2u] = speed;
  return value;
}

/// Both alignment points, smoothed: x, y, x, y.
fn follow(points: array<f32, 4>, bodies_per_px: f32) -> array<f32, 4> {
  var found = points;
  let low = parameters.time_low - state.time_low;
  let borrow = select(0, 1, parameters.time_low < state.time_low);
  let high = parameters.time_high - state.time_high - borrow;
  let is_later = high > 0 || (high == 0 && low > 0u);
  let has_history = state.has_history != 0u && (parameters.flags & FORGET) == 0u;
  // A frame that is not later than the one before it is not smoothed and leaves no trace.
  if (has_history && !is_later) { return found; }
  if (has_history) {
    let elapsed_secs = f32(high) * 4294.967296 + f32(low) * 1e-6;
    for (var i = 0u; i < 4u; i++) { found[i] = smoothed(i, found[i], bodies_per_px, elapsed_secs); }
  } else {
    for (var i = 0u; i < 4u; i++) {
      state.filters[3u * i] = found[i];
      state.filters[3u * i + 1u] = found[i];
      state.filters[3u * i + 2u] = 0.0;
    }
  }
  state.has_history = 1u;
  state.time_low = parameters.time_low;
  state.time_high = parameters.time_high;
  return found;
}

/// Says what was found and sets the next region. Without a region nothing was seen, and the state stays. What the filters
/// know of a person who is lost stays too: the CPU says with the next region whether to forget it.
fn conclude(looked: bool, region: Region) {
  answer.version = LAYOUT_VERSION;
  answer.frame = parameters.frame;
  answer.region = region;
  answer.score = tensor(SCORE_AT);
  answer.status = 0u;
  if (!looked) { return; }
  answer.status = LOOKED;
  let points = array<f32, 4>(alignment[0].x, alignment[0].y, alignment[1].x, alignment[1].y);
  answer.alignment = points;
  let body = square_around(alignment[0], alignment[1], 1.0);
  let is_person = is_finite(answer.score) && answer.score > MIN_POSE_SCORE;
  if (is_person) { answer.status |= PERSON; }
  if (!is_person || !is_usable(body)) {
    state.has_region = 0u;
    return;
  }
  answer.status |= FOLLOWED;
  answer.body_px = body.side_px;
  let calm = follow(points, 1.0 / body.side_px);
  let next = square_around(vec2<f32>(calm[0], calm[1]), vec2<f32>(calm[2], calm[3]), REGION_MARGIN);
  state.region = next;
  state.has_region = select(0u, 1u, is_usable(next));
  if (is_usable(next)) { answer.status |= HAS_NEXT; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
  let looked = has_region();
  let region = region_to_see();
  for (var task = thread; task < POINTS * CELLS; task += THREADS) {
    confidence[task] = confidence_at(task / CELLS, task % CELLS);
  }
  workgroupBarrier();
  if (thread < POINTS) {
    let px = refined(thread);
    let in_image = vec2<f32>(
      region.xx * px.x + region.xy * px.y + region.x0,
      region.yx * px.x + region.yy * px.y + region.y0,
    );
    if (thread >= BODY_POINTS) {
      alignment[thread - BODY_POINTS] = in_image;
    } else {
      let at = thread * 5u;
      answer.landmarks[at] = in_image.x;
      answer.landmarks[at + 1u] = in_image.y;
      answer.landmarks[at + 2u] = raw(thread, 2u) / INPUT_SIDE * region.side_px;
      answer.landmarks[at + 3u] = sigmoid(raw(thread, 3u));
      answer.landmarks[at + 4u] = sigmoid(raw(thread, 4u));
      let metres = WORLD_AT + thread * 3u;
      let x = tensor(metres);
      let y = tensor(metres + 1u);
      answer.world[thread * 3u] = region.cos_rotation * x - region.sin_rotation * y;
      answer.world[thread * 3u + 1u] = region.sin_rotation * x + region.cos_rotation * y;
      answer.world[thread * 3u + 2u] = tensor(metres + 2u);
    }
  }
  workgroupBarrier();
  storageBarrier();
  if (thread == 0u) { conclude(looked, region); }
}
