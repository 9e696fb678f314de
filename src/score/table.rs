//! What compares sheets with each other: places, classes, the mean.

use super::criteria::CriteriaSet;
use super::rank::places;
use super::sheet::{Cohort, GroupMean, MeanFigure, Points, Sheet, Unranked};
use crate::model::{Exact, Overflow, UnitGroup};

/// The class of a total; none unless every total it can have is of one class.
pub(super) fn class(set: &CriteriaSet, total: Points) -> Option<&str> {
    let of = |points: Exact| set.classes.iter().find(|class| points >= class.at_least).map(|class| class.name.as_str());
    let (least, most) = total.bounds();
    of(least).filter(|name| of(most) == Some(name))
}

/// Gives the sheets their places within their unit group, in total and in each group, and says who was compared.
///
/// All units of one group are judged by the same criteria, so a unit group is a cohort.
pub(super) fn rank<'a>(set: &'a CriteriaSet, sheets: &mut [Sheet<'a>]) -> Vec<Cohort<'a>> {
    let mut cohorts = Vec::new();
    for &unit_group in &UnitGroup::ALL {
        let mut members: Vec<&mut Sheet<'a>> = sheets.iter_mut().filter(|sheet| sheet.unit_group == unit_group).collect();
        if members.is_empty() {
            continue;
        }
        if set.ranked {
            place(&mut members);
        }
        cohorts.push(cohort(set, unit_group, &members));
    }
    cohorts
}

/// A place is given to complete points only, and only when no range of another body can overturn it.
fn place(members: &mut [&mut Sheet<'_>]) {
    let certain = |complete: bool, (best, worst): (u32, u32)| (complete && best == worst).then_some(best);
    let totals: Vec<(Exact, Exact)> = members.iter().map(|sheet| sheet.total.bounds()).collect();
    for (sheet, between) in members.iter_mut().zip(places(&totals)) {
        (sheet.rank, sheet.rank_between) = (certain(sheet.complete, between), Some(between));
    }
    let n_groups = members.first().map_or(0, |sheet| sheet.groups.len());
    for at in 0..n_groups {
        let points: Vec<(Exact, Exact)> = members.iter().map(|sheet| sheet.groups[at].points.bounds()).collect();
        for (sheet, between) in members.iter_mut().zip(places(&points)) {
            let group = &mut sheet.groups[at];
            (group.rank, group.rank_between) = (certain(group.complete, between), Some(between));
        }
    }
}

fn cohort<'a>(set: &'a CriteriaSet, unit_group: UnitGroup, members: &[&mut Sheet<'a>]) -> Cohort<'a> {
    let unranked = members.iter().filter(|sheet| !sheet.complete || (set.ranked && sheet.rank.is_none())).map(|sheet| {
        let lines = sheet.groups.iter().flat_map(|group| &group.lines);
        Unranked { unit: sheet.unit, criteria: lines.filter(|line| !line.state.complete()).map(|line| line.criterion).collect() }
    });
    Cohort {
        unit_group,
        criteria: set.criteria().filter(|c| c.unit_groups.contains(&unit_group)).map(|c| c.id.as_str()).collect(),
        size: members.len(),
        ranked: members.iter().filter(|sheet| sheet.rank.is_some()).count(),
        unranked: unranked.collect(),
    }
}

/// The mean that the set asks for; without a total unless there are units and every one is complete.
pub(super) fn mean<'a>(set: &CriteriaSet, sheets: &[Sheet<'a>]) -> Result<Option<MeanFigure<'a>>, Overflow> {
    let Some(mean) = set.mean else {
        return Ok(None);
    };
    let members: Vec<&Sheet<'a>> = sheets.iter().filter(|sheet| sheet.unit_group == mean.unit_group).collect();
    let incomplete: Vec<&str> = members.iter().filter(|sheet| !sheet.complete).map(|sheet| sheet.unit).collect();
    let mut groups = Vec::new();
    let units = i64::try_from(members.len()).map_err(|_| Overflow)?;
    if let (Some(first), true) = (members.first(), incomplete.is_empty()) {
        for (at, group) in first.groups.iter().enumerate() {
            let sum = Exact::sum(members.iter().filter_map(|sheet| sheet.groups[at].points.known()))?;
            groups.push(GroupMean { group: group.group, points: Exact::quotient_half_up(&[sum], &[units.into()], mean.decimals)? });
        }
    }
    let total = if groups.is_empty() { None } else { Some(Exact::sum(groups.iter().map(|group| group.points))?) };
    Ok(Some(MeanFigure { unit_group: mean.unit_group, units: members.len(), total, groups, incomplete }))
}
