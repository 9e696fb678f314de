//! Certificates as a look sees them: whether they are trusted, and until when they are valid, also when they are not.

use chrono::Timelike;
use rcgen::date_time_ymd;
use thuocdo::model::Phase::Tls;
use thuocdo::model::Reason::{self, TlsExpired, TlsUntrusted};
use thuocdo::settings::Settings;

use crate::certificates::{Authority, authority, but, leaf, self_signed, serve_tls, signed};
use crate::server::answer;
use crate::{HTML, PAGE, V4, ended, look, probe, settings};

fn trusting(mut settings: Settings, authority: &Authority, folder: &tempfile::TempDir) -> Settings {
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, authority.pem()).expect("a file");
    settings.http.extra_ca = Some(path);
    settings
}

#[tokio::test]
async fn certificates_are_judged_and_their_end_is_seen() {
    let (trusted, folder) = (authority(), tempfile::tempdir().expect("a folder"));
    let settings = trusting(settings().await, &trusted, &folder);
    let soon = (chrono::Utc::now() + chrono::Duration::minutes(30)).with_nanosecond(0).expect("a whole second");
    let in_the_hour = date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(soon.timestamp().unsigned_abs());
    let past = but(leaf(), |params| params.not_after = date_time_ymd(2020, 1, 1));
    let ending = but(leaf(), |params| params.not_after = in_the_hour);
    let cases: Vec<(&str, _, Option<Reason>, Option<String>)> = vec![
        ("good", signed(leaf(), &trusted), None, None),
        ("ends within the hour", signed(ending, &trusted), None, Some(thuocdo::model::Ts::from(soon).to_string())),
        ("expired", signed(past, &trusted), Some(TlsExpired), Some("2020-01-01T00:00:00Z".to_owned())),
        ("self-signed", self_signed(leaf()), Some(TlsUntrusted), None),
        ("of an unknown CA", signed(leaf(), &authority()), Some(TlsUntrusted), None),
    ];
    for (name, certified, reason, until) in cases {
        let base = serve_tls(certified, answer(200, HTML, PAGE)).await;
        let seen = look(&base, &settings, &probe(""), V4).await.expect("an address");
        assert_eq!(ended(&seen), reason.map(|reason| (Tls, reason)), "{name}: {:?}", seen.failure);
        let found = seen.certificate_until.expect("a certificate was shown").to_string();
        assert!(until.as_ref().is_none_or(|until| *until == found), "{name}: {found}");
        assert!(seen.measured.tls.is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_probe_may_take_any_certificate() {
    let base = serve_tls(self_signed(leaf()), answer(200, HTML, PAGE)).await;
    let any = toml::from_str("timeout = \"1s\"\nconfirm = { attempts = 1 }\nup = { tls = \"any\" }").expect("a probe");
    let seen = look(&base, &settings().await, &any, V4).await.expect("an address");
    assert_eq!(ended(&seen), None, "{:?}", seen.failure);
    assert!(seen.certificate_until.is_some());
}
