//! Newest frame wins: at most as many frames with the engine as it can work on at once, and one waiting; never a queue.
//!
//! The gate holds stamps (when, which), not pictures: when the engine becomes free, the page captures what its source
//! shows at that moment, which is the newest picture there is, and no decoded frame is kept alive in the meantime
//! (cameras stall when their few buffers are held).

/// Decides for each frame that a source shows whether it goes to the engine.
#[derive(Clone, Copy, Debug)]
pub struct FrameGate<Stamp> {
    open: bool,
    capacity: u32,
    in_flight: u32,
    waiting: Option<Stamp>,
    dropped: u32,
}

impl<Stamp> Default for FrameGate<Stamp> {
    fn default() -> Self {
        Self {
            open: false,
            capacity: 1,
            in_flight: 0,
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

    /// How many frames the engine works on at once.
    pub fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity.max(1);
    }

    /// The source shows a frame. Its stamp comes back when it is to be sent now.
    pub fn shown(&mut self, stamp: Stamp) -> Option<Stamp> {
        if !self.open {
            return None;
        }
        if self.in_flight >= self.capacity {
            if self.waiting.replace(stamp).is_some() {
                self.dropped += 1;
            }
            return None;
        }
        self.in_flight += 1;
        Some(stamp)
    }

    /// The engine has answered. The stamp of the frame to send next comes back, if one waited and there is room.
    pub fn answered(&mut self) -> Option<Stamp> {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.in_flight >= self.capacity {
            return None;
        }
        let next = self.waiting.take();
        self.in_flight += u32::from(next.is_some());
        next
    }

    /// A gate for the next source. What the engine still holds stays in flight; the counts start anew.
    pub fn for_next_source(&self) -> Self {
        Self {
            capacity: self.capacity,
            in_flight: self.in_flight,
            ..Self::default()
        }
    }

    /// The frame that was to be sent could not be captured; the one that waited is forgotten with it.
    pub fn not_captured(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.waiting = None;
    }

    /// The engine is gone, and with it what it held.
    pub fn engine_gone(&mut self) {
        self.in_flight = 0;
        self.waiting = None;
    }

    /// Frames that the engine holds.
    pub fn in_flight(&self) -> u32 {
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
        assert_eq!(gate.in_flight(), 1);
        assert_eq!(gate.answered(), None);
        assert_eq!(gate.in_flight(), 0);
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

    #[test]
    fn an_engine_that_takes_two_gets_two() {
        let mut gate = FrameGate::default();
        gate.open();
        gate.set_capacity(2);
        assert_eq!(
            (gate.shown(1), gate.shown(2), gate.shown(3)),
            (Some(1), Some(2), None)
        );
        assert_eq!(gate.answered(), Some(3));
        assert_eq!((gate.shown(4), gate.in_flight()), (None, 2));
        // The backend is changed to one that takes frames one by one.
        gate.set_capacity(1);
        assert_eq!(gate.answered(), None, "one is still there");
        assert_eq!(gate.answered(), Some(4));
        assert_eq!(gate.answered(), None);
    }

    #[test]
    fn what_is_in_flight_outlives_its_source() {
        let mut gate = FrameGate::default();
        gate.open();
        gate.set_capacity(2);
        gate.shown(1);
        gate.shown(2);
        gate.shown(3);
        gate.shown(4);
        let mut next = gate.for_next_source();
        assert_eq!(
            (next.in_flight(), next.dropped(), next.shown(5)),
            (2, 0, None),
            "closed at first"
        );
        next.open();
        assert_eq!((next.shown(6), next.answered()), (None, Some(6)));
        next.not_captured();
        assert_eq!(next.in_flight(), 1);
        next.engine_gone();
        assert_eq!(next.shown(7), Some(7));
    }
}
