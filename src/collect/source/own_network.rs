//! Whether it is our own network that is down: the references of `[network]` are asked for a connection.

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::Failure;
use crate::model::Reason;
use crate::settings::Network;

/// The failure as it is when the references do not answer either; `None` if enough of them do, if there are none,
/// or if the failure says nothing of the way to the source.
pub(super) async fn blamed(network: &Network, failure: &Failure) -> Option<Failure> {
    if !may_be_ours(failure) || network.references.is_empty() {
        return None;
    }
    judged(network, ask(network).await, failure)
}

/// Whether the failure says something of the way to the source.
fn may_be_ours(failure: &Failure) -> bool {
    matches!(failure.reason, Reason::Dns | Reason::Connect | Reason::Timeout)
}

/// The failure as it is when so many references answered; `None` if they are enough.
pub(super) fn judged(network: &Network, n_answered: usize, failure: &Failure) -> Option<Failure> {
    (n_answered < network.quorum).then(|| {
        let (n, needed) = (network.references.len(), network.quorum);
        Failure::new(Reason::OwnNetwork, format!("{n_answered} of {n} references answered, {needed} needed; the request itself: {failure}"))
    })
}

/// How many references take a connection, at most as many as are needed.
pub(super) async fn ask(network: &Network) -> usize {
    let mut asked = JoinSet::new();
    for reference in network.references.clone() {
        let time = network.timeout;
        asked.spawn(async move {
            let connection = TcpStream::connect((reference.host.as_str(), reference.port));
            tokio::time::timeout(time, connection).await.is_ok_and(|connected| connected.is_ok())
        });
    }
    let mut n_answered = 0;
    while n_answered < network.quorum {
        let Some(answered) = asked.join_next().await else { break };
        n_answered += usize::from(answered.unwrap_or(false));
    }
    n_answered
}
