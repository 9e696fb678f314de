//! `/`: what is broken and what to do, then every source.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::frame::{Frame, View, html};
use super::moment::Moment;
use super::refusal::Refusal;
use super::source_card::Card;
use crate::catalogue::Problem;
use crate::model::PeriodKind;
use crate::score::criteria::CriteriaSet;
use crate::serve::service::Operation;
use crate::serve::sources::sources;
use crate::serve::{SourceState, State};
use crate::store::ScoreRunRow;

#[derive(Template)]
#[template(path = "status.html")]
struct Page<'a> {
    frame: &'a Frame,
    headline: String,
    is_well: bool,
    /// Broken ones first.
    cards: Vec<Card>,
    problems: &'a [Problem],
    /// Why the database does not do what it is asked, "" if it does.
    trouble: String,
    loaded_at: Moment,
    heartbeat: Option<Moment>,
    /// Address and name of rankings.
    rankings: Vec<(String, String)>,
}

/// So many score runs are looked back for the newest year of each set.
const SCORE_RUNS: i64 = 200;

/// How the sources stand. Without a database it still says so, with 503.
pub(super) async fn status(view: View) -> Result<Response, Refusal> {
    let View { service, live, frame } = &view;
    let (known, status) = match sources(service, live, frame.now).await {
        Ok(known) => (known, StatusCode::OK),
        Err(error) => {
            tracing::error!(error = %crate::collect::run::chain(&error), "the state of the sources could not be read from the database");
            (Vec::new(), StatusCode::SERVICE_UNAVAILABLE)
        }
    };
    let silent = status != StatusCode::OK;
    // Without a database there is no ranking to lead to.
    let score_runs = service.stored(Operation::Read, service.db.score_runs(None, SCORE_RUNS)).await.unwrap_or_default();
    let trouble = match (service.store_trouble(), silent) {
        (Some(trouble), _) => trouble,
        (None, true) => frame.t("cơ sở dữ liệu không trả lời", "the database does not answer").to_owned(),
        (None, false) => String::new(),
    };
    let problems = &live.problems;
    let mut ordered: Vec<&SourceState> = known.iter().collect();
    ordered.sort_by_key(|source| (!source.is_broken(), source.state));
    let page = Page {
        headline: if silent { String::new() } else { headline(&known, problems.len(), frame) },
        is_well: !silent && trouble.is_empty() && problems.is_empty() && !known.iter().any(SourceState::is_broken),
        cards: ordered.into_iter().map(|source| Card::of(source, frame)).collect(),
        problems,
        trouble,
        loaded_at: frame.moment(live.loaded_at),
        heartbeat: service.heartbeat().map(|at| frame.moment(at)),
        rankings: rankings(&view, &score_runs),
        frame,
    };
    Ok((status, html(&page)?).into_response())
}

/// `8 of 10 sources are well; 2 need somebody: first do what stands below.`
fn headline(sources: &[SourceState], n_problems: usize, frame: &Frame) -> String {
    let n_all = sources.len();
    let n_broken = sources.iter().filter(|source| source.is_broken()).count();
    let n_well = sources.iter().filter(|source| !source.is_broken() && source.state == State::Ok).count();
    let n_other = n_all - n_broken - n_well;
    let mut text = match frame.lang {
        crate::score::explain::Lang::Vi => format!("{n_well} trên {n_all} nguồn đang tốt"),
        crate::score::explain::Lang::En => format!("{n_well} of {n_all} sources are well"),
    };
    for (n, vi, en) in [
        (n_broken, "nguồn cần xử lý", "need somebody"),
        (n_other, "nguồn chưa chạy hoặc tạm dừng", "have not run yet or are paused"),
        (n_problems, "lỗi trong các tệp khai báo", "faults in declarative files"),
    ] {
        if n > 0 {
            text.push_str(&format!("; {n} {}", frame.t(vi, en)));
        }
    }
    text + "."
}

/// The ranking of each set's newest year that was scored.
fn rankings(view: &View, score_runs: &[ScoreRunRow]) -> Vec<(String, String)> {
    let newest = |set: &CriteriaSet| {
        let years = score_runs.iter().filter(|run| run.criteria_set == set.id && run.period.kind() == PeriodKind::Year);
        years.map(|run| run.period).max()
    };
    let sets = view.live.catalogue.criteria.values().filter_map(|set| Some((set, newest(set)?)));
    sets.map(|(set, year)| {
        let address = format!("/scores/{}/{year}", super::frame::segment(&set.id));
        (view.frame.to(&address), format!("{} · {year}", view.frame.t(&set.title.vi, &set.title.en)))
    })
    .collect()
}
