//! Figures on the terms of a criterion or of whoever asks: which notices count, when a portal must be up. Pure.

use super::close::Ground;
use crate::model::{Period, PeriodKind, Portal, SlotState, Window};
use crate::rollup::{HourPart, Options, Segment, Terms, counted_windows, lay_over, timeline};

impl<'a> Ground<'a> {
    /// On which terms a timeline is judged.
    pub fn terms<'o>(&'o self, options: &'o Options) -> Terms<'o> {
        Terms { degraded_is_up: options.degraded_is_up, service: options.service_hours.as_ref(), calendar: self.calendar }
    }

    /// The timeline of a target with maintenance of its portal laid over it.
    pub fn laid(&self, portal: &str, parts: &[HourPart], window: Window, options: &Options) -> Vec<Segment> {
        let maintenance = counted_windows(self.notices, portal, options.notice_working_days, self.calendar);
        let mut laid = lay_over(&timeline(parts, window, self.probe.slot_micros()), &maintenance, &self.terms(options));
        if !options.degraded_is_up {
            // So that it counts as time down and as an outage too.
            let slow = laid.iter_mut().filter(|segment| segment.state == SlotState::Degraded);
            slow.for_each(|segment| segment.state = SlotState::Down);
        }
        laid
    }

    /// The part of a window in which a portal was to be watched; `None` for no part.
    pub fn watched_within(&self, portal: &Portal, window: Window) -> Option<Window> {
        let day = |date| super::close::window_of(Period::holding(PeriodKind::Day, date));
        let from = portal.from.map_or(window.from, |date| day(date).from);
        let to = portal.to.map_or(window.to, |date| day(date).to);
        window.overlap(Window { from, to })
    }
}
