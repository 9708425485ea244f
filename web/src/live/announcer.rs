//! What a screen reader is told, and how often: one polite message at most every five seconds, none twice in a row
//! (WCAG 2.2, 4.1.3).

/// The least time between two messages.
const PAUSE_MILLIS: f64 = 5_000.0;

/// Decides whether a message is said.
#[derive(Clone, Debug, Default)]
pub struct Announcer {
    last: Option<(f64, String)>,
}

impl Announcer {
    /// Whether `text` is to be said at `now_millis`.
    pub fn may_say(&mut self, now_millis: f64, text: &str) -> bool {
        let too_soon = |(at, said): &(f64, String)| said == text || now_millis - at < PAUSE_MILLIS;
        if self.last.as_ref().is_some_and(too_soon) {
            return false;
        }
        self.last = Some((now_millis, text.to_owned()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_rare_and_never_repeated() {
        let mut announcer = Announcer::default();
        for (now_millis, text, said) in [
            (0.0, "Person found.", true),
            (1_000.0, "Nobody in the picture.", false),
            (6_000.0, "Person found.", false),
            (6_000.0, "Nobody in the picture.", true),
            (20_000.0, "Person found.", true),
        ] {
            assert_eq!(announcer.may_say(now_millis, text), said, "{now_millis} {text}");
        }
    }
}
