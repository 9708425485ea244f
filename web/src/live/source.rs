//! What frames can come from, and the limits of a picture.

/// The longest side of a picture that is measured as it is; a larger one is first scaled down to it.
pub const LARGEST_MEASURED_SIDE_PX: u32 = 4_096;

/// The longest side of a picture that is accepted at all: decoding a larger one takes hundreds of megabytes.
pub const LARGEST_SIDE_PX: u32 = 10_000;

/// Where frames come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A camera, live.
    Camera,
    /// A video file.
    Clip,
    /// One image file.
    Picture,
    /// The drawn person that ships with the page.
    Demo,
}

impl SourceKind {
    /// As in `data-source`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Clip => "clip",
            Self::Picture => "picture",
            Self::Demo => "demo",
        }
    }

    /// Whether the browser's own player shows it.
    pub fn is_video(self) -> bool {
        match self {
            Self::Camera | Self::Clip => true,
            Self::Picture | Self::Demo => false,
        }
    }

    /// Whether new frames keep coming.
    pub fn moves(self) -> bool {
        match self {
            Self::Camera | Self::Clip | Self::Demo => true,
            Self::Picture => false,
        }
    }
}

/// Whether a file is a clip or a picture, by the browser's media type and, where that is missing, by the name.
///
/// # Errors
/// A sentence, when the file is neither.
pub fn classify_file(name: &str, media_type: &str) -> Result<SourceKind, String> {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase())
        .unwrap_or_default();
    match media_type.split('/').next() {
        Some("video") => Ok(SourceKind::Clip),
        Some("image") => Ok(SourceKind::Picture),
        Some("audio") => Err(format!(
            "“{name}” has sound but no picture. Choose a video with a picture, or a photo."
        )),
        _ if ["mkv", "mov", "avi", "mp4", "m4v", "webm", "ogv"].contains(&&*extension) => {
            Ok(SourceKind::Clip)
        }
        _ if ["avif", "heic", "heif", "bmp", "jpg", "jpeg", "png", "webp"].contains(&&*extension) => {
            Ok(SourceKind::Picture)
        }
        _ => Err(format!(
            "“{name}” is neither a video nor a picture. Choose a video or a photo."
        )),
    }
}

/// The size at which a picture is measured.
///
/// # Errors
/// A sentence, when the picture has no area or is too large.
pub fn measured_size(width_px: u32, height_px: u32) -> Result<(u32, u32), String> {
    if width_px == 0 || height_px == 0 {
        return Err(format!(
            "This picture is {width_px} × {height_px} pixels: there is nothing to measure."
        ));
    }
    let longest = width_px.max(height_px);
    if longest > LARGEST_SIDE_PX {
        return Err(format!(
            "This picture is {width_px} × {height_px} pixels; the limit is {LARGEST_SIDE_PX} a side. Save it smaller \
             and choose it again."
        ));
    }
    if longest <= LARGEST_MEASURED_SIDE_PX {
        return Ok((width_px, height_px));
    }
    let scale = f64::from(LARGEST_MEASURED_SIDE_PX) / f64::from(longest);
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    Ok((scaled(width_px), scaled(height_px)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        for (name, media_type, kind) in [
            ("squat.mp4", "video/mp4", SourceKind::Clip),
            ("squat.MKV", "", SourceKind::Clip),
            ("me.jpg", "image/jpeg", SourceKind::Picture),
            ("me.HEIC", "", SourceKind::Picture),
            ("odd.txt", "image/png", SourceKind::Picture),
        ] {
            assert_eq!(classify_file(name, media_type), Ok(kind), "{name}");
        }
        for (name, media_type, fragment) in [
            ("notes.txt", "text/plain", "neither"),
            ("README", "", "neither"),
            ("song.mp3", "audio/mpeg", "sound but no picture"),
        ] {
            assert!(
                classify_file(name, media_type)
                    .expect_err(name)
                    .contains(fragment)
            );
        }
    }

    #[test]
    fn large_pictures_shrink_and_absurd_ones_are_refused() {
        for (given, measured) in [
            ((640, 480), (640, 480)),
            ((4_096, 4_096), (4_096, 4_096)),
            ((8_192, 4_096), (4_096, 2_048)),
            ((1, 9_000), (1, 4_096)),
        ] {
            assert_eq!(measured_size(given.0, given.1), Ok(measured), "{given:?}");
        }
        for (width_px, height_px, fragment) in [
            (0, 0, "nothing to measure"),
            (640, 0, "nothing"),
            (12_000, 9_000, "12000 × 9000"),
        ] {
            assert!(
                measured_size(width_px, height_px)
                    .expect_err("refused")
                    .contains(fragment)
            );
        }
    }
}
