//! The bodies of the evaluation API's six endpoints about one province, in its key sets and key order.

use serde_json::{Value, json};

use super::counts::Counts;
use super::figures::{Body, Figures, Oddity, SIMULATED};
use super::groups::{GroupScores, Metric, digitised, satisfaction, total, transparency};
use super::points::{number, number_or_null, percent};
use super::procedures::Procedures;
use crate::model::{Period, UnitGroup};

/// The page that a caller asks for; the tree endpoints ignore it, as the real ones do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// From 1.
    pub current: usize,
    pub size: usize,
}

/// `{"code":"OK","data":…,"message":"OK"}`; `note` says what the figures are where no `source` key does.
fn ok(data: Value, has_source: bool) -> Value {
    match has_source {
        true => json!({ "code": "OK", "data": data, "message": "OK" }),
        false => json!({ "code": "OK", "data": data, "message": "OK", "note": SIMULATED }),
    }
}

/// An answer without a `source` key.
pub(super) fn ok_with_note(data: Value) -> Value {
    ok(data, false)
}

/// A body's row with its counts.
struct Row<'a> {
    body: &'a Body,
    counts: Counts,
    procedures: Procedures,
}

impl Row<'_> {
    fn scores(&self) -> GroupScores {
        GroupScores::of(&self.counts, &self.procedures)
    }

    /// The mean handling time in hundredths of days; 0 without completed dossiers.
    fn mean_days(&self) -> u64 {
        (2 * self.counts.handling + self.counts.completed).checked_div(2 * self.counts.completed).unwrap_or(0)
    }

    /// `level`: the portal calls a department's level PROVINCE.
    fn level(&self) -> &'static str {
        match self.body.unit.unit_group {
            UnitGroup::Province | UnitGroup::Department => "PROVINCE",
            UnitGroup::District | UnitGroup::Commune => "COMMUNE",
        }
    }
}

impl Figures {
    fn parent(&self, period: Period) -> Row<'_> {
        let counts = self.province_counts(period);
        Row { body: &self.province, counts, procedures: self.procedures(&self.province, period) }
    }

    fn rows(&self, period: Period) -> Vec<Row<'_>> {
        let row = |body| Row { body, counts: self.counts(body, period), procedures: self.procedures(body, period) };
        self.children_in(period).into_iter().map(row).collect()
    }

    /// `dvc-progress-tree`.
    pub(super) fn progress_tree(&self, period: Period) -> Value {
        let parent = self.parent(period);
        let children: Vec<Value> = self.rows(period).iter().map(progress_child).collect();
        ok_with_note(json!({
            "parent": {
                "departmentId": parent.body.id,
                "departmentName": parent.body.portal_name(),
                "departmentCode": parent.body.code,
                "totalReceived": parent.counts.received,
                "totalOnTime": parent.counts.on_time,
                "totalCompleted": parent.counts.completed,
                "avgProcessingDays": number(parent.mean_days()),
                "ratio": number(percent(parent.counts.on_time, parent.counts.received).unwrap_or(0)),
                "totalScore": number(parent.scores().tdgq),
                "totalMaxScore": 20,
            },
            "children": children,
            "monthlyChart": self.chart(period, |month, counts| {
                let on_time = percent(counts.on_time, counts.received).unwrap_or(0);
                let overdue = if counts.received == 0 { 0 } else { 10_000 - on_time };
                json!({ "month": month, "onTimePct": number(on_time), "overduePct": number(overdue) })
            }),
        }))
    }

    /// `provide-online-tree`: counts for the province, the score alone below it.
    pub(super) fn online_tree(&self, period: Period) -> Value {
        let parent = self.parent(period);
        let score = parent.scores().clgq;
        let children: Vec<Value> = self.rows(period).iter().map(online_child).collect();
        let online_on_time = parent.counts.online * parent.counts.on_time / parent.counts.received.max(1);
        ok_with_note(json!({
            "parent": {
                "departmentId": parent.body.id,
                "departmentName": parent.body.portal_name(),
                "departmentCode": parent.body.code,
                "totalScore": number(score),
                "totalMaxScore": 12,
                "ratio": share(score, 12),
                "authorityCount": parent.procedures.authority,
                "partialCount": parent.procedures.partial,
                "fullCount": parent.procedures.full,
                "onlineDossierCount": parent.procedures.active,
                "onlineServiceTotal": parent.procedures.services,
                "channelOnlineSum": parent.counts.online,
                "channelDirectSum": parent.counts.direct,
                "channelPostalSum": parent.counts.postal,
                "channelTotalSum": parent.counts.received,
                "onlineOnTimeSum": online_on_time,
                "onlineOverdueSum": parent.counts.online - online_on_time,
            },
            "children": children,
            "monthlyChart": self.chart(period, |month, counts| {
                json!({ "label": month, "onlineDossierPct": number(percent(counts.online, counts.received).unwrap_or(0)) })
            }),
        }))
    }

    /// `formality-online-payment-tree`.
    pub(super) fn payment_tree(&self, period: Period) -> Value {
        let parent = self.parent(period);
        let (c, p, score) = (parent.counts, parent.procedures, parent.scores().tttt);
        let children: Vec<Value> = self.rows(period).iter().map(payment_child).collect();
        ok_with_note(json!({
            "parent": {
                "departmentId": parent.body.id,
                "departmentName": parent.body.portal_name(),
                "departmentCode": parent.body.code,
                "totalMaxScore": 10,
                "totalScore": number(score),
                "totalDossierOnlinePaymentSuccess": c.paid,
                "totalDossierFinancialObligation": c.obliged,
                "totalDossierOnlineFormalityPaymentSuccess": p.paid,
                "totalFeeDossierFormalityDistinct": p.with_fee,
                "totalFeeDossierFormality": p.with_fee_data,
                "totalFeeFormality": p.with_fee,
                "ratio": share(score, 10),
            },
            "children": children,
        }))
    }

    /// `transparency`: one body is not in its list, as real lists differ from endpoint to endpoint.
    pub(super) fn transparency(&self, period: Period, page: Page) -> Value {
        let metrics = |row: &Row| transparency(&row.counts, &row.procedures);
        let rows = self.rows(period);
        let listed: Vec<&Row> = rows.iter().filter(|row| row.body.oddity != Oddity::Unlisted).collect();
        let totals: Vec<u64> = listed.iter().map(|row| total(&metrics(row))).collect();
        let mean = totals.iter().sum::<u64>().checked_div(totals.len() as u64).unwrap_or(0);
        let plain = |row: &Row, stt| {
            let mut object = head(row, stt, false, &metrics(row), 18);
            object["scoreDelta"] = Value::Null;
            object["metrics"] = metrics_json(&metrics(row));
            object
        };
        let mut overview = plain(&self.parent(period), 1);
        overview["averageScore"] = number(mean);
        let (evaluation, pagination) = paged(&listed, page, plain);
        ok(
            json!({ "overview": overview, "monthlyChart": [], "evaluation": evaluation, "pagination": pagination, "source": SIMULATED }),
            true,
        )
    }

    /// `dossier-digitized`.
    pub(super) fn digitised(&self, period: Period, page: Page) -> Value {
        let plain = |row: &Row, stt| {
            let metrics = digitised(&row.counts, &row.procedures);
            let mut object = head(row, stt, true, &metrics, 22);
            object["metrics"] = metrics_json(&metrics);
            object["scoreDelta"] = Value::Null;
            object
        };
        let rows = self.rows(period);
        let (evaluation, pagination) = paged(&rows.iter().collect::<Vec<_>>(), page, plain);
        let overview = plain(&self.parent(period), 1);
        ok(json!({ "overview": overview, "evaluation": evaluation, "pagination": pagination, "source": SIMULATED }), true)
    }

    /// `handling-satisfaction`.
    pub(super) fn satisfaction(&self, period: Period, page: Page) -> Value {
        let plain = |row: &Row, stt| {
            let metrics = satisfaction(&row.counts);
            let mut object = head(row, stt, false, &metrics, 18);
            object["scoreDelta"] = Value::Null;
            object["metrics"] = metrics_json(&metrics);
            object["totalPetitions"] = row.counts.petitions.into();
            object["classifiedPetitions"] = row.counts.petitions.into();
            object["totalDossiers"] = row.counts.received.into();
            object["averageScore"] = Value::Null;
            object
        };
        let rows = self.rows(period);
        let (evaluation, pagination) = paged(&rows.iter().collect::<Vec<_>>(), page, plain);
        let overview = plain(&self.parent(period), 1);
        ok(json!({ "overview": overview, "evaluation": evaluation, "pagination": pagination, "source": SIMULATED }), true)
    }

    /// The province's months of the period's year, as the charts beside the trees show them.
    fn chart(&self, period: Period, point: impl Fn(&str, Counts) -> Value) -> Value {
        let months = (1..=12).filter_map(|month| format!("{:04}-{month:02}", period.year()).parse::<Period>().ok());
        months.map(|month| point(&month.start().format("%m").to_string(), self.province_counts(month))).collect()
    }

    /// The points of the province or of a body below it, by group.
    pub(super) fn scores(&self, body: &Body, period: Period) -> GroupScores {
        let counts = if body.id == self.province.id { self.province_counts(period) } else { self.counts(body, period) };
        GroupScores::of(&counts, &self.procedures(body, period))
    }
}

fn progress_child(row: &Row) -> Value {
    json!({
        "departmentId": row.body.id,
        "departmentName": row.body.portal_name(),
        "departmentCode": row.body.code,
        "level": row.level(),
        "totalReceived": row.counts.received,
        "totalOnTime": row.counts.on_time,
        "totalOverdue": row.counts.received - row.counts.on_time,
        "avgProcessingDays": number(row.mean_days()),
        "ratio": number(percent(row.counts.on_time, row.counts.received).unwrap_or(0)),
        "score": number(row.scores().tdgq),
        "maxScore": 20,
        "scoreDelta": null,
    })
}

fn online_child(row: &Row) -> Value {
    let score = row.scores().clgq;
    json!({
        "departmentId": row.body.id,
        "departmentName": row.body.portal_name(),
        "departmentCode": row.body.code,
        "level": row.level(),
        "totalScore": number(score),
        "totalMaxScore": 12,
        "ratio": share(score, 12),
        "scoreDelta": null,
    })
}

fn payment_child(row: &Row) -> Value {
    let (c, p, score) = (&row.counts, &row.procedures, row.scores().tttt);
    json!({
        "departmentId": row.body.id,
        "departmentName": row.body.portal_name(),
        "departmentCode": row.body.code,
        "level": row.level(),
        "totalMaxScore": 10,
        "ratio": share(score, 10),
        "totalScore": number(score),
        "totalDossierOnlinePaymentSuccess": c.paid,
        "totalDossierFinancialObligation": c.obliged,
        "totalDossierOnlineFormalityPaymentSuccess": p.paid,
        "totalFeeDossierFormalityDistinct": p.with_fee,
        "totalFeeDossierFormality": p.with_fee_data,
        "totalFeeFormality": p.with_fee,
        "scoreDelta": null,
    })
}

/// The keys with which every row of the three metric endpoints begins.
fn head(row: &Row, stt: usize, with_code: bool, metrics: &[Metric], max: u64) -> Value {
    let (kind, level, agency) = match row.body.unit.unit_group {
        UnitGroup::Province => ("PROVINCE", "PROVINCE", "level_1"),
        UnitGroup::Department => ("PROVINCIAL_DEPARTMENT", "PROVINCE", "level_2"),
        UnitGroup::District | UnitGroup::Commune => ("COMMUNE", "COMMUNE", "level_3"),
    };
    let mut object = json!({ "stt": stt, "departmentId": row.body.id, "departmentName": row.body.portal_name() });
    if with_code {
        object["departmentCode"] = row.body.code.clone().into();
    }
    object["departmentType"] = kind.into();
    object["departmentLevel"] = level.into();
    object["agencyLevel"] = agency.into();
    object["totalScore"] = number(total(metrics));
    object["totalMaxScore"] = max.into();
    object["ratio"] = share(total(metrics), max);
    object
}

fn metrics_json(metrics: &[Metric]) -> Value {
    metrics.iter().map(metric_json).collect()
}

fn metric_json(metric: &Metric) -> Value {
    let mut object = json!({
        "code": metric.code,
        "name": metric.name,
        "numerator": metric.numerator,
        "denominator": metric.denominator,
        "ratio": number_or_null(metric.ratio),
        "score": number_or_null(metric.score),
        "maxScore": metric.max,
    });
    if let Some((status, message)) = metric.quality {
        object["dataQualityStatus"] = status.into();
        object["dataQualityMessage"] = message.into();
    }
    object
}

/// Points of a maximum as a per cent.
fn share(points: u64, max: u64) -> Value {
    number(percent(points, max * 100).unwrap_or(0))
}

/// One page of rows, numbered through, and what the answer says about paging.
fn paged<'a>(rows: &[&Row<'a>], page: Page, write: impl Fn(&Row<'a>, usize) -> Value) -> (Vec<Value>, Value) {
    let size = page.size.max(1);
    let shown = rows.iter().enumerate().skip(page.current.saturating_sub(1).saturating_mul(size)).take(size);
    let written = shown.map(|(at, row)| write(row, at + 1)).collect();
    let pages = rows.len().div_ceil(size);
    (written, json!({ "total": rows.len(), "currentPage": page.current, "pageSize": page.size, "totalPages": pages }))
}
