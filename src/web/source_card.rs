//! A source as its card on the pages: the state in words, what it means, what to do, and when.

use super::frame::{Frame, segment};
use super::moment::{Moment, span};
use super::words;
use crate::serve::{SourceState, State};

/// A source as it is shown.
pub(super) struct Card {
    pub href: String,
    pub id: String,
    pub title: String,
    pub word: &'static str,
    pub look: &'static str,
    /// What its state means and what to do.
    pub means: String,
    /// Further words that hold: stale, changed, at work now.
    pub marks: Vec<&'static str>,
    /// The failure in words, "" for none.
    pub error: String,
    pub owner: String,
    /// A word, and the moment if there is one.
    pub times: Vec<(&'static str, Option<Moment>)>,
    /// The last run as an address and as text.
    pub last_run: Option<(String, String)>,
    pub stale_after: String,
    pub is_broken: bool,
}

impl Card {
    /// Of a source.
    pub fn of(source: &SourceState, frame: &Frame) -> Card {
        let word = words::state(source.state);
        Card {
            href: frame.to(&format!("/sources/{}", segment(&source.id))),
            id: source.id.clone(),
            title: frame.t(&source.title.vi, &source.title.en).to_owned(),
            word: word.in_(&frame.lang),
            look: word.look,
            means: means(source, frame),
            marks: marks(source, frame),
            error: source.error.clone(),
            owner: source.owner.clone(),
            times: times(source, frame),
            last_run: source.last_run.as_ref().map(|run| {
                let run = run.to_string();
                (frame.to(&format!("/runs/{}", segment(&run))), run)
            }),
            stale_after: if source.stale_after_s == 0 { String::new() } else { span(source.stale_after_s, frame.lang) },
            is_broken: source.is_broken(),
        }
    }
}

/// What the state means, then what the reason means.
fn means(source: &SourceState, frame: &Frame) -> String {
    let state = words::state_means(source.state).in_(&frame.lang);
    if source.drift && source.state == State::Ok {
        return frame
            .t(
                "Số liệu đã ghi nhận, nhưng câu trả lời có điểm khác với trước: mở lượt thu cuối, xem các phát hiện và làm theo.",
                "The values were recorded, but the answer differs from what is known: open the last run, read its findings and follow them.",
            )
            .to_owned();
    }
    match (source.state, source.reason) {
        (State::LeftAlone | State::Failing | State::OwnTrouble | State::Quarantined | State::Partial, Some(reason)) => {
            format!("{state} {}: {}", frame.t("Lý do", "Reason"), words::sentence(reason, frame.lang))
        }
        (State::LeftAlone | State::Failing | State::OwnTrouble | State::Quarantined | State::Partial, None)
        | (State::Disabled | State::Waiting | State::Paused | State::Stale | State::New | State::Ok, _) => state.to_owned(),
    }
}

fn marks(source: &SourceState, frame: &Frame) -> Vec<&'static str> {
    let marks = [
        (source.stale && source.state != State::Stale, frame.t("số liệu cũ", "stale")),
        (source.drift, frame.t("nguồn đã thay đổi cấu trúc", "the source has changed")),
        (source.fallen_back, frame.t("tệp mới sai, đang dùng bản đúng gần nhất", "new file is wrong, the last good one goes on")),
        (source.running, frame.t("đang chạy", "at work now")),
    ];
    marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark).collect()
}

fn times(source: &SourceState, frame: &Frame) -> Vec<(&'static str, Option<Moment>)> {
    let moment = |at: Option<crate::model::Ts>| at.map(|at| frame.moment(at));
    let mut times = vec![
        (frame.t("Kiểm tra lần cuối", "Last checked"), moment(source.last_checked)),
        (frame.t("Ghi nhận lần cuối", "Last recorded"), moment(source.last_success)),
        (frame.t("Số liệu đổi lần cuối", "Last changed"), moment(source.last_changed)),
        (frame.t("Kỳ hạn tới", "Next due"), moment(source.next_due)),
    ];
    if source.retry_at.is_some() {
        times.push((frame.t("Thử lại", "Tried again"), moment(source.retry_at)));
    }
    if let Some((since, probe_at)) = source.left_alone {
        times.push((frame.t("Để yên từ", "Left alone since"), moment(Some(since))));
        times.push((frame.t("Thăm dò lúc", "Probed"), moment(Some(probe_at))));
    }
    if source.secret_until.is_some() {
        times.push((frame.t("Mã bí mật hết hạn", "Secret ends"), moment(source.secret_until)));
    }
    times
}
