// The square around a body, from two points of it: `RotatedRect` of the CPU (core/src/roi.rs), without its angle.

/// Undefined and infinite numbers have all bits of the exponent set.
fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

/// The square `margin` times as large as the one that circumscribes the circle around `center` through `scale_point`,
/// turned so that `scale_point` stands above.
fn square_around(center: vec2<f32>, scale_point: vec2<f32>, margin: f32) -> Region {
  let arm = scale_point - center;
  let reach = length(arm);
  var region: Region;
  region.center_x = center.x;
  region.center_y = center.y;
  region.side_px = 2.0 * reach * margin;
  region.cos_rotation = -arm.y / reach;
  region.sin_rotation = arm.x / reach;
  let step = region.side_px / INPUT_SIDE;
  region.xx = region.cos_rotation * step;
  region.xy = -region.sin_rotation * step;
  region.yx = region.sin_rotation * step;
  region.yy = region.cos_rotation * step;
  region.x0 = center.x - (region.xx + region.xy) * (INPUT_SIDE / 2.0);
  region.y0 = center.y - (region.yx + region.yy) * (INPUT_SIDE / 2.0);
  return region;
}

/// Whether it can be cut out of an image: finite, and not empty. Where `side_px` is finite, so is the direction.
fn is_usable(region: Region) -> bool {
  return is_finite(region.center_x) && is_finite(region.center_y) && is_finite(region.side_px)
    && region.side_px >= 1.0;
}
