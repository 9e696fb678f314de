//! Criteria about portals: how several portals of one unit become one figure, and on what terms.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::check::Check;
use super::file::{RawCriterion, RawDegraded};
use super::{CriteriaSet, Named};
use crate::catalogue::problem::Problem;
use crate::rollup::{Options, ServiceHours};

/// How several portals of one unit become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// The mean of their figures.
    Mean,
    /// As one that is up only while all of them are.
    All,
    /// The figure of the worst one.
    Worst,
}

impl Combine {
    /// The item under which its observations stand.
    pub fn item(self) -> &'static str {
        match self {
            Combine::Mean => "mean",
            Combine::All => "all",
            Combine::Worst => "worst",
        }
    }
}

/// What a criterion about portals asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalTerms {
    /// How portals are combined.
    pub combine: Combine,
    /// On what terms they are judged.
    pub options: Options,
    /// The item of its inputs: that of `combine`, and the terms unless they are the usual ones.
    pub item: String,
}

impl PortalTerms {
    /// Whether its figures are those that are recorded every day.
    pub fn are_usual(&self) -> bool {
        self.options == Options::default()
    }
}

/// The inputs of a criterion as they were named, and whether the criterion combines portals.
#[derive(Debug, Clone)]
pub(super) struct Combined {
    inputs: Vec<Named>,
    /// Where `combine` stands.
    combine: Option<Range<usize>>,
    /// Where something stands that only some figures of portals can have.
    terms: Option<Range<usize>>,
    coverage: Option<Range<usize>>,
    rule: Range<usize>,
}

impl Combined {
    pub fn of(raw: &RawCriterion) -> Combined {
        Combined {
            inputs: Vec::new(),
            combine: raw.combine.as_ref().map(Spanned::span),
            terms: terms_span(raw),
            coverage: raw.evidence_needed.as_ref().and_then(|needed| needed.get_ref().coverage.as_ref()).map(Spanned::span),
            rule: raw.rule.span(),
        }
    }

    pub fn with(self, inputs: Vec<Named>) -> Combined {
        Combined { inputs, ..self }
    }
}

/// What the criterion asks for, if it is about portals.
pub(super) fn terms(check: &mut Check<'_>, raw: &RawCriterion) -> Option<PortalTerms> {
    let service_hours = raw.service_hours.as_ref().and_then(|hours| {
        let read = ServiceHours::new(hours.get_ref().days, &hours.get_ref().hours);
        read.map_err(|bad| {
            check.wrong(hours.span(), bad.to_string(), "write service_hours = { days = \"working\", hours = [\"07:30-17:00\"] }")
        })
        .ok()
    });
    let options = Options {
        degraded_is_up: raw.degraded.as_ref().is_none_or(|degraded| *degraded.get_ref() == RawDegraded::Up),
        notice_working_days: raw.notice_working_days.as_ref().map(|days| *days.get_ref()),
        service_hours,
    };
    let Some(combine) = &raw.combine else {
        if let Some(span) = terms_span(raw) {
            check.wrong(
                span,
                "this has no effect: the criterion combines no portals".to_owned(),
                "add combine = \"mean\", \"all\" or \"worst\"",
            );
        }
        return None;
    };
    let combine = *combine.get_ref();
    let said = options.to_string();
    let item = if said.is_empty() { combine.item().to_owned() } else { format!("{} ({said})", combine.item()) };
    Some(PortalTerms { combine, options, item })
}

/// Where the first of the terms stands that a criterion asks for.
fn terms_span(raw: &RawCriterion) -> Option<Range<usize>> {
    let asked = [
        raw.service_hours.as_ref().map(Spanned::span),
        raw.notice_working_days.as_ref().map(Spanned::span),
        raw.degraded.as_ref().map(Spanned::span),
    ];
    asked.into_iter().flatten().next()
}

/// What the registry and the probes say of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfPortals {
    /// Its values stand for each portal.
    pub per_portal: bool,
    /// The terms of a criterion change it.
    pub on_terms: bool,
    /// It lies within bounds where its period is not known whole.
    pub bounded: bool,
}

impl CriteriaSet {
    /// A problem for each criterion that reads an indicator of portals and does not combine them, combines none, or asks for
    /// what its figure cannot have.
    pub fn check_portals(&self, known: &dyn Fn(&str) -> OfPortals) -> Vec<Problem> {
        let per_portal = |id: &str| known(id).per_portal;
        let problem = |span: Range<usize>, message: String, fix| Problem::at(&self.file, &self.text, span, message, fix);
        let check = |combined: &Combined| {
            let of_portals = combined.inputs.iter().find(|(id, _)| per_portal(id));
            match (&combined.combine, of_portals) {
                (None, Some((id, span))) => Some(problem(
                    span.clone(),
                    format!("{id} stands for each portal of a unit, and the criterion does not say how they become one figure"),
                    "add combine = \"mean\", \"all\" or \"worst\"",
                )),
                (Some(span), None) => {
                    Some(problem(span.clone(), "combine has no effect: no input stands for each portal".to_owned(), "remove it"))
                }
                (Some(_), Some(_)) => {
                    let first = |lacks: &dyn Fn(OfPortals) -> bool| combined.inputs.iter().map(|(id, _)| id).find(|id| lacks(known(id)));
                    let other = first(&|of| !of.per_portal).map(|id| {
                        let message = format!("{id} does not stand for each portal, as the other inputs do");
                        problem(combined.rule.clone(), message, "make it a criterion of its own")
                    });
                    let on_terms =
                        combined.terms.clone().zip(first(&|of| !of.on_terms)).map(|(span, id)| {
                            problem(span, format!("this does not change {id}, which is the same at all hours"), "remove it")
                        });
                    let bounded = combined.coverage.clone().zip(first(&|of| !of.bounded)).map(|(span, id)| {
                        let message = format!("nothing says between what {id} lies while too little is known");
                        problem(span, message, "remove coverage, or read an indicator that has `within` (portal_up_ratio)")
                    });
                    other.or(on_terms).or(bounded)
                }
                (None, None) => None,
            }
        };
        self.combined.iter().filter_map(check).collect()
    }

    /// Every kind of terms that are not the usual ones: their figures are computed for the scoring.
    pub fn unusual_terms(&self) -> Vec<&PortalTerms> {
        let mut all: Vec<&PortalTerms> = Vec::new();
        for terms in self.criteria().filter_map(|criterion| criterion.portals.as_ref()).filter(|terms| !terms.are_usual()) {
            if !all.iter().any(|known| known.item == terms.item) {
                all.push(terms);
            }
        }
        all
    }
}
