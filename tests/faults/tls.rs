//! TLS that is broken on purpose: certificates that are no good, and servers that speak only what we do not.

use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};
use thuocdo::collect::source::Politeness;
use thuocdo::model::Reason::{self, TlsExpired, TlsHandshake, TlsUnsupported, TlsUntrusted};
use thuocdo::model::RunState;

use crate::certificates::{Authority, Certified, authority, but, leaf, self_signed, serve_tls, signed};
use crate::server::{Act, answer, serve};
use crate::world::{COLLECTOR, World};
use crate::{AT, GOOD, JSON};

/// A world that trusts this CA beside those of the machine.
async fn trusting(base: &str, authority: &Authority) -> World {
    let mut world = World::new(base).await;
    let path = world.folder.path().join("ca.pem");
    std::fs::write(&path, authority.pem()).expect("a file");
    world.settings.http.extra_ca = Some(path);
    world
}

fn certificates(trusted: &Authority) -> Vec<(&'static str, Certified, Reason)> {
    let unknown = authority();
    let past = |params| but(params, |params| params.not_after = date_time_ymd(2020, 1, 1));
    let expired = || past(leaf());
    let later = but(leaf(), |params| params.not_before = date_time_ymd(3000, 1, 1));
    let own = but(leaf(), |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let other = CertificateParams::new(["other.example".to_owned()]).expect("parameters");
    vec![
        ("expired", signed(expired(), trusted), TlsExpired),
        ("expired, of an unknown CA", signed(expired(), &unknown), TlsExpired),
        ("expired, of another name", signed(past(other.clone()), trusted), TlsExpired),
        ("expired and self-signed", self_signed(expired()), TlsExpired),
        ("not valid yet", signed(later, trusted), TlsUntrusted),
        ("self-signed", self_signed(leaf()), TlsUntrusted),
        ("self-signed as a CA", self_signed(own), TlsUntrusted),
        ("of an unknown CA", signed(leaf(), &unknown), TlsUntrusted),
        ("of another name", signed(other, trusted), TlsUntrusted),
    ]
}

/// Plain bytes in answer to the ClientHello.
fn hellos() -> Vec<(&'static str, Vec<u8>, Reason)> {
    // A ServerHello of TLS 1.0 with TLS_RSA_WITH_AES_128_CBC_SHA: record, handshake, version, random, no session, no compression.
    let old = |version: u8| {
        let body = [&[3, version][..], &[7; 32], &[0, 0x00, 0x2f, 0]].concat();
        [&[22, 3, version, 0, body.len() as u8 + 4, 2, 0, 0, body.len() as u8][..], &body].concat()
    };
    let alert = |what: u8| vec![21, 3, 1, 0, 2, 2, what];
    vec![
        ("TLS 1.0 only", old(1), TlsUnsupported),
        ("TLS 1.1 only", old(2), TlsUnsupported),
        ("alert protocol_version", alert(70), TlsUnsupported),
        ("alert handshake_failure", alert(40), TlsUnsupported),
        ("alert insufficient_security", alert(71), TlsUnsupported),
        ("alert internal_error", alert(80), TlsHandshake),
        ("closed in the handshake", Vec::new(), TlsHandshake),
        ("HTTP in its place", answer(400, "", b"speak HTTP"), TlsHandshake),
    ]
}

#[tokio::test]
async fn each_trouble_with_tls_gives_one_reason() {
    let trusted = authority();
    let mut cases = Vec::new();
    for (name, certified, reason) in certificates(&trusted) {
        cases.push((name, serve_tls(certified, answer(200, JSON, GOOD)).await, reason));
    }
    for (name, bytes, reason) in hellos() {
        cases.push((name, serve(vec![Act::Send(bytes)]).await.base.replace("http:", "https:"), reason));
    }
    let n = cases.len();
    for (name, base, reason) in cases {
        let world = trusting(&base, &trusted).await;
        let ran = world.run(COLLECTOR, AT).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let [record] = ran.requests.as_slice() else { panic!("{name}: one request, not {}", ran.requests.len()) };
        let request = &record.request;
        assert_eq!((request.reason, ran.state), (Some(reason), RunState::Failed), "{name}: {}", request.error);
        assert!(request.evidence.is_none() && !request.error.is_empty(), "{name}: {request:?}");
        assert_eq!(world.observations().await, [], "{name}");
    }
    println!("TLS: {n} of {n}");
    assert_eq!(n, 17);
}

#[tokio::test]
async fn a_further_root_is_trusted_and_the_certificates_end_is_known() {
    let trusted = authority();
    let until = but(leaf(), |params| params.not_after = date_time_ymd(2031, 5, 6));
    let base = serve_tls(signed(until, &trusted), answer(200, JSON, GOOD)).await;
    let world = trusting(&base, &trusted).await;
    let mut got = Vec::new();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    world.ask(COLLECTOR, &Politeness::default(), 1, deadline, &mut got).await;
    assert_eq!(got[0].failure, None);
    assert_eq!(got[0].certificate_until, Some("2031-05-06T00:00:00Z".parse().expect("an instant")));
    let ran = world.run(COLLECTOR, AT).await.expect("a run");
    assert_eq!(ran.state, RunState::Recorded, "{:?}", ran.requests);
}

#[tokio::test]
async fn roots_that_cannot_be_read_are_our_own_trouble() {
    let mut world = World::new("https://127.0.0.1:1").await;
    world.settings.http.extra_ca = Some(world.folder.path().join("none.pem"));
    let ran = world.run(COLLECTOR, AT).await.expect("a run");
    let request = &ran.requests[0].request;
    assert_eq!(request.reason, Some(Reason::Config), "{request:?}");
    assert!(request.error.contains("[http] extra_ca") && request.error.contains("none.pem"), "{}", request.error);
}
