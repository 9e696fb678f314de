//! One look at a portal: each way to fail has its phase and reason, what is ours is never theirs, and every phase is timed.

#[path = "../support/certificates.rs"]
mod certificates;
mod names;
#[path = "../faults/server.rs"]
#[allow(dead_code, reason = "the fault server can do more than portals are asked")]
mod server;
mod tls;

use std::time::{Duration, Instant};

use server::{Act, answer, gzip, gzip_bomb, head, serve};
use thuocdo::collect::collector::ProbeSource;
use thuocdo::collect::source::probe::{Look, Prober, Via};
use thuocdo::model::Phase::{self, Answer, Connect, FirstByte, Transfer};
use thuocdo::model::Reason::{self, ErrorInBody, Http5xx, MaintenancePage, OwnNetwork, Protocol, RedirectBlocked, Timeout};
use thuocdo::rollup::Family;
use thuocdo::settings::Settings;
use tokio::net::TcpListener;

const HTML: &str = "content-type: text/html; charset=utf-8\r\n";
const PAGE: &[u8] = "<!doctype html><title>Cổng thông tin</title><h1>Cổng thông tin điện tử</h1>".as_bytes();
const V4: Via = Via::Only(Family::V4);

/// Settings whose one reference answers.
async fn settings() -> Settings {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    settings_with(port)
}

fn settings_with(reference: u16) -> Settings {
    let text = format!("[network]\nreferences = [\"tcp://127.0.0.1:{reference}\"]\nloopback_names = true");
    Settings::parse("thuocdo.toml", &(text + "\n[province]\nunit = \"H49\"\n")).expect("settings of the test")
}

/// A probe with a short timeout.
fn probe(more: &str) -> ProbeSource {
    let text = format!(
        "timeout = \"1s\"\nconfirm = {{ attempts = 1 }}\nmaintenance_page = [\"đang bảo trì\"]\n\
         up = {{ status = [\"200-399\"], body_has = [\"Cổng thông tin\"], body_lacks = [\"Request Rejected\"] }}\n{more}"
    );
    toml::from_str(&text).expect("a probe of the test")
}

async fn look(base: &str, settings: &Settings, probe: &ProbeSource, via: Via) -> Option<Look> {
    let prober = Prober::new(probe, settings).expect("a resolver and TLS roots");
    prober.look(&url::Url::parse(base).expect("an address"), via).await
}

/// Where and why a look ended, or nothing.
fn ended(look: &Look) -> Option<(Phase, Reason)> {
    look.failure.as_ref().map(|(phase, failure)| (*phase, failure.reason))
}

/// A name, what the server does, and where and why the look ends.
type Case = (&'static str, Vec<Act>, Option<(Phase, Reason)>);

#[tokio::test]
async fn each_way_to_fail_has_its_phase_and_reason() {
    let page = |status, body: &[u8]| Act::Send(answer(status, HTML, body));
    let redirect = |to: &str| Act::Send(answer(302, &format!("{HTML}location: {to}\r\n"), b""));
    let maintenance = "<h1>Hệ thống đang bảo trì</h1>".as_bytes();
    let packed = gzip(PAGE);
    let cases: Vec<Case> = vec![
        ("as it should be", vec![page(200, PAGE)], None),
        ("a redirect within the site", vec![redirect("/vi"), page(200, PAGE)], None),
        ("packed although not asked for", vec![Act::Send(answer(200, &format!("{HTML}content-encoding: gzip\r\n"), &packed))], None),
        ("a body without end", vec![Act::Endless([head(200, HTML), PAGE.to_vec()].concat())], None),
        ("a bomb", vec![Act::Send(answer(200, &format!("{HTML}content-encoding: gzip\r\n"), &gzip_bomb()))], Some((Answer, ErrorInBody))),
        ("503", vec![page(503, b"busy")], Some((Answer, Http5xx))),
        ("maintenance with 200", vec![page(200, maintenance)], Some((Answer, MaintenancePage))),
        ("maintenance with 503", vec![page(503, maintenance)], Some((Answer, MaintenancePage))),
        ("a firewall's page", vec![page(200, "Cổng thông tin: Request Rejected".as_bytes())], Some((Answer, ErrorInBody))),
        ("another page", vec![page(200, b"It works!")], Some((Answer, ErrorInBody))),
        ("an empty page", vec![page(200, b"")], Some((Answer, ErrorInBody))),
        ("a redirect to another site", vec![redirect("https://parking.example/")], Some((Answer, RedirectBlocked))),
        ("a redirect to itself", vec![redirect("/")], Some((Answer, RedirectBlocked))),
        ("closed without a word", vec![Act::Send(Vec::new())], Some((FirstByte, Reason::Connect))),
        ("no HTTP", vec![Act::Send(b"220 mail.example ESMTP\r\n".to_vec())], Some((FirstByte, Protocol))),
        ("silent", vec![Act::SendStall(Vec::new())], Some((FirstByte, Timeout))),
        ("a body that trickles", vec![Act::Drip(head(200, &format!("{HTML}content-length: 100000\r\n")))], Some((Transfer, Timeout))),
        (
            "a body that is cut",
            vec![Act::Send([head(200, &format!("{HTML}content-length: 9999\r\n")), PAGE.to_vec()].concat())],
            Some((Transfer, Protocol)),
        ),
        (
            "a body that is reset",
            vec![Act::SendReset([head(200, &format!("{HTML}content-length: 9999\r\n")), PAGE.to_vec()].concat())],
            Some((Transfer, Reason::Connect)),
        ),
    ];
    let (settings, probe) = (settings().await, probe(""));
    let n = cases.len();
    for (name, acts, wanted) in cases {
        let server = serve(acts).await;
        let began = Instant::now();
        let seen = look(&server.base, &settings, &probe, V4).await.expect("an address in the URL");
        assert_eq!(ended(&seen), wanted, "{name}: {:?}", seen.failure);
        assert!(began.elapsed() < Duration::from_millis(1500), "{name} took {:?}", began.elapsed());
        assert!(seen.measured.resolve.is_none() && seen.measured.connect.is_some(), "{name}");
        let kept = seen.kept(V4, (7, 9, 2), Duration::from_millis(3));
        assert_eq!((kept.target, kept.slot, kept.no, kept.text.chars().count() <= 300), (7, 9, 2, true), "{name}");
    }
    println!("{n} of {n} looks ended in their phase for their reason");
}

#[tokio::test]
async fn phases_are_timed_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let _asked = stream.read(&mut [0; 4096]).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        let whole = answer(200, HTML, PAGE);
        stream.write_all(&whole[..whole.len() - 5]).await.expect("written");
        tokio::time::sleep(Duration::from_millis(300)).await;
        stream.write_all(&whole[whole.len() - 5..]).await.expect("written");
    });
    let seen = look(&base, &settings().await, &probe(""), V4).await.expect("an address in the URL");
    assert_eq!(ended(&seen), None);
    let millis = |time: Option<Duration>| time.expect("it was reached").as_millis();
    let (first_byte, transfer) = (millis(seen.measured.first_byte), millis(seen.measured.transfer));
    assert!((150..290).contains(&first_byte) && (300..600).contains(&transfer), "{first_byte} {transfer}");
}

#[tokio::test]
async fn our_own_line_being_cut_is_unknown_and_a_refusal_is_down() {
    // Nobody listens on port 1 of this machine.
    let refused = "http://127.0.0.1:1/";
    let probe = probe("");
    let cut = look(refused, &settings_with(1), &probe, V4).await.expect("an address");
    assert_eq!(ended(&cut), Some((Connect, OwnNetwork)));
    let down = look(refused, &settings().await, &probe, V4).await.expect("an address");
    assert_eq!(ended(&down), Some((Connect, Reason::Connect)));
    // What a portal answers is its own word, whatever our references do.
    let server = serve(vec![Act::Send(answer(503, HTML, b"busy"))]).await;
    let busy = look(&server.base, &settings_with(1), &probe, V4).await.expect("an address");
    assert_eq!(ended(&busy), Some((Answer, Http5xx)));
}

#[tokio::test]
async fn every_look_is_a_connection_of_its_own() {
    let server = serve(vec![Act::Send(answer(200, HTML, PAGE))]).await;
    let (settings, probe) = (settings().await, probe(""));
    let prober = Prober::new(&probe, &settings).expect("a prober");
    for _ in 0..5 {
        let url = url::Url::parse(&server.base).expect("an address");
        assert_eq!(prober.look(&url, V4).await.as_ref().and_then(ended), None);
    }
    assert_eq!(server.n_asked(), 5);
}
