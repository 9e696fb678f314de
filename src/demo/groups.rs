//! The six groups of points of one body in one period, as the portal would publish them.

use super::counts::Counts;
use super::points::{linear, percent, percent_binary64};
use super::procedures::Procedures;

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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::demo::figures::tests::province_of;
    use crate::demo::points::{number, number_or_null};
    use crate::model::Period;

    #[test]
    fn totals_are_sums_of_rounded_metrics_within_their_maxima() {
        for seed in 0..100 {
            let figures = province_of(seed, 5, 5);
            for period in ["2026", "2026-Q2", "2026-08"].map(|text| text.parse::<Period>().expect("a period")) {
                for body in figures.children_in(period).into_iter().chain([&figures.province]) {
                    let scores = figures.scores(body, period);
                    let maxima = [1_800, 2_000, 1_200, 2_200, 1_800, 1_000];
                    assert!(scores.by_code().into_iter().zip(maxima).all(|((_, score), max)| score <= max), "{seed}: {scores:?}");
                    assert_eq!(scores.total(), scores.by_code().map(|(_, score)| score).iter().sum::<u64>());
                }
            }
        }
    }

    #[test]
    fn nothing_over_nothing_is_what_the_portal_makes_of_it() {
        let figures = province_of(5, 3, 3);
        let year = "2026".parse().expect("a year");
        let idle = figures.children_in(year)[0];
        let (counts, procedures) = (figures.counts(idle, year), figures.procedures(idle, year));
        let states = |metrics: Vec<Metric>| metrics.iter().map(|m| (m.numerator, m.score)).collect::<Vec<_>>();
        assert_eq!((progress(&counts), payment(&counts, &procedures)), (0, procedures_only(&procedures)));
        assert_eq!(states(transparency(&counts, &procedures))[..2], [(Some(0), None), (Some(0), None)]);
        assert_eq!(states(digitised(&counts, &procedures))[..6], [(None, None); 6]);
        assert_eq!(states(digitised(&counts, &procedures))[6], (None, Some(200)));
        assert_eq!(states(satisfaction(&counts))[1..4], [(Some(0), Some(0)), (Some(0), Some(600)), (Some(0), Some(600))]);
    }

    /// What is left of the payment group without a dossier: the procedures with fee data.
    fn procedures_only(p: &Procedures) -> u64 {
        percent_binary64(2, p.with_fee_data, p.with_fee, 80)
    }

    /// The body of a recorded answer under `raw-phu-tho`.
    fn recorded(test: &str, file: &str) -> Option<Value> {
        let Some(data) = std::env::var_os("THUOCDO_REAL_DATA") else {
            eprintln!("skipped: {test}: THUOCDO_REAL_DATA is not set");
            return None;
        };
        let path = std::path::Path::new(&data).join("npsp-766-2026/raw-phu-tho").join(file);
        Some(serde_json::from_slice(&std::fs::read(path).expect("a recorded body")).expect("JSON"))
    }

    fn count(row: &Value, key: &str) -> u64 {
        row[key].as_u64().unwrap_or_default()
    }

    fn rows<'a>(body: &'a Value, parent: &str, children: &str) -> Vec<&'a Value> {
        let children = body["data"][children].as_array().expect("a list of rows");
        std::iter::once(&body["data"][parent]).chain(children).collect()
    }

    #[test]
    fn published_trees_are_reproduced() {
        let test = "published_trees_are_reproduced";
        let Some(body) = recorded(test, "dvc-progress-tree.year-2026-all.json") else { return };
        let rows_of = rows(&body, "parent", "children");
        let same = rows_of.iter().filter(|row| {
            let counts = Counts { received: count(row, "totalReceived"), on_time: count(row, "totalOnTime"), ..Counts::default() };
            [&row["totalScore"], &row["score"]].contains(&&number(progress(&counts)))
        });
        assert_eq!((same.count(), rows_of.len()), (164, 164));

        let Some(body) = recorded(test, "formality-online-payment-tree.year-2026-all.EXCERPT-4-of-163.json") else { return };
        let rows_of = rows(&body, "parent", "children");
        let same = rows_of.iter().filter(|row| {
            let points =
                percent_binary64(6, count(row, "totalDossierOnlinePaymentSuccess"), count(row, "totalDossierFinancialObligation"), 100)
                    + percent_binary64(
                        2,
                        count(row, "totalDossierOnlineFormalityPaymentSuccess"),
                        count(row, "totalFeeDossierFormalityDistinct"),
                        80,
                    )
                    + percent_binary64(2, count(row, "totalFeeDossierFormality"), count(row, "totalFeeFormality"), 80);
            row["totalScore"] == number(points)
        });
        assert_eq!((same.count(), rows_of.len()), (5, 5));
    }

    #[test]
    fn published_metrics_are_reproduced() {
        let test = "published_metrics_are_reproduced";
        let mut seen = 0;
        for file in [
            "dossier-digitized.year-2026-all.EXCERPT-4-of-163.json",
            "handling-satisfaction.year-2026-all.EXCERPT-4-of-163.json",
            "transparency.month-2026-08-all.TRUNCATED-14-of-163.json",
        ] {
            let Some(body) = recorded(test, file) else { return };
            for row in rows(&body, "overview", "evaluation") {
                for metric in row["metrics"].as_array().expect("metrics") {
                    let code = metric["code"].as_str().expect("a code");
                    let score = published_rule(code, count(metric, "numerator"), count(metric, "denominator"));
                    assert_eq!(number_or_null(score), metric["score"], "{} {code}", row["departmentName"]);
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 5 * 7 + 5 * 5 + 15 * 4);
    }

    /// The score of a metric through the functions of this file: counts that hold only what the metric needs.
    fn published_rule(code: &str, n: u64, d: u64) -> Option<u64> {
        let p = province_of(0, 0, 0);
        let p = p.procedures(&p.province, "2026".parse().expect("a year"));
        let all = Counts {
            received: d,
            synced: n,
            eresult: n,
            digitised: n,
            reused: n,
            stored: n,
            citizen: n,
            satisfied: n,
            ..Counts::default()
        };
        let petitions = Counts {
            petitions: d,
            petitions_on_time: n,
            petitions_satisfied: n,
            petitions_tthc: n,
            petitions_staff: n,
            ..Counts::default()
        };
        let p = Procedures {
            published: d,
            published_on_time: n,
            update_due: d,
            updated: n,
            public: d,
            content_full: n,
            citizens: d,
            citizens_connected: n,
            ..p
        };
        let counts = if code.starts_with("PETITION") { petitions } else { all };
        let mut metrics = transparency(&counts, &p);
        metrics.extend(digitised(&Counts { received: counts.received.max(u64::from(d > 0)), ..counts }, &p));
        metrics.extend(satisfaction(&counts));
        metrics.into_iter().find(|metric| metric.code == code).expect("a known metric").score
    }
}
