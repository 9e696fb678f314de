//! The program itself as a service: a folder of its own, a portal on loopback that it asks, a database of either kind.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use thuocdo::model::Ts;
use thuocdo::store::{Db, ScheduleRow};

/// A portal whose every answer is another one, numbered.
pub struct Portal {
    pub base: String,
    pub state: Arc<Answers>,
}

#[derive(Default)]
pub struct Answers {
    /// How many were asked for.
    pub asked: AtomicU64,
    /// How long an answer takes at most; the least is nothing.
    pub delay_ms: AtomicU64,
}

pub async fn portal() -> Portal {
    let state = Arc::new(Answers::default());
    let app = Router::new().route("/api", get(answer)).with_state(Arc::clone(&state));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Portal { base, state }
}

async fn answer(State(state): State<Arc<Answers>>) -> ([(&'static str, &'static str); 1], String) {
    let no = state.asked.fetch_add(1, Ordering::SeqCst) + 1;
    let most = state.delay_ms.load(Ordering::SeqCst);
    if most > 0 {
        tokio::time::sleep(Duration::from_millis(no * 7919 % (most + 1))).await;
    }
    ([("content-type", "application/json")], format!("{{\"code\":\"OK\",\"data\":[{{\"id\":\"root-1\",\"n\":{no}}}]}}"))
}

/// One installation.
pub struct World {
    pub folder: tempfile::TempDir,
    pub store: String,
}

/// A collector that asks the portal every minute.
pub fn collector(id: &str, base: &str, rest: &str) -> String {
    format!(
        r#"schema = 1
id = "{id}"
title = {{ vi = "Thử", en = "Trial" }}
[schedule]
cron = "* * * * *"
catch_up = {{ windows = "every", max_age = "30d" }}
[source.http]
url = "{base}/api?id={id}&year={{period.year}}"
for_each = {{ period = ["year"] }}
expect = {{ status = [200], content_type = "application/json", json = {{ "$.code" = "OK" }} }}
limits = {{ connect = "2s", request = "20s", run = "20s" }}
retry = {{ attempts = 1 }}
{rest}
[[rows]]
from = {{ json = "$.data[*]" }}
unit = {{ value = "$.id", codes = "trial" }}
  [[rows.read]]
  indicator = "dossier_processed_count"
  value = "$.n"
"#
    )
}

impl World {
    /// An installation with these collectors; `store` is an address, or a file in its folder.
    pub fn new(store: Option<String>, collectors: &[(&str, String)], service: &str) -> World {
        World::in_folder(tempfile::tempdir().expect("a folder"), store, collectors, service)
    }

    pub fn in_folder(folder: tempfile::TempDir, store: Option<String>, collectors: &[(&str, String)], service: &str) -> World {
        let path = folder.path();
        let store = store.unwrap_or_else(|| format!("sqlite:{}", path.join("thuocdo.db").display()));
        for inner in ["collectors", "registry/units", "registry/codes", "criteria"] {
            std::fs::create_dir_all(path.join(inner)).expect("a folder");
        }
        write(
            &path.join("registry/units/u.csv"),
            "id,code,name,unit_group,kind,parent,valid_from,valid_to,decision\nH49,H49,Quảng Ninh,province,tỉnh,,,,\n",
        );
        write(&path.join("registry/codes/trial.csv"), "code,unit,valid_from,valid_to\nroot-1,H49,,\n");
        let indicator = "schema = 1\n[[indicator]]\nid = \"dossier_processed_count\"\ntitle = { vi = \"a\", en = \"b\" }\nmeasure = \"count\"\n\
                         range = { least = \"0\" }\nover_units = \"sum\"\ncite = \"x\"\n";
        write(&path.join("registry/indicators.toml"), indicator);
        for (id, text) in collectors {
            write(&path.join(format!("collectors/{id}.toml")), text);
        }
        let settings = format!(
            "store = {store:?}\nevidence = {:?}\nspool = {:?}\ncatalogue = {:?}\n[province]\nunit = \"H49\"\n[service]\nlisten = \"127.0.0.1:0\"\n{service}\n",
            path.join("evidence"),
            path.join("spool"),
            path
        );
        write(&path.join("thuocdo.toml"), &settings);
        World { folder, store }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub async fn db(&self) -> Db {
        Db::open(&self.store).await.expect("the database opens")
    }

    /// Lets windows of the past be due: so many minutes of each collector.
    pub async fn owe(&self, collectors: &[&str], minutes: u64) {
        let db = self.db().await;
        let from = Ts::now().minus(Duration::from_secs(minutes * 60));
        let row = |id: &&str| ScheduleRow {
            collector: (*id).to_owned(),
            cron: "* * * * *".to_owned(),
            timezone: "Asia/Ho_Chi_Minh".to_owned(),
            planned_until: from,
            since: from,
            paused_at: None,
        };
        db.add_schedules(&collectors.iter().map(row).collect::<Vec<_>>()).await.expect("added");
        db.close().await;
    }

    /// Starts a copy of the service.
    pub fn start(&self) -> Copy {
        self.start_as("copy", &[])
    }

    pub fn start_as(&self, name: &str, more: &[&str]) -> Copy {
        self.start_with(name, more, &[])
    }

    /// With more arguments and environment.
    pub fn start_with(&self, name: &str, more: &[&str], environment: &[(&str, &str)]) -> Copy {
        let log = self.path().join(format!("{name}.log"));
        let file = std::fs::File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_thuocdo"));
        command.env_remove("THUOCDO_STORE").env_remove("THUOCDO_EVIDENCE").env("RUST_BACKTRACE", "0").env("THUOCDO_LOG", "info");
        command.envs(environment.iter().copied());
        command.arg("--settings").arg(self.path().join("thuocdo.toml")).arg("serve").args(more);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().expect("the program of this build");
        Copy { child, log }
    }
}

pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file of the test");
}

/// A running copy of the service; killed when dropped.
pub struct Copy {
    child: Child,
    log: PathBuf,
}

impl Copy {
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the log says this so often.
    pub async fn says(&mut self, words: &str, times: usize) {
        let started = Instant::now();
        while self.log().matches(words).count() < times {
            assert!(self.child.try_wait().expect("a child").is_none(), "it ended: {}", self.log());
            assert!(started.elapsed() < Duration::from_secs(60), "never said {words:?} {times} times: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill").success());
    }

    /// Kills it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
    }

    /// Waits for its end, at most so long.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(started.elapsed() < within, "it does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It may have ended.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Waits until something holds.
pub async fn until(what: &str, within: Duration, holds: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < within, "{what}: not within {within:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
