//! From spooled hours to figures: a day is closed, a criterion scored, everything computed again, and a database that is away
//! costs nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use thuocdo::collect::watch::again::again;
use thuocdo::collect::watch::close::{day_of, window_of};
use thuocdo::collect::watch::spool::{Spool, left};
use thuocdo::collect::watch::{Ground, Head, targets};
use thuocdo::model::{Period, Phase, Reason, Ts, Value};
use thuocdo::rollup::{Attempt, Ended, Family, Latency, Times, hour_of};
use thuocdo::score::criteria::CriteriaSet;
use thuocdo::scoring::Scoring;
use thuocdo::serve::hours::record_left;
use thuocdo::serve::service::Parts;
use thuocdo::serve::{Live, Service};
use thuocdo::store::{Db, ObservationQuery};

use crate::world::{ID, World};

const RULES: &str = "every = \"300s\"\ntimeout = \"10s\"\nconfirm = { attempts = 1 }\nip = \"v4\"\ndomain = [\"*.gov.vn\"]";

fn world(notices: &str) -> World {
    let mut world = World::new(&["https://a.gov.vn/".to_owned(), "http://b.example/".to_owned()], 1, RULES);
    let notices = format!("target,from,to,announced_at,notice\n{notices}");
    world.files = world.files.overlay([("registry/maintenance.csv".to_owned(), notices)].into_iter().collect());
    world
}

async fn service(world: &World) -> Arc<Service> {
    let db = Db::open(&world.settings.store).await.expect("a database");
    let live = Live::load(world.files.clone(), Vec::new(), &BTreeMap::new(), Ts::now());
    let (owner, started_at) = ("serve:test:1:1".to_owned(), Ts::now());
    Service::new(Parts { settings: world.settings.clone(), db, live, owner, started_at }).0
}

async fn record(service: &Arc<Service>) -> Result<(), String> {
    let (told, _heard) = tokio::sync::mpsc::channel(8);
    record_left(service, &told).await.map_err(|error| error.to_string())
}

/// Spools an hour as a watcher would: `down` says which slots of which target fail.
fn spool(world: &World, hour: Ts, sitting: &str, down: impl Fn(u32, u32) -> Option<Reason>) {
    let (catalogue, probe) = (world.catalogue(), world.probe());
    let targets = targets(catalogue.registry.portals(), probe.slot_micros());
    let head = Head::new(ID, &probe, &catalogue.collectors[ID].text, targets.clone(), sitting, hour);
    let mut spool = Spool::new(&world.settings.spool, head);
    for slot in 0..12 {
        for (no, target) in (0..).zip(&targets) {
            let portal: u32 = target.id[1..].parse().expect("p0000");
            let reason = down(portal, slot);
            let ended = reason.map_or(Ended::Well, |reason| Ended::Badly(Phase::Connect, reason));
            let times = Times { connect: Latency::of(std::time::Duration::from_millis(80)), ..Times::default() };
            let text = reason.map(|_| "refused".to_owned()).unwrap_or_default();
            let (family, late) = (Family::V4, Latency::NONE);
            let attempt = Attempt { target: no, slot, no: 1, family, late, times, status: 200, ended, certificate_until: 0, text };
            spool.append(hour, &attempt).expect("taken");
        }
    }
    spool.write().expect("written");
    spool.close_before(Ts::now().plus(std::time::Duration::from_secs(86_400))).expect("closed");
}

/// A day in Vietnam that is over, and its 24 hours.
fn day() -> (Period, Vec<Ts>) {
    let day: Period = "2026-11-20".parse().expect("a day");
    let from = window_of(day).from;
    (day, (0..24).map(|no| from.plus(std::time::Duration::from_secs(no * 3600))).collect())
}

async fn value(db: &Db, indicator: &str, item: &str, period: &str) -> Option<String> {
    let query = ObservationQuery {
        period: Some(period.parse().expect("a period")),
        indicators: Some(vec![indicator.to_owned()]),
        collector: Some(ID.to_owned()),
        unit: None,
        as_of: Ts::now(),
    };
    let found = db.observations(&query).await.expect("readable");
    found.iter().find(|observation| observation.item == item).map(|observation| match observation.value {
        Value::Number(number) => number.to_string(),
        Value::Missing => "missing".to_owned(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_closed_scored_and_computed_again() {
    // Announced eight working days before: 08:00 to 09:00 is maintenance for p0000, whatever was seen.
    let world = world(&format!("p0000,2026-11-20T08:00:00+07:00,2026-11-20T09:00:00+07:00,2026-11-09T08:00:00+07:00,{}\n", "a".repeat(64)));
    let service = service(&world).await;
    let (day, hours) = day();
    for (no, hour) in (0..).zip(&hours) {
        // 03:00 is not watched at all; p0000 is down at 08:00 (announced) and from 10:00 to 10:30; p0001 from 10:15 to 10:45.
        if no == 3 {
            continue;
        }
        spool(&world, *hour, "a", |portal, slot| match (portal, no, slot) {
            (0, 8, _) | (0, 10, 0..6) | (1, 10, 3..9) => Some(Reason::Connect),
            (1, 20, 0) => Some(Reason::OwnNetwork),
            _ => None,
        });
    }
    record(&service).await.expect("recorded");
    assert!(left(&world.settings.spool).expect("a spool").0.is_empty(), "what is recorded is removed");
    let day_text = day.to_string();
    for (indicator, item, wanted) in [
        // 24 h - 1 h not watched - 1 h maintenance - 30 min down, of which 22 h are known.
        ("portal_up_seconds", "p0000", "77400"),
        ("portal_down_seconds", "p0000", "1800"),
        ("portal_maintenance_seconds", "p0000", "3600"),
        ("portal_unknown_seconds", "p0000", "3600"),
        ("portal_unannounced_down_seconds", "p0000", "1800"),
        ("portal_outage_count", "p0000", "1"),
        ("portal_up_ratio", "p0000", "0.977272727"),
        ("portal_coverage_ratio", "p0000", "0.956521739"),
        ("portal_up_ratio_least", "p0000", "0.934782609"),
        ("portal_up_ratio_most", "p0000", "0.97826087"),
        ("portal_unknown_seconds", "p0001", "3900"),
        ("portal_down_seconds", "all", "2700"),
        ("portal_outage_count", "all", "1"),
        ("portal_down_seconds", "worst", "1800"),
        ("portal_down_seconds", "mean", "1800"),
        ("portal_https", "p0000", "1"),
        ("portal_https", "all", "0"),
        ("portal_domain_ok", "p0000", "1"),
        ("portal_domain_ok", "p0001", "0"),
        ("portal_latency_seconds", "p0000", "0.08"),
    ] {
        let found = value(&service.db, indicator, item, &day_text).await;
        let near = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        let fits = found
            .as_deref()
            .is_some_and(|found| found == wanted || indicator.contains("latency") && (near(found) - near(wanted)).abs() < 0.003);
        assert!(fits, "{indicator} {item}: {found:?}, expected {wanted}");
    }
    // The month so far: no other day of it was watched.
    let last = day_of(Ts::now()).pred_opt().expect("a day").min("2026-11-30".parse().expect("a day"));
    let unknown = (chrono::Datelike::day(&last) - 1) * 86_400 + 3600;
    assert_eq!(value(&service.db, "portal_unknown_seconds", "p0000", "2026-11").await, Some(unknown.to_string()));
    assert_eq!(value(&service.db, "portal_down_seconds", "p0000", "2026").await.as_deref(), Some("1800"));
    everything_again(&world, &service, day).await;
    scored(&service).await;
}

async fn everything_again(world: &World, service: &Service, day: Period) {
    let (catalogue, probe) = (world.catalogue(), world.probe());
    let registry = &catalogue.registry;
    let ground = Ground { portals: registry.portals(), notices: registry.notices(), calendar: registry.calendar(), probe: &probe };
    let compared = again(&service.db, &service.archive, ID, window_of(day), &[day], &ground).await.expect("computed");
    assert_eq!(
        (compared.evidence, compared.hours, compared.days, compared.differences.len()),
        (23, 46, 3, 0),
        "{:?}",
        compared.differences
    );
}

/// A criterion on the portals of a unit: enough is known of the day, and not of the month.
async fn scored(service: &Service) {
    let criterion = |id: &str, more: &str| {
        format!(
            "[[group.criterion]]\nid = \"{id}\"\ntitle = {{ vi = \"t\", en = \"t\" }}\ncite = \"t\"\nmax = \"5\"\n\
             rule.ramp = {{ of = \"portal_up_ratio\", zero_at = \"0.95\", full_at = \"0.995\" }}\n{more}\n"
        )
    };
    let text = format!(
        "schema = 1\nid = \"t\"\ntitle = {{ vi = \"t\", en = \"t\" }}\ncite = \"t\"\nstatus = \"proposed\"\ntotal = \"20\"\n\
         in_force = {{ from = \"2026-01-01\" }}\napplies = {{ unit_groups = [\"province\"] }}\n[[group]]\nid = \"g\"\nmax = \"20\"\n{}{}{}{}",
        criterion("known", "combine = \"worst\"\nevidence_needed = { coverage = \"0.95\" }"),
        criterion("all", "combine = \"all\""),
        // p0000 was announced eight working days before, so nine are too many: its hour of maintenance is downtime.
        criterion("late", "combine = \"worst\"\nnotice_working_days = 9"),
        criterion("hours", "combine = \"worst\"\nservice_hours = { days = \"working\", hours = [\"13:30-17:00\"] }"),
    );
    let set = CriteriaSet::parse("t.toml", &text).expect("a set of the test");
    let live = service.live();
    let points = |period: &'static str| {
        let (set, live) = (&set, &live);
        async move {
            let scoring = Scoring::of(&live.catalogue, set, Some("H49"), period.parse().expect("a period"), Ts::now(), &service.db).await;
            let scoring = scoring.expect("a scoring");
            let run = scoring.score().expect("scored");
            let lines = run.sheets[0].groups[0].lines.iter();
            lines.map(|line| (line.criterion.to_owned(), format!("{:?}", line.points))).collect::<BTreeMap<_, _>>()
        }
    };
    let day = points("2026-11-20").await;
    // 0.977272727 → 5 · 0.027272727 / 0.045; together 79 800 of 82 500 seconds; with the hour as downtime 0.934782609 → nothing.
    assert_eq!(day["known"], "Some(Known(3.03))", "{day:?}");
    assert_eq!(day["hours"], "Some(Known(5))", "{day:?}");
    assert_eq!(day["late"], "Some(Known(0))", "{day:?}");
    assert_eq!(day["all"], "Some(Known(1.92))", "{day:?}");
    let month = points("2026-11").await;
    assert_eq!(month["known"], "Some(Between(0, 5))", "of a month that is not known whole only bounds are known: {month:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_costs_nothing() {
    let world = world("");
    let service = service(&world).await;
    let (_, hours) = day();
    hours[..3].iter().for_each(|hour| spool(&world, *hour, "a", |_, _| None));
    let lock = locked(&world.settings.sqlite_path().expect("a file")).await;
    assert!(record(&service).await.is_err(), "the database takes nothing");
    assert_eq!(left(&world.settings.spool).expect("a spool").0.len(), 3, "nothing is lost");
    drop(lock);
    record(&service).await.expect("recorded");
    // The first hour again, as after a crash between the commit and the removal of the spool: it is recorded once.
    spool(&world, hours[0], "a", |_, _| None);
    record(&service).await.expect("seen again");
    let window = thuocdo::model::Window { from: hours[0], to: hours[3] };
    let query = thuocdo::store::HourQuery { collector: ID, target: Some("p0000"), window, as_of: Ts::now() };
    let rows = service.db.hours(&query).await.expect("readable");
    assert_eq!(
        rows.iter().map(|row| row.part.slots.up).collect::<Vec<_>>(),
        [12, 12, 12],
        "two hours away: nothing unknown, nothing twice"
    );
    assert!(left(&world.settings.spool).expect("a spool").0.is_empty());
    assert_eq!(hour_of(hours[0]), hours[0]);
}

/// Another process that holds the database for itself.
async fn locked(path: &Path) -> sqlx::SqlitePool {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    let options = SqliteConnectOptions::new().filename(path);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("the file");
    sqlx::query("begin immediate").execute(&pool).await.expect("locked");
    pool
}
