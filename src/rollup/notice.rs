//! Maintenance: which of the announced windows count.

use chrono_tz::Asia::Ho_Chi_Minh;

use crate::model::{Calendar, Notice, Ts, Window};

/// Whether a window was announced in time: before it began, and, if a criterion asks for it, so many whole working days
/// before (Decree 224/2026/NĐ-CP, art. 13.1a: at least 7; days in Vietnam).
pub fn counts(notice: &Notice, working_days: Option<u32>, calendar: &Calendar) -> bool {
    let day = |at: Ts| at.utc().with_timezone(&Ho_Chi_Minh).date_naive();
    let in_time = |n: u32| calendar.working_days_between(day(notice.announced_at), day(notice.window.from)) >= n as usize;
    notice.announced_at < notice.window.from && working_days.is_none_or(in_time)
}

/// The windows of a portal that count, in order and without overlaps.
pub fn counted_windows<'a>(
    notices: impl IntoIterator<Item = &'a Notice>,
    target: &str,
    working_days: Option<u32>,
    calendar: &Calendar,
) -> Vec<Window> {
    let of_target = notices.into_iter().filter(|notice| notice.target == target);
    let mut windows: Vec<Window> = of_target.filter(|notice| counts(notice, working_days, calendar)).map(|notice| notice.window).collect();
    windows.sort_unstable();
    let mut apart: Vec<Window> = Vec::new();
    for window in windows {
        match apart.last_mut().filter(|last| window.from <= last.to) {
            Some(last) => last.to = last.to.max(window.to),
            None => apart.push(window),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sha256;

    fn notice(announced: &str, from: &str, to: &str) -> Notice {
        let at = |text: &str| format!("2026-11-{text}:00+07:00").parse().expect("an instant");
        Notice {
            target: "p".to_owned(),
            window: Window { from: at(from), to: at(to) },
            announced_at: at(announced),
            notice: Sha256::of(b"notice"),
        }
    }

    #[test]
    fn only_what_was_announced_in_time_counts() {
        for (announced, from, seven, before) in [
            ("02T08:00", "12T22:00", true, true),
            ("02T08:00", "11T22:00", false, true),
            ("12T21:59", "12T22:00", false, true),
            ("12T22:00", "12T22:00", false, false),
            ("13T08:00", "12T22:00", false, false),
        ] {
            let (notice, calendar) = (notice(announced, from, "14T00:00"), Calendar::default());
            assert_eq!((counts(&notice, Some(7), &calendar), counts(&notice, None, &calendar)), (seven, before), "{announced} {from}");
        }
    }

    #[test]
    fn windows_that_overlap_are_one() {
        let notices = [
            notice("01T08:00", "12T22:00", "13T02:00"),
            notice("01T08:00", "13T01:00", "13T04:00"),
            notice("14T08:00", "13T03:00", "13T09:00"),
        ];
        let windows = counted_windows(&notices, "p", None, &Calendar::default());
        assert_eq!(windows, [Window { from: notices[0].window.from, to: notices[1].window.to }]);
        assert_eq!(counted_windows(&notices, "q", None, &Calendar::default()), []);
    }
}
