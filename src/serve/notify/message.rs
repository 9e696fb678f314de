//! What is posted: the array of alerts that Alertmanager's `POST /api/v2/alerts` takes, with a status for everybody else.
//!
//! Alertmanager keeps alerts in memory, tells one alert from another by its labels alone, and ends one by itself when its
//! `endsAt` is over. So labels never change while it lasts, one that goes on ends a year ahead if it is told once, and after
//! four times `resend` if it is sent again, as Prometheus does; one that is over ends when it was seen to be over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::Says;
use crate::model::{Told, Ts};
use crate::store::AlertRow;

/// Until when an alert that is told once goes on.
const TOLD_ONCE: Duration = Duration::from_secs(365 * 24 * 3600);

/// One alert as it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// `firing` or `resolved`. Alertmanager passes over it.
    pub status: &'static str,
    /// Which alert: `alertname`, `service`, `severity`, `province`, and `collector` or `file`.
    pub labels: BTreeMap<&'static str, String>,
    /// What is said of it; only what there is something to say of.
    pub annotations: BTreeMap<&'static str, String>,
    /// Since when.
    #[serde(rename = "startsAt")]
    pub starts_at: Ts,
    /// When it was over, or until when it goes on if nothing else is said.
    #[serde(rename = "endsAt")]
    pub ends_at: Ts,
    /// Where to look.
    #[serde(rename = "generatorURL")]
    pub generator_url: String,
}

/// Of which installation alerts are.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Unit id of the province.
    pub province: String,
    /// What links begin with.
    pub base_url: String,
    /// How often what is still so is sent again.
    pub resend: Option<Duration>,
}

impl Sender {
    /// An alert as it is posted.
    pub fn posted(&self, row: &AlertRow, told: Told, now: Ts) -> Posted {
        // What was kept by another version still has its labels.
        let says: Says = serde_json::from_str(&row.text).unwrap_or_default();
        let is_over = told == Told::Resolved;
        let says = if is_over { says.resolved(row.kind) } else { says };
        let subject = row.kind.subject();
        let page = if subject == "collector" { format!("/sources/{}", row.subject) } else { "/".to_owned() };
        Posted {
            status: if is_over { "resolved" } else { "firing" },
            labels: self.labels(row.kind.label(), row.kind.severity().label(), [(subject, row.subject.clone())]),
            annotations: annotations(&says),
            starts_at: row.since,
            ends_at: row.ended_at.unwrap_or(self.goes_on_until(now)),
            generator_url: format!("{}{page}", self.base_url),
        }
    }

    /// An alert that is none: to see whether alerts arrive.
    pub fn test(&self, now: Ts) -> Posted {
        let says = Says {
            summary_vi: "THỬ NGHIỆM, không có sự cố: thuocdo thử gửi cảnh báo".to_owned(),
            summary: "TEST, nothing is wrong: thuocdo tries whether alerts arrive".to_owned(),
            what_to_do_vi: "Không cần làm gì.".to_owned(),
            what_to_do: "Nothing.".to_owned(),
            ..Says::default()
        };
        Posted {
            status: "firing",
            labels: self.labels("test", "none", []),
            annotations: annotations(&says),
            starts_at: now,
            ends_at: now.plus(Duration::from_secs(5 * 60)),
            generator_url: format!("{}/", self.base_url),
        }
    }

    fn goes_on_until(&self, now: Ts) -> Ts {
        now.plus(self.resend.map_or(TOLD_ONCE, |resend| 4 * resend))
    }

    fn labels<const N: usize>(&self, name: &str, severity: &str, more: [(&'static str, String); N]) -> BTreeMap<&'static str, String> {
        let mut labels = BTreeMap::from(more);
        labels.insert("alertname", name.to_owned());
        labels.insert("service", "thuocdo".to_owned());
        labels.insert("severity", severity.to_owned());
        labels.insert("province", self.province.clone());
        labels
    }
}

fn annotations(says: &Says) -> BTreeMap<&'static str, String> {
    let Says { title_vi, title, owner, summary_vi, summary, description_vi, description, what_to_do_vi, what_to_do } = says;
    let all = [
        ("title_vi", title_vi),
        ("title", title),
        ("owner", owner),
        ("summary_vi", summary_vi),
        ("summary", summary),
        ("description_vi", description_vi),
        ("description", description),
        ("what_to_do_vi", what_to_do_vi),
        ("what_to_do", what_to_do),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AlertKind;
    use crate::serve::notify::tests::at;

    #[test]
    fn labels_stay_while_it_lasts() {
        let sender = Sender { province: "H49".into(), base_url: "https://thuocdo.example.vn".into(), resend: None };
        let text = serde_json::to_string(&Says { title: "A".into(), summary: "A: old".into(), ..Says::default() }).expect("JSON");
        let (since, told_at) = (at(0), None);
        let row = AlertRow { kind: AlertKind::SourceStale, subject: "a".into(), since, ended_at: None, told: Told::Nothing, told_at, text };
        let firing = sender.posted(&row, Told::Firing, at(1));
        let over = sender.posted(&AlertRow { ended_at: Some(at(9)), ..row.clone() }, Told::Resolved, at(10));
        assert_eq!(firing.labels, over.labels);
        assert_eq!((over.status, over.ends_at, over.starts_at), ("resolved", at(9), since));
        assert_eq!((firing.status, firing.ends_at), ("firing", at(1 + 365 * 24 * 60)));
        let often = Sender { resend: Some(Duration::from_secs(120)), ..sender.clone() };
        assert_eq!(often.posted(&row, Told::Firing, at(1)).ends_at, at(9));
        let unread = sender.posted(&AlertRow { kind: AlertKind::ConfigInvalid, text: "{}".into(), ..row }, Told::Firing, at(1));
        assert_eq!((unread.labels["file"].as_str(), unread.annotations.len()), ("a", 0));
        assert_eq!(
            serde_json::to_string(&firing).expect("JSON"),
            "{\"status\":\"firing\",\"labels\":{\"alertname\":\"source_stale\",\"collector\":\"a\",\"province\":\"H49\",\
            \"service\":\"thuocdo\",\"severity\":\"critical\"},\"annotations\":{\"summary\":\"A: old\",\"title\":\"A\"},\
            \"startsAt\":\"2026-09-26T06:00:00Z\",\"endsAt\":\"2027-09-26T06:01:00Z\",\
            \"generatorURL\":\"https://thuocdo.example.vn/sources/a\"}"
        );
    }
}
