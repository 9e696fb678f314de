//! The rule of one criterion, from the file as written to the checked rule.

use std::collections::HashSet;

use toml::Spanned;

use super::PerGroup;
use super::check::Check;
use super::file::{Names, RawBands, RawRamp, RawRule};
use crate::model::{Exact, UnitGroup};
use crate::score::rule::{Quotient, Rule};

/// Builds the rule and reports what is wrong with it.
pub(super) fn build(check: &mut Check<'_>, raw: RawRule, unit_groups: &[UnitGroup], max: &PerGroup<Exact>) -> Rule {
    match raw {
        RawRule::Ratio(raw) => {
            check.per_group(&raw.full_at, unit_groups, "full_at");
            let positive = raw.full_at.get_ref().values().iter().all(|target| *target > Exact::ZERO);
            check.must(positive, raw.full_at.span(), "full_at must be above 0", "write the ratio that earns the maximum, like \"0.8\"");
            Rule::Ratio { of: quotient(check, &raw.of, Some(&raw.over)), full_at: raw.full_at.into_inner() }
        }
        RawRule::Ramp(raw) => ramp(check, &raw),
        RawRule::Bands(raw) => bands(check, &raw, max),
        RawRule::Flag(raw) => {
            check.indicators.push((raw.of.get_ref().clone(), raw.of.span()));
            Rule::Flag { of: raw.of.into_inner() }
        }
        RawRule::Constant(points) => {
            let fits = max.values().iter().all(|max| Exact::ZERO <= *points.get_ref() && points.get_ref() <= max);
            check.must(fits, points.span(), "the constant lies outside 0 and the maximum", "write points between 0 and max");
            Rule::Constant(points.into_inner())
        }
        RawRule::Published(raw) => {
            check.indicators.push((raw.of.get_ref().clone(), raw.of.span()));
            Rule::Published { of: raw.of.into_inner(), item: raw.item }
        }
        RawRule::Declared(_) => Rule::Declared,
    }
}

fn ramp(check: &mut Check<'_>, raw: &RawRamp) -> Rule {
    let (zero_at, full_at) = (*raw.zero_at.get_ref(), *raw.full_at.get_ref());
    check.must(
        zero_at != full_at,
        raw.full_at.span(),
        "zero_at and full_at are the same",
        "let the ramp begin and end at different values",
    );
    Rule::Ramp { of: quotient(check, &raw.of, raw.over.as_ref()), zero_at, full_at }
}

/// Thresholds and points both fall, so that more never earns less.
fn bands(check: &mut Check<'_>, raw: &RawBands, max: &PerGroup<Exact>) -> Rule {
    let fix = "list [\"at least\", \"points\"] from the best band down, with points from 0 to max";
    check.must(!raw.bands.get_ref().is_empty(), raw.bands.span(), "there are no bands", fix);
    let mut above: Option<(Exact, Exact)> = None;
    for band in raw.bands.get_ref() {
        let (at_least, points) = *band.get_ref();
        let falls = above.is_none_or(|(above_least, above_points)| at_least < above_least && points < above_points);
        check.must(falls, band.span(), "bands must descend, thresholds and points alike", fix);
        let fits = max.values().iter().all(|max| Exact::ZERO <= points && points <= *max);
        check.must(fits, band.span(), "a band's points lie outside 0 and the maximum", fix);
        above = Some((at_least, points));
    }
    let bands = raw.bands.get_ref().iter().map(|band| *band.get_ref()).collect();
    Rule::Bands { of: quotient(check, &raw.of, raw.over.as_ref()), bands }
}

/// Indicators above and below the line; a gauge is one indicator.
fn quotient(check: &mut Check<'_>, of: &Spanned<Names>, over: Option<&Spanned<Names>>) -> Quotient {
    for names in [Some(of), over].into_iter().flatten() {
        let ids = &names.get_ref().0;
        let distinct: HashSet<_> = ids.iter().collect();
        check.must(
            !ids.is_empty() && distinct.len() == ids.len(),
            names.span(),
            "indicators must be named, each once",
            "name an indicator, or a list of different ones",
        );
        check.indicators.extend(ids.iter().map(|id| (id.clone(), names.span())));
    }
    check.must(over.is_some() || of.get_ref().0.len() <= 1, of.span(), "a gauge is one indicator", "name one indicator, or give `over`");
    Quotient { of: of.get_ref().0.clone(), over: over.map(|over| over.get_ref().0.clone()).unwrap_or_default() }
}
