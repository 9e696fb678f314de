//! The words of pages for closed sets, in both languages, with the colour that goes with each.

use crate::model::{GateOutcome, MissedWhy, Reason, RequestOutcome, RunState, Severity, Trigger, UnitGroup};
use crate::score::LineState;
use crate::score::explain::Lang;
use crate::serve::State;

/// A word of a page: Vietnamese, English, and how it looks. The look never stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    vi: &'static str,
    en: &'static str,
    /// The class of its mark in the style sheet.
    pub look: &'static str,
}

const BAD: &str = "bad";
const WARN: &str = "warn";
const GOOD: &str = "good";
const OFF: &str = "off";

const fn word(look: &'static str, vi: &'static str, en: &'static str) -> Word {
    Word { vi, en, look }
}

impl Word {
    /// In this language.
    pub fn in_(self, lang: &Lang) -> &'static str {
        match lang {
            Lang::Vi => self.vi,
            Lang::En => self.en,
        }
    }
}

/// What a reason means and what to do about it.
pub(super) fn sentence(reason: Reason, lang: Lang) -> String {
    let sentence = reason.sentence();
    match lang {
        Lang::Vi => sentence.vi,
        Lang::En => sentence.en,
    }
    .to_owned()
}

/// How a source stands.
pub(super) fn state(state: State) -> Word {
    match state {
        State::Disabled => word(BAD, "Tệp sai", "File is wrong"),
        State::Waiting => word(OFF, "Chờ cài đặt", "Waiting for settings"),
        State::Paused => word(OFF, "Tạm dừng", "Paused"),
        State::LeftAlone => word(BAD, "Đang để yên", "Left alone"),
        State::Failing => word(BAD, "Không thu được", "Failing"),
        State::OwnTrouble => word(BAD, "Lỗi phía chúng ta", "Our own trouble"),
        State::Quarantined => word(BAD, "Bị cách ly", "Quarantined"),
        State::Stale => word(BAD, "Số liệu cũ", "Stale"),
        State::Partial => word(WARN, "Thu được một phần", "Partial"),
        State::New => word(OFF, "Chưa chạy lần nào", "Never run yet"),
        State::Ok => word(GOOD, "Tốt", "Well"),
    }
}

/// What a state means and what to do; for a failed run the reason says more.
pub(super) fn state_means(state: State) -> Word {
    match state {
        State::Disabled => {
            word(BAD, "Sửa tệp như chỉ dẫn dưới đây; nguồn khác vẫn chạy.", "Correct its file as shown below; other sources go on.")
        }
        State::Waiting => word(OFF, "Bổ sung cài đặt hoặc mã bí mật còn thiếu.", "Add the setting or secret that is missing."),
        State::Paused => {
            word(OFF, "Có người đã tạm dừng; cho chạy lại khi xong việc.", "Somebody paused it; let it go on when the work is done.")
        }
        State::LeftAlone => word(
            BAD,
            "Nguồn từ chối hoặc hỏng nhiều lần nên chỉ được thăm dò thưa; liên hệ đơn vị quản lý nguồn.",
            "It refused or failed too often and is only probed now and then; call its owner.",
        ),
        State::Failing => word(
            BAD,
            "Lượt thu cuối không lấy được gì; chương trình sẽ tự thử lại, nếu kéo dài thì liên hệ đơn vị quản lý nguồn.",
            "The last run brought nothing; it is tried again by itself, call the owner if it lasts.",
        ),
        State::OwnTrouble => word(
            BAD,
            "Lỗi ở phía chúng ta, không phải của nguồn; kiểm tra đĩa, mạng và cơ sở dữ liệu của máy này.",
            "The fault is ours, not the source's; look at disk, network and database of this machine.",
        ),
        State::Quarantined => word(
            BAD,
            "Câu trả lời không như cấu trúc đã biết nên không số nào được dùng; xem phát hiện của lượt thu, sửa tệp rồi đọc lại (replay).",
            "The answer is not as it is known, so no number of it is used; see the run's findings, correct the file, then replay.",
        ),
        State::Stale => word(
            BAD,
            "Số liệu cũ hơn mức cho phép; xem vì sao chưa có lượt thu mới.",
            "The data is older than it may be; see why there was no newer run.",
        ),
        State::Partial => word(
            WARN,
            "Một số yêu cầu của lượt thu cuối không dùng được; xem lượt thu đó.",
            "Some requests of the last run could not be used; look at that run.",
        ),
        State::New => word(OFF, "Sẽ chạy vào kỳ hạn tới; chưa phải làm gì.", "It runs when it is due next; nothing to do yet."),
        State::Ok => word(GOOD, "Không phải làm gì.", "Nothing to do."),
    }
}

/// How far a run is, or how it ended.
pub(super) fn run_state(state: RunState) -> Word {
    match state {
        RunState::Due => word(OFF, "Chờ chạy", "Due"),
        RunState::Missed => word(WARN, "Bị bỏ qua", "Missed"),
        RunState::Running => word(OFF, "Đang chạy", "Running"),
        RunState::Recorded => word(GOOD, "Đã ghi nhận", "Recorded"),
        RunState::Partial => word(WARN, "Một phần", "Partial"),
        RunState::Quarantined => word(BAD, "Bị cách ly", "Quarantined"),
        RunState::Failed => word(BAD, "Không thu được", "Failed"),
    }
}

/// Why a run happened.
pub(super) fn trigger(trigger: Trigger) -> Word {
    match trigger {
        Trigger::Schedule => word(OFF, "Theo lịch", "Schedule"),
        Trigger::CatchUp => word(OFF, "Thu bù", "Catch-up"),
        Trigger::Backfill => word(OFF, "Thu lùi", "Backfill"),
        Trigger::Manual => word(OFF, "Bằng tay", "By hand"),
        Trigger::Replay => word(OFF, "Đọc lại", "Replay"),
    }
}

/// Why windows were never run.
pub(super) fn missed(why: MissedWhy) -> Word {
    match why {
        MissedWhy::Newer => word(OFF, "đã có kỳ hạn mới hơn", "a newer one was due"),
        MissedWhy::TooOld => word(OFF, "đã quá cũ để thu bù", "too old to catch up"),
        MissedWhy::NotCaughtUp => word(OFF, "bộ thu này không thu bù", "this collector catches nothing up"),
        MissedWhy::ScheduleChanged => word(OFF, "lịch đã thay đổi", "the schedule was changed"),
        MissedWhy::Paused => word(OFF, "bộ thu đang tạm dừng", "the collector was paused"),
        MissedWhy::TooMany => word(OFF, "quá nhiều kỳ hạn để thu bù một lần", "more than are caught up at once"),
    }
}

/// What became of a request.
pub(super) fn outcome(outcome: RequestOutcome) -> Word {
    match outcome {
        RequestOutcome::Recorded => word(GOOD, "Đã ghi nhận", "Recorded"),
        RequestOutcome::Quarantined => word(BAD, "Bị cách ly", "Quarantined"),
        RequestOutcome::Failed => word(BAD, "Không dùng được", "Failed"),
    }
}

/// What a gate said.
pub(super) fn gate(outcome: GateOutcome) -> Word {
    match outcome {
        GateOutcome::Passed => word(GOOD, "Đạt", "Passed"),
        GateOutcome::Warned => word(WARN, "Cảnh báo", "Warned"),
        GateOutcome::Failed => word(BAD, "Không đạt", "Failed"),
        GateOutcome::NotEvaluated => word(OFF, "Chưa xét được", "Not evaluated"),
    }
}

/// What a finding does.
pub(super) fn severity(severity: Severity) -> Word {
    match severity {
        Severity::Warn => word(WARN, "Cảnh báo", "Warning"),
        Severity::Quarantine => word(BAD, "Cách ly câu trả lời", "Quarantines the answer"),
    }
}

/// The group in which bodies are compared.
pub(super) fn unit_group(group: UnitGroup) -> Word {
    match group {
        UnitGroup::Province => word(OFF, "Tỉnh, thành phố", "Provinces"),
        UnitGroup::Department => word(OFF, "Sở, ban, ngành", "Departments"),
        UnitGroup::District => word(OFF, "Huyện", "Districts"),
        UnitGroup::Commune => word(OFF, "Xã, phường, đặc khu", "Communes"),
    }
}

/// How a line of a sheet looks; its words are those of the explanations.
pub(super) fn line_look(state: LineState) -> &'static str {
    match state {
        LineState::Scored => GOOD,
        LineState::NotApplicable => OFF,
        LineState::NoEvidence | LineState::Partial => WARN,
        LineState::Disputed => BAD,
    }
}
