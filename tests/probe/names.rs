//! Names: IPv4 and IPv6 apart, by a name server that answers as told.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use thuocdo::collect::source::probe::Via;
use thuocdo::model::Phase::{Connect, Resolve};
use thuocdo::model::Reason::{self, AddressBlocked, Dns};
use thuocdo::rollup::Family;
use thuocdo::settings::Settings;
use tokio::net::UdpSocket;

use crate::server::{Act, answer, serve};
use crate::{HTML, PAGE, V4, ended, look, probe, settings};

const V6: Via = Via::Only(Family::V6);
const A: u16 = 1;
const AAAA: u16 = 28;

/// What the name server says of a name, by its first label.
fn said(label: &str, kind: u16) -> Result<Vec<Vec<u8>>, u8> {
    let v4 = Ipv4Addr::LOCALHOST.octets().to_vec();
    let v6 = Ipv6Addr::LOCALHOST.octets().to_vec();
    match (label, kind) {
        ("both", A) | ("v4only", A) | ("v6dead", A) | ("v6broken", A) => Ok(vec![v4]),
        ("both", AAAA) => Ok(vec![v6]),
        // A documentation address: there is no way to it.
        ("v6dead", AAAA) => Ok(vec![v6]),
        ("v4only", AAAA) | ("none", _) => Ok(Vec::new()),
        ("v6broken", AAAA) => Err(2),
        (_, _) => Err(3),
    }
}

/// A name server on loopback: its address.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            let _gone = socket.send_to(&reply(&question[..length]), from).await;
        }
    });
    address
}

/// A reply to one question: header, the question again, and an answer of ten seconds for each address.
fn reply(asked: &[u8]) -> Vec<u8> {
    let label_length = usize::from(asked[12]);
    let label = String::from_utf8_lossy(&asked[13..13 + label_length]).to_lowercase();
    let name_end = 12 + asked[12..].iter().position(|byte| *byte == 0).expect("a name") + 1;
    let kind = u16::from_be_bytes([asked[name_end], asked[name_end + 1]]);
    let (code, found) = said(&label, kind).map_or_else(|code| (code, Vec::new()), |found| (0, found));
    let mut reply = asked[..2].to_vec();
    reply.extend([0x81, 0x80 | code, 0, 1, 0, found.len() as u8, 0, 0, 0, 0]);
    reply.extend(&asked[12..name_end + 4]);
    for address in found {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 10, 0, address.len() as u8]);
        reply.extend(address);
    }
    reply
}

async fn with_names() -> Settings {
    let mut settings = settings().await;
    settings.network.dns = vec![name_server().await];
    settings
}

#[tokio::test]
async fn ipv4_and_ipv6_have_answers_of_their_own() {
    let server = serve(vec![Act::Send(answer(200, HTML, PAGE))]).await;
    // The fault server listens on IPv4 only: over IPv6 nobody answers at its port.
    let port = server.base.rsplit(':').next().expect("a port").to_owned();
    let settings = with_names().await;
    for (name, via, wanted) in [
        ("both", V4, Some(None)),
        ("v4only", V4, Some(None)),
        ("v4only", V6, None),
        ("none", V4, None),
        ("v6dead", V4, Some(None)),
        ("v6dead", V6, Some(Some((Connect, Reason::Connect)))),
        ("v6broken", V4, Some(None)),
        ("v6broken", V6, Some(Some((Resolve, Dns)))),
        ("unknown", V4, Some(Some((Resolve, Dns)))),
        ("v4only", Via::Any, Some(None)),
    ] {
        let seen = look(&format!("http://{name}.portal.example:{port}/"), &settings, &probe(""), via).await;
        assert_eq!(seen.as_ref().map(ended), wanted, "{name} {via:?}: {:?}", seen.and_then(|look| look.failure));
    }
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_ours() {
    let mut settings = with_names().await;
    settings.network.loopback_names = false;
    let seen = look("http://both.portal.example/", &settings, &probe(""), V4).await.expect("an address");
    let (phase, reason) = ended(&seen).expect("a failure");
    assert_eq!((phase, reason, reason.is_ours()), (Resolve, AddressBlocked, true));
}

#[tokio::test]
async fn names_are_resolved_each_time_and_timed() {
    let server = serve(vec![Act::Send(answer(200, HTML, PAGE))]).await;
    let port = server.base.rsplit(':').next().expect("a port");
    let seen = look(&format!("http://both.portal.example:{port}/"), &with_names().await, &probe(""), V4).await.expect("an address");
    assert!(seen.measured.resolve.is_some() && ended(&seen).is_none(), "{:?}", seen.failure);
}
