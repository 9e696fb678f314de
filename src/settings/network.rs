//! `[network]`: hosts whose answer shows that our own network is up.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// How our own network is told from a source that is down. Without references nothing is judged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Name servers that probes ask, `10.0.0.2:53`; those of this machine if none.
    pub dns: Vec<std::net::SocketAddr>,
    /// Whether a name may lead to this machine: for tests and demonstrations only.
    pub loopback_names: bool,
    /// Asked for a TCP connection when a source cannot be reached; none by default.
    pub references: Vec<Reference>,
    /// So many of them must answer, or our own network counts as down. Default 1.
    pub quorum: usize,
    /// How long they have for it. Default 3s.
    #[serde(deserialize_with = "timeout")]
    pub timeout: Duration,
}

impl Default for Network {
    fn default() -> Network {
        Network { dns: Vec::new(), loopback_names: false, references: Vec::new(), quorum: 1, timeout: Duration::from_secs(3) }
    }
}

impl Network {
    /// What is wrong with the table as a whole, and the fix.
    pub(crate) fn fault(&self) -> Option<(String, &'static str)> {
        let n = self.references.len();
        match self.quorum {
            0 => Some(("[network] quorum = 0: then no reference would have to answer".to_owned(), "write at least 1")),
            quorum if n > 0 && quorum > n => Some((
                format!("[network] quorum = {quorum}, and there are {n} references"),
                "write at most as many as there are references",
            )),
            _ => None,
        }
    }
}

/// A host and port that accept TCP connections: `tcp://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Reference {
    fn parse(text: &str) -> Option<Reference> {
        let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "tcp" && text.starts_with("tcp://"))?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let host = url.host_str().filter(|host| bare && !host.is_empty())?.trim_matches(['[', ']']).to_owned();
        let port = url.port().filter(|port| *port > 0)?;
        Some(Reference { host, port })
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reference, D::Error> {
        let text = String::deserialize(deserializer)?;
        Reference::parse(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no reference; write protocol, host and port, like \"tcp://10.0.0.1:53\"")))
    }
}

/// The longest time that references may have: they are asked within a run.
const LONGEST: Duration = Duration::from_secs(60);

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let read = humantime::parse_duration(&text).ok().filter(|time| !time.is_zero() && *time <= LONGEST);
    read.ok_or_else(|| D::Error::custom(format!("{text:?} is no time for references; write one of at most a minute, like \"3s\"")))
}
