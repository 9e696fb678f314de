//! Probe files: their rules, and what they need of the settings.

use super::LoadedCollector;
use crate::catalogue::problem::Problem;
use crate::collect::collector::{ProbeSource, Source};
use crate::settings::Settings;

impl LoadedCollector {
    /// Without references, our own line being cut would look like every portal being down.
    pub(super) fn lacks_references(&self, settings: &Settings) -> Option<String> {
        let Source::Probe(probe) = &self.collector.source else { return None };
        let network = probe.own_network.as_ref().unwrap_or(&settings.network);
        let text = "no references tell our own network from a portal that is down: write [network] references in the settings";
        network.references.is_empty().then(|| text.to_owned())
    }

    /// A probe's windows are the hours; everything else must say when it runs.
    pub(super) fn check_schedule(&self) -> Option<Problem> {
        let stated = !self.place(&["schedule"]).is_empty();
        match &self.collector.source {
            Source::Http(_) | Source::File(_) if !stated => {
                Some(self.problem(0..0, "missing field `schedule`", "write [schedule] with cron = \"30 6 * * *\""))
            }
            Source::Probe(_) if stated => {
                Some(self.problem(self.place(&["schedule"]), "a probe has no schedule: its windows are the hours", "remove [schedule]"))
            }
            Source::Http(_) | Source::File(_) | Source::Probe(_) => None,
        }
    }

    pub(super) fn check_probe(&self, probe: &ProbeSource) -> Vec<Problem> {
        let place = |keys: &[&str]| self.place(&[&["source", "probe"], keys].concat());
        let mut problems: Vec<Problem> =
            probe.faults().into_iter().map(|(keys, message, fix)| self.problem(place(keys), message, fix)).collect();
        let unused = [("rows", self.collector.rows.is_empty()), ("gate", self.collector.gate.is_empty())];
        for (key, _) in unused.iter().filter(|(_, is_empty)| !is_empty) {
            let message = format!("a probe has no {key}: what it yields is the same for every portal");
            problems.push(self.problem(self.place(&[key]), message, format!("remove [[{key}]]")));
        }
        problems
    }
}
