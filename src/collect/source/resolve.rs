//! Names to addresses: the system's resolver, and which addresses a name may not lead to.

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The system's resolver, whose failures can be told from refused connections.
///
/// The client asks it about names only: an address in a collector file or in `[rewrite]` is the file's own word.
pub(super) struct SystemDns;

/// The host name has no address.
#[derive(Debug, thiserror::Error)]
#[error("no address for {host}: {source}")]
pub(super) struct NoAddress {
    host: String,
    source: std::io::Error,
}

/// The host name leads where nothing is asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} leads to {addresses}, which a name may not lead to: loopback, link-local, unspecified, multicast or broadcast")]
pub(super) struct Blocked {
    host: String,
    addresses: String,
}

impl reqwest::dns::Resolve for SystemDns {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move { resolve(name.as_str()).await })
    }
}

async fn resolve(host: &str) -> Result<reqwest::dns::Addrs, Box<dyn StdError + Send + Sync>> {
    let found = tokio::net::lookup_host((host, 0)).await;
    let found: Vec<SocketAddr> = found.map_err(|source| NoAddress { host: host.to_owned(), source })?.collect();
    guard(host, &found.iter().map(SocketAddr::ip).collect::<Vec<_>>())?;
    Ok(Box::new(with_route(found).into_iter()))
}

/// Refuses a name that leads to an address of this machine or of no single host: somebody else's DNS could make us
/// ask our own services. `localhost` says itself what it means, and private networks are where provincial systems live.
pub(super) fn guard(host: &str, addresses: &[IpAddr]) -> Result<(), Blocked> {
    let name = host.trim_end_matches('.');
    let blocked: Vec<String> = addresses.iter().filter(|address| is_special(**address)).map(IpAddr::to_string).collect();
    match blocked.is_empty() || name.eq_ignore_ascii_case("localhost") {
        true => Ok(()),
        // One such address among others is enough: the client would choose.
        false => Err(Blocked { host: host.to_owned(), addresses: blocked.join(", ") }),
    }
}

fn is_special(address: IpAddr) -> bool {
    match address.to_canonical() {
        // All of 0.0.0.0/8 is "this network" (RFC 791).
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.octets()[0] == 0 || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast(),
    }
}

/// The addresses to which this machine has a route; all of them if it has none to any.
///
/// Otherwise a source that is down would look like our own network being down, on every machine without IPv6: of two
/// kinds of addresses the client tells the last one's error.
fn with_route(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let reachable: Vec<SocketAddr> = found.iter().copied().filter(has_route).collect();
    if reachable.is_empty() { found } else { reachable }
}

/// Connecting a datagram socket sends nothing: it only looks up the route.
fn has_route(to: &SocketAddr) -> bool {
    let from: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    // Any port will do, but 0 is none.
    UdpSocket::bind(from).and_then(|socket| socket.connect(SocketAddr::new(to.ip(), 443))).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, addresses: &[&str]) -> Result<(), String> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().expect("an address")).collect();
        guard(host, &addresses).map_err(|blocked| blocked.addresses)
    }

    #[test]
    fn names_may_not_lead_to_this_machine_or_to_no_single_host() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.1.1",
        ] {
            assert_eq!(check("portal.example", &[address]), Err(address.to_owned()));
            assert_eq!(check("portal.example", &["203.0.113.5", address]), Err(address.to_owned()), "one among others");
            assert_eq!(check("localhost.portal.example", &[address]), Err(address.to_owned()));
            assert_eq!((check("localhost", &[address]), check("LOCALHOST.", &[address])), (Ok(()), Ok(())));
        }
        let said = guard("portal.example", &["127.0.0.1".parse().expect("an address")]).expect_err("loopback").to_string();
        assert!(said.starts_with("portal.example leads to 127.0.0.1, "), "{said}");
    }

    #[test]
    fn private_networks_are_where_provincial_systems_live() {
        for address in ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "203.0.113.5", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1"] {
            assert_eq!(check("portal.example", &[address]), Ok(()), "{address}");
        }
        assert_eq!(check("portal.example", &[]), Ok(()));
    }

    #[test]
    fn addresses_without_a_route_are_left_out_if_another_has_one() {
        let here: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        // A broadcast address is refused to a socket that did not ask for it.
        let nowhere: SocketAddr = "255.255.255.255:0".parse().expect("an address");
        assert_eq!(with_route(vec![nowhere, here]), [here]);
        assert_eq!(with_route(vec![nowhere]), [nowhere]);
    }
}
