//! `/`: what is broken and what to do, then every source.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono_tz::Asia::Ho_Chi_Minh;

use super::frame::{Frame, View, html};
use super::moment::Moment;
use super::refusal::Refusal;
use super::source_card::Card;
use crate::catalogue::Problem;
use crate::model::{Period, PeriodKind};
use crate::serve::sources::sources;
use crate::serve::{SourceState, State};

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
        rankings: rankings(&view),
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

/// The ranking of each set that holds this year.
fn rankings(view: &View) -> Vec<(String, String)> {
    let today = view.frame.now.utc().with_timezone(&Ho_Chi_Minh).date_naive();
    let year = Period::holding(PeriodKind::Year, today);
    let sets = view.live.catalogue.criteria.values().filter(|set| set.in_force.touches(year));
    sets.map(|set| {
        let address = format!("/scores/{}/{year}", super::frame::segment(&set.id));
        (view.frame.to(&address), format!("{} · {year}", view.frame.t(&set.title.vi, &set.title.en)))
    })
    .collect()
}
