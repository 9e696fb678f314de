//! Real records of a provincial government's sites, taken over: the whole path from a dropped file to hours in the
//! database, each figure checked against a plain walk over the file that shares nothing with the program.

#[path = "../support/databases.rs"]
mod databases;

mod installation;
mod plain;

use std::collections::BTreeMap;
use std::path::PathBuf;

use databases::on_both;
use installation::Installation;
use plain::{Plain, Seconds};
use thuocdo::collect::replay::{compare_hours, record, replay};
use thuocdo::collect::run::{HourCounts, Ran, When};
use thuocdo::model::{Calendar, Exact, RequestOutcome, RunState, SlotState, Ts, Window};
use thuocdo::rollup::{Availability, HourPart, Segment, Tally, Terms, lay_over, outages, tally, timeline};
use thuocdo::store::{Db, HourQuery};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const SECOND: i64 = 1_000_000;
/// West Kalimantan keeps the same time as Vietnam.
const ZONE: i64 = 7 * HOUR;
const TEMPLATE: [&str; 4] = ["google", "hacker-news", "test-broken-site", "wikipedia"];

fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("THUOCDO_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {test}: THUOCDO_REAL_DATA is not set");
    }
    Some(folder?.join("uptime"))
}

/// A monitor's file as text; `.gz` is unpacked.
fn file(folder: &std::path::Path, name: &str) -> String {
    let path = folder.join(name);
    let bytes = match name.ends_with(".gz") {
        true => std::process::Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip unpacks").stdout,
        false => std::fs::read(&path).expect("a file of the real data"),
    };
    String::from_utf8(bytes).expect("UTF-8")
}

fn collector(skip: &str, silence: &str) -> String {
    format!(
        "schema = 1\nid = \"uptime\"\ntitle = {{ vi = \"Trang tin\", en = \"Sites\" }}\nowner = \"test\"\n\
         [schedule]\ncron = \"0 6 * * *\"\n[source.file]\nglob = \"*.csv\"\nsettle = \"1ms\"\n\
         [[rows]]\nfrom = {{ table = {{ delimiter = \",\" }} }}\n\
         columns = {{ at = \"committed_at\", site = \"slug\", status = \"status\", ms = \"response_ms\" }}\n\
         item = \"site\"\n{skip}\n\
         slot = {{ at = \"at\", state = \"status\", states = {{ up = [\"up\"], degraded = [\"degraded\"], down = [\"down\"] }}, \
         missing = [\"\"], silence = {silence:?}, latency_ms = \"ms\" }}\n\
         [[gate]]\nrows = {{ at_least = 10 }}\n"
    )
}

const SKIP: &str = "skip = [{ column = \"site\", matches = \"^(google|hacker-news|test-broken-site|wikipedia)$\" }]";

fn at(second: i64) -> Ts {
    Ts::from_micros(second * SECOND).expect("an instant of the test")
}

fn ts(text: &str) -> Ts {
    text.parse().expect("an instant of the test")
}

async fn hours(db: &Db, window: Window) -> BTreeMap<String, Vec<HourPart>> {
    let query = HourQuery { collector: "uptime", target: None, window, as_of: ts("2027-01-01T00:00:00Z") };
    let mut by_target: BTreeMap<String, Vec<HourPart>> = BTreeMap::new();
    for row in db.hours(&query).await.expect("the database answers") {
        by_target.entry(row.target).or_default().push(row.part);
    }
    by_target
}

fn whole(tally: Tally) -> i64 {
    tally.up + tally.degraded + tally.down + tally.maintenance + tally.unknown
}

/// A share in billionths, half-up, as written.
fn billionths(part: i64, of: i64) -> Option<String> {
    let (part, of) = (i128::from(part), i128::from(of));
    (of > 0).then(|| (part * 2_000_000_000 + of) / (2 * of)).map(|n| format!("{}.{:09}", n / 1_000_000_000, n % 1_000_000_000))
}

/// Every figure of a stretch against the plain walk.
fn check(place: &str, laid: &[Segment], plain: Seconds) {
    let (calendar, tally) = (Calendar::default(), tally(laid));
    let counted =
        Seconds { up: tally.up / SECOND, degraded: tally.degraded / SECOND, down: tally.down / SECOND, unknown: tally.unknown / SECOND };
    assert_eq!((counted, tally.maintenance), (plain, 0), "{place}");
    assert_eq!(whole(tally), plain.all() * SECOND, "{place}: not to the microsecond");
    let terms = Terms { degraded_is_up: true, service: None, calendar: &calendar };
    let Availability { share, coverage, least, most } = Availability::of(tally, &terms);
    let (up, known) = (plain.up + plain.degraded, plain.all() - plain.unknown);
    for (what, figure, wanted) in [
        ("availability", share, billionths(up, known)),
        ("coverage", coverage, billionths(known, plain.all())),
        ("least", least, billionths(up, plain.all())),
        ("most", most, billionths(up + plain.unknown, plain.all())),
    ] {
        assert_eq!(figure, wanted.map(|wanted| wanted.parse::<Exact>().expect("a number")), "{place}: {what}");
        assert!(figure.is_none_or(|figure| figure >= Exact::ZERO && figure <= Exact::ONE), "{place}: {what} {figure:?}");
    }
    assert!(share.is_none_or(|share| least <= Some(share) && Some(share) <= most), "{place}: out of bounds");
}

/// Everything that a file's import must be: whole, by site, by site and local day.
fn check_all(plain: &Plain, hours: &BTreeMap<String, Vec<HourPart>>) -> (usize, Seconds) {
    let calendar = Calendar::default();
    let terms = Terms { degraded_is_up: true, service: None, calendar: &calendar };
    let first_day = (plain.first + ZONE).div_euclid(DAY) * DAY - ZONE;
    let (mut n_days, mut sum) = (0, Seconds::default());
    assert_eq!(hours.keys().collect::<Vec<_>>(), plain.known_sites());
    for (site, parts) in hours {
        for part in parts {
            let slots = part.slots;
            assert_eq!(slots.up + slots.degraded + slots.down + slots.unknown, HOUR * SECOND, "{site} {}", part.hour);
        }
        let window = Window { from: at(plain.first), to: at(plain.last) };
        let line = lay_over(&timeline(parts, window, 1), &[], &terms);
        check(site, &line, plain.seconds(site, plain.first, plain.last));
        sum = sum.plus(plain.seconds(site, plain.first, plain.last));
        for day in (first_day..plain.last).step_by(86_400) {
            let window = Window { from: at(day), to: at(day + DAY) };
            let line = lay_over(&timeline(parts, window, 1), &[], &terms);
            let wanted = plain.seconds(site, day, day + DAY);
            assert_eq!(wanted.all(), DAY, "the plain walk itself");
            check(&format!("{site} {}", window.from), &line, wanted);
            n_days += 1;
        }
    }
    (n_days, sum)
}

async fn import(installation: &Installation, due: &str) -> Ran {
    let ran = installation.run(ts(due)).await;
    assert_eq!(ran.state, RunState::Recorded, "{:?}", ran.requests.iter().map(|one| &one.findings).collect::<Vec<_>>());
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_of_sites_over_three_months() {
    let Some(folder) = real_data("a_province_of_sites_over_three_months") else { return };
    let csv = file(&folder, "kalbar-province-measurements.csv.gz");
    let plain = Plain::of(&csv, &TEMPLATE, 6 * HOUR);
    on_both("a_province_of_sites_over_three_months", async |db| {
        let installation = Installation::new(&db, collector(SKIP, "6h"));
        installation.drop_in("kalbar.csv", csv.as_bytes());
        let ran = import(&installation, "2026-10-01T00:00:00Z").await;
        assert_eq!((ran.requests.len(), ran.requests[0].findings.len(), ran.hours.unchanged), (1, 0, 0));

        let of_run = replay(&installation.place(), installation.collector(), &ran.run).await.expect("a replay");
        let said = &of_run[0].watched;
        assert_eq!((said.n_records, said.covered.len(), said.silences.len()), (9688, 71, 33));
        let found: Vec<(i64, i64)> = said.silences.iter().map(|one| (one.from.micros() / SECOND, one.to.micros() / SECOND)).collect();
        assert_eq!(found, plain.silences);
        assert_eq!(compare_hours(&db, &ran.run, of_run).await.expect("compared").written, 0, "a replay is as the run");

        let all = Window { from: at(plain.first - DAY), to: at(plain.last + DAY) };
        let held = hours(&db, all).await;
        assert!(TEMPLATE.iter().all(|site| !held.contains_key(*site)), "the template's own sites");
        let (n_days, sum) = check_all(&plain, &held);
        assert_eq!((held.len(), n_days), (71, 71 * 91));
        assert_eq!(sum, Seconds { up: 358_414_085, degraded: 0, down: 52_243_846, unknown: 141_405_551 });
        println!(
            "kalbar: {} hours, {n_days} days of {} sites checked; {:?} seconds, {} known",
            ran.hours.written,
            held.len(),
            sum,
            billionths(sum.all() - sum.unknown, sum.all()).unwrap_or_default()
        );
        check_province_site(&plain, &held["kalbar-prov"]);
        check_stated(&held);

        // The same file again says nothing new, and a run of the same bytes writes nothing.
        let again = import(&installation, "2026-10-02T00:00:00Z").await;
        assert_eq!(again.hours, HourCounts { written: 0, unchanged: ran.hours.written, superseded: 0 });
    })
    .await;
}

/// The province's own site, in figures.
fn check_province_site(plain: &Plain, parts: &[HourPart]) {
    let window = Window { from: at(plain.first), to: at(plain.last) };
    let line = timeline(parts, window, 1);
    let calendar = Calendar::default();
    let terms = Terms { degraded_is_up: true, service: None, calendar: &calendar };
    let figures = Availability::of(tally(&line), &terms);
    // Every one of its 83 records says that it is down.
    let seconds = plain.seconds("kalbar-prov", plain.first, plain.last);
    assert_eq!(seconds, Seconds { down: 5_708_205, unknown: 2_067_337, ..Seconds::default() });
    println!("kalbar-prov: {figures:?}, {} outages, {seconds:?}", outages(&line).len());
    let of_record = line.iter().filter(|segment| segment.state == SlotState::Down).map(|segment| segment.attempts).sum::<i64>();
    assert!(of_record > 0, "records that prove it");
}

/// Figures that were worked out from the file by other means: site, first instant (`None`: the whole file), up and down seconds.
const STATED: [(&str, Option<&str>, i64, i64); 9] = [
    ("bkad", None, 5_924_918, 224_142),
    ("kab-sambas", None, 6_136_939, 261_407),
    ("kota-pontianak", None, 5_794_661, 125_096),
    ("e-kinerja", None, 0, 5_691_859),
    ("bkad", Some("2023-09-01T00:00:00+07:00"), 83_380, 3_020),
    ("kab-sambas", Some("2023-08-26T00:00:00+07:00"), 51_793, 732),
    ("kab-sambas", Some("2023-10-15T00:00:00+07:00"), 86_400, 0),
    ("kota-pontianak", Some("2023-11-01T00:00:00+07:00"), 85_968, 432),
    ("kab-landak", Some("2023-08-25T00:00:00+07:00"), 61_384, 0),
];

fn check_stated(held: &BTreeMap<String, Vec<HourPart>>) {
    for (site, day, up, down) in STATED {
        let window = match day.map(ts) {
            None => Window { from: ts("2023-08-24T06:58:18Z"), to: ts("2023-11-22T06:50:40Z") },
            Some(from) => Window { from, to: at(from.micros() / SECOND + DAY) },
        };
        let found = tally(&timeline(&held[site], window, 1));
        assert_eq!((found.up, found.down), (up * SECOND, down * SECOND), "{site} {day:?}");
        assert_eq!(found.unknown, window.micros() - found.up - found.down, "{site} {day:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_looks_seldom_is_mostly_unknown() {
    let Some(folder) = real_data("a_monitor_that_looks_seldom_is_mostly_unknown") else { return };
    let csv = file(&folder, "data-gouv-fr-measurements.csv");
    let plain = Plain::of(&csv, &TEMPLATE, 6 * HOUR);
    on_both("a_monitor_that_looks_seldom_is_mostly_unknown", async |db| {
        let installation = Installation::new(&db, collector(SKIP, "6h"));
        installation.drop_in("etalab.csv", csv.as_bytes());
        let ran = import(&installation, "2026-10-01T00:00:00Z").await;
        let all = Window { from: at(plain.first - DAY), to: at(plain.last + DAY) };
        let (n_days, sum) = check_all(&plain, &hours(&db, all).await);
        assert_eq!(plain.silences.len(), 12);
        println!("data-gouv-fr: {} hours, {n_days} days checked; {sum:?}", ran.hours.written);

        // A file read by another rule restates: what was cut is known now, and is not known again afterwards.
        let mut patient = Installation::new(&db, collector(SKIP, "30h"));
        patient.settings.drop.clone_from(&installation.settings.drop);
        let restated = import(&patient, "2026-10-02T00:00:00Z").await;
        assert!(restated.hours.written > ran.hours.written, "{:?}", restated.hours);
        check_all(&Plain::of(&csv, &TEMPLATE, 30 * HOUR), &hours(&db, all).await);
        let back = import(&installation, "2026-10-03T00:00:00Z").await;
        assert!(back.hours.written > 0);
        check_all(&plain, &hours(&db, all).await.into_iter().filter(|(site, _)| plain.known_sites().contains(&site)).collect());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_status_is_not_known_and_ends_what_held() {
    let Some(folder) = real_data("an_empty_status_is_not_known_and_ends_what_held") else { return };
    let csv = file(&folder, "kalbar-province-measurements.csv.gz");
    // Only the first hours, the template's own sites with it: their second records have no status.
    let until = csv.lines().position(|line| line.starts_with("2023-08-24T23")).expect("an evening");
    let head: String = csv.lines().take(until).map(|line| format!("{line}\n")).collect();
    assert_eq!(head.lines().filter(|line| line.contains(",,,,")).count(), 4);
    let plain = Plain::of(&head, &[], 6 * HOUR);
    on_both("an_empty_status_is_not_known_and_ends_what_held", async |db| {
        let installation = Installation::new(&db, collector("", "6h"));
        installation.drop_in("head.csv", head.as_bytes());
        let ran = import(&installation, "2026-10-01T00:00:00Z").await;
        let held = hours(&db, Window { from: at(plain.first - DAY), to: at(plain.last + DAY) }).await;
        check_all(&plain, &held);
        // From 06:24:41 to 07:21:33.
        assert_eq!(
            plain.seconds("google", plain.first, plain.last),
            Seconds { up: 3412, unknown: plain.last - plain.first - 3412, ..Seconds::default() }
        );

        // A status that nobody listed is drift: the whole file waits for a person.
        let odd = head.replacen(",up,", ",OK,", 1);
        installation.drop_in("odd.csv", odd.as_bytes());
        let refused = installation.run(ts("2026-10-02T00:00:00Z")).await;
        let last = refused.requests.last().expect("a request");
        assert_eq!((last.request.outcome, last.findings.len()), (RequestOutcome::Quarantined, 1));
        assert!(last.findings[0].text.contains("\"OK\" is no state"), "{}", last.findings[0].text);
        assert_eq!(refused.hours, HourCounts::default());
        let again = replay(&installation.place(), installation.collector(), &ran.run).await.expect("a replay");
        let recorded = record(&installation.place(), installation.collector(), again, When::Now).await.expect("recorded");
        assert_eq!((recorded.state, recorded.hours.written), (RunState::Recorded, 0));
    })
    .await;
}
