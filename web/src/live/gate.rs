//! Newest frame wins: at most one frame with the engine and one waiting, never a queue.
//!
//! The gate holds stamps (when, which), not pictures: when the engine becomes free, the page captures what its source
//! shows at that moment, which is the newest picture there is, and no decoded frame is kept alive in the meantime
//! (cameras stall when their few buffers are held).

/// Decides for each frame that a source shows whether it goes to the engine.
#[derive(Clone, Copy, Debug)]
pub struct FrameGate<Stamp> {
    open: bool,
    in_flight: bool,
    waiting: Option<Stamp>,
    dropped: u32,
}

impl<Stamp> Default for FrameGate<Stamp> {
    fn default() -> Self {
        Self {
            open: false,
            in_flight: false,
            waiting: None,
            dropped: 0,
        }
    }
}

impl<Stamp> FrameGate<Stamp> {
    /// Lets frames through from now on.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Lets nothing through; a frame that waited is forgotten and not counted as dropped.
    pub fn close(&mut self) {
        self.open = false;
        self.waiting = None;
    }

    /// The source shows a frame. Its stamp comes back when it is to be sent now.
    pub fn shown(&mut self, stamp: Stamp) -> Option<Stamp> {
        if !self.open {
            return None;
        }
        if self.in_flight {
            if self.waiting.replace(stamp).is_some() {
                self.dropped += 1;
            }
            return None;
        }
        self.in_flight = true;
        Some(stamp)
    }

    /// The engine has answered. The stamp of the frame to send next comes back, if one waited.
    pub fn answered(&mut self) -> Option<Stamp> {
        let next = self.waiting.take();
        self.in_flight = next.is_some();
        next
    }

    /// The engine still holds a frame of an earlier source.
    pub fn expect_answer(&mut self) {
        self.in_flight = true;
    }

    /// The frame that was to be sent could not be captured, or the engine is gone: nothing is in flight.
    pub fn abandoned(&mut self) {
        self.in_flight = false;
        self.waiting = None;
    }

    /// Whether the engine holds a frame.
    pub fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    /// Frames that were shown and never measured because a newer one took their place.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_engine_gets_the_frame_at_once() {
        let mut gate = FrameGate::default();
        assert_eq!(gate.shown(1), None, "closed at first");
        gate.open();
        assert_eq!(gate.shown(2), Some(2));
        assert_eq!(gate.answered(), None);
        assert_eq!(gate.shown(3), Some(3));
        assert_eq!(gate.dropped(), 0);
    }

    #[test]
    fn a_busy_engine_gets_only_the_newest() {
        let mut gate = FrameGate::default();
        gate.open();
        assert_eq!(gate.shown(1), Some(1));
        for stamp in 2..=5 {
            assert_eq!(gate.shown(stamp), None);
        }
        assert_eq!(gate.answered(), Some(5));
        assert_eq!(gate.dropped(), 3);
        assert!(gate.is_in_flight());
        assert_eq!(gate.answered(), None);
        assert!(!gate.is_in_flight());
    }

    #[test]
    fn closing_forgets_the_waiting_frame() {
        let mut gate = FrameGate::default();
        gate.open();
        gate.shown(1);
        gate.shown(2);
        gate.close();
        assert_eq!(gate.answered(), None);
        assert_eq!(gate.shown(3), None);
        assert_eq!(gate.dropped(), 0);
    }
}
