//! On what terms a timeline is judged: maintenance and service hours laid over it, and several portals taken as one.

use super::service_hours::ServiceHours;
use super::timeline::{Segment, merge, snapped};
use crate::model::{Calendar, Cause, SlotState, Window};

/// What a criterion asks for.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Whether a slow answer counts as up.
    pub degraded_is_up: bool,
    /// When the portal must be up; always if not stated.
    pub service: Option<&'a ServiceHours>,
    /// Which days are worked.
    pub calendar: &'a Calendar,
}

/// A timeline with maintenance laid over it and what lies outside the service hours left out. Within a window that counts,
/// a slot is maintenance whatever was seen.
pub fn lay_over(timeline: &[Segment], maintenance: &[Window], terms: &Terms<'_>) -> Vec<Segment> {
    let (Some(first), Some(last)) = (timeline.first(), timeline.last()) else { return Vec::new() };
    let whole = Window { from: first.window.from, to: last.window.to };
    let service = terms.service.map_or_else(|| vec![whole], |hours| hours.windows(whole, terms.calendar));
    let mut all = Vec::new();
    for segment in timeline {
        let mut attempts = segment.attempts;
        for (piece, serves) in cut(segment.window, &service, segment.slot_micros) {
            if serves {
                for (piece, away) in cut(piece, maintenance, segment.slot_micros) {
                    // Where in a segment its attempts lie is not kept: the first piece that is judged has them.
                    let proved = if away { 0 } else { std::mem::take(&mut attempts) };
                    let piece = Segment { attempts: proved, ..segment.within(piece) };
                    let (state, cause) = (SlotState::Maintenance, Cause::default());
                    all.push(if away { Segment { state, cause, text: String::new(), ..piece } } else { piece });
                }
            }
        }
    }
    all
}

/// A stretch cut at the edges of windows (in order, apart), each piece with whether it lies in one.
fn cut(stretch: Window, windows: &[Window], slot_micros: i64) -> Vec<(Window, bool)> {
    let mut pieces = Vec::new();
    let mut from = stretch.from;
    // A year of service hours is hundreds of windows, and a stretch touches few of them.
    let first = windows.partition_point(|window| window.to < stretch.from);
    for window in windows[first..].iter().take_while(|window| window.from < stretch.to) {
        let Some(inside) = snapped(*window, slot_micros).overlap(Window { from, to: stretch.to }) else { continue };
        if from < inside.from {
            pieces.push((Window { from, to: inside.from }, false));
        }
        pieces.push((inside, true));
        from = inside.to;
    }
    if from < stretch.to {
        pieces.push((Window { from, to: stretch.to }, false));
    }
    pieces
}

/// Several laid-over timelines as one that is up only while all are: one that is down makes it down, else one that is not
/// known makes it unknown. A portal in maintenance says nothing while another one is to be judged.
pub fn all_of(timelines: &[Vec<Segment>]) -> Vec<Segment> {
    let worse = |a: &Segment, b: &Segment| severity(a.state) >= severity(b.state);
    timelines.iter().fold(Vec::new(), |whole, next| merge(&whole, next, worse))
}

fn severity(state: SlotState) -> u8 {
    match state {
        SlotState::Maintenance => 0,
        SlotState::Up => 1,
        SlotState::Degraded => 2,
        SlotState::Unknown => 3,
        SlotState::Down => 4,
    }
}
