//! An installation of a test: the shipped files and one collector, a database, an archive, a drop folder.

use std::time::Duration;

use thuocdo::catalogue::{Catalogue, Files, LoadedCollector};
use thuocdo::collect::archive::Archive;
use thuocdo::collect::run::{Ran, When, Workplace, run_once};
use thuocdo::collect::source::Politeness;
use thuocdo::model::{Trigger, Ts};
use thuocdo::settings::Settings;
use thuocdo::store::Db;

/// Where the runs of a test happen.
pub struct Installation {
    pub settings: Settings,
    catalogue: Catalogue,
    db: Db,
    archive: Archive,
    politeness: Politeness,
    _folder: tempfile::TempDir,
}

impl Installation {
    /// The shipped files and this text as the collector `uptime`; every file must load.
    pub fn new(db: &Db, collector: String) -> Installation {
        let mine = [("collectors/uptime.toml".to_owned(), collector)];
        let (catalogue, problems) = Catalogue::load(&Files::embedded().overlay(mine.into_iter().collect()));
        assert_eq!(problems, []);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = Settings { drop: folder.path().join("drop"), ..Settings::default() };
        std::fs::create_dir(&settings.drop).expect("a drop folder");
        let archive = Archive::new(folder.path().join("evidence"));
        Installation { settings, catalogue, db: db.clone(), archive, politeness: Politeness::default(), _folder: folder }
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

    /// The collector.
    pub fn collector(&self) -> &LoadedCollector {
        &self.catalogue.collectors["uptime"]
    }

    /// Runs it as due at this instant.
    pub async fn run(&self, due: Ts) -> Ran {
        run_once(&self.place(), self.collector(), When::Due(due), Trigger::Manual).await.expect("a run")
    }

    /// Puts a file into the drop folder and waits until it counts as settled ("1ms").
    pub fn drop_in(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.settings.drop.join(name), bytes).expect("written");
        std::thread::sleep(Duration::from_millis(20));
    }
}
