//! The circuit breaker: whether a source is left alone, as a function of how the attempts at its runs ended. Pure.

use super::collector::Breaker;
use crate::model::{Reason, RunState, Ts};
use crate::store::AttemptRow;

/// Whether a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// As usual.
    Closed,
    /// It refused or failed too often: only a single careful request now and then.
    Open {
        /// Since the first failure of the row that opened it.
        since: Ts,
        /// The failure that came last.
        reason: Reason,
        /// When the next probe may be made.
        probe_at: Ts,
    },
}

/// So many attempts are enough to judge any breaker.
pub const ATTEMPTS_JUDGED: i64 = 200;

/// What an attempt says of the source.
enum Said {
    /// It answered.
    Answered,
    /// It failed, for this reason.
    Failed(Reason),
    /// Nothing: the trouble was ours.
    Nothing,
}

/// Judges the attempts of a collector, newest first.
///
/// Open after `open_after` failures in a row, or at once after a failure of `stop_on` (a firewall, 401, 403), even if
/// other requests of the run were answered. Closed by the first attempt that is answered. Our own trouble counts as neither.
pub fn circuit(breaker: &Breaker, newest_first: &[AttemptRow]) -> Circuit {
    let mut row = newest_first.iter().filter_map(|attempt| match said(breaker, attempt) {
        Said::Answered => Some(None),
        Said::Failed(reason) => Some(Some((attempt.ended_at, reason))),
        Said::Nothing => None,
    });
    let mut failures = Vec::new();
    for failure in row.by_ref() {
        match failure {
            Some(failure) => failures.push(failure),
            None => break,
        }
    }
    let (Some((last_at, reason)), Some((since, _))) = (failures.first().copied(), failures.last().copied()) else {
        return Circuit::Closed;
    };
    let refused = failures.iter().any(|(_, reason)| breaker.stop_on.contains(reason));
    match refused || failures.len() >= breaker.open_after.get() as usize {
        true => Circuit::Open { since, reason, probe_at: last_at.plus(breaker.probe_every.0) },
        false => Circuit::Closed,
    }
}

fn said(breaker: &Breaker, attempt: &AttemptRow) -> Said {
    match (attempt.state, attempt.reason) {
        (_, Some(reason)) if breaker.stop_on.contains(&reason) => Said::Failed(reason),
        (RunState::Recorded | RunState::Partial | RunState::Quarantined, _) => Said::Answered,
        (RunState::Failed, Some(reason)) if !reason.is_ours() => Said::Failed(reason),
        (RunState::Failed | RunState::Running | RunState::Due | RunState::Missed, _) => Said::Nothing,
    }
}

/// The first wait before a failed run is claimed again; doubled with each attempt.
const FIRST_WAIT: std::time::Duration = std::time::Duration::from_secs(5 * 60);
/// The longest.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(60 * 60);
/// After our own trouble, which passes by itself or is mended; doubled too.
const OWN_WAIT: std::time::Duration = std::time::Duration::from_secs(60);
/// After a source that said it is asked too often, and for longer than a run waits.
const RATE_WAIT: std::time::Duration = std::time::Duration::from_secs(30 * 60);

/// From when a run that has just ended may be claimed again; `None` for never. `circuit` takes this end into account.
///
/// A run is tried again as long as its window counts (`give_up`); a wrong file or setting is not mended by trying.
pub fn retry_at(circuit: Circuit, attempt: i32, (state, reason): (RunState, Option<Reason>), ended_at: Ts, give_up: Ts) -> Option<Ts> {
    if state != RunState::Failed {
        return None;
    }
    let at = match (circuit, reason) {
        (_, Some(Reason::Config | Reason::AddressBlocked | Reason::RedirectBlocked)) => return None,
        (_, Some(Reason::Interrupted)) => ended_at,
        (Circuit::Open { probe_at, .. }, _) => probe_at.max(ended_at),
        (Circuit::Closed, Some(Reason::OwnNetwork | Reason::Store | Reason::Internal | Reason::Deadline)) => {
            ended_at.plus(doubled(OWN_WAIT, attempt))
        }
        (Circuit::Closed, Some(Reason::RateLimited)) => ended_at.plus(doubled(RATE_WAIT, attempt)),
        (Circuit::Closed, _) => ended_at.plus(doubled(FIRST_WAIT, attempt)),
    };
    (at <= give_up).then_some(at)
}

/// The wait after an attempt, doubled with each one before it.
fn doubled(first: std::time::Duration, attempt: i32) -> std::time::Duration {
    (first * 2u32.saturating_pow(u32::try_from(attempt - 1).unwrap_or(0).min(8))).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RunId, Trigger};
    use crate::store::Recorded;

    fn at(minute: i64) -> Ts {
        Ts::from_micros(1_790_000_000_000_000 + minute * 60_000_000).expect("an instant")
    }

    /// Attempts that ended at minutes 1, 2, …, given oldest first.
    fn history(ends: &[(RunState, Option<Reason>)]) -> Vec<AttemptRow> {
        let row = |(no, &(state, reason)): (i64, &(RunState, Option<Reason>))| AttemptRow {
            run: RunId { collector: "c".to_owned(), due_at: at(no) },
            attempt: 1,
            trigger: Trigger::Schedule,
            owner: String::new(),
            started_at: at(no),
            ended_at: at(no),
            state,
            reason,
            error: String::new(),
            drift: false,
            recorded: Recorded::default(),
            data_period: None,
        };
        let mut rows: Vec<AttemptRow> = (1..).zip(ends).map(row).collect();
        rows.reverse();
        rows
    }

    #[test]
    fn opens_and_closes() {
        use Reason::{Auth, Config, Firewall, Http5xx, Interrupted, OwnNetwork, Timeout};
        use RunState::{Failed, Partial, Quarantined, Recorded};
        let breaker = Breaker { open_after: std::num::NonZeroU32::new(3).expect("3"), ..Breaker::default() };
        let down = (Failed, Some(Timeout));
        let open = |since: i64, reason, last: i64| Circuit::Open { since: at(since), reason, probe_at: at(last + 30) };
        for (name, ends, wanted) in [
            ("nothing yet", vec![], Circuit::Closed),
            ("fewer than three", vec![down, down], Circuit::Closed),
            ("three in a row", vec![down, down, down], open(1, Timeout, 3)),
            ("an answer between", vec![down, down, (Quarantined, Some(Reason::Gate)), down], Circuit::Closed),
            ("an answer at the end closes it", vec![down, down, down, (Recorded, None)], Circuit::Closed),
            ("our own trouble is no failure", vec![down, (Failed, Some(OwnNetwork)), (Failed, Some(Interrupted)), down], Circuit::Closed),
            ("and no answer", vec![down, (Failed, Some(Config)), down, (Failed, Some(OwnNetwork)), down], open(1, Timeout, 5)),
            ("403 opens at once", vec![(Recorded, None), (Failed, Some(Auth))], open(2, Auth, 2)),
            ("even beside answers", vec![(Partial, Some(Firewall))], open(1, Firewall, 1)),
            ("a failed probe keeps it open", vec![(Failed, Some(Auth)), (Failed, Some(Http5xx))], open(1, Http5xx, 2)),
            ("being left alone is no failure", vec![down, down, down, (Failed, Some(Reason::CircuitOpen))], open(1, Timeout, 3)),
        ] {
            assert_eq!(circuit(&breaker, &history(&ends)), wanted, "{name}");
        }
    }

    #[test]
    fn a_failed_run_is_tried_again_while_its_window_counts() {
        let never = at(100_000);
        let closed = |attempt, reason, give_up| retry_at(Circuit::Closed, attempt, (RunState::Failed, Some(reason)), at(0), give_up);
        for (attempt, wanted) in [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (60, 60)] {
            assert_eq!(closed(attempt, Reason::Timeout, never), Some(at(wanted)), "attempt {attempt}");
        }
        assert_eq!(closed(3, Reason::Timeout, at(19)), None, "the window is over");
        assert_eq!(closed(1, Reason::Config, never), None);
        assert_eq!(closed(1, Reason::Store, never), Some(at(1)));
        assert_eq!(closed(7, Reason::Store, never), Some(at(60)));
        assert_eq!(closed(1, Reason::RateLimited, never), Some(at(30)));
        assert_eq!(closed(1, Reason::Interrupted, at(0)), Some(at(0)));
        let open = Circuit::Open { since: at(-9), reason: Reason::Auth, probe_at: at(30) };
        assert_eq!(retry_at(open, 1, (RunState::Failed, Some(Reason::Auth)), at(0), never), Some(at(30)));
        assert_eq!(retry_at(open, 1, (RunState::Partial, Some(Reason::Auth)), at(0), never), None, "it is recorded");
    }
}
