//! One collector, an empty database and an archive, in a folder of their own.

use std::path::PathBuf;
use std::time::Instant;

use thuocdo::catalogue::{Catalogue, Files, LoadedCollector};
use thuocdo::collect::archive::Archive;
use thuocdo::collect::collector::Source;
use thuocdo::collect::run::{Ran, RunError, When, Workplace, run_once};
use thuocdo::collect::source::{Attempt, Politeness, http};
use thuocdo::collect::template::Filling;
use thuocdo::model::{Observation, Scope, Trigger, Ts};
use thuocdo::settings::Settings;
use thuocdo::store::{Db, ObservationQuery};

/// An address that only `[rewrite]` makes real.
pub const PORTAL: &str = "https://portal.example";

/// The province's figure for a year, from an answer of the test's own shape.
pub const COLLECTOR: &str = r#"
schema = 1
id = "faulty"
title = { vi = "Thử", en = "Trial" }
[schedule]
cron = "0 6 * * *"
[source.http]
url = "https://portal.example/api?year={period.year}"
for_each = { period = ["year"] }
expect = { status = [200, 201], content_type = "application/json", json = { "$.code" = "OK", "$.root" = "{province.npsp}" } }
limits = { connect = "1s", request = "1s", run = "30s", body = "1MiB" }
retry = { attempts = 1, first = "10ms", max = "20ms", honour_retry_after = "2s" }
[[rows]]
from = { json = "$.data[*]" }
unit = { value = "$.id", codes = "trial" }
  [[rows.read]]
  indicator = "dossier_processed_count"
  value = "$.n"
"#;

/// What a run needs, and what it leaves.
pub struct World {
    /// Holds everything below; removed at the end.
    pub folder: tempfile::TempDir,
    pub settings: Settings,
    pub catalogue: Catalogue,
    pub db: Db,
    pub archive: Archive,
}

impl World {
    /// With `PORTAL` rewritten to this base address.
    pub async fn new(base: &str) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let codes = ("registry/codes/trial.csv".to_owned(), "code,unit,valid_from,valid_to\nroot-1,H49,,\n".to_owned());
        let (catalogue, problems) = Catalogue::load(&Files::embedded().overlay([codes].into_iter().collect()));
        assert!(problems.is_empty(), "{problems:?}");
        let mut settings = Settings { drop: folder.path().join("drop"), ..Settings::default() };
        settings.province.insert("npsp".to_owned(), "root-1".to_owned());
        settings.rewrite.insert(PORTAL.to_owned(), base.to_owned());
        std::fs::create_dir(&settings.drop).expect("a folder for files");
        let db = Db::open(&format!("sqlite:{}", folder.path().join("t.db").display())).await.expect("a database");
        let archive = Archive::new(folder.path().join("evidence"));
        World { folder, settings, catalogue, db, archive }
    }

    /// One run.
    pub async fn run(&self, text: &str, at: &str) -> Result<Ran, RunError> {
        let id = text.lines().find_map(|line| line.strip_prefix("id = ")).expect("an id").trim_matches('"');
        let loaded = LoadedCollector::parse(&format!("collectors/{id}.toml"), text).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let problems = loaded.check_against(&self.catalogue.registry);
        assert!(problems.is_empty(), "{problems:#?}");
        let politeness = Politeness::default();
        let place = Workplace {
            settings: &self.settings,
            catalogue: &self.catalogue,
            db: &self.db,
            archive: &self.archive,
            politeness: &politeness,
            owner: "test",
        };
        run_once(&place, &loaded, When::Stated(at.parse::<Ts>().expect("an instant")), Trigger::Manual).await
    }

    /// One request about 2026 outside of any run: at most so many attempts, until the deadline, into a list that stays.
    pub async fn ask(&self, text: &str, politeness: &Politeness, attempts: u32, until: Instant, into: &mut Vec<Attempt>) {
        let loaded = LoadedCollector::parse("collectors/faulty.toml", text).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let Source::Http(source) = &loaded.collector.source else { panic!("the collector asks over HTTP") };
        let (due, period) = ("2026-09-26T06:30:00Z".parse().expect("an instant"), "2026".parse().expect("a year"));
        let scope = Scope { due, period: Some(period), unit: None, portal: None, province: self.settings.province.clone() };
        let filling = Filling { scope: &scope, unit: None, portal: None, code_of: &|_| None, zone: loaded.collector.schedule.timezone.0 };
        let prepared = http::prepare(source, &self.settings, &filling).expect("a request");
        let asker = http::Asker::new(source, &loaded.collector.rows, &self.settings, politeness, until).expect("a client");
        asker.ask(&prepared, attempts, into).await;
    }

    /// Everything that is recorded.
    pub async fn observations(&self) -> Vec<Observation> {
        let query = ObservationQuery {
            period: None,
            indicators: None,
            collector: None,
            unit: None,
            as_of: "2100-01-01T00:00:00Z".parse().expect("an instant"),
        };
        self.db.observations(&query).await.expect("a database that answers")
    }

    /// A file that was dropped this many seconds ago.
    pub fn drop_file(&self, name: &str, text: &str, age_s: u64) -> PathBuf {
        let path = self.settings.drop.join(name);
        std::fs::write(&path, text).expect("a file");
        let changed = std::time::SystemTime::now() - std::time::Duration::from_secs(age_s);
        std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(changed)).expect("a time of change");
        path
    }
}
