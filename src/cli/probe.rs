//! `thuocdo probe`: one look at a portal, phase by phase; nothing is stored.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Installation;
use super::output::{self, Format, Table};
use crate::collect::collector::{Ip, ProbeSource, Source};
use crate::collect::source::probe::{Look, Prober, Via};
use crate::model::{Reason, Ts};
use crate::rollup::Family;
use crate::settings::Settings;

/// Arguments of `probe`.
#[derive(Debug, Args)]
pub struct ProbeArguments {
    /// Address of the portal, or the id of one in registry/portals.csv
    url: String,
    /// By the rules of this probe (the only one, if there is one)
    #[arg(long, value_name = "ID")]
    collector: Option<String>,
    /// By which protocols; as the probe says if not stated
    #[arg(long, value_enum)]
    ip: Option<IpArgument>,
}

/// By which internet protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IpArgument {
    V4,
    V6,
    Both,
    Any,
}

/// A look as it is shown: phases in milliseconds, with what was not reached left out.
#[derive(Debug, Serialize)]
struct Shown {
    over: String,
    state: &'static str,
    at: Option<Ts>,
    address: Option<String>,
    status: Option<u16>,
    resolve_ms: Option<f64>,
    connect_ms: Option<f64>,
    tls_ms: Option<f64>,
    first_byte_ms: Option<f64>,
    transfer_ms: Option<f64>,
    body_bytes: usize,
    redirected: Vec<String>,
    certificate_until: Option<Ts>,
    phase: Option<&'static str>,
    reason: Option<Reason>,
    error: String,
}

/// Looks once over each protocol; exit code 1 unless one of them finds the portal up.
pub async fn probe(arguments: &ProbeArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let probe = rules(arguments, installation)?;
    let url = match installation.catalogue.registry.portal(&arguments.url) {
        Some(portal) => portal.url.clone(),
        None => url::Url::parse(&arguments.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .with_context(|| {
                format!(
                    "{:?} is neither an address nor a portal of registry/portals.csv; write one like https://quangninh.gov.vn/",
                    arguments.url
                )
            })?,
    };
    let asked = url::Url::parse(&installation.settings.rewritten(url.as_str()))?;
    let settings = with_references(&installation.settings, &probe);
    let prober = Prober::new(&probe, &settings).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let vias: &[Via] = match probe.ip {
        Ip::V4 => &[Via::Only(Family::V4)],
        Ip::V6 => &[Via::Only(Family::V6)],
        Ip::Both => &[Via::Only(Family::V4), Via::Only(Family::V6)],
        Ip::Any => &[Via::Any],
    };
    let mut shown = Vec::new();
    for via in vias {
        shown.push(show(*via, prober.look(&asked, *via).await, &probe));
    }
    output::print(format, &shown, &table(&shown))?;
    if settings.network.references.is_empty() && shown.iter().any(|look| look.state == "down") {
        eprintln!("note: no [network] references are set, so that our own network being down would look the same");
    }
    Ok(if shown.iter().any(|look| matches!(look.state, "up" | "degraded")) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The rules of the probe that was named, of the only one there is, or those that stand if a file says nothing.
fn rules(arguments: &ProbeArguments, installation: &Installation) -> anyhow::Result<ProbeSource> {
    let probes = installation.catalogue.collectors.iter().filter_map(|(id, loaded)| match &loaded.collector.source {
        Source::Probe(probe) => Some((id.as_str(), probe)),
        Source::Http(_) | Source::File(_) => None,
    });
    let probes: Vec<(&str, &Box<ProbeSource>)> = probes.collect();
    let mut probe: ProbeSource = match (&arguments.collector, probes.as_slice()) {
        (Some(id), _) => {
            let found = probes.iter().find(|(of, _)| of == id);
            let known = probes.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ");
            let (_, probe) = found.with_context(|| format!("{id:?} is no probe; there are: {known}"))?;
            (***probe).clone()
        }
        (None, []) => toml::from_str("").context("the rules that stand if a file says nothing")?,
        (None, [(_, probe)]) => (***probe).clone(),
        (None, many) => bail!("there are {} probes; name one with --collector {}", many.len(), many[0].0),
    };
    match arguments.ip {
        None => {}
        Some(IpArgument::V4) => probe.ip = Ip::V4,
        Some(IpArgument::V6) => probe.ip = Ip::V6,
        Some(IpArgument::Both) => probe.ip = Ip::Both,
        Some(IpArgument::Any) => probe.ip = Ip::Any,
    }
    Ok(probe)
}

fn with_references(settings: &Settings, probe: &ProbeSource) -> Settings {
    let mut settings = settings.clone();
    if let Some(own) = &probe.own_network {
        settings.network.references.clone_from(&own.references);
    }
    settings
}

fn show(via: Via, look: Option<Look>, probe: &ProbeSource) -> Shown {
    let over = match via {
        Via::Only(family) => family.to_string(),
        Via::Any => "any".to_owned(),
    };
    let ms = |time: Option<Duration>| time.map(|time| (time.as_secs_f64() * 1e5).round() / 100.0);
    let Some(look) = look else {
        return Shown {
            over,
            state: "not offered",
            at: None,
            address: None,
            status: None,
            resolve_ms: None,
            connect_ms: None,
            tls_ms: None,
            first_byte_ms: None,
            transfer_ms: None,
            body_bytes: 0,
            redirected: Vec::new(),
            certificate_until: None,
            phase: None,
            reason: None,
            error: "the name has no such address".to_owned(),
        };
    };
    let slow = probe.degraded.is_some_and(|degraded| look.measured.kept().total() > degraded.slower_than.0);
    let state = match &look.failure {
        None if slow => "degraded",
        None => "up",
        Some((_, failure)) if failure.reason.is_ours() => "unknown",
        Some(_) => "down",
    };
    let measured = look.measured;
    Shown {
        over,
        state,
        at: Some(look.at),
        address: look.address.map(|address| address.to_string()),
        status: look.status,
        resolve_ms: ms(measured.resolve),
        connect_ms: ms(measured.connect),
        tls_ms: ms(measured.tls),
        first_byte_ms: ms(measured.first_byte),
        transfer_ms: ms(measured.transfer),
        body_bytes: look.body_bytes,
        redirected: look.redirected.iter().map(ToString::to_string).collect(),
        certificate_until: look.certificate_until,
        phase: look.failure.as_ref().map(|(phase, _)| phase.label()),
        reason: look.failure.as_ref().map(|(_, failure)| failure.reason),
        error: look.failure.map(|(_, failure)| failure.text).unwrap_or_default(),
    }
}

/// One column for each protocol, one line for each phase.
fn table(shown: &[Shown]) -> Table {
    let names: Vec<&str> = std::iter::once("").chain(shown.iter().map(|look| look.over.as_str())).collect();
    let mut table = Table::new(&names);
    let mut line = |name: &str, of: &dyn Fn(&Shown) -> String| {
        let cells: Vec<String> = shown.iter().map(of).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            table.row(std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>());
        }
    };
    let ms = |time: Option<f64>| time.map(|ms| format!("{ms:.2} ms")).unwrap_or_default();
    line("state", &|look| look.state.to_owned());
    line("address", &|look| look.address.clone().unwrap_or_default());
    line("resolve", &|look| ms(look.resolve_ms));
    line("connect", &|look| ms(look.connect_ms));
    line("tls", &|look| ms(look.tls_ms));
    line("first byte", &|look| ms(look.first_byte_ms));
    line("transfer", &|look| ms(look.transfer_ms));
    line("status", &|look| look.status.map(|status| status.to_string()).unwrap_or_default());
    line("body", &|look| if look.body_bytes > 0 { format!("{} bytes", look.body_bytes) } else { String::new() });
    line("redirected to", &|look| look.redirected.join("\n"));
    line("certificate until", &|look| look.certificate_until.map(|until| until.to_string()).unwrap_or_default());
    line("ended in", &|look| look.phase.unwrap_or_default().to_owned());
    line("reason", &|look| look.reason.map(|reason| reason.to_string()).unwrap_or_default());
    line("what was seen", &|look| look.error.clone());
    table
}
