//! Readings: every row of every `[[rows]]` read by its plan, each key only once.

use std::collections::HashMap;

use super::document::Opened;
use super::found::shown;
use super::place::Row;
use super::plan::{Plan, Planner, ReadPlan, Standing};
use super::{Context, Extract, RowsSeen, SkippedRow, page};
use crate::collect::collector::{From, KeyPart, RowPeriod, Rows};
use crate::model::{Finding, Period, Reading, Reason, Severity, Value};

/// So many findings of one answer are kept; a page in ruins repeats itself.
const MOST_FINDINGS: usize = 200;

/// Collects what one answer says.
pub(super) struct Reader<'r, 'a> {
    ctx: &'r Context<'a>,
    found: Extract,
    /// Index of the reading with this indicator, unit, item and period.
    by_key: HashMap<(String, String, String, Period), usize>,
}

/// Whose row it is and what it is about.
struct Subject {
    unit: String,
    item: String,
    period: Period,
}

impl<'r, 'a> Reader<'r, 'a> {
    /// Nothing read yet.
    pub(super) fn new(ctx: &'r Context<'a>) -> Reader<'r, 'a> {
        Reader { ctx, found: Extract::default(), by_key: HashMap::new() }
    }

    /// Reads one `[[rows]]`.
    pub(super) fn read_rows(&mut self, opened: &Opened, rows: &Rows) {
        if matches!(rows.from.get_ref(), From::Page(_)) {
            return self.read_page(opened, rows);
        }
        let mut seen = RowsSeen::default();
        if let Some(block) = opened.block(rows.from.get_ref(), &mut self.found.findings) {
            let planned = Planner { rows, headings: &block.headings, findings: &mut self.found.findings }.plan();
            if let Some(plan) = planned.filter(|_| self.can_tell_units(rows)) {
                self.read_each(&plan, &block.rows, rows, &mut seen);
            }
            seen.headings = block.headings;
            seen.shape = block.shape;
        }
        self.found.rows.push(seen);
    }

    /// Reads one `[[rows]]` that is a whole page, by its checks.
    fn read_page(&mut self, opened: &Opened, rows: &Rows) {
        let mut seen_rows = RowsSeen::default();
        let period = match rows.period.as_ref().map(toml::Spanned::get_ref) {
            Some(RowPeriod::Stated(period)) => Some(*period),
            Some(RowPeriod::Read { .. }) | None => self.ctx.scope.period,
        };
        match (opened, period) {
            (Opened::Page(page), Some(period)) if self.can_tell_units(rows) => {
                let zone = self.ctx.collector.schedule.timezone.0;
                let today = self.ctx.scope.due.utc().with_timezone(&zone).date_naive();
                let (seen, findings) = page::run(page, rows, self.ctx.address, today);
                self.found.findings.extend(findings);
                seen_rows.kept = 1;
                seen.into_iter().for_each(|seen| self.keep_seen(seen, period));
            }
            (Opened::Page(_), Some(_)) => {}
            (Opened::Json(_) | Opened::Page(_) | Opened::Workbook(..) | Opened::Csv(_), _) => {
                let what = "the request states no period, or the answer is no page; add period to for_each";
                self.found.findings.push(Finding::quarantine(Reason::Config, "rows", what));
            }
        }
        self.found.rows.push(seen_rows);
    }

    fn keep_seen(&mut self, seen: page::Seen, period: Period) {
        let Some(indicator) = (self.ctx.indicator)(seen.indicator) else {
            let what = format!("no indicator {:?} in the registry", seen.indicator);
            return self.found.findings.push(Finding::quarantine(Reason::Config, seen.proof.place, what));
        };
        let value = Value::Number(seen.value);
        if let Some(why) = indicator.refuses(value) {
            return self.found.findings.push(Finding::quarantine(Reason::ValueUnparsed, seen.proof.place, why));
        }
        self.keep(Reading {
            indicator: seen.indicator.to_owned(),
            unit: self.ctx.scope.unit.clone().unwrap_or_default(),
            item: self.ctx.scope.item(&seen.item),
            period,
            value,
            flag: String::new(),
            place: seen.proof.place,
            text: seen.proof.text,
        });
    }

    /// Everything found, with no more findings than people can read.
    pub(super) fn finish(mut self) -> Extract {
        cap(&mut self.found.findings);
        self.found
    }

    fn can_tell_units(&mut self, rows: &Rows) -> bool {
        let can = rows.slot.is_some() || rows.unit_value().is_some() || self.ctx.scope.unit.is_some();
        if !can {
            let what = "neither the rows nor the request say whose rows these are; add unit.value, for_each.unit or for_each.portal";
            self.found.findings.push(Finding::quarantine(Reason::Config, "unit", what));
        }
        can
    }

    fn read_each(&mut self, plan: &Plan, rows: &[Row], declared: &Rows, seen: &mut RowsSeen) {
        let mut keys = HashMap::new();
        for row in rows {
            match plan.filter.standing(row) {
                Err(finding) => self.found.findings.push(finding),
                Ok(Standing::LeftOut) => {}
                Ok(Standing::Skipped(text)) => seen.skipped.push(SkippedRow { text, values: self.skipped_values(plan, row) }),
                Ok(Standing::Kept) => {
                    seen.kept += 1;
                    if let Err(finding) = self.read_row(plan, row, declared, &mut keys) {
                        self.found.findings.push(finding);
                    }
                }
            }
        }
    }

    fn read_row(&mut self, plan: &Plan, row: &Row, declared: &Rows, keys: &mut RowKeys) -> Result<(), Finding> {
        if let Some(misfit) = row.misfit(plan.width) {
            return Err(misfit);
        }
        if let Some(slot) = &plan.slot {
            let record = slot.record(plan.item(row)?, row, self.ctx.collector.schedule.timezone.0)?;
            self.found.records.push(record);
            return Ok(());
        }
        let subject = self.subject(plan, row, declared)?;
        note_key(keys, &declared.key, &subject, row)?;
        for read in &plan.reads {
            match self.reading(read, row, &subject) {
                Ok(None) => {}
                Ok(Some(reading)) => self.keep(reading),
                Err(finding) => self.found.findings.push(finding),
            }
        }
        Ok(())
    }

    fn subject(&self, plan: &Plan, row: &Row, declared: &Rows) -> Result<Subject, Finding> {
        let period = plan.period(row, self.ctx.scope.period)?;
        let unit = match &plan.unit {
            Some(place) => {
                let spot = place.find(row)?;
                let unmapped = |what: String| Finding::warn(Reason::UnmappedUnit, &spot.place, what);
                let code = spot.found.code().map_err(unmapped)?;
                let system = declared.unit_codes().map_or("", |codes| codes.get_ref());
                (self.ctx.unit_of)(system, &code, period).ok_or_else(|| {
                    unmapped(format!("code {} is not listed in the code map {system:?} for {period}: the row is left out", shown(&code)))
                })?
            }
            None => self.ctx.scope.unit.clone().unwrap_or_default(),
        };
        Ok(Subject { unit, item: plan.item(row)?, period })
    }

    fn reading(&self, plan: &ReadPlan, row: &Row, subject: &Subject) -> Result<Option<Reading>, Finding> {
        let Some((value, spot)) = plan.value(row)? else {
            return Ok(None);
        };
        let id = plan.read.indicator.get_ref();
        let text = spot.found.text();
        let Some(indicator) = (self.ctx.indicator)(id) else {
            return Err(Finding::quarantine(Reason::Config, spot.place, format!("no indicator {id:?} in the registry")));
        };
        if let Some(why) = indicator.refuses(value) {
            return Err(Finding::quarantine(Reason::ValueUnparsed, spot.place, format!("{}: {why}", shown(&text))));
        }
        Ok(Some(Reading {
            indicator: id.clone(),
            unit: subject.unit.clone(),
            item: self.ctx.scope.item(&item_of(plan, &subject.item)),
            period: subject.period,
            value,
            flag: plan.flag(row)?,
            place: spot.place,
            text,
        }))
    }

    /// Keeps a reading; one that says otherwise about the same thing is drift, one that says the same is not needed twice.
    fn keep(&mut self, reading: Reading) {
        let key = (reading.indicator.clone(), reading.unit.clone(), reading.item.clone(), reading.period);
        let Some(&first) = self.by_key.get(&key) else {
            self.by_key.insert(key, self.found.readings.len());
            self.found.readings.push(reading);
            return;
        };
        let first = &self.found.readings[first];
        if first.value != reading.value {
            let what = format!(
                "{} of {} in {} is {} here and {} at {}",
                reading.indicator,
                reading.unit,
                reading.period,
                shown(&reading.text),
                shown(&first.text),
                first.place
            );
            self.found.findings.push(Finding::quarantine(Reason::DuplicateKey, reading.place, what));
        }
    }

    /// What a row left out by `skip` holds, as far as it can be read: only gates look at it.
    fn skipped_values(&self, plan: &Plan, row: &Row) -> Vec<(String, String, Value)> {
        if row.misfit(plan.width).is_some() {
            return Vec::new();
        }
        let item = plan.item(row).unwrap_or_default();
        let values = plan.reads.iter().filter_map(|read| {
            let (value, _) = read.value(row).ok()??;
            Some((read.read.indicator.get_ref().clone(), self.ctx.scope.item(&item_of(read, &item)), value))
        });
        values.collect()
    }
}

fn item_of(plan: &ReadPlan, row_item: &str) -> String {
    plan.read.item.clone().unwrap_or_else(|| row_item.to_owned())
}

/// Where the row with this unit, item and period stands.
type RowKeys = HashMap<(Option<String>, Option<String>, Option<Period>), String>;

fn note_key(keys: &mut RowKeys, parts: &[KeyPart], subject: &Subject, row: &Row) -> Result<(), Finding> {
    let has = |part: KeyPart| parts.is_empty() || parts.contains(&part);
    let unit = has(KeyPart::Unit).then(|| subject.unit.clone());
    let item = has(KeyPart::Item).then(|| subject.item.clone());
    let period = has(KeyPart::Period).then_some(subject.period);
    match keys.insert((unit, item, period), row.location().to_owned()) {
        None => Ok(()),
        Some(first) => {
            let what = format!("a second row of {} {} {}; the first is {first}", subject.unit, subject.item, subject.period);
            Err(Finding::quarantine(Reason::DuplicateKey, row.location(), what))
        }
    }
}

/// Keeps the first findings and says how many more there were, as severe as the most severe of them.
pub(super) fn cap(findings: &mut Vec<Finding>) {
    if findings.len() <= MOST_FINDINGS {
        return;
    }
    let rest = findings.split_off(MOST_FINDINGS - 1);
    let worst = rest.iter().find(|finding| finding.severity == Severity::Quarantine).unwrap_or(&rest[0]);
    let text = format!("{} more findings, the first of the gravest: {}", rest.len(), worst.text);
    findings.push(Finding { reason: worst.reason, severity: worst.severity, place: worst.place.clone(), text });
}
