//! Asking a source over HTTP: what about, one request after the other, and when to stop.

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::collector::{Collector, HttpSource, Source};
use super::source::{Attempt, Failure, Politeness, http};
use super::template::Filling;
use crate::catalogue::{Catalogue, Registry};
use crate::model::{Period, PeriodKind, Reason, Scope, Ts, Unit};
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
/// first request of a probe that is not answered. Once `stop` is cancelled, what is not answered yet is interrupted.
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
    let mut scopes = scopes(settings, catalogue, collector, at);
    if scopes.is_empty() {
        let scope = Scope { due: at, period: None, unit: None, province: settings.province.clone() };
        let failure = Failure::new(Reason::Config, "for_each names no period or unit to ask about");
        take(Fetched { scope, attempt: failed("", "", failure) })?;
    }
    let mut scopes = scopes.drain(..);
    let mut is_probe = manner == Manner::Probe;
    while let Some(scope) = scopes.next() {
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
            for scope in scopes.by_ref() {
                let failure = Failure::new(Reason::Cancelled, format!("not asked: {reason} came of the request before"));
                take(Fetched { scope, attempt: failed("", "", failure) })?;
            }
        }
        is_probe = false;
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
    let code_of = |system: &str| code_of(&catalogue.registry, system, unit, day);
    let filling = Filling { scope, unit, code_of: &code_of, zone: collector.schedule.timezone.0 };
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
        let base = Scope { due: at, period, unit: None, province: settings.province.clone() };
        match source.for_each.unit {
            None => scopes.push(base),
            Some(group) => {
                let below = catalogue.registry.below(settings.province_unit(), period.unwrap_or(today));
                scopes.extend(
                    below
                        .into_iter()
                        .filter(|unit| unit.unit_group == group)
                        .map(|unit| Scope { unit: Some(unit.id.clone()), ..base.clone() }),
                );
            }
        }
    }
    scopes
}
