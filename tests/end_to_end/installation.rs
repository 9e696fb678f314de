//! An installation of a test: the shipped files with the test's own laid over them, a database, an archive, a drop folder.

use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Asia::Ho_Chi_Minh;
use thuocdo::catalogue::{Catalogue, Files, LoadedCollector};
use thuocdo::collect::archive::Archive;
use thuocdo::collect::run::{Ran, When, Workplace, run_once};
use thuocdo::collect::source::Politeness;
use thuocdo::model::{Observation, Period, PeriodKind, Trigger, Ts};
use thuocdo::score::{Input, ScoreRun, score};
use thuocdo::settings::Settings;
use thuocdo::store::{Db, ObservationQuery};

/// Base address of the national portal, as the shipped collectors ask it.
pub const PORTAL: &str = "https://dichvucong.gov.vn";

/// Where the runs of a test happen.
pub struct Installation {
    pub settings: Settings,
    pub catalogue: Catalogue,
    pub db: Db,
    archive: Archive,
    politeness: Politeness,
    folder: tempfile::TempDir,
}

impl Installation {
    /// Quảng Ninh's settings and the shipped files under these; every file must load.
    pub fn new(db: &Db, files: impl IntoIterator<Item = (String, String)>) -> Installation {
        let (catalogue, problems) = Catalogue::load(&Files::embedded().overlay(files.into_iter().collect()));
        assert!(problems.is_empty(), "{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = Settings { drop: folder.path().join("drop"), ..Settings::default() };
        std::fs::create_dir(&settings.drop).expect("a drop folder");
        let archive = Archive::new(folder.path().join("evidence"));
        Installation { settings, catalogue, db: db.clone(), archive, politeness: Politeness::default(), folder }
    }

    /// The portal is asked at this address instead.
    pub fn ask_instead(&mut self, url: String) {
        self.settings.rewrite.insert(PORTAL.to_owned(), url);
    }

    /// What runs and replays need around them.
    pub fn place(&self) -> Workplace<'_> {
        Workplace {
            settings: &self.settings,
            catalogue: &self.catalogue,
            db: &self.db,
            archive: &self.archive,
            politeness: &self.politeness,
            owner: "test",
        }
    }

    /// A collector by its id.
    pub fn collector(&self, id: &str) -> &LoadedCollector {
        self.catalogue.collectors.get(id).unwrap_or_else(|| panic!("no collector {id}"))
    }

    /// Runs a collector at this instant.
    pub async fn run(&self, id: &str, at: Ts) -> Ran {
        run_once(&self.place(), self.collector(id), When::Stated(at), Trigger::Manual).await.unwrap_or_else(|error| panic!("{id}: {error}"))
    }

    /// Puts a file into the drop folder and waits until it counts as settled ("1ms").
    pub fn drop_in(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.settings.drop.join(name);
        std::fs::write(&path, bytes).expect("written");
        std::thread::sleep(Duration::from_millis(20));
        path
    }

    /// A folder of the test's own.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Everything that was known at an instant.
    pub async fn known(&self, as_of: Ts) -> Vec<Observation> {
        let all = ObservationQuery { period: None, indicators: None, collector: None, unit: None, as_of };
        self.db.observations(&all).await.expect("the database answers")
    }

    /// Scores what was known at an instant, over a province and the bodies below it, or over every unit.
    pub async fn scored<T>(
        &self,
        set: &str,
        province: Option<&str>,
        period: Period,
        as_of: Ts,
        look: impl FnOnce(&ScoreRun<'_>) -> T,
    ) -> T {
        let registry = &self.catalogue.registry;
        let known_until = as_of.utc().with_timezone(&Ho_Chi_Minh).date_naive();
        let on = Period::holding(PeriodKind::Day, period.last().min(known_until).max(period.start()));
        let units = match province {
            None => registry.units_in(on),
            Some(id) => registry.unit(id).into_iter().chain(registry.below(id, on)).collect(),
        };
        let observations = self.known(as_of).await;
        let input = Input {
            period,
            as_of,
            units: &units,
            observations: &observations,
            origins: &|collector| self.catalogue.collectors.get(collector).map(|loaded| loaded.collector.origin),
            preferred: &|indicator| registry.indicator(indicator).and_then(|indicator| indicator.collector.clone()),
            within: &|_| None,
        };
        look(&score(&self.catalogue.criteria[set], &input).expect("a scoring"))
    }
}
