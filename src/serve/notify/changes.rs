//! What is to be told now, of what is known and what is wanted. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Alert;
use crate::model::{AlertKind, Told, Ts};
use crate::store::AlertRow;

/// How long an alert that is over is still listed.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// When things are told.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The clock.
    pub now: Ts,
    /// Changes within it go out together; what is over before then is not told.
    pub group_wait: Duration,
    /// How often what is still so is sent again.
    pub resend: Option<Duration>,
}

/// What follows from a look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Alerts that are not as they were known.
    pub keep: Vec<AlertRow>,
    /// Alerts that are not kept any more: over before anybody was told, or long ago.
    pub forget: Vec<AlertRow>,
    /// What is to be told in one request: that it is so, or that it is over.
    pub tell: Vec<(AlertRow, Told)>,
}

/// Compares what is known with what is wanted. Nothing is told until the oldest change has waited for `group_wait`,
/// then every change is.
pub fn changes(known: &[AlertRow], wanted: &[Alert], terms: &Terms) -> Changes {
    let mut wanted: BTreeMap<(AlertKind, &str), &Alert> =
        wanted.iter().map(|alert| ((alert.kind, alert.subject.as_str()), alert)).collect();
    let mut changes = Changes::default();
    let mut now: Vec<AlertRow> = Vec::new();
    for row in known {
        let next = match wanted.remove(&(row.kind, row.subject.as_str())) {
            Some(alert) => Some(goes_on(row, alert, terms.now)),
            None => is_over(row, terms.now),
        };
        match next {
            Some(next) => {
                if next != *row {
                    changes.keep.push(next.clone());
                }
                now.push(next);
            }
            None => changes.forget.push(row.clone()),
        }
    }
    let new: Vec<AlertRow> = wanted.into_values().map(|alert| begins(alert, terms.now)).collect();
    changes.keep.extend(new.iter().cloned());
    now.extend(new);
    changes.tell = to_tell(now, terms);
    changes
}

fn begins(alert: &Alert, now: Ts) -> AlertRow {
    let text = serde_json::to_string(&alert.says).expect("texts are JSON");
    AlertRow { kind: alert.kind, subject: alert.subject.clone(), since: now, ended_at: None, told: Told::Nothing, told_at: None, text }
}

/// It is so: still, again before its end was told, or anew.
fn goes_on(row: &AlertRow, alert: &Alert, now: Ts) -> AlertRow {
    let begun = begins(alert, now);
    match row.told {
        Told::Resolved => begun,
        Told::Nothing | Told::Firing => AlertRow { since: row.since, told: row.told, told_at: row.told_at, ..begun },
    }
}

/// It is over; `None` if nobody needs to know (any more).
fn is_over(row: &AlertRow, now: Ts) -> Option<AlertRow> {
    match row.told {
        Told::Nothing => None,
        Told::Firing => Some(AlertRow { ended_at: row.ended_at.or(Some(now)), ..row.clone() }),
        Told::Resolved => row.ended_at.is_some_and(|ended| now.since(ended) < KEPT).then(|| row.clone()),
    }
}

/// Since when people do not know how it stands; `None` if they do.
fn untold_since(row: &AlertRow) -> Option<(Ts, Told)> {
    match (row.told, row.ended_at) {
        (Told::Nothing, _) => Some((row.since, Told::Firing)),
        (Told::Firing, Some(ended)) => Some((ended, Told::Resolved)),
        (Told::Firing, None) | (Told::Resolved, _) => None,
    }
}

fn to_tell(now: Vec<AlertRow>, terms: &Terms) -> Vec<(AlertRow, Told)> {
    let waited = |row: &AlertRow| untold_since(row).is_some_and(|(at, _)| terms.now.since(at) >= terms.group_wait);
    let is_firing = |row: &AlertRow| row.ended_at.is_none() && row.told == Told::Firing;
    let is_sent_again = |row: &AlertRow| {
        is_firing(row) && terms.resend.zip(row.told_at).is_some_and(|(resend, told_at)| terms.now.since(told_at) >= resend)
    };
    let (tell, again) = (now.iter().any(waited), now.iter().any(is_sent_again));
    let told = |row: AlertRow| match untold_since(&row) {
        Some((_, told)) => tell.then_some((row, told)),
        None => (again && is_firing(&row)).then_some((row, Told::Firing)),
    };
    now.into_iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::notify::Says;
    use crate::serve::notify::tests::at;

    /// A notifier without database and webhook: minutes are looks, `group_wait` is two of them.
    #[derive(Default)]
    struct People {
        known: Vec<AlertRow>,
        resend: Option<Duration>,
    }

    impl People {
        /// A look at this minute, at which these collectors are stale: `firing a, resolved b`, and the webhook hears it.
        fn look(&mut self, minute: i64, stale: &[&str]) -> String {
            let changes = self.changes(minute, stale);
            for (row, told) in &changes.tell {
                let known = self.known.iter_mut().find(|known| known.subject == row.subject).expect("kept before it is told");
                (known.told, known.told_at) = (*told, Some(at(minute)));
            }
            changes.tell.iter().map(|(row, told)| format!("{told} {}", row.subject)).collect::<Vec<_>>().join(", ")
        }

        fn changes(&mut self, minute: i64, stale: &[&str]) -> Changes {
            let says = Says::default();
            let wanted: Vec<Alert> =
                stale.iter().map(|id| Alert { kind: AlertKind::SourceStale, subject: (*id).to_owned(), says: says.clone() }).collect();
            let terms = Terms { now: at(minute), group_wait: Duration::from_secs(120), resend: self.resend };
            let changes = changes(&self.known, &wanted, &terms);
            let gone = |row: &AlertRow| changes.forget.contains(row) || changes.keep.iter().any(|kept| kept.subject == row.subject);
            self.known.retain(|row| !gone(row));
            self.known.extend(changes.keep.iter().cloned());
            self.known.sort_by(|a, b| a.subject.cmp(&b.subject));
            changes
        }
    }

    #[test]
    fn told_once_grouped_and_over_once() {
        let mut people = People::default();
        assert_eq!(people.look(0, &["a"]), "");
        assert_eq!(people.look(1, &["a", "b"]), "");
        assert_eq!(people.look(2, &["a", "b", "c"]), "firing a, firing b, firing c", "all changes go out with the oldest");
        for minute in 3..100 {
            assert_eq!(people.look(minute, &["a", "b", "c"]), "", "not repeated");
        }
        assert_eq!(people.look(100, &["b"]), "");
        assert_eq!(people.look(102, &["b"]), "resolved a, resolved c");
        assert_eq!(people.look(103, &["b"]), "");
        assert_eq!(people.look(110, &["a", "b"]), "");
        assert_eq!(people.look(112, &["a", "b"]), "firing a", "anew");
        assert_eq!(people.known[0].since, at(110));
    }

    #[test]
    fn what_comes_and_goes_within_the_wait_is_not_told() {
        let mut people = People::default();
        assert_eq!(people.look(0, &["a"]), "");
        assert_eq!(people.look(1, &[]), "");
        assert!(people.known.is_empty());
        assert_eq!(people.look(2, &["a"]), "");
        assert_eq!(people.look(4, &["a"]), "firing a");
        assert_eq!(people.look(10, &[]), "");
        assert_eq!(people.look(11, &["a"]), "", "it came back before its end was told");
        assert_eq!((people.known[0].since, people.known[0].ended_at), (at(2), None));
        assert_eq!(people.look(20, &["a"]), "");
        assert_eq!(people.look(21, &[]) + &people.look(23, &[]), "resolved a");
    }

    #[test]
    fn what_the_webhook_did_not_take_is_told_again() {
        let mut people = People::default();
        people.changes(0, &["a"]);
        for minute in 2..5 {
            assert_eq!(people.changes(minute, &["a"]).tell.len(), 1, "still not told");
        }
        assert_eq!(people.look(5, &["a", "b"]), "firing a, firing b");
        people.changes(10, &[]);
        assert_eq!(people.changes(12, &[]).tell.len(), 2);
        assert_eq!(people.look(13, &[]), "resolved a, resolved b");
    }

    #[test]
    fn sent_again_only_if_wanted_and_forgotten_in_time() {
        let mut people = People { resend: Some(Duration::from_secs(5 * 60)), ..People::default() };
        people.look(0, &["a", "b"]);
        assert_eq!(people.look(2, &["a", "b"]), "firing a, firing b");
        assert_eq!(people.look(6, &["a", "b"]), "");
        assert_eq!(people.look(7, &["a", "b"]), "firing a, firing b");
        assert_eq!(people.look(11, &["a"]), "");
        assert_eq!(people.look(13, &["a"]), "firing a, resolved b", "both are due");
        let month = 31 * 24 * 60;
        assert_eq!(people.look(month, &["a"]), "firing a");
        assert_eq!(people.known.len(), 1);
    }
}
