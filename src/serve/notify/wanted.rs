//! What is not as it should be now, with what is said of it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::says::{self, Says};
use crate::model::{AlertKind, Ts};
use crate::serve::SourceState;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What kind of thing.
    pub kind: AlertKind,
    /// Of what: a collector id, or a file.
    pub subject: String,
    /// What is said of it.
    pub says: Says,
}

/// What alerts are made of.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// How the sources stand.
    pub sources: &'a [SourceState],
    /// When their certificates end, by collector.
    pub certificates: &'a BTreeMap<String, Ts>,
    /// Declarative files that are wrong, with the first fault of each.
    pub wrong_files: &'a BTreeMap<String, String>,
    /// How long before its end a certificate or secret is told of.
    pub expiry_warning: Duration,
}

/// Everything that is not as it should be now, by kind and subject. A source that does not run (paused, waiting,
/// disabled) is nobody's trouble: it has no alert, except of the file that is wrong.
pub fn alerts(facts: &Facts<'_>, now: Ts) -> Vec<Alert> {
    let soon = now.plus(facts.expiry_warning);
    let mut alerts: Vec<Alert> =
        facts.wrong_files.iter().map(|(file, fault)| alert(AlertKind::ConfigInvalid, file, says::config_invalid(file, fault))).collect();
    for source in facts.sources.iter().filter(|source| source.enabled()) {
        let mut add = |kind, said| alerts.push(alert(kind, &source.id, said));
        if source.stale {
            add(AlertKind::SourceStale, says::stale(source));
        }
        if source.drift {
            add(AlertKind::SourceDrift, says::drift(source));
        }
        if let Some(until) = facts.certificates.get(&source.id).filter(|until| **until <= soon) {
            add(AlertKind::CertificateExpiry, says::certificate(source, *until, now));
        }
        if let Some(until) = source.secret_until.filter(|until| *until <= soon) {
            add(AlertKind::CredentialExpiry, says::credential(source, until, now));
        }
    }
    alerts.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    alerts
}

fn alert(kind: AlertKind, subject: &str, says: Says) -> Alert {
    Alert { kind, subject: subject.to_owned(), says }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::State;
    use crate::serve::notify::tests::{at, source};

    const DAY: u64 = 24 * 3600;

    /// `source_stale a, certificate_expiry b`
    fn said(sources: &[SourceState], certificates: &[(&str, Ts)], wrong_files: &[&str]) -> String {
        let facts = Facts {
            sources,
            certificates: &certificates.iter().map(|(id, until)| ((*id).to_owned(), *until)).collect(),
            wrong_files: &wrong_files.iter().map(|file| ((*file).to_owned(), "a fault".to_owned())).collect(),
            expiry_warning: Duration::from_secs(21 * DAY),
        };
        alerts(&facts, at(0)).iter().map(|alert| format!("{} {}", alert.kind, alert.subject)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_trouble_is_one_alert() {
        let (well, days) = (source("a", State::Ok), |n: i64| at(n * 24 * 60));
        let stale = SourceState { stale: true, ..source("a", State::Stale) };
        let drift = SourceState { drift: true, ..source("b", State::Quarantined) };
        let failing = source("c", State::Failing);
        assert_eq!(said(&[well.clone(), failing.clone()], &[], &[]), "", "a failure is told when the data gets old");
        assert_eq!(said(&[stale.clone(), drift.clone()], &[], &[]), "source_stale a, source_drift b");
        let both = SourceState { drift: true, ..stale.clone() };
        assert_eq!(said(&[both], &[], &["collectors/x.toml"]), "source_stale a, source_drift a, config_invalid collectors/x.toml");
        assert_eq!(said(std::slice::from_ref(&well), &[("a", days(22))], &[]), "");
        assert_eq!(said(std::slice::from_ref(&well), &[("a", days(21))], &[]), "certificate_expiry a");
        assert_eq!(said(std::slice::from_ref(&well), &[("a", days(-1)), ("gone", days(1))], &[]), "certificate_expiry a");
        let secret = SourceState { secret_until: Some(days(3)), ..well };
        assert_eq!(said(std::slice::from_ref(&secret), &[], &[]), "credential_expiry a");
        for state in [State::Paused, State::Disabled] {
            let off = SourceState { state, drift: true, ..secret.clone() };
            assert_eq!(said(&[off], &[("a", days(1))], &[]), "", "{state}");
        }
        // One that waits for its secret is meant to run: what is so stays told.
        let waits = SourceState { state: State::Waiting, ..secret };
        assert_eq!(said(&[waits], &[], &[]), "credential_expiry a");
    }
}
