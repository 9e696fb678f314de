//! From the file as written to a set that holds together: every fault is reported with its place.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::check_rule;
use super::file::{RawApplies, RawCriterion, RawEvidence, RawFigure, RawGroup, RawMean, RawRound, RawSet};
use super::portals::{self, Combined};
use super::{Class, Control, CriteriaSet, Criterion, Group, Mean, Named, PerGroup, Status, WhenEmpty};
use crate::catalogue::problem::Problem;
use crate::model::{Exact, Origin, Sha256, UnitGroup};
use crate::score::round::Model;
use crate::score::rule::Rule;

/// Builds the set, or names every fault.
pub(super) fn build(file: &str, text: &str, raw: RawSet) -> Result<CriteriaSet, Vec<Problem>> {
    let mut check = Check {
        file,
        text,
        problems: Vec::new(),
        max_unknown: false,
        indicators: Vec::new(),
        collectors: Vec::new(),
        combined: Vec::new(),
    };
    check.head(&raw);
    let unit_groups = check.applies(&raw.applies, None);
    let mean = raw.mean.as_ref().and_then(|mean| check.mean(mean, &unit_groups));
    let classes = check.classes(&raw);
    let mut ids = Ids::default();
    let mut spans = Vec::new();
    let mut groups = Vec::new();
    for group in raw.groups {
        let span = group.span();
        let group = group.into_inner();
        spans.push(group.max.span());
        groups.push(check.group(group, span, &unit_groups, raw.status, &mut ids));
    }
    check.maxima(&groups, &spans, &unit_groups, &raw.total);
    if !check.problems.is_empty() {
        return Err(check.problems);
    }
    Ok(CriteriaSet {
        file: file.to_owned(),
        sha256: Sha256::of(text.as_bytes()),
        id: raw.id.into_inner(),
        title: raw.title,
        cite: raw.cite.into_inner(),
        status: raw.status,
        in_force: raw.in_force.into_inner(),
        unit_groups,
        total: raw.total.into_inner(),
        ranked: raw.rank.is_some(),
        classes,
        mean,
        groups,
        text: text.to_owned(),
        indicators: check.indicators,
        collectors: check.collectors,
        combined: check.combined,
    })
}

/// Ids seen so far.
#[derive(Default)]
struct Ids {
    groups: HashSet<String>,
    criteria: HashSet<String>,
}

/// The file under check, what was found wrong, and what it names elsewhere.
pub(super) struct Check<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
    /// Some max cannot be read, so that sums would only repeat it.
    max_unknown: bool,
    pub(super) indicators: Vec<Named>,
    collectors: Vec<Named>,
    combined: Vec<Combined>,
}

impl Check<'_> {
    pub(super) fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem::at(self.file, self.text, span, message, fix));
    }

    /// A cross-check in one line: reports unless it holds.
    pub(super) fn must(&mut self, holds: bool, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        if !holds {
            self.wrong(span, message, fix);
        }
    }

    fn head(&mut self, raw: &RawSet) {
        let schema = *raw.schema.get_ref();
        self.must(schema == 1, raw.schema.span(), format!("schema {schema} is not known"), "write schema = 1");
        let plain = self.id(&raw.id, &mut HashSet::new());
        let stem = self.file.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or_default();
        let message = format!("the id {:?} is not the file's name", raw.id.get_ref());
        self.must(!plain || raw.id.get_ref() == stem, raw.id.span(), message, format!("write id = {stem:?}, or rename the file"));
        self.cited(&raw.cite);
        let (from, to) = (raw.in_force.get_ref().from, raw.in_force.get_ref().to);
        self.must(
            to.is_none_or(|to| from <= to),
            raw.in_force.span(),
            "it ends before it begins",
            "let `to` be the last day, on or after `from`",
        );
        self.must(*raw.total.get_ref() > Exact::ZERO, raw.total.span(), "the total must be above 0", "write the sum of the groups' maxima");
    }

    /// Whether the id is one at all; if not it is reported, and so is one that is given twice.
    fn id(&mut self, id: &Spanned<String>, seen: &mut HashSet<String>) -> bool {
        let text = id.get_ref();
        let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        self.must(plain, id.span(), format!("{text:?} cannot be an id"), "use letters, digits, '.', '-' and '_'");
        self.must(seen.insert(text.clone()), id.span(), format!("{text:?} is given twice"), "give each its own id");
        plain
    }

    fn cited(&mut self, cite: &Spanned<String>) {
        self.must(
            !cite.get_ref().trim().is_empty(),
            cite.span(),
            "the citation is empty",
            "name the law, decision or source, with its article",
        );
    }

    fn applies(&mut self, raw: &RawApplies, within: Option<&[UnitGroup]>) -> Vec<UnitGroup> {
        let span = raw.unit_groups.span();
        let unit_groups = raw.unit_groups.get_ref().clone();
        let distinct: HashSet<_> = unit_groups.iter().collect();
        self.must(
            !unit_groups.is_empty() && distinct.len() == unit_groups.len(),
            span.clone(),
            "unit groups must be named, each once",
            "for example [\"commune\"]",
        );
        let outside = unit_groups.iter().find(|group| within.is_some_and(|within| !within.contains(group)));
        if let Some(outside) = outside {
            self.wrong(span, format!("the set does not apply to {}", outside.label()), "a criterion may only narrow the set's unit_groups");
        }
        unit_groups
    }

    fn mean(&mut self, raw: &RawMean, unit_groups: &[UnitGroup]) -> Option<Mean> {
        let name = raw.of.get_ref().strip_prefix("unit_group:");
        let unit_group = unit_groups.iter().copied().find(|group| Some(group.label()) == name);
        self.must(
            unit_group.is_some(),
            raw.of.span(),
            format!("{:?} is no unit group of this set", raw.of.get_ref()),
            "write unit_group:NAME, like unit_group:province",
        );
        let decimals = *raw.round_each_group.get_ref();
        self.must(decimals <= 6, raw.round_each_group.span(), "more than 6 decimals", "write the number of decimals, like 2");
        unit_group.map(|unit_group| Mean { unit_group, decimals })
    }

    fn classes(&mut self, raw: &RawSet) -> Vec<Class> {
        let Some(classes) = &raw.classes else {
            return Vec::new();
        };
        let fix = "list [\"least points\", \"name\"] from the best class to one that begins at \"0\"";
        let mut above = None;
        for class in classes.get_ref() {
            let (at_least, name) = class.get_ref();
            let falls = above.is_none_or(|above| *at_least < above) && !name.trim().is_empty();
            self.must(falls, class.span(), "classes must be named and descend", fix);
            above = Some(*at_least);
        }
        self.must(above.is_some_and(Exact::is_zero), classes.span(), "the lowest class must begin at \"0\"", fix);
        classes.get_ref().iter().map(|class| Class { at_least: class.get_ref().0, name: class.get_ref().1.clone() }).collect()
    }

    fn group(&mut self, raw: RawGroup, span: Range<usize>, unit_groups: &[UnitGroup], status: Status, ids: &mut Ids) -> Group {
        self.id(&raw.id, &mut ids.groups);
        self.per_group(&raw.max, unit_groups, "max");
        if let Some(cite) = &raw.cite {
            self.cited(cite);
        }
        self.must(!raw.criteria.is_empty(), span, "the group has no criteria", "add a [[group.criterion]], or remove the group");
        let control = raw.control.as_ref().map(|control| self.control(control));
        let cite = raw.cite.map(Spanned::into_inner);
        let mut criteria = Vec::new();
        for criterion in raw.criteria {
            let span = criterion.span();
            let criterion = criterion.into_inner();
            self.id(&criterion.id, &mut ids.criteria);
            criteria.push(self.criterion(criterion, span, unit_groups, status, cite.as_deref()));
        }
        Group { id: raw.id.into_inner(), title: raw.title, max: raw.max.into_inner(), control, criteria }
    }

    fn criterion(&mut self, raw: RawCriterion, span: Range<usize>, within: &[UnitGroup], status: Status, cite: Option<&str>) -> Criterion {
        match &raw.cite {
            Some(cite) => self.cited(cite),
            None => self.must(cite.is_some(), span, "the criterion has no citation", "add cite here or to its group"),
        }
        let unit_groups = raw.applies.as_ref().map_or(within.to_vec(), |applies| self.applies(applies, Some(within)));
        self.per_group(&raw.max, &unit_groups, "max");
        let rule_span = raw.rule.span();
        let portals = portals::terms(self, &raw);
        let (combined, named) = (Combined::of(&raw), self.indicators.len());
        let rule = check_rule::build(self, raw.rule.into_inner(), &unit_groups, raw.max.get_ref());
        self.combined.push(combined.with(self.indicators[named..].to_vec()));
        self.when_empty(&rule, raw.when_empty.as_ref(), rule_span);
        let round = self.round(&rule, raw.round.as_ref());
        if let Some(from) = &raw.from {
            self.collectors.push((from.get_ref().clone(), from.span()));
        }
        let control = raw.control.as_ref().map(|control| self.control(control));
        let (origin_needed, coverage_needed) = raw.evidence_needed.map_or((None, None), |needed| self.evidence_needed(needed));
        Criterion {
            id: raw.id.into_inner(),
            title: raw.title,
            cite: raw.cite.map(Spanned::into_inner).or_else(|| cite.map(str::to_owned)).unwrap_or_default(),
            status: raw.status.unwrap_or(status),
            unit_groups,
            max: raw.max.into_inner(),
            rule,
            when_empty: raw.when_empty.map(Spanned::into_inner),
            when_missing: raw.when_missing,
            round,
            from: raw.from.map(Spanned::into_inner),
            control,
            origin_needed,
            coverage_needed,
            portals,
        }
    }

    fn evidence_needed(&mut self, raw: Spanned<RawEvidence>) -> (Option<Origin>, Option<Exact>) {
        let span = raw.span();
        let RawEvidence { origin, coverage } = raw.into_inner();
        let fix = "write origin = \"measured\", coverage = \"0.95\", or both; or remove evidence_needed";
        self.must(origin.is_some() || coverage.is_some(), span, "evidence_needed names nothing that is needed", fix);
        if let Some(coverage) = &coverage {
            let share = Exact::ZERO < *coverage.get_ref() && *coverage.get_ref() <= Exact::ONE;
            self.must(
                share,
                coverage.span(),
                "coverage must be above 0 and at most 1",
                "write the share that must be covered, like \"0.95\"",
            );
        }
        (origin, coverage.map(Spanned::into_inner))
    }

    fn control(&mut self, raw: &RawFigure) -> Control {
        self.indicators.push((raw.of.get_ref().clone(), raw.of.span()));
        Control { of: raw.of.get_ref().clone(), item: raw.item.clone() }
    }

    /// A table by unit group names exactly the groups concerned; points have at most two decimals and are not negative.
    pub(super) fn per_group(&mut self, value: &Spanned<PerGroup<Exact>>, unit_groups: &[UnitGroup], key: &str) {
        if let PerGroup::By(values) = value.get_ref() {
            let lacking = unit_groups.iter().find(|group| !values.contains_key(group));
            let beyond = values.keys().find(|group| !unit_groups.contains(group));
            let fix = "give one value for each unit group it applies to, and no other";
            if let Some(group) = lacking.or(beyond) {
                let what = if lacking.is_some() { "gives no value for" } else { "gives a value for" };
                let message = format!("{key} {what} {}", group.label());
                self.wrong(value.span(), message, fix);
                self.max_unknown |= key == "max";
                return;
            }
        }
        let points = |value: &Exact| *value >= Exact::ZERO && value.decimal().scale() <= 2;
        let right = key != "max" || value.get_ref().values().iter().all(points);
        self.max_unknown |= !right;
        self.must(right, value.span(), "points are 0 or more, with at most two decimals", "write them like \"6\" or \"2.5\"");
    }

    fn when_empty(&mut self, rule: &Rule, given: Option<&Spanned<WhenEmpty>>, rule_span: Range<usize>) {
        let divides = rule.quotient().is_some_and(|of| !of.over.is_empty());
        match given {
            None => self.must(!divides, rule_span, "nothing says what 0 of 0 is worth", "add when_empty = \"full\", \"zero\" or \"null\""),
            Some(given) => self.must(divides, given.span(), "when_empty has no effect on a rule without `over`", "remove it"),
        }
    }

    fn round(&mut self, rule: &Rule, given: Option<&Spanned<RawRound>>) -> Model {
        let Some(given) = given else {
            return Model::default();
        };
        let model = given.get_ref().model;
        let fits = matches!(rule, Rule::Ratio { .. }) || model == Model::HalfUp;
        self.must(fits, given.span(), "percent-binary64 is defined for ratio rules only", "remove round, or use rule.ratio");
        model
    }

    /// Criteria add up to their group and groups to the total, for every unit group.
    fn maxima(&mut self, groups: &[Group], spans: &[Range<usize>], unit_groups: &[UnitGroup], total: &Spanned<Exact>) {
        if self.max_unknown {
            return;
        }
        let before = self.problems.len();
        for (group, span) in groups.iter().zip(spans) {
            let off = unit_groups.iter().find_map(|&unit_group| {
                let maxima = group.criteria.iter().filter(|c| c.unit_groups.contains(&unit_group)).map(|c| c.max_for(unit_group));
                let (sum, max) = (Exact::sum(maxima).ok()?, group.max.of(unit_group).unwrap_or(Exact::ZERO));
                (sum != max).then(|| format!("the criteria of {} add up to {sum}, not to {max}, for {}", group.id, unit_group.label()))
            });
            if let Some(message) = off {
                self.wrong(span.clone(), message, "correct the group's max or the criteria's");
            }
        }
        if self.problems.len() > before {
            return;
        }
        let off = unit_groups.iter().find_map(|&unit_group| {
            let sum = Exact::sum(groups.iter().filter_map(|group| group.max.of(unit_group))).ok()?;
            (sum != *total.get_ref()).then(|| format!("the groups add up to {sum}, not to {}, for {}", total.get_ref(), unit_group.label()))
        });
        if let Some(message) = off {
            self.wrong(total.span(), message, "correct the total or the groups' maxima");
        }
    }
}
