//! Names to addresses, by protocol and never from a cache, so that every look sees what the name servers say.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::{Resolver, system_conf};

use super::{Trouble, Via};
use crate::collect::source::{Failure, resolve};
use crate::model::Reason;
use crate::rollup::Family;
use crate::settings::Network;

/// A name server that has not answered by then is asked once more.
const SERVER_TIMEOUT: Duration = Duration::from_secs(2);

/// A resolver for each protocol: `getaddrinfo` asks for both at once, and does not say which of them failed.
pub(super) struct Names {
    v4: Resolver<TokioRuntimeProvider>,
    v6: Resolver<TokioRuntimeProvider>,
    loopback_names: bool,
}

impl Names {
    /// With the name servers of the settings, else those of this machine.
    pub fn new(network: &Network) -> Result<Names, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::new(Reason::Internal, format!("no resolver: {error}"));
        let (config, options) = if network.dns.is_empty() {
            let (config, options) = system_conf::read_system_conf().map_err(|error| wrong(&error))?;
            // Search lists are for people who type; a portal is named in full.
            let (_, _, servers) = config.into_parts();
            (ResolverConfig::from_parts(None, Vec::new(), servers), options)
        } else {
            (ResolverConfig::from_name_servers(network.dns.iter().map(server).collect()), ResolverOpts::default())
        };
        let resolver = |strategy| {
            let mut builder = Resolver::builder_with_config(config.clone(), TokioRuntimeProvider::default()).with_options(options.clone());
            let options = builder.options_mut();
            options.ip_strategy = strategy;
            options.cache_size = 0;
            options.timeout = SERVER_TIMEOUT;
            options.attempts = 2;
            builder.build().map_err(|error| wrong(&error))
        };
        Ok(Names {
            v4: resolver(LookupIpStrategy::Ipv4Only)?,
            v6: resolver(LookupIpStrategy::Ipv6Only)?,
            loopback_names: network.loopback_names,
        })
    }

    /// Whether the name servers answer for somebody else, the country's own zone: if not, no failure of theirs says anything
    /// of a portal.
    pub async fn answer(&self) -> bool {
        let asked = self.v4.lookup("vn.", RecordType::NS);
        match tokio::time::timeout(2 * SERVER_TIMEOUT, asked).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => error.is_no_records_found() || error.is_nx_domain(),
            Err(_) => false,
        }
    }

    /// The addresses of a host, at least one. An address in the file is the file's own word; where a redirect leads is not.
    pub async fn addresses(&self, host: &url::Host<&str>, is_first: bool, port: u16, via: Via) -> Result<Vec<SocketAddr>, Trouble> {
        let found = match (host, via) {
            (url::Host::Ipv4(_), Via::Only(Family::V6)) | (url::Host::Ipv6(_), Via::Only(Family::V4)) => return Err(Trouble::NotOffered),
            (url::Host::Ipv4(address), _) => vec![IpAddr::from(*address)],
            (url::Host::Ipv6(address), _) => vec![IpAddr::from(*address)],
            (url::Host::Domain(name), Via::Only(family)) => self.of_family(name, family).await?,
            (url::Host::Domain(name), Via::Any) => match self.of_family(name, Family::V4).await {
                Ok(found) => found,
                Err(Trouble::NotOffered) => self.of_family(name, Family::V6).await?,
                Err(failed) => return Err(failed),
            },
        };
        let is_named = matches!(host, url::Host::Domain(_)) || !is_first;
        if is_named && !self.loopback_names {
            resolve::guard(&host.to_string(), &found).map_err(|blocked| Failure::new(Reason::AddressBlocked, blocked.to_string()))?;
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    fn resolver(&self, family: Family) -> &Resolver<TokioRuntimeProvider> {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    async fn of_family(&self, name: &str, family: Family) -> Result<Vec<IpAddr>, Trouble> {
        match self.resolver(family).lookup_ip(name).await {
            Ok(found) => {
                let found: Vec<IpAddr> = found.iter().collect();
                if found.is_empty() { Err(Trouble::NotOffered) } else { Ok(found) }
            }
            // A name that only this machine's hosts file has, for the other protocol: the name servers do not know it at all.
            Err(error) if error.is_nx_domain() && self.resolver(other(family)).lookup_ip(name).await.is_ok() => Err(Trouble::NotOffered),
            // The name is there, and has no address of this protocol.
            Err(error) if error.is_no_records_found() && !error.is_nx_domain() => Err(Trouble::NotOffered),
            Err(error) => Err(Failure::new(Reason::Dns, format!("no {family} address for {name}: {error}")).into()),
        }
    }
}

fn other(family: Family) -> Family {
    match family {
        Family::V4 => Family::V6,
        Family::V6 => Family::V4,
    }
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    NameServerConfig::new(address.ip(), true, vec![port(ConnectionConfig::udp()), port(ConnectionConfig::tcp())])
}
