//! Asking a source over HTTP: what about, one request after the other, and when to stop.

use std::collections::VecDeque;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::collector::{Collector, HttpSource, PortalChoice, Source};
use super::source::{Attempt, Failure, Politeness, http};
use super::template::Filling;
use crate::catalogue::{Catalogue, Registry};
use crate::model::{Period, PeriodKind, Portal, Reason, Scope, Ts, Unit};
use crate::settings::Settings;

/// One attempt and what it was about.
pub struct Fetched {
    /// What was asked.
    pub scope: Scope,
    /// What came.
    pub attempt: Attempt,
}

/// How a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Every request, each as often as `retry` allows.
    Whole,
    /// As one that was left alone: one attempt, and nothing more unless it is answered.
    Probe,
}

/// Makes every request of an HTTP collector, one after the other, and hands each attempt to `take`, which says why an
/// answer was no use. After a reason of `breaker.stop_on`, when the rate limit outlasts the attempts, or when there is
/// no way to the host, the source is left alone: the other requests are handed over as cancelled. So it is after the
/// first request of a probe that is not answered. Where portals are asked, each is a source of its own: only what is
/// on our side ends the requests to the others. Once `stop` is cancelled, what is not answered yet is interrupted.
/// Nothing is stored here.
///
/// # Errors
/// Those of `take`.
pub async fn ask_each<E>(
    settings: &Settings,
    catalogue: &Catalogue,
    collector: &Collector,
    at: Ts,
    politeness: &Politeness,
    (manner, stop): (Manner, &CancellationToken),
    take: &mut impl FnMut(Fetched) -> Result<Option<Reason>, E>,
) -> Result<(), E> {
    let Source::Http(source) = &collector.source else { return Ok(()) };
    let asker = http::Asker::new(source, &collector.rows, settings, politeness, Instant::now() + source.limits.run.0);
    let mut scopes = VecDeque::from(scopes(settings, catalogue, collector, at));
    if scopes.is_empty() {
        let scope = Scope { due: at, period: None, unit: None, portal: None, province: settings.province.clone() };
        let failure = Failure::new(Reason::Config, "for_each names no period, unit or portal to ask about");
        take(Fetched { scope, attempt: failed("", "", failure) })?;
    }
    let mut is_probe = manner == Manner::Probe;
    while let Some(scope) = scopes.pop_front() {
        let mut last = None;
        let at_most = if is_probe { 1 } else { source.retry.attempts };
        let mut made = Vec::new();
        let whole = stop.run_until_cancelled(attempts(source, settings, catalogue, collector, &asker, &scope, at_most, &mut made)).await;
        if whole.is_none() {
            made.push(failed("", "", Failure::new(Reason::Interrupted, "the service was stopped")));
        }
        for attempt in made {
            last = take(Fetched { scope: scope.clone(), attempt })?;
        }
        let no_use = |reason: &Reason| {
            is_probe
                || reason.is_no_way()
                || matches!(reason, Reason::RateLimited | Reason::Interrupted)
                || source.breaker.stop_on.contains(reason)
        };
        if let Some(reason) = last.filter(no_use) {
            let of_all = matches!(reason, Reason::OwnNetwork | Reason::Interrupted);
            let (given_up, rest) = scopes.into_iter().partition(|later: &Scope| of_all || later.portal == scope.portal);
            scopes = rest;
            for scope in <VecDeque<Scope>>::into_iter(given_up) {
                let failure = Failure::new(Reason::Cancelled, format!("not asked: {reason} came of the request before"));
                take(Fetched { scope, attempt: failed("", "", failure) })?;
            }
        }
        // As long as no portal has answered, the next one is only probed too.
        is_probe = is_probe && last.is_some() && scope.portal.is_some();
    }
    Ok(())
}

async fn attempts(
    source: &HttpSource,
    settings: &Settings,
    catalogue: &Catalogue,
    collector: &Collector,
    asker: &Result<http::Asker<'_>, Failure>,
    scope: &Scope,
    at_most: u32,
    made: &mut Vec<Attempt>,
) {
    let unit = scope.unit.as_deref().and_then(|id| catalogue.registry.unit(id));
    let day = local_day(collector, scope.due);
    let portal = scope.portal.as_deref().and_then(|id| catalogue.registry.portal(id));
    let code_of = |system: &str| code_of(&catalogue.registry, system, unit, day);
    let filling = Filling { scope, unit, portal, code_of: &code_of, zone: collector.schedule.timezone.0 };
    match (asker, http::prepare(source, settings, &filling)) {
        (Ok(asker), Ok(prepared)) => asker.ask(&prepared, at_most, made).await,
        (Err(failure), _) => made.push(failed("", "", failure.clone())),
        (_, Err(failure)) => made.push(failed("", "", failure)),
    }
}

/// A unit's code in a code map on a day.
pub fn code_of(registry: &Registry, system: &str, unit: Option<&Unit>, day: Period) -> Option<String> {
    registry.codes(system)?.code_of(&unit?.id, day).map(str::to_owned)
}

/// The local day of an instant in the collector's zone.
pub fn local_day(collector: &Collector, at: Ts) -> Period {
    Period::holding(PeriodKind::Day, at.utc().with_timezone(&collector.schedule.timezone.0).date_naive())
}

/// An attempt that never left.
pub(super) fn failed(method: &str, url: &str, failure: Failure) -> Attempt {
    Attempt {
        method: method.to_owned(),
        url: url.to_owned(),
        request_body: String::new(),
        at: Ts::now(),
        elapsed_micros: 0,
        status: None,
        content_type: String::new(),
        certificate_until: None,
        body: None,
        failure: Some(failure),
    }
}

/// What a collector asks about at a due instant, one request each.
pub fn scopes(settings: &Settings, catalogue: &Catalogue, collector: &Collector, at: Ts) -> Vec<Scope> {
    let Source::Http(source) = &collector.source else { return Vec::new() };
    let today = local_day(collector, at);
    let periods: Vec<Option<Period>> = match source.for_each.period.as_slice() {
        [] => vec![None],
        _ => source.for_each.periods(today.start()).into_iter().map(Some).collect(),
    };
    let mut scopes = Vec::new();
    for period in periods {
        let base = Scope { due: at, period, unit: None, portal: None, province: settings.province.clone() };
        match (source.for_each.unit, source.for_each.portal) {
            (None, None) => scopes.push(base),
            (Some(group), _) => {
                let below = catalogue.registry.below(settings.province_unit(), period.unwrap_or(today));
                scopes.extend(
                    below
                        .into_iter()
                        .filter(|unit| unit.unit_group == group)
                        .map(|unit| Scope { unit: Some(unit.id.clone()), ..base.clone() }),
                );
            }
            (None, Some(choice)) => {
                let portals = portals(&catalogue.registry, settings.province_unit(), choice, today);
                let scope = |portal: &Portal| Scope { unit: Some(portal.unit.clone()), portal: Some(portal.id.clone()), ..base.clone() };
                scopes.extend(portals.map(scope));
            }
        }
    }
    scopes
}

/// The portals of a province that are watched on a day, in the order of the registry.
fn portals<'r>(registry: &'r Registry, province: &'r str, choice: PortalChoice, today: Period) -> impl Iterator<Item = &'r Portal> {
    let of_province = move |portal: &&Portal| registry.province_of(&portal.unit).is_some_and(|unit| unit.id == province);
    let of_group = move |portal: &&Portal| {
        let group = registry.unit(&portal.unit).map(|unit| unit.unit_group);
        choice.group().is_none_or(|wanted| group == Some(wanted))
    };
    registry.portals().iter().filter(move |portal| portal.is_watched_on(today.start())).filter(of_group).filter(of_province)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Files, LoadedCollector};

    const COLLECTOR: &str = r#"
schema = 1
id = "t"
title = { vi = "t", en = "t" }
[schedule]
cron = "0 6 * * *"
[source.http]
url = "{portal.url}"
for_each = { period = ["day"], portal = "all" }
breaker = { stop_on = [] }
[[rows]]
from = { html = { css = "p" } }
unit = {}
[[rows.read]]
indicator = "portal_https"
value = "."
"#;

    #[test]
    fn one_request_for_each_portal_that_is_watched() {
        let portals = "id,unit,url,from,to\n\
            p,H49,https://p.gov.vn,,\n\
            c,qn-06652,https://c.gov.vn,2026-10-01,2026-10-31\n\
            old,qn-06652,https://old.gov.vn,,2026-09-30\n\
            next,qn-06652,https://next.gov.vn,2026-11-01,\n\
            far,H01,https://far.gov.vn,,\n";
        let files = [("registry/portals.csv".to_owned(), portals.to_owned())].into_iter().collect();
        let (catalogue, problems) = Catalogue::load(&Files::embedded().overlay(files));
        assert_eq!(problems, []);
        // 30 September in UTC, and the 1st of October here.
        let at = "2026-09-30T23:00:00Z".parse().expect("an instant");
        for (choice, wanted) in [("all", "H49/p qn-06652/c"), ("province", "H49/p"), ("commune", "qn-06652/c"), ("department", "")] {
            let text = COLLECTOR.replacen("portal = \"all\"", &format!("portal = {choice:?}"), 1);
            let loaded = LoadedCollector::parse("collectors/t.toml", &text).expect("a collector of the test");
            let scopes = scopes(&Settings::default(), &catalogue, &loaded.collector, at);
            let asked =
                scopes.iter().map(|scope| format!("{}/{}", scope.unit.as_deref().unwrap_or(""), scope.portal.as_deref().unwrap_or("")));
            assert_eq!(asked.collect::<Vec<_>>().join(" "), wanted, "{choice}");
        }
    }
}
