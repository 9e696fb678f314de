//! The canary: a known answer that goes through the whole chain, from a socket to a stored observation, every 15
//! minutes. It has files of its own, which no criteria set can name, so that it is never scored.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;

use super::{Live, Service};
use crate::catalogue::Files;
use crate::collect::due::jitter;
use crate::collect::run::{RunError, When, Workplace, chain, run_once};
use crate::model::{CANARY, Exact, RunState, Trigger, Ts, Value};
use crate::settings::Settings;
use crate::store::ObservationQuery;

/// The answer. Its number is written as in Vietnam, so that reading it is part of the test.
const ANSWER: &str = r#"{"code":"OK","total":2,"rows":[{"unit":"a","n":"1.234,5"},{"unit":"b","n":"0"}]}"#;
/// What must be known after it, unit by unit.
const KNOWN: [(&str, &str); 2] = [("canary-a", "1234.5"), ("canary-b", "0")];

const UNITS: &str = "id,code,name,unit_group,kind,parent,valid_from,valid_to,decision
canary-province,,Tỉnh thử,province,tỉnh,,,,
canary-a,,Xã thử A,commune,xã,canary-province,,,
canary-b,,Xã thử B,commune,xã,canary-province,,,
";
const CODES: &str = "code,unit,valid_from,valid_to\na,canary-a,,\nb,canary-b,,\n";
const INDICATORS: &str = r#"schema = 1
[[indicator]]
id = "canary_value"
title = { vi = "Giá trị tự kiểm tra", en = "Value of the self-test" }
measure = "points"
range = { least = "0" }
over_units = "sum"
cite = "the self-test of thuocdo"
"#;

/// The canary's address, which only its own settings lead anywhere.
const ADDRESS: &str = "https://canary.thuocdo.example";

/// The canary's declarative files.
fn files() -> Files {
    let files = [
        ("collectors/thuocdo-canary.toml", include_str!("collector.toml")),
        ("registry/units/canary.csv", UNITS),
        ("registry/codes/canary.csv", CODES),
        ("registry/indicators.toml", INDICATORS),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

/// The canary with its own files and settings, its answer served on loopback.
pub struct Canary {
    settings: Settings,
    live: Live,
}

/// Runs the canary until the service stops.
pub async fn run(service: Arc<Service>) {
    let canary = match Canary::serve(&service).await {
        Ok(canary) => canary,
        Err(error) => {
            service.metrics.canary_failures.inc();
            return tracing::error!(error = %error, "the known-answer collector cannot be served on loopback; it does not run");
        }
    };
    let schedule = &canary.live.catalogue.collectors[CANARY].collector.schedule;
    loop {
        let now = Ts::now();
        let Some(due) = schedule.cron.next_after(schedule.timezone.0, now) else { return };
        let wait = due.since(now) + jitter(CANARY, Duration::from_secs(900));
        if service.stopping.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
        if canary.check(&service, due).await.is_ok() {
            tracing::debug!(collector.id = CANARY, "the known answer was recorded");
        }
    }
}

impl Canary {
    /// Serves the known answer on loopback until the service stops.
    ///
    /// # Errors
    /// No port of loopback can be had.
    pub async fn serve(service: &Arc<Service>) -> std::io::Result<Canary> {
        let address = listen(service).await?;
        let mut settings = service.settings.clone();
        settings.province = [("unit".to_owned(), "canary-province".to_owned())].into();
        settings.rewrite = [(ADDRESS.to_owned(), address)].into();
        Ok(Canary { settings, live: Live::load(files(), Vec::new(), &BTreeMap::new(), service.started_at) })
    }

    /// Makes the run due at this instant and sees whether it gives the known answer; a failure is counted and logged.
    ///
    /// # Errors
    /// Why the known answer was not recorded.
    pub async fn check(&self, service: &Service, due: Ts) -> Result<(), String> {
        let said = self.ask(service, due).await;
        if let Err(why) = &said {
            service.metrics.canary_failures.inc();
            tracing::error!(collector.id = CANARY, why, "the known answer was not recorded: this installation is not well");
        }
        said
    }

    async fn ask(&self, service: &Service, due: Ts) -> Result<(), String> {
        let place = Workplace {
            settings: &self.settings,
            catalogue: &self.live.catalogue,
            db: &service.db,
            archive: &service.archive,
            politeness: &service.politeness,
            owner: &service.owner,
        };
        match run_once(&place, &self.live.catalogue.collectors[CANARY], When::Due(due), Trigger::Schedule).await {
            // Another copy was first: it says how it went.
            Err(RunError::NotOurs(_)) => Ok(()),
            Err(error) => Err(chain(&error)),
            Ok(ran) if ran.state != RunState::Recorded => {
                Err(ran.reason.map_or_else(|| ran.state.to_string(), |(reason, text)| format!("{reason}: {text}")))
            }
            Ok(_) => is_known(service, due).await,
        }
    }
}

/// Whether the store knows now what the answer said.
async fn is_known(service: &Service, due: Ts) -> Result<(), String> {
    let query =
        ObservationQuery { period: None, indicators: None, collector: Some(CANARY.to_owned()), unit: None, as_of: Ts::now().max(due) };
    let known = service.db.observations(&query).await.map_err(|error| chain(&error))?;
    for (unit, number) in KNOWN {
        let newest = known.iter().filter(|seen| seen.unit == unit).max_by_key(|seen| seen.period.last());
        let wanted = number.parse::<Exact>().ok().map(Value::Number);
        if newest.map(|seen| seen.value) != wanted {
            let seen = newest.map_or("nothing".to_owned(), |seen| seen.value.to_string());
            return Err(format!("{seen} is known of {unit}, not {number}"));
        }
    }
    Ok(())
}

/// Serves the answer on loopback until the service stops: its base address.
async fn listen(service: &Arc<Service>) -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    let answer = Router::new().route("/answer", post(async || ([(CONTENT_TYPE, "application/json")], ANSWER)));
    let stopping = service.stopping.clone();
    tokio::spawn(async move {
        let served = axum::serve(listener, answer).with_graceful_shutdown(async move { stopping.cancelled().await }).await;
        if let Err(error) = served {
            tracing::error!(error = %error, "the known answer is not served any more");
        }
    });
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_files_are_sound() {
        let now = "2026-11-24T00:00:00Z".parse().expect("an instant");
        let live = Live::load(files(), vec![], &BTreeMap::new(), now);
        assert_eq!(live.problems, []);
        assert!(live.catalogue.collectors.contains_key(CANARY));
    }
}
