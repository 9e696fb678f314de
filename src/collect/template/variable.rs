//! What a placeholder can stand for, and its value for one request.

use chrono::{Datelike, NaiveDate};

use super::{BadTemplate, Filled, Filling, Form, Unfilled};
use crate::model::PeriodKind;

/// What a placeholder stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// `period.kind`: day, month, quarter, year.
    PeriodKind,
    /// `period.year`.
    PeriodYear,
    /// `period.quarter`: 1 to 4, only for a quarter.
    PeriodQuarter,
    /// `period.month`: 1 to 12, only for a month.
    PeriodMonth,
    /// `period.start`: first day.
    PeriodStart,
    /// `period.last`: last day, inclusive.
    PeriodLast,
    /// `period.offset_months_from:2013-01`: whole months since that month began.
    PeriodOffsetMonths(NaiveDate),
    /// `unit.id`.
    UnitId,
    /// `unit.code`.
    UnitCode,
    /// `unit.name`.
    UnitName,
    /// `unit.codes.<system>`: the unit's code in that code map.
    UnitCodes(String),
    /// `portal.id`.
    PortalId,
    /// `portal.url`: its address, without the slash that an address without a path ends with.
    PortalUrl,
    /// `due`: when the run was due, on the collector's local clock.
    Due,
    /// `province.<name>`: a value of `[province]` in the settings.
    Province(String),
}

impl Variable {
    pub(super) fn parse(name: &str, argument: Option<&str>) -> Result<Variable, BadTemplate> {
        Ok(match name {
            "period.kind" => Variable::PeriodKind,
            "period.year" => Variable::PeriodYear,
            "period.quarter" => Variable::PeriodQuarter,
            "period.month" => Variable::PeriodMonth,
            "period.start" => Variable::PeriodStart,
            "period.last" => Variable::PeriodLast,
            "period.offset_months_from" => {
                let from = argument.and_then(|month| NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok());
                Variable::PeriodOffsetMonths(from.ok_or_else(|| BadTemplate("write {period.offset_months_from:2013-01}".to_owned()))?)
            }
            "unit.id" => Variable::UnitId,
            "unit.code" => Variable::UnitCode,
            "unit.name" => Variable::UnitName,
            "portal.id" => Variable::PortalId,
            "portal.url" => Variable::PortalUrl,
            "due" => Variable::Due,
            _ => match (name.strip_prefix("province."), name.strip_prefix("unit.codes.")) {
                (Some(key), _) if !key.is_empty() => Variable::Province(key.to_owned()),
                (_, Some(system)) if !system.is_empty() => Variable::UnitCodes(system.to_owned()),
                _ => {
                    return Err(BadTemplate(format!(
                        "{{{name}}} is no placeholder; write period.kind, period.year, period.quarter, period.month, period.start, period.last, period.offset_months_from:YYYY-MM, unit.id, unit.code, unit.name, unit.codes.<system>, portal.id, portal.url, due or province.<name>, and {{{{ for a brace"
                    )));
                }
            },
        })
    }

    /// The name it is written with.
    pub fn name(&self) -> String {
        match self {
            Variable::PeriodKind => "period.kind".to_owned(),
            Variable::PeriodYear => "period.year".to_owned(),
            Variable::PeriodQuarter => "period.quarter".to_owned(),
            Variable::PeriodMonth => "period.month".to_owned(),
            Variable::PeriodStart => "period.start".to_owned(),
            Variable::PeriodLast => "period.last".to_owned(),
            Variable::PeriodOffsetMonths(from) => format!("period.offset_months_from:{}", from.format("%Y-%m")),
            Variable::UnitId => "unit.id".to_owned(),
            Variable::UnitCode => "unit.code".to_owned(),
            Variable::UnitName => "unit.name".to_owned(),
            Variable::UnitCodes(system) => format!("unit.codes.{system}"),
            Variable::PortalId => "portal.id".to_owned(),
            Variable::PortalUrl => "portal.url".to_owned(),
            Variable::Due => "due".to_owned(),
            Variable::Province(key) => format!("province.{key}"),
        }
    }

    /// Whether it needs a period, so that the collector must ask by period.
    pub fn needs_period(&self) -> bool {
        self.name().starts_with("period.")
    }

    /// Whether it needs a portal, so that the collector must ask by portal.
    pub fn needs_portal(&self) -> bool {
        self.name().starts_with("portal.")
    }

    /// Whether it needs a unit, so that the collector must ask by unit or by portal.
    pub fn needs_unit(&self) -> bool {
        self.name().starts_with("unit.")
    }

    pub(super) fn value(&self, filling: &Filling, form: &Form) -> Result<Filled, Unfilled> {
        let none = |why: &str| Unfilled(self.name(), why.to_owned());
        let period = filling.scope.period.ok_or_else(|| none("the request is about no period"));
        let unit = filling.unit.ok_or_else(|| none("the request is about no unit"));
        let portal = filling.portal.ok_or_else(|| none("the request is about no portal"));
        let date = |date: NaiveDate| match form {
            Form::Date(format) => date.format(format).to_string(),
            Form::AsIs | Form::Text => date.to_string(),
        };
        Ok(match self {
            Variable::PeriodKind => Filled::Text(period?.kind().label().to_owned()),
            Variable::PeriodYear => Filled::Number(period?.year().into()),
            Variable::PeriodQuarter => Filled::Number(period?.quarter().ok_or_else(|| none("the period is no quarter"))?.into()),
            Variable::PeriodMonth => Filled::Number(period?.month().ok_or_else(|| none("the period is no month"))?.into()),
            Variable::PeriodStart => Filled::Text(date(period?.start())),
            Variable::PeriodLast => Filled::Text(date(period?.last())),
            Variable::PeriodOffsetMonths(from) => {
                let months = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month());
                Filled::Number(months(period?.start()) - months(*from))
            }
            Variable::UnitId => Filled::Text(unit?.id.clone()),
            Variable::UnitCode => Filled::Text(unit?.code.clone()),
            Variable::UnitName => Filled::Text(unit?.name.clone()),
            Variable::UnitCodes(system) => {
                unit?;
                Filled::Text((filling.code_of)(system).ok_or_else(|| none("the code map has no code for the unit"))?)
            }
            Variable::PortalId => Filled::Text(portal?.id.clone()),
            Variable::PortalUrl => Filled::Text(portal?.base().to_owned()),
            Variable::Due => {
                let local = filling.scope.due.utc().with_timezone(&filling.zone);
                Filled::Text(match form {
                    Form::Date(format) => local.format(format).to_string(),
                    Form::AsIs | Form::Text => filling.scope.due.to_string(),
                })
            }
            Variable::Province(key) => Filled::Text(
                filling.scope.province.get(key).cloned().ok_or_else(|| none(&format!("set {key} under [province] in the settings")))?,
            ),
        })
    }
}

/// Whether a scope of this period kind can fill the variable; used to say at load what can never work.
pub fn fits(variable: &Variable, kind: Option<PeriodKind>) -> bool {
    match variable {
        Variable::PeriodQuarter => kind == Some(PeriodKind::Quarter),
        Variable::PeriodMonth => kind == Some(PeriodKind::Month),
        other => !other.needs_period() || kind.is_some(),
    }
}
