//! The bench: where the answers of one run are kept, read and judged, one after the other.

use std::collections::BTreeMap;

use chrono::Duration;

use super::archive::ArchiveError;
use super::ask::{Fetched, failed};
use super::collector::FileSource;
use super::read::{Answer, Judged, Known, judge_answer};
use super::run::{RunError, Taken, When, Workplace};
use super::source::{Attempt, Failure, file};
use crate::catalogue::{Catalogue, LoadedCollector};
use crate::model::{Reason, Request, Scope, Sha256, Ts};
use crate::rollup::FromRecords;
use crate::settings::Settings;
use crate::store::RequestRecord;

/// What the evidence of a run cost the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EvidenceCounts {
    /// Bodies that were not there yet.
    pub objects: u64,
    /// Bytes written for them.
    pub bytes: u64,
    /// Bodies that were there already.
    pub deduplicated: u64,
}

/// The answers of one run so far.
pub(super) struct Bench<'a> {
    pub place: &'a Workplace<'a>,
    pub loaded: &'a LoadedCollector,
    pub known: &'a Known,
    pub when: When,
    pub requests: Vec<RequestRecord>,
    /// What the records of a monitor say, by number of the request.
    pub watched: BTreeMap<i32, FromRecords>,
    pub evidence: EvidenceCounts,
    pub certificate_until: Option<Ts>,
}

impl<'a> Bench<'a> {
    pub fn new(place: &'a Workplace<'a>, loaded: &'a LoadedCollector, known: &'a Known, when: When) -> Bench<'a> {
        let evidence = EvidenceCounts::default();
        let (requests, watched) = (Vec::new(), BTreeMap::new());
        Bench { place, loaded, known, when, requests, watched, evidence, certificate_until: None }
    }

    /// What was taken.
    pub fn done(self) -> Taken {
        let Bench { requests, watched, evidence, certificate_until, .. } = self;
        Taken { requests, watched, evidence, certificate_until }
    }

    /// Takes what could not even be tried.
    pub fn take_failure(&mut self, scope: Scope, what: &str, failure: Failure) -> Result<(), RunError> {
        self.take(Fetched { scope, attempt: failed("FILE", what, failure) })?;
        Ok(())
    }

    /// Keeps the bytes, then reads and judges them. Returns why there is no usable answer, if there is none.
    pub fn take(&mut self, fetched: Fetched) -> Result<Option<Reason>, ArchiveError> {
        let Fetched { scope, attempt } = fetched;
        self.certificate_until = attempt.certificate_until.or(self.certificate_until);
        let (evidence, judged) = aside(|| {
            let evidence = attempt.body.as_deref().map(|body| self.place.archive.keep(body)).transpose()?;
            let judged = judge_attempt(self.place.settings, self.place.catalogue, self.loaded, self.known, &scope, &attempt);
            Ok((evidence, judged))
        })?;
        let evidence = evidence.map(|kept| {
            self.evidence.objects += u64::from(kept.written_bytes > 0);
            self.evidence.deduplicated += u64::from(kept.written_bytes == 0);
            self.evidence.bytes += kept.written_bytes;
            kept.sha256
        });
        let reason = judged.failure.as_ref().map(|failure| failure.reason);
        let request = Request {
            no: i32::try_from(self.requests.len()).unwrap_or(i32::MAX - 1) + 1,
            scope,
            method: attempt.method,
            url: attempt.url,
            body: attempt.request_body,
            at: self.when.given(attempt.at),
            elapsed_micros: attempt.elapsed_micros,
            status: attempt.status.map(i32::from),
            content_type: attempt.content_type,
            size_bytes: attempt.body.as_ref().map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX)),
            evidence,
            outcome: judged.outcome,
            reason,
            error: judged.failure.map(|failure| failure.text).unwrap_or_default(),
        };
        let Judged { findings, gates, readings, shapes, watched, .. } = judged;
        self.watched.insert(request.no, watched);
        self.requests.push(RequestRecord { request, findings, gates, readings, shapes });
        Ok(reason)
    }
}

/// Does what takes long, a parse or a synced file, without holding up what else this thread serves.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        Ok(_) | Err(_) => work(),
    }
}

/// Reads and judges one attempt; an attempt without a usable answer has failed.
pub fn judge_attempt(
    settings: &Settings,
    catalogue: &Catalogue,
    loaded: &LoadedCollector,
    known: &Known,
    scope: &Scope,
    attempt: &Attempt,
) -> Judged {
    match (&attempt.failure, &attempt.body) {
        (None, Some(body)) => {
            let answer = Answer { url: &attempt.url, body, content_type: &attempt.content_type };
            judge_answer(settings, catalogue, loaded, known, scope, answer)
        }
        (Some(failure), _) => Judged::failed(failure.clone()),
        (None, None) => Judged::failed(Failure::new(Reason::Internal, "no answer and no reason")),
    }
}

/// Takes every settled file that was not recorded before, oldest first; if there is none, looks at the newest known again.
///
/// What a file says, it says as of its last change, and before any later file that was recorded already. The store lets
/// older evidence restate nothing, so a file that turns up late, or passes its gates late, does not undo a newer one.
pub(super) async fn take_files(bench: &mut Bench<'_>, source: &FileSource, due: Ts) -> Result<(), RunError> {
    let scope = Scope { due, period: None, unit: None, portal: None, province: bench.place.settings.province.clone() };
    let pattern = &source.glob.get_ref().0;
    let files = match aside(|| file::settled(source, &bench.place.settings.drop)) {
        Ok(files) if !files.is_empty() => files,
        Ok(_) => return bench.take_failure(scope, pattern, Failure::new(Reason::Config, format!("no settled file matches {pattern:?}"))),
        Err(failure) => return bench.take_failure(scope, pattern, failure),
    };
    let mut known = Vec::new();
    for path in &files {
        let body = aside(|| file::read(source, path)).body;
        known.push(match body.as_deref().map(Sha256::of) {
            Some(sha256) => bench.place.db.recorded_at(bench.loaded.collector.id.get_ref(), &sha256).await?,
            None => None,
        });
    }
    for (index, path) in files.iter().enumerate().filter(|(index, _)| known[*index].is_none()) {
        let mut attempt = aside(|| file::read(source, path));
        if let Some(newer) = known[index..].iter().flatten().min() {
            attempt.at = attempt.at.min(Ts::from(newer.utc() - Duration::microseconds(1)));
        }
        bench.take(Fetched { scope: scope.clone(), attempt })?;
    }
    if let (true, Some(newest)) = (bench.requests.is_empty(), files.last()) {
        bench.take(Fetched { scope, attempt: file::read(source, newest) })?;
    }
    Ok(())
}
