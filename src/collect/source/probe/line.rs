//! Our own line to the world: whether the references answer, asked once for all looks that fail together.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::collect::source::{Failure, own_network};
use crate::model::Reason;
use crate::rollup::Family;
use crate::settings::Network;

/// An answer of the references holds for so long: looks that fail together ask once.
const HOLDS: Duration = Duration::from_millis(500);

/// The references and what they said last.
pub struct Line {
    network: Network,
    last: [Mutex<Option<(Instant, usize)>>; 2],
}

impl Line {
    /// With these references. For IPv6, those that are IPv6 addresses, if there are any.
    pub fn new(network: Network) -> Line {
        Line { network, last: [Mutex::new(None), Mutex::new(None)] }
    }

    /// The failure as it is when the references do not answer either; `None` if it is not ours.
    ///
    /// A failure over IPv6 that nobody answered can only be judged by references that are asked over IPv6 too; `refused` says
    /// that somebody did.
    pub async fn blamed(&self, failure: &Failure, family: Family, refused: bool) -> Option<Failure> {
        let may_be_ours =
            matches!(failure.reason, Reason::Dns | Reason::Connect | Reason::Timeout | Reason::TlsHandshake | Reason::Protocol);
        if !may_be_ours || self.network.references.is_empty() {
            return None;
        }
        if family == Family::V6 && failure.reason != Reason::Dns && !refused && !self.network.references.iter().any(|of| is_v6(&of.host)) {
            let text = format!("no reference is an IPv6 address, so that nobody can say whose fault it is; the request itself: {failure}");
            return Some(Failure::new(Reason::OwnNetwork, text));
        }
        let network = self.network_for(family);
        let n_answered = self.answered(&network, family).await;
        own_network::judged(&network, n_answered, failure)
    }

    async fn answered(&self, network: &Network, family: Family) -> usize {
        let last = match family {
            Family::V4 => &self.last[0],
            Family::V6 => &self.last[1],
        };
        let mut last = last.lock().await;
        if let Some((_, n_answered)) = last.filter(|(asked, _)| asked.elapsed() < HOLDS) {
            return n_answered;
        }
        let n_answered = own_network::ask(network).await;
        *last = Some((Instant::now(), n_answered));
        n_answered
    }

    fn network_for(&self, family: Family) -> Network {
        let of_family: Vec<_> =
            self.network.references.iter().filter(|reference| is_v6(&reference.host) == (family == Family::V6)).cloned().collect();
        let references = if of_family.is_empty() { self.network.references.clone() } else { of_family };
        Network { quorum: self.network.quorum.min(references.len()), references, ..self.network.clone() }
    }
}

fn is_v6(host: &str) -> bool {
    host.parse::<std::net::Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Reference;

    #[tokio::test]
    async fn a_line_that_is_cut_is_ours_and_a_refusal_is_theirs() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let up = Reference { host: "127.0.0.1".to_owned(), port: listener.local_addr().expect("an address").port() };
        // Port 1 of this machine refuses.
        let down = Reference { host: "127.0.0.1".to_owned(), port: 1 };
        let refused = Failure::new(Reason::Connect, "refused");
        for (references, failure, ours) in [
            (vec![up.clone()], refused.clone(), false),
            (vec![down.clone()], refused.clone(), true),
            (vec![down.clone(), up], refused.clone(), false),
            (vec![down], Failure::new(Reason::Http5xx, "503"), false),
            (vec![], refused, false),
        ] {
            let line = Line::new(Network { references, ..Network::default() });
            let blamed = line.blamed(&failure, Family::V4, false).await.map(|blamed| blamed.reason);
            assert_eq!(blamed, ours.then_some(Reason::OwnNetwork));
        }
    }
}
