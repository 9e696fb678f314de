//! The table of all provinces: `service-results` of 2026, and the older service's list of provinces or bodies.

use serde_json::{Value, json};

use super::answers::ok_with_note;
use super::figures::{Body, Figures};
use super::groups::GroupScores;
use super::points::{number, percent, text};
use super::random::Random;
use crate::model::{Period, UnitGroup};

impl Figures {
    /// `service-results`: every province, and the unweighted mean of each group, rounded and then summed.
    pub(super) fn service_results(&self, period: Period) -> Value {
        let table = self.provinces(period);
        let mean = mean(&table);
        let spoke = |code: &str, name: &str, score: u64, max: u64| {
            let ratio = number(percent(score, max * 100).unwrap_or(0));
            json!({ "code": code, "name": name, "score": number(score), "maxScore": max, "ratio": ratio })
        };
        let evaluation: Vec<Value> = table.iter().map(|(body, scores)| self.evaluation(body, *scores, period)).collect();
        ok_with_note(json!({
            "overview": {
                "departmentName": "Cả nước",
                "departmentCode": null,
                "totalScore": number(mean.total()),
                "totalMaxScore": 100,
                "ratio": number(mean.total()),
            },
            "growthPercent": 0,
            "radar": [
                spoke("CKMB", "Công khai, minh bạch", mean.ckmb, 18),
                spoke("TDGQ", "Tiến độ giải quyết", mean.tdgq, 20),
                spoke("ONLINE_SERVICE", "Dịch vụ trực tuyến", mean.clgq + mean.tttt, 22),
                spoke("MDHL", "Mức độ hài lòng", mean.mdhl, 18),
                spoke("MDSH", "Số hóa hồ sơ", mean.mdsh, 22),
            ],
            "evaluation": evaluation,
        }))
    }

    /// One province's row.
    fn evaluation(&self, body: &Body, scores: GroupScores, period: Period) -> Value {
        let delta = Random::of(self.seed, &[&body.unit.id, "scoreDelta", &period.to_string()]).between(0, 500);
        let groups: Value = scores.by_code().into_iter().map(|(code, score)| (code.to_owned(), number(score))).collect();
        json!({
            "departmentId": body.id,
            "departmentName": body.portal_name(),
            "departmentCode": body.code,
            "totalScore": number(scores.total()),
            "scoreDelta": number(delta),
            "groupScores": groups,
        })
    }

    /// `report_tinh_766_service`: the provinces for "0", else the bodies of the province of that ID; `None` if it is
    /// not the demonstration's.
    pub(super) fn report_766(&self, province_id: &str, period: Period) -> Option<Value> {
        let mut rows = match province_id {
            "0" => self.provinces(period),
            own if own == self.province.legacy_id => {
                self.children_in(period).into_iter().map(|body| (body, self.scores(body, period))).collect()
            }
            _ => return None,
        };
        rows.sort_by_key(|(body, scores)| (std::cmp::Reverse(scores.total()), body.code.clone()));
        Some(rows.iter().enumerate().map(|(at, (body, scores))| report_row(body, *scores, at + 1)).collect())
    }

    /// Every province with its points: the demonstration's own from its figures, the others seeded.
    fn provinces(&self, period: Period) -> Vec<(&Body, GroupScores)> {
        let mut table = vec![(&self.province, self.scores(&self.province, period))];
        table.extend(self.others.iter().map(|body| (body, self.seeded(body, period))));
        table.sort_by(|(a, _), (b, _)| a.code.cmp(&b.code));
        table
    }

    fn seeded(&self, body: &Body, period: Period) -> GroupScores {
        let mut random = Random::of(self.seed, &[&body.unit.id, "national table", &period.to_string()]);
        let mut points = |max: u64| random.part(max * 100, 400, 1_000);
        GroupScores { ckmb: points(18), tdgq: points(20), clgq: points(12), mdsh: points(22), mdhl: points(18), tttt: points(10) }
    }
}

/// The unweighted mean of each group, half-up to a hundredth.
fn mean(table: &[(&Body, GroupScores)]) -> GroupScores {
    let n = table.len() as u64;
    let of = |group: fn(&GroupScores) -> u64| (2 * table.iter().map(|(_, scores)| group(scores)).sum::<u64>() + n) / (2 * n);
    GroupScores {
        ckmb: of(|scores| scores.ckmb),
        tdgq: of(|scores| scores.tdgq),
        clgq: of(|scores| scores.clgq),
        mdsh: of(|scores| scores.mdsh),
        mdhl: of(|scores| scores.mdhl),
        tttt: of(|scores| scores.tttt),
    }
}

/// A row of the older service: every value is a text.
fn report_row(body: &Body, scores: GroupScores, number: usize) -> Value {
    let (kind, level) = match body.unit.unit_group {
        UnitGroup::Province => ("1", "1"),
        UnitGroup::Department => ("2", "1"),
        UnitGroup::District | UnitGroup::Commune => ("3", "2"),
    };
    json!({
        "ID": body.legacy_id,
        "TEN": body.portal_name(),
        "TEN_COQUAN": body.portal_name(),
        "MA_COQUAN": body.code,
        "LOAI_COQUAN": kind,
        "CAPDONVIID": level,
        "ID_COQUAN": body.legacy_id,
        "TDGQ": text(scores.tdgq),
        "MDHL": text(scores.mdhl),
        "MDSH": text(scores.mdsh),
        "TTTT": text(scores.tttt),
        "CLGQ": text(scores.clgq),
        "CKMB": text(scores.ckmb),
        "TONG_SCORE": text(scores.total()),
        "ROW_STT": number.to_string(),
    })
}
