//! What people and other systems see of the service: pages, API, health and metrics over HTTP.
//!
//! Pages are server-rendered and work without script; every text of them stands in `templates/` or in `words.rs`.

mod evidence;
mod frame;
mod guard;
mod moment;
mod observations;
mod observe;
mod parameters;
mod ranking;
mod refusal;
mod run;
mod score_api;
mod scores;
mod serve;
mod sheet;
mod source;
mod source_card;
mod status;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};

pub use guard::{BODY_LIMIT_BYTES, REQUEST_LIMIT, REQUESTS_AT_ONCE};
pub use observations::{PAGE_DEFAULT, PAGE_MOST};
pub use observe::{HEARTBEAT_LIMIT, RELOAD_LIMIT};
pub use serve::{GRACE, serve};

use crate::serve::Service;

/// Metrics, health and reload, for machines. May be merged with [`pages`] on one address.
pub fn observation(service: Arc<Service>) -> Router {
    let routes = Routes::default()
        .with("/metrics", get(observe::metrics))
        .with("/livez", get(observe::livez))
        .with("/readyz", get(observe::readyz))
        .with("/health/sources", get(observe::health))
        .with("/-/reload", post(observe::reload));
    let (router, names) = (routes.router, routes.names);
    guard::guarded(router, &names, service, RELOAD_LIMIT + REQUEST_LIMIT)
}

/// Pages and API, for people and other systems.
pub fn pages(service: Arc<Service>) -> Router {
    let routes = Routes::default()
        .with("/", get(status::status))
        .with("/sources/{id}", get(source::source))
        .with("/runs/{run}", get(run::run))
        .with("/evidence/{sha256}", get(evidence::evidence))
        .with("/scores", get(scores::scores))
        .with("/scores/{set}/{period}", get(ranking::ranking))
        .with("/scores/{set}/{period}/{unit}", get(sheet::sheet))
        .with("/api/v1/scores", get(score_api::scores))
        .with("/api/v1/observations", get(observations::observations))
        .with("/api/v1/sources", get(observe::sources_always))
        .with("/style.css", get(style));
    let (router, names) = (routes.router.fallback(guard::no_such_page), routes.names);
    guard::guarded(router, &names, service, REQUEST_LIMIT)
}

/// A router and the patterns of its routes.
#[derive(Default)]
struct Routes {
    router: Router<Arc<Service>>,
    names: Vec<&'static str>,
}

impl Routes {
    fn with(mut self, name: &'static str, answer: MethodRouter<Arc<Service>>) -> Routes {
        self.names.push(name);
        self.router = self.router.route(name, answer);
        self
    }
}

/// The one style sheet of all pages.
async fn style() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, include_str!("../../templates/style.css"))
}
