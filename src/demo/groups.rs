//! The six groups of points of one body in one period, as the portal would publish them.

use super::counts::{Counts, Procedures};
use super::points::{linear, percent, percent_binary64};

/// One metric of a group; null where the portal prints null. Ratios and points in hundredths.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    pub code: &'static str,
    pub name: &'static str,
    pub numerator: Option<u64>,
    pub denominator: Option<u64>,
    pub ratio: Option<u64>,
    pub score: Option<u64>,
    pub max: u64,
    /// dataQualityStatus and its message.
    pub quality: Option<(&'static str, &'static str)>,
}

/// Points of a body in hundredths, by group code of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupScores {
    pub ckmb: u64,
    pub tdgq: u64,
    pub clgq: u64,
    pub mdsh: u64,
    pub mdhl: u64,
    pub tttt: u64,
}

impl GroupScores {
    /// Each group with its code, in the order of the portal's answers.
    pub fn by_code(self) -> [(&'static str, u64); 6] {
        [("CKMB", self.ckmb), ("TDGQ", self.tdgq), ("CLGQ", self.clgq), ("MDSH", self.mdsh), ("MDHL", self.mdhl), ("TTTT", self.tttt)]
    }

    /// The total.
    pub fn total(self) -> u64 {
        self.by_code().iter().map(|(_, score)| score).sum()
    }

    /// Of one body.
    pub fn of(counts: &Counts, procedures: &Procedures) -> GroupScores {
        GroupScores {
            ckmb: total(&transparency(counts, procedures)),
            tdgq: progress(counts),
            clgq: online(counts, procedures),
            mdsh: total(&digitised(counts, procedures)),
            mdhl: total(&satisfaction(counts)),
            tttt: payment(counts, procedures),
        }
    }
}

/// The sum of the rounded metrics; a null one adds nothing.
pub(super) fn total(metrics: &[Metric]) -> u64 {
    metrics.iter().filter_map(|metric| metric.score).sum()
}

/// CKMB: 0/0 is null.
pub(super) fn transparency(counts: &Counts, p: &Procedures) -> Vec<Metric> {
    let quality = match counts.received {
        0 => ("NO_NATIONAL_REPORT_DATA", "Không có báo cáo (số liệu mô phỏng)."),
        _ => ("TEMP_NATIONAL_REPORT_DENOMINATOR", "Mẫu số tạm (số liệu mô phỏng)."),
    };
    let metric = |code, name, n, d, max| Metric {
        code,
        name,
        numerator: Some(n),
        denominator: Some(d),
        ratio: percent(n, d),
        score: linear(max, n, d, 100),
        max,
        quality: None,
    };
    vec![
        metric("PUBLISH_ON_TIME", "Tỷ lệ TTHC công bố đúng hạn", p.published_on_time, p.published, 6),
        metric("PUBLIC_UPDATE_ON_TIME", "Tỷ lệ TTHC cập nhật, công khai đúng hạn", p.updated, p.update_due, 4),
        metric("PUBLIC_CONTENT_FULL", "Tỷ lệ TTHC công khai đầy đủ nội dung", p.content_full, p.public, 2),
        Metric {
            quality: Some(quality),
            ..metric("DOSSIER_SYNC", "Tỷ lệ hồ sơ đồng bộ lên Cổng DVCQG", counts.synced, counts.received, 6)
        },
    ]
}

/// TDGQ: 0/0 is 0.
pub(super) fn progress(counts: &Counts) -> u64 {
    linear(20, counts.on_time, counts.received, 100).unwrap_or(0)
}

/// CLGQ: 0/0 is 0.
pub(super) fn online(counts: &Counts, p: &Procedures) -> u64 {
    [linear(2, p.partial + p.full, p.authority, 80), linear(4, p.active, p.services, 100), linear(6, counts.online, counts.received, 50)]
        .into_iter()
        .flatten()
        .sum()
}

/// TTTT: through the rounded per cent in binary64, each component printed with two decimals; 0/0 is 0.
pub(super) fn payment(counts: &Counts, p: &Procedures) -> u64 {
    percent_binary64(6, counts.paid, counts.obliged, 100)
        + percent_binary64(2, p.paid, p.with_fee, 80)
        + percent_binary64(2, p.with_fee_data, p.with_fee, 80)
}

/// MDSH: nulls for a body without dossiers, except the certified copies, which are a constant without counts.
pub(super) fn digitised(counts: &Counts, p: &Procedures) -> Vec<Metric> {
    let some = |value: u64| (counts.received > 0).then_some(value);
    let metric = |code, name, n, d, max, full_at| Metric {
        code,
        name,
        numerator: some(n),
        denominator: some(d),
        ratio: some(percent(n, d).unwrap_or(0)),
        score: some(linear(max, n, d, full_at).unwrap_or(0)),
        max,
        quality: None,
    };
    let all = counts.received;
    vec![
        metric("ORIGINAL_RESULT_AVAILABLE", "Tỷ lệ hồ sơ có kết quả điện tử", counts.eresult, all, 6, 100),
        metric("SO_HOA_GIAY_TO_GIAI_QUYET", "Tỷ lệ hồ sơ được số hóa", counts.digitised, all, 4, 100),
        metric("REUSED_DIGITIZED_DATA", "Tỷ lệ hồ sơ dùng lại dữ liệu số hóa", counts.reused, all, 2, 80),
        metric("SYNCED_WITH_DVCQG_PERSONAL_STORAGE", "Tỷ lệ hồ sơ kết nối kho dữ liệu cá nhân", counts.stored, all, 4, 100),
        metric("CITIZEN_DATA_CONNECTED_DOSSIER", "Tỷ lệ hồ sơ dùng dữ liệu dân cư", counts.citizen, all, 2, 100),
        metric("CITIZEN_DATA_CONNECTED_FORMALITY", "Tỷ lệ TTHC kết nối dữ liệu dân cư", p.citizens_connected, p.citizens, 2, 100),
        Metric {
            code: "ELECTRONIC_CERTIFIED_COPY",
            name: "Tỷ lệ cung cấp chứng thực bản sao điện tử",
            numerator: None,
            denominator: None,
            ratio: Some(10_000),
            score: Some(200),
            max: 2,
            quality: None,
        },
    ]
}

/// MDHL: petitions of 0/0 are full, dossiers of 0/0 are 0, classes of petitions carry no points.
pub(super) fn satisfaction(counts: &Counts) -> Vec<Metric> {
    let metric = |code, name, n, d, max, score| Metric {
        code,
        name,
        numerator: Some(n),
        denominator: Some(d),
        ratio: Some(percent(n, d).unwrap_or(0)),
        score,
        max,
        quality: None,
    };
    let all = counts.petitions;
    let petitions = |n| Some(linear(6, n, all, 100).unwrap_or(600));
    let dossiers = Some(linear(6, counts.satisfied, counts.received, 90).unwrap_or(0));
    vec![
        metric("PETITION_CLASSIFICATION_TTHC", "Tỷ lệ PAKN về quy định, thủ tục", counts.petitions_tthc, all, 0, None),
        metric("DOSSIER_RECEIVING_SATISFACTION", "Tỷ lệ hài lòng giải quyết TTHC", counts.satisfied, counts.received, 6, dossiers),
        metric(
            "PETITION_PROCESSING_ON_TIME",
            "Tỷ lệ PAKN xử lý đúng hạn",
            counts.petitions_on_time,
            all,
            6,
            petitions(counts.petitions_on_time),
        ),
        metric(
            "PETITION_HANDLING_SATISFACTION",
            "Tỷ lệ hài lòng xử lý PAKN",
            counts.petitions_satisfied,
            all,
            6,
            petitions(counts.petitions_satisfied),
        ),
        metric("PETITION_CLASSIFICATION_STAFF", "Tỷ lệ PAKN về cán bộ, công chức", counts.petitions_staff, all, 0, None),
    ]
}
