//! An installation that watches: its files, settings, database; watchers started by hand or by the service.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thuocdo::catalogue::{Catalogue, Files};
use thuocdo::collect::archive::Archive;
use thuocdo::collect::collector::{ProbeSource, Source};
use thuocdo::collect::watch::{Head, Meter, Sealed, Watch, seal, spool::left, targets, watch};
use thuocdo::model::Ts;
use thuocdo::rollup::HourPart;
use thuocdo::rollup::hour_of;
use thuocdo::settings::Settings;
use tokio_util::sync::CancellationToken;

pub const ID: &str = "portals";

/// Settings and files in a folder of their own.
pub struct World {
    _folder: tempfile::TempDir,
    pub settings: Settings,
    pub files: Files,
}

impl World {
    /// Portals with these addresses; `more` are further lines of the probe, which looks every second.
    pub fn new(urls: &[String], reference: u16, more: &str) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "schema = 1\nid = \"portals\"\ntitle = {{ vi = \"t\", en = \"t\" }}\n[source.probe]\n{more}\n\
             own_network = {{ references = [\"tcp://127.0.0.1:{reference}\"], timeout = \"300ms\" }}\n\
             up = {{ status = [\"200-399\"], body_has = [\"Cổng thông tin\"] }}\nmaintenance_page = [\"đang bảo trì\"]\n"
        );
        let rows = urls.iter().enumerate().map(|(no, url)| format!("p{no:04},H49,{url},,\n")).collect::<String>();
        let files: Files = Files::embedded()
            .iter()
            .filter(|(path, _)| path.starts_with("registry/"))
            .map(|(path, text)| {
                (path.to_owned(), text.lines().filter(|line| !line.starts_with("collector = ")).collect::<Vec<_>>().join("\n") + "\n")
            })
            .collect();
        let own = [(format!("collectors/{ID}.toml"), text), ("registry/portals.csv".to_owned(), format!("id,unit,url,from,to\n{rows}"))];
        let files = files.overlay(own.into_iter().collect());
        let at = |name: &str| folder.path().join(name);
        let mut settings = Settings {
            evidence: at("evidence"),
            spool: at("spool"),
            store: format!("sqlite:{}", at("t.db").display()),
            ..Settings::default()
        };
        settings.network.loopback_names = true;
        World { _folder: folder, settings, files }
    }

    pub fn catalogue(&self) -> Catalogue {
        let (catalogue, problems) = Catalogue::load(&self.files);
        assert!(problems.is_empty(), "{problems:?}");
        catalogue
    }

    pub fn probe(&self) -> ProbeSource {
        match &self.catalogue().collectors[ID].collector.source {
            Source::Probe(probe) => (**probe).clone(),
            Source::Http(_) | Source::File(_) => panic!("a probe"),
        }
    }

    /// Watches in a thread of its own, as the service does.
    pub fn watch(&self, sitting: &str) -> Watching {
        let (catalogue, probe) = (self.catalogue(), self.probe());
        let targets = targets(catalogue.registry.portals(), probe.slot_micros());
        let head = Head::new(ID, &probe, "id = \"portals\"", targets, sitting, hour_of(Ts::now()));
        let (stop, meter) = (CancellationToken::new(), Arc::new(Meter::default()));
        let what = Watch {
            probe: Arc::new(probe),
            settings: Arc::new(self.settings.clone()),
            head,
            looks: 4000,
            meter: Arc::clone(&meter),
            stop: stop.clone(),
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            tokio::task::LocalSet::new().block_on(&runtime, watch(what)).expect("it can watch");
        });
        Watching { stop, meter, thread: Some(thread) }
    }

    /// Seals everything that nobody writes to any more: what was seen, by target, one after the other.
    pub fn seal(&self) -> Vec<Sealed> {
        seal_all(&self.settings.spool, &Archive::new(&self.settings.evidence))
    }
}

pub fn seal_all(spool: &Path, archive: &Archive) -> Vec<Sealed> {
    left(spool).expect("a spool").0.iter().map(|left| seal(left, archive).expect("sealed")).collect()
}

/// What was sealed, by target.
pub fn by_target(sealed: &[Sealed]) -> BTreeMap<String, Vec<HourPart>> {
    let mut all: BTreeMap<String, Vec<HourPart>> = BTreeMap::new();
    for (target, part) in sealed.iter().flat_map(|sealed| sealed.hours.iter()) {
        all.entry(target.clone()).or_default().push(part.clone());
    }
    all
}

/// A watcher at work.
pub struct Watching {
    stop: CancellationToken,
    pub meter: Arc<Meter>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watching {
    /// Stops it in order.
    pub fn stop(mut self) {
        self.stop.cancel();
        self.thread.take().expect("a thread").join().expect("it ends in order");
    }
}

pub async fn seconds(n: f64) {
    tokio::time::sleep(Duration::from_secs_f64(n)).await;
}

/// Waits for a slot to begin, so that what is done now is whole slots long.
pub async fn next_second() {
    let rest = 1_000_000 - Ts::now().micros().rem_euclid(1_000_000);
    tokio::time::sleep(Duration::from_micros(rest.unsigned_abs())).await;
}
