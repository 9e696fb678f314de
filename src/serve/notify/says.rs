//! What alerts say, in Vietnamese and English. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::collect::collector::Title;
use crate::model::{AlertKind, Reason, Sentence, Ts};
use crate::serve::SourceState;

/// What is said of an alert; also how it is kept, so that its end can still be told when the collector is gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Says {
    /// What it is about, in Vietnamese.
    pub title_vi: String,
    /// What it is about, in English.
    pub title: String,
    /// Whom to call, "" for nobody.
    pub owner: String,
    /// In one line, in Vietnamese.
    pub summary_vi: String,
    /// In one line, in English.
    pub summary: String,
    /// More of it, in Vietnamese.
    pub description_vi: String,
    /// More of it, in English.
    pub description: String,
    /// What helps, in Vietnamese.
    pub what_to_do_vi: String,
    /// What helps, in English.
    pub what_to_do: String,
}

/// A text in Vietnamese and English.
struct Both {
    vi: String,
    en: String,
}

fn both(vi: impl Into<String>, en: impl Into<String>) -> Both {
    Both { vi: vi.into(), en: en.into() }
}

impl Says {
    fn new(title: &Title, owner: &str, summary: Both, description: Both, what_to_do: Both) -> Says {
        Says {
            title_vi: title.vi.clone(),
            title: title.en.clone(),
            owner: owner.to_owned(),
            summary_vi: summary.vi,
            summary: summary.en,
            description_vi: description.vi,
            description: description.en,
            what_to_do_vi: what_to_do.vi,
            what_to_do: what_to_do.en,
        }
    }

    /// What is said when it is over.
    pub fn resolved(&self, kind: AlertKind) -> Says {
        let (vi, en) = match kind {
            AlertKind::SourceStale => ("đã có số liệu mới", "data is up to date again"),
            AlertKind::SourceDrift => ("câu trả lời lại đúng như trước", "answers are as they are known again"),
            AlertKind::CertificateExpiry => ("chứng thư đã được gia hạn", "the certificate was renewed"),
            AlertKind::CredentialExpiry => ("mã truy cập đã được gia hạn", "the secret was renewed"),
            AlertKind::ConfigInvalid => ("tệp đã đúng", "the file is right again"),
        };
        Says {
            title_vi: self.title_vi.clone(),
            title: self.title.clone(),
            owner: self.owner.clone(),
            // A source that was paused or taken out is no trouble any more either.
            summary_vi: format!("Hết cảnh báo, {}: {vi}, hoặc nguồn đã tạm dừng", self.title_vi),
            summary: format!("Over, {}: {en}, or the source was paused", self.title),
            ..Says::default()
        }
    }
}

/// Data older than it may be.
pub fn stale(source: &SourceState) -> Says {
    let (vi, en) = (&source.title.vi, &source.title.en);
    let summary = match source.last_success {
        Some(at) => both(format!("{vi}: không có số liệu mới từ {}", local(at)), format!("{en}: no new data since {}", local(at))),
        None => both(format!("{vi}: chưa từng thu được số liệu"), format!("{en}: nothing was ever collected")),
    };
    let (limit, why) = (humantime::format_duration(Duration::from_secs(source.stale_after_s)), why(source));
    let description = both(
        format!("Số liệu không được cũ quá {limit}. {}", why.vi).trim().to_owned(),
        format!("Data may be at most {limit} old. {}", why.en).trim().to_owned(),
    );
    let what_to_do = match source.reason {
        Some(reason) => sentence(reason),
        None => both(
            "Xem các lượt thu gần đây của nguồn; nếu không có lượt nào, xem dịch vụ có đang chạy không.",
            "Look at the source's latest runs; if there is none, see that the service is running.",
        ),
    };
    Says::new(&source.title, &source.owner, summary, description, what_to_do)
}

/// An answer that is not as answers are known.
pub fn drift(source: &SourceState) -> Says {
    let summary = both(format!("{}: nguồn đã thay đổi", source.title.vi), format!("{}: the source has changed", source.title.en));
    // A warning may stand beside values that were recorded: then the run has no reason.
    let what_to_do = match source.reason.filter(|reason| reason.is_drift()) {
        Some(reason) => sentence(reason),
        None => both(
            "So câu trả lời lưu lại với tệp thu, sửa tệp thu, rồi đọc lại bằng `thuocdo replay`.",
            "Compare the kept answer with the collector's file, mend the file, then read it again with `thuocdo replay`.",
        ),
    };
    Says::new(&source.title, &source.owner, summary, why(source), what_to_do)
}

/// A source's certificate that ends.
pub fn certificate(source: &SourceState, until: Ts, now: Ts) -> Says {
    let (vi, en) = (&source.title.vi, &source.title.en);
    let summary = match until <= now {
        true => both(format!("{vi}: chứng thư hết hạn từ {}", local(until)), format!("{en}: the certificate ended {}", local(until))),
        false => both(format!("{vi}: chứng thư hết hạn {}", local(until)), format!("{en}: the certificate ends {}", local(until))),
    };
    let description = both(
        "Sau đó nguồn không được hỏi nữa, vì không chắc ai đang trả lời.",
        "The source is not asked after that, because nobody can tell who answers.",
    );
    let what_to_do =
        both("Báo đơn vị vận hành hệ thống gia hạn chứng thư.", "Tell those who operate the system to renew their certificate.");
    Says::new(&source.title, &source.owner, summary, description, what_to_do)
}

/// A secret of ours that ends.
pub fn credential(source: &SourceState, until: Ts, now: Ts) -> Says {
    let (vi, en) = (&source.title.vi, &source.title.en);
    let summary = match until <= now {
        true => both(format!("{vi}: mã truy cập hết hạn từ {}", local(until)), format!("{en}: our secret ended {}", local(until))),
        false => both(format!("{vi}: mã truy cập hết hạn {}", local(until)), format!("{en}: our secret ends {}", local(until))),
    };
    let description = both("Sau đó nguồn sẽ từ chối chúng ta.", "The source refuses us after that.");
    let what_to_do = both(
        "Xin mã mới, đặt nó thay mã cũ và sửa ngày hết hạn trong tệp thu.",
        "Ask for a new one, set it in place of the old, and correct its end in the collector's file.",
    );
    Says::new(&source.title, &source.owner, summary, description, what_to_do)
}

/// A declarative file that is wrong.
pub fn config_invalid(file: &str, fault: &str) -> Says {
    let title = Title { vi: file.to_owned(), en: file.to_owned() };
    let summary = both(format!("{file}: tệp khai báo có lỗi"), format!("{file}: a declarative file is wrong"));
    let what_to_do = both(
        "Sửa tệp (`thuocdo check` chỉ ra mọi lỗi); bản đúng gần nhất vẫn được dùng nếu có.",
        "Mend the file (`thuocdo check` names every fault); its last good version goes on if there is one.",
    );
    Says::new(&title, "", summary, both(fault, fault), what_to_do)
}

/// The failure of the last attempt, in words, as the source or reader said it.
fn why(source: &SourceState) -> Both {
    both(source.error.clone(), source.error.clone())
}

/// What a reason means and what to do about it.
fn sentence(reason: Reason) -> Both {
    let Sentence { vi, en } = reason.sentence();
    both(vi, en)
}

/// An instant as people in Vietnam write it.
fn local(at: Ts) -> String {
    at.utc().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).format("%d/%m/%Y %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::State;
    use crate::serve::notify::tests::{at, source};

    #[test]
    fn both_languages_say_what_and_what_to_do() {
        let mut stale = SourceState { stale_after_s: 7200, last_success: Some(at(-180)), ..source("a", State::Stale) };
        let said = super::stale(&stale);
        assert_eq!(said.summary, "A: no new data since 26/09/2026 10:00");
        assert_eq!(said.description, "Data may be at most 2h old.");
        (stale.reason, stale.error, stale.last_success) = (Some(Reason::Timeout), "no answer in 30 s".into(), None);
        let said = super::stale(&stale);
        assert_eq!(
            (said.summary.as_str(), said.summary_vi.as_str()),
            ("A: nothing was ever collected", "Tên A: chưa từng thu được số liệu")
        );
        assert!(said.description.ends_with("no answer in 30 s") && !said.what_to_do.is_empty());
        let until = at(60);
        assert!(super::certificate(&stale, until, at(0)).summary.contains("ends 26/09/2026 14:00"));
        assert!(super::credential(&stale, until, at(60)).summary.contains("ended 26/09/2026 14:00"));
        for kind in AlertKind::ALL {
            let over = said.resolved(*kind);
            assert!(over.summary.starts_with("Over, A: ") && over.summary_vi.starts_with("Hết cảnh báo, Tên A: "), "{over:?}");
            assert!(over.description.is_empty());
        }
    }
}
