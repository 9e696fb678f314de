//! A service over a database that the shipped collectors have filled from the demonstration province, served on loopback.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Asia::Ho_Chi_Minh;
use reqwest::header::HeaderMap;
use serde_json::Value as Json;
use thuocdo::catalogue::{Catalogue, Files};
use thuocdo::collect::run::{Ran, When, run_once};
use thuocdo::demo::{Figures, serve};
use thuocdo::model::{Period, PeriodKind, Trigger, Ts, Unit};
use thuocdo::serve::service::{Parts, ReloadRequests};
use thuocdo::serve::{Live, Service};
use thuocdo::settings::Settings;
use thuocdo::store::{Db, ScheduleRow};
use tokio_util::sync::CancellationToken;

const PORTAL: &str = "https://dichvucong.gov.vn";
const DOCUMENTS: &str = "https://vanban.quangninh.example";
/// The collectors that are run.
pub const COLLECTED: [&str; 3] = ["npsp-progress", "npsp-payment", "documents"];

/// A collector that has no schedule at first.
pub const LATER: &str = "npsp-online";

/// A served installation; everything goes when it is dropped.
pub struct World {
    pub service: Arc<Service>,
    pub ran: Vec<Ran>,
    /// Where pages and observation are served together.
    pub url: String,
    pub reloads: Option<ReloadRequests>,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }
}

impl World {
    /// An installation in which nothing was collected yet.
    pub async fn empty() -> World {
        World::with(Files::default(), BTreeMap::new(), |_| {}).await
    }

    /// An installation with the values of the demonstration province.
    pub async fn collected() -> World {
        rustls::crypto::ring::default_provider().install_default().ok();
        let now = Ts::now();
        let figures = figures(now);
        let files = code_maps(&figures);
        let portal = serve(figures).await.expect("a province on loopback");
        let rewrite = [PORTAL, DOCUMENTS].map(|from| (from.to_owned(), portal.url())).into();
        let mut world = World::with(files, rewrite, |settings| {
            settings.province.insert("documents".to_owned(), DOCUMENTS.to_owned());
        })
        .await;
        for id in COLLECTED {
            world.ran.push(world.run(id, When::Now).await);
        }
        portal.stop().await.expect("the portal ends");
        world
    }

    async fn with(files: Files, rewrite: BTreeMap<String, String>, change: impl FnOnce(&mut Settings)) -> World {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let db = Db::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.expect("a new file opens");
        let mut settings =
            Settings {
                evidence: folder.path().join("evidence"), rewrite, note: "số liệu mô phỏng <b>".to_owned(), ..Settings::default()
            };
        change(&mut settings);
        let now = Ts::now();
        let live = Live::load(Files::embedded().overlay(files), vec![], &BTreeMap::new(), now);
        assert!(live.problems.is_empty(), "{:?}", live.problems);
        let (service, reloads) = Service::new(Parts { settings, db, live, owner: "serve:test".to_owned(), started_at: now });
        let live = service.live();
        let rows: Vec<ScheduleRow> = live.catalogue.collectors.keys().filter(|id| *id != LATER).map(|id| schedule(id, now)).collect();
        service.db.add_schedules(&rows).await.expect("schedules");
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = thuocdo::web::pages(Arc::clone(&service)).merge(thuocdo::web::observation(Arc::clone(&service)));
        let stop = CancellationToken::new();
        let server = tokio::spawn(thuocdo::web::serve(listener, router, stop.clone()));
        World { service, ran: Vec::new(), url, reloads: Some(reloads), stop, server, _folder: folder }
    }

    /// Runs a collector.
    pub async fn run(&self, id: &str, when: When) -> Ran {
        let live = self.service.live();
        run_once(&self.service.place(&live), &live.catalogue.collectors[id], when, Trigger::Schedule).await.expect("a run")
    }

    /// Asks for an address.
    pub async fn get(&self, address: &str) -> Answer {
        self.ask(reqwest::Method::GET, address, &[]).await
    }

    /// Asks with a method and headers.
    pub async fn ask(&self, method: reqwest::Method, address: &str, headers: &[(&str, &str)]) -> Answer {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut request = client.request(method, format!("{}{address}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("a body of text") }
    }

    /// Tells the server to stop and waits until it has.
    pub async fn stop(self) {
        self.stop.cancel();
        self.server.await.expect("no panic").expect("a good end");
    }
}

/// A schedule that was first seen then.
pub fn schedule(id: &str, since: Ts) -> ScheduleRow {
    ScheduleRow {
        collector: id.to_owned(),
        cron: "30 6 * * *".to_owned(),
        timezone: "Asia/Ho_Chi_Minh".to_owned(),
        planned_until: since,
        since,
        paused_at: None,
    }
}

fn figures(now: Ts) -> Figures {
    let (catalogue, _) = Catalogue::load(&Files::embedded());
    let registry = &catalogue.registry;
    let today = now.utc().with_timezone(&Ho_Chi_Minh).date_naive();
    let day = Period::holding(PeriodKind::Day, today);
    let ours = |unit: &&Unit| unit.parent.is_none() || registry.province_of(&unit.id).is_some_and(|of| of.id == "H49");
    let units: Vec<Unit> = registry.units_in(day).into_iter().filter(ours).cloned().collect();
    let codes = registry.codes("npsp").expect("a code map");
    let known: Vec<(String, String)> =
        units.iter().filter_map(|unit| Some((codes.code_of(&unit.id, day)?.to_owned(), unit.id.clone()))).collect();
    Figures::new(268, "H49", &units, today).expect("H49 is among the units").with_known_codes(&known)
}

fn code_maps(figures: &Figures) -> Files {
    let (shipped, _) = Catalogue::load(&Files::embedded());
    let is_below = |unit: &str| shipped.registry.unit(unit).is_some_and(|unit| unit.parent.is_some());
    let csv = |codes: Vec<(String, String)>| {
        let rows = codes.into_iter().filter(|(_, unit)| is_below(unit)).map(|(code, unit)| format!("{code},{unit},,\n"));
        format!("code,unit,valid_from,valid_to\n{}", rows.collect::<String>())
    };
    [
        ("registry/codes/npsp/demo.csv".to_owned(), csv(figures.code_map())),
        ("registry/codes/documents/demo.csv".to_owned(), csv(figures.short_codes())),
    ]
    .into_iter()
    .collect()
}
