//! A simulated stretch of unattended time: many collectors, an injected clock, outages, clock changes of zones,
//! reloads, restarts, a changed schedule and a paused one. Every window must be run or missed, once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thuocdo::catalogue::LoadedCollector;
use thuocdo::collect::due::windows;
use thuocdo::model::{Missed, Reason, RunState, Ts};
use thuocdo::serve::scheduler::{Collectors, Scheduler, Task, planned_by};
use thuocdo::store::{Db, KnownSince, RunRecord, ScheduleRow, ScheduleStep};

/// What is simulated.
pub struct Spec {
    pub daily: usize,
    pub hourly: usize,
    pub days: i64,
    /// Day on which it begins, and how long nobody ticks.
    pub outages: Vec<(i64, Duration)>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Tally {
    pub windows: u64,
    pub executed: u64,
    pub missed: u64,
    pub attempts: u64,
}

const ZONES: [&str; 5] = ["Asia/Ho_Chi_Minh", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Chatham"];
const RULES: [&str; 4] =
    ["windows = \"latest\"", "windows = \"every\", max_age = \"60d\"", "windows = \"never\"", "windows = \"latest\", max_age = \"2d\""];
/// Nothing is ever read here.
const ROWS: &str = "[[rows]]\nfrom = { table = {} }\ncolumns = { n = \"n\", u = \"u\" }\nunit = { value = \"u\", codes = \"npsp\" }\n\
    [[rows.read]]\nindicator = \"dossier_processed_count\"\nvalue = \"n\"\n";
/// Ticks lie on this grid, so that windows of one minute are taken together.
const GRID_S: i64 = 30;
/// Every so many runs the first attempt fails and is to be made again.
const FAILS_EVERY: u64 = 97;

fn loaded(id: &str, cron: &str, no: usize) -> LoadedCollector {
    let (zone, rule) = (ZONES[no % ZONES.len()], RULES[(no / ZONES.len()) % RULES.len()]);
    let text = format!(
        "schema = 1\nid = {id:?}\ntitle = {{ vi = \"x\", en = \"x\" }}\n[schedule]\ncron = {cron:?}\ntimezone = {zone:?}\n\
         catch_up = {{ {rule} }}\n[source.file]\nglob = \"*.csv\"\n{ROWS}"
    );
    LoadedCollector::parse(&format!("collectors/{id}.toml"), &text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn collectors(spec: &Spec) -> BTreeMap<String, LoadedCollector> {
    let daily = (0..spec.daily).map(|no| (format!("daily-{no:03}"), format!("{} {} * * *", no % 2 * 30, no % 24), no));
    // Some at the very hours that a change of clocks skips or repeats.
    let hourly = (0..spec.hourly).map(|no| (format!("hourly-{no:03}"), format!("{} * * * *", no % 2 * 30), no));
    daily.chain(hourly).map(|(id, cron, no)| (id.clone(), loaded(&id, &cron, no))).collect()
}

fn view(all: &BTreeMap<String, LoadedCollector>) -> Collectors<'_> {
    all.iter().map(|(id, loaded)| (id.as_str(), loaded)).collect()
}

struct World<'a> {
    db: &'a Db,
    all: BTreeMap<String, LoadedCollector>,
    copies: [Scheduler; 2],
    now: Ts,
    turn: usize,
    attempts: u64,
    retries: BTreeSet<Ts>,
}

/// Simulates, and checks that every window was run or missed, once.
pub async fn simulate(db: &Db, spec: &Spec) -> Tally {
    let start: Ts = "2026-01-05T00:00:10Z".parse().expect("an instant");
    let end = after_days(start, spec.days);
    let margin = Duration::from_secs(120);
    let copies = [Scheduler::new("serve:a", margin), Scheduler::new("serve:b", margin)];
    let mut world = World { db, all: collectors(spec), copies, now: start, turn: 0, attempts: 0, retries: BTreeSet::new() };
    let originals = collectors(spec);
    world.sync().await;
    let mut events = events(spec, start);
    while world.now < end {
        world.tick().await;
        let wake = world.wake().min(end);
        match events.first_key_value().map(|(at, event)| (*at, event.clone())) {
            Some((at, event)) if at <= wake => {
                events.pop_first();
                world.now = world.now.max(at);
                world.happen(&event, end).await;
            }
            _ => world.now = wake,
        }
    }
    world.tick().await;
    check(db, &originals, &world.all, start, end, world.attempts).await
}

fn after_days(from: Ts, days: i64) -> Ts {
    Ts::from_micros(from.micros() + days * 86_400_000_000).expect("an instant")
}

#[derive(Clone)]
enum Event {
    Outage(Duration),
    Restart,
    ChangeCron(&'static str, &'static str),
    Pause(&'static str),
    Resume(&'static str),
}

fn events(spec: &Spec, start: Ts) -> BTreeMap<Ts, Event> {
    let mut events = BTreeMap::new();
    for (day, length) in &spec.outages {
        events.insert(after_days(start, *day).plus(Duration::from_secs(7000)), Event::Outage(*length));
    }
    for day in (3..spec.days).step_by(17) {
        events.insert(after_days(start, day).plus(Duration::from_secs(40_011)), Event::Restart);
    }
    events.insert(after_days(start, 4), Event::ChangeCron("daily-001", "17 3,15 * * *"));
    events.insert(after_days(start, 5), Event::Pause("hourly-000"));
    events.insert(after_days(start, 8), Event::Resume("hourly-000"));
    events
}

impl World<'_> {
    async fn sync(&mut self) {
        for copy in &mut self.copies {
            copy.sync(self.db, &view(&self.all), self.now).await.expect("the database answers");
        }
    }

    /// The copies look at what is due until nothing is; what they get they record.
    async fn tick(&mut self) {
        self.turn += 1;
        // The second copy looks too, now and then first.
        let copies: &[usize] = match self.turn % 8 {
            0 => &[1, 0],
            1 => &[0, 1],
            _ => &[0],
        };
        for &no in copies {
            loop {
                let collectors = view(&self.all);
                let tick = self.copies[no].tick(self.db, &collectors, &BTreeSet::new(), 512, self.now).await.expect("the database answers");
                if tick.ready.is_empty() {
                    break;
                }
                for ready in tick.ready {
                    assert!(matches!(ready.task, Task::Ask(_)));
                    self.attempts += 1;
                    let fails = ready.claim.attempt == 1 && self.attempts.is_multiple_of(FAILS_EVERY);
                    let retry_at = fails.then(|| self.now.plus(Duration::from_secs(300)));
                    self.retries.extend(retry_at);
                    let (state, reason) = if fails { (RunState::Failed, Some(Reason::Timeout)) } else { (RunState::Recorded, None) };
                    let (at, error) = (self.now, String::new());
                    let record = RunRecord { started_at: at, ended_at: at, state, retry_at, reason, error, requests: Vec::new() };
                    self.db.record_run(&ready.claim, &record, KnownSince::Clock(at)).await.expect("recorded");
                }
            }
        }
    }

    /// When something is due next, on the grid.
    fn wake(&mut self) -> Ts {
        self.retries = self.retries.split_off(&Ts::from_micros(self.now.micros() + 1).expect("an instant"));
        let next = self.copies.iter().filter_map(Scheduler::next_wake).chain(self.retries.first().copied()).min();
        let next = next.unwrap_or(self.now).max(Ts::from_micros(self.now.micros() + 1).expect("an instant"));
        let grid = GRID_S * 1_000_000;
        Ts::from_micros((next.micros() + grid - 1) / grid * grid).expect("an instant")
    }

    async fn happen(&mut self, event: &Event, end: Ts) {
        match event {
            Event::Outage(length) => self.now = self.now.plus(*length).min(end),
            Event::Restart => {
                let margin = Duration::from_secs(120);
                self.copies = [Scheduler::new("serve:c", margin), Scheduler::new("serve:d", margin)];
            }
            Event::ChangeCron(id, cron) => {
                let no = 1;
                self.all.insert((*id).to_owned(), loaded(id, cron, no));
                self.copies.iter_mut().for_each(Scheduler::files_were_read);
            }
            Event::Pause(id) => self.step(id, |row, now| (ScheduleRow { paused_at: Some(now), ..row }, Vec::new())).await,
            Event::Resume(id) => {
                let resume = |row: ScheduleRow, now| {
                    let schedule = planned_by(&row).expect("a schedule");
                    let missed = thuocdo::collect::due::all_missed(&schedule, row.planned_until, now, thuocdo::model::MissedWhy::Paused);
                    (ScheduleRow { paused_at: None, planned_until: now, ..row }, missed)
                };
                self.step(id, resume).await;
            }
        }
        self.sync().await;
    }

    async fn step(&mut self, id: &str, to: impl Fn(ScheduleRow, Ts) -> (ScheduleRow, Vec<Missed>)) {
        let row = self.db.schedules().await.expect("rows").into_iter().find(|row| row.collector == id).expect("a schedule");
        let (to, missed) = to(row.clone(), self.now);
        let step = ScheduleStep { from: row, to, run: Vec::new(), missed, replaces_older: false };
        assert_eq!(self.db.take_steps(&[step], self.now).await.expect("taken").len(), 1);
    }
}

/// Every window of every collector is a run that ended or lies in one stretch of missed ones, and nothing else is.
async fn check(
    db: &Db,
    before: &BTreeMap<String, LoadedCollector>,
    after: &BTreeMap<String, LoadedCollector>,
    start: Ts,
    end: Ts,
    attempts: u64,
) -> Tally {
    let mut tally = Tally { windows: 0, executed: 0, missed: 0, attempts };
    for (id, loaded) in before {
        let (old, new) = (&loaded.collector.schedule, &after[id].collector.schedule);
        let changed = if old.cron == new.cron { end } else { after_days(start, 4) };
        let mut due: BTreeSet<Ts> = windows(old, start, changed).collect();
        due.extend(windows(new, changed, end));
        let runs = db.runs(Some(id), i64::MAX).await.expect("rows");
        let executed: BTreeSet<Ts> = runs.iter().filter(|row| row.attempt > 0).map(|row| row.run.due_at).collect();
        let mut missed = BTreeSet::new();
        for stretch in db.missed(id, i64::MAX).await.expect("rows") {
            let inside: Vec<Ts> = due.range(stretch.first_due..=stretch.last_due).copied().collect();
            assert_eq!(inside.len() as i64, stretch.n, "{id}: {stretch:?}");
            for at in inside {
                assert!(missed.insert(at), "{id}: {at} is missed twice");
            }
        }
        assert!(executed.is_disjoint(&missed), "{id}: run and missed");
        // What became due in the last moments may still wait for its jitter.
        let last = end.minus(Duration::from_secs(60));
        let seen: BTreeSet<Ts> = executed.union(&missed).copied().collect();
        let lost: Vec<&Ts> = due.range(..last).filter(|at| !seen.contains(at)).collect();
        assert!(lost.is_empty(), "{id}: neither run nor missed: {lost:?}");
        assert!(seen.is_subset(&due), "{id}: runs that no window asked for");
        let open = runs.iter().filter(|row| matches!(row.state, RunState::Due | RunState::Running)).count();
        assert_eq!(open, 0, "{id}: nothing is left open");
        tally.windows += seen.len() as u64;
        tally.executed += executed.len() as u64;
        tally.missed += missed.len() as u64;
    }
    assert_eq!(tally.windows, tally.executed + tally.missed);
    tally
}
