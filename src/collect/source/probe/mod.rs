//! A look at a portal: one new connection, every phase seen, and what came of it.

mod exchange;
mod line;
mod names;
mod page;
mod site;
mod tls;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use url::Url;

pub use line::Line;
use names::Names;
use page::Texts;
use tls::Tls;

use super::Failure;
use crate::collect::collector::ProbeSource;
use crate::model::{Phase, Reason, Ts};
use crate::rollup::{Attempt, Ended, Family, Latency, Times};
use crate::settings::Settings;

/// Which addresses a look may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Those of one protocol.
    Only(Family),
    /// IPv4 first, then IPv6.
    Any,
}

/// How long each phase took, as measured; redirects add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// From the name to an address; none for an address in the URL.
    pub resolve: Option<Duration>,
    /// Until the connection stood.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// Until the last byte, or as much as is read.
    pub transfer: Option<Duration>,
}

impl Measured {
    fn of(&mut self, phase: Phase) -> Option<&mut Option<Duration>> {
        match phase {
            Phase::Resolve => Some(&mut self.resolve),
            Phase::Connect => Some(&mut self.connect),
            Phase::Tls => Some(&mut self.tls),
            Phase::FirstByte => Some(&mut self.first_byte),
            Phase::Transfer => Some(&mut self.transfer),
            Phase::Answer => None,
        }
    }

    /// As it is kept.
    pub fn kept(&self) -> Times {
        let kept = |time: Option<Duration>| time.map_or(Latency::NONE, Latency::of);
        Times {
            resolve: kept(self.resolve),
            connect: kept(self.connect),
            tls: kept(self.tls),
            first_byte: kept(self.first_byte),
            transfer: kept(self.transfer),
        }
    }
}

/// What one look saw.
#[derive(Debug, Clone)]
pub struct Look {
    /// When it began.
    pub at: Ts,
    /// The last address that was tried.
    pub address: Option<SocketAddr>,
    /// How long its phases took.
    pub measured: Measured,
    /// Where redirects led, the last one last.
    pub redirected: Vec<Url>,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// Until when the certificate of the last server is valid, whether or not it was accepted.
    pub certificate_until: Option<Ts>,
    /// Bytes that were read of the last body.
    pub body_bytes: usize,
    /// Where and why it ended badly.
    pub failure: Option<(Phase, Failure)>,
    /// Whether the last address refused the connection, so that there is a way to it.
    refused: bool,
    /// The step it is in.
    phase: Phase,
    began: Instant,
}

impl Look {
    fn begin() -> Look {
        Look {
            at: Ts::now(),
            address: None,
            measured: Measured::default(),
            redirected: Vec::new(),
            status: None,
            certificate_until: None,
            body_bytes: 0,
            failure: None,
            refused: false,
            phase: Phase::Resolve,
            began: Instant::now(),
        }
    }

    /// A name that has no address at all.
    pub fn without_address(url: &Url) -> Look {
        let failure = Failure::new(Reason::Dns, format!("{} has no address", url.host_str().unwrap_or_default()));
        Look { failure: Some((Phase::Resolve, failure)), ..Look::begin() }
    }

    fn enter(&mut self, phase: Phase) {
        self.leave();
        (self.phase, self.began) = (phase, Instant::now());
    }

    /// Adds the time of the phase that ends.
    fn leave(&mut self) {
        let took = self.began.elapsed();
        if let Some(time) = self.measured.of(self.phase) {
            *time = Some(time.unwrap_or_default() + took);
        }
    }

    fn family(&self, via: Via) -> Family {
        match (self.address, via) {
            (Some(SocketAddr::V6(_)), _) | (None, Via::Only(Family::V6)) => Family::V6,
            (Some(SocketAddr::V4(_)), _) | (None, Via::Only(Family::V4) | Via::Any) => Family::V4,
        }
    }

    /// As it is kept: an attempt at a target in a slot.
    pub fn kept(&self, via: Via, (target, slot, no): (u32, u32, u8), late: Duration) -> Attempt {
        let ended = self.failure.as_ref().map_or(Ended::Well, |(phase, failure)| Ended::Badly(*phase, failure.reason));
        Attempt {
            target,
            slot,
            no,
            family: self.family(via),
            late: Latency::of(late),
            times: self.measured.kept(),
            status: self.status.unwrap_or_default(),
            ended,
            certificate_until: self.certificate_until.map_or(0, |until| until.micros().div_euclid(1_000_000)),
            text: self.failure.as_ref().map(|(_, failure)| shortened(&failure.text)).unwrap_or_default(),
        }
    }
}

/// What is kept of a failure's words: the head of a long page is no evidence of its own.
const LONGEST_TEXT: usize = 300;

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// Looks at portals as one collector wants it. Everything it does runs in the task that asks.
pub struct Prober {
    timeout: Duration,
    redirects: crate::collect::collector::Redirects,
    status: Vec<crate::collect::collector::StatusRange>,
    body_limit: usize,
    texts: Texts,
    names: Names,
    tls: Tls,
    line: Line,
    user_agent: String,
}

impl Prober {
    /// For one probe; it must be made inside the runtime that will use it.
    ///
    /// # Errors
    /// `Internal` if this machine's resolver or TLS roots cannot be read, `Config` if those of the settings cannot.
    pub fn new(probe: &ProbeSource, settings: &Settings) -> Result<Prober, Failure> {
        let network = probe.own_network.as_ref().unwrap_or(&settings.network).clone();
        Ok(Prober {
            timeout: probe.timeout.0,
            redirects: probe.redirects,
            status: probe.up.status.clone(),
            body_limit: usize::try_from(probe.body.0).unwrap_or(usize::MAX),
            texts: Texts::new(probe),
            names: Names::new(&settings.network)?,
            tls: Tls::new(probe.up.tls, settings)?,
            line: Line::new(network),
            user_agent: settings.user_agent(),
        })
    }

    /// One look, never longer than the probe's timeout; and then, if it was perhaps our own network that failed, the
    /// references. `None` if the name has no address of the protocol that was asked for.
    pub async fn look(&self, url: &Url, via: Via) -> Option<Look> {
        let mut look = Look::begin();
        let walked = tokio::time::timeout(self.timeout, self.walk(url, via, &mut look)).await;
        look.leave();
        let failure = match walked {
            Ok(Ok(())) => return Some(look),
            Ok(Err(Trouble::NotOffered)) => return None,
            Ok(Err(Trouble::Failed(failure))) => failure,
            Err(_) => Failure::new(Reason::Timeout, format!("no whole answer within {}", humantime::format_duration(self.timeout))),
        };
        let by_name = look.phase == Phase::Resolve && matches!(failure.reason, Reason::Dns | Reason::Timeout);
        let blamed = match by_name && !self.names.answer().await {
            true => Some(Failure::new(
                Reason::OwnNetwork,
                format!("the name servers do not answer for others either; the request itself: {failure}"),
            )),
            false => self.line.blamed(&failure, look.family(via), look.refused).await,
        };
        let failure = blamed.unwrap_or(failure);
        look.failure = Some((look.phase, failure));
        Some(look)
    }

    /// From the first address to the last answer.
    async fn walk(&self, url: &Url, via: Via, look: &mut Look) -> Result<(), Trouble> {
        let mut at = url.clone();
        loop {
            let answer = self.exchange(&at, look.redirected.is_empty(), via, look).await?;
            look.enter(Phase::Answer);
            let Some(next) = site::redirect(&answer, &at).filter(|_| self.redirects.max > 0) else {
                return page::judge(&answer, &self.status, &self.texts).map_err(Trouble::Failed);
            };
            look.redirected.push(next.clone());
            if look.redirected.len() > usize::from(self.redirects.max) {
                let text = format!("more than {} redirects, the last to {next}", self.redirects.max);
                return Err(Trouble::Failed(Failure::new(Reason::RedirectBlocked, text)));
            }
            if self.redirects.same_site && !site::is_same(url, &next) {
                let text = format!("leads to another site, {next}");
                return Err(Trouble::Failed(Failure::new(Reason::RedirectBlocked, text)));
            }
            at = next;
            look.enter(Phase::Resolve);
        }
    }
}

/// Why a walk ended.
enum Trouble {
    /// The name has no address of the protocol.
    NotOffered,
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}
