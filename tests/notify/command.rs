//! `thuocdo notify` as a person types it, and the JSON as Alertmanager's description has it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use thuocdo::model::{AlertKind, Told, Ts};
use thuocdo::store::{AlertRow, Db};

use super::receiver::Receiver;

/// Runs beside the receiver, which lives on the test's own thread.
async fn thuocdo(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thuocdo"));
    command.args(arguments).current_dir(folder).env("THUOCDO_SECRET_NOTIFY_TOKEN", "B34R3R");
    tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Components of Alertmanager's OpenAPI description (api/v2/openapi.yaml): postableAlerts.
fn postable_alerts() -> Value {
    let label_set = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let properties = json!({
        "labels": label_set, "annotations": label_set, "startsAt": { "type": "string", "format": "date-time" },
        "endsAt": { "type": "string", "format": "date-time" }, "generatorURL": { "type": "string", "format": "uri" },
    });
    json!({ "type": "array", "items": { "type": "object", "required": ["labels"], "properties": properties } })
}

#[tokio::test]
async fn a_test_alert_arrives_and_what_was_said_is_printed() {
    let receiver = Receiver::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = format!("[notify]\nwebhook = \"{}\"\nbearer = {{ secret = \"notify/token\" }}\n", receiver.url());
    std::fs::write(folder.path().join("thuocdo.toml"), settings).expect("written");
    let done = thuocdo(folder.path(), &["notify", "--test"]).await;
    let printed = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(printed.contains("took the test alert: status 200\nthe receiver's words"), "{printed}");

    let (headers, body) = receiver.requests().remove(0);
    assert_eq!(
        (&headers["content-type"], &headers["authorization"]),
        (&"application/json".parse().unwrap(), &"Bearer B34R3R".parse().unwrap())
    );
    let schema = jsonschema::options().should_validate_formats(true).build(&postable_alerts()).expect("a schema");
    assert!(schema.is_valid(&body), "{body}");
    assert!(body[0]["annotations"]["summary"].as_str().is_some_and(|summary| summary.starts_with("TEST")), "{body}");

    receiver.answer(403);
    let refused = thuocdo(folder.path(), &["notify", "--test"]).await;
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said.contains("status 403 the receiver's words") && !said.contains("T0K3N"), "{said}");
    receiver.stop().await;
    let away = thuocdo(folder.path(), &["notify", "--test"]).await;
    let said = text(&away.stderr);
    assert_eq!(away.status.code(), Some(1));
    assert!(said.contains("did not answer: ") && !said.contains("T0K3N"), "{said}");
    std::fs::write(folder.path().join("thuocdo.toml"), "").expect("written");
    let none = thuocdo(folder.path(), &["notify", "--test"]).await;
    assert!(none.status.code() == Some(1) && text(&none.stderr).contains("no webhook is set"), "{}", text(&none.stderr));
}

#[tokio::test]
async fn what_was_told_is_listed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = Db::open(&format!("sqlite:{}", folder.path().join("thuocdo.db").display())).await.expect("a new file opens");
    let since: Ts = "2026-09-26T06:00:00Z".parse().expect("an instant");
    let (kind, says) = (AlertKind::SourceStale, "{\"summary\":\"No new data\"}".to_owned());
    let row = AlertRow { kind, subject: "a".into(), since, ended_at: None, told: Told::Firing, told_at: Some(since), text: says };
    db.keep_alerts(&[row], &[]).await.expect("kept");
    db.close().await;
    let table = text(&thuocdo(folder.path(), &["notify"]).await.stdout);
    assert!(table.contains("source_stale") && table.contains("No new data") && table.contains("no webhook is set"), "{table}");
    let csv = text(&thuocdo(folder.path(), &["notify", "--format", "csv"]).await.stdout);
    let wanted = "source_stale,a,2026-09-26T06:00:00Z,,firing,2026-09-26T06:00:00Z,No new data";
    assert_eq!(csv.lines().nth(1), Some(wanted), "{csv}");
    let json: Value = serde_json::from_slice(&thuocdo(folder.path(), &["notify", "--format", "json"]).await.stdout).expect("JSON");
    assert_eq!((&json[0]["told"], &json[0]["says"]["summary"]), (&json!("firing"), &json!("No new data")));
}
