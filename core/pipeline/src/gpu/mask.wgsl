// The person's mask for the CPU, a byte a pixel: probabilities instead of logits, four of them a word, so that a quarter
// comes back of what the tensor holds. A thread packs a word.

fn level(at: u32) -> u32 {
  // Beyond this, the exponential may overflow and the result does not change.
  return u32(round(255.0 / (1.0 + exp(-clamp(tensor(MASK_AT + at), -80.0, 80.0)))));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
  if (thread.x >= WORDS) { return; }
  let at = 4u * thread.x;
  mask[thread.x] = level(at) | (level(at + 1u) << 8u) | (level(at + 2u) << 16u) | (level(at + 3u) << 24u);
}
