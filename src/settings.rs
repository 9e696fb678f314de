//! Settings: `thuocdo.toml` and the environment, for one installation.

mod certificates;
mod network;
pub mod notify;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use certificates::read_certificates;
pub use network::{Network, Reference};
pub use notify::{NotifySettings, Webhook};

use crate::catalogue::problem::Problem;
use crate::model::Span;

/// One installation's settings. Every key has a default; unknown keys are errors.
///
/// The environment wins over the file: `THUOCDO_STORE`, `THUOCDO_EVIDENCE` and `THUOCDO_SPOOL`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which province this installation measures: `unit` is its unit id, every other name is what
    /// collector files ask for as `{province.<name>}`. Quảng Ninh if the table is not there.
    pub province: BTreeMap<String, String>,
    /// Where observations are kept: `sqlite:PATH` or `postgres://…`.
    pub store: String,
    /// Folder of the evidence archive.
    pub evidence: PathBuf,
    /// Folder where probes write what they see before it becomes evidence; on a disk of this machine.
    pub spool: PathBuf,
    /// Folder with `collectors/`, `registry/` and `criteria/`; the ones built in if not set.
    pub catalogue: Option<PathBuf>,
    /// Base addresses that are asked in place of others (demo, tests, a pilot).
    pub rewrite: BTreeMap<String, String>,
    /// How we present ourselves.
    pub http: Http,
    /// How our own network is told from a source that is down.
    pub network: Network,
    /// Folder for `source.file` patterns.
    pub drop: PathBuf,
    /// How the service works.
    pub service: ServiceSettings,
    /// Whom the service tells what is not as it should be.
    pub notify: NotifySettings,
    /// What people must know of every figure of this installation ("số liệu mô phỏng"); shown with scores and explanations.
    pub note: String,
}

/// How the service works.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// Where pages and API are served. Default 127.0.0.1:8268.
    pub listen: SocketAddr,
    /// Where metrics, health and reload are served instead of `listen`.
    pub observe: Option<SocketAddr>,
    /// Address under which people reach the pages; links in messages begin with it. Default: that of `listen`.
    pub public_url: Option<url::Url>,
    /// Runs at once. Default 8.
    pub runs: std::num::NonZeroU32,
    /// How long running runs may finish after SIGTERM. Default 30s.
    pub grace: Span,
    /// How long a claim outlives the run's own deadline, before another copy takes the run. Default 2m.
    pub claim_margin: Span,
    /// Whether the known-answer collector runs every 15 minutes. Default true.
    pub canary: bool,
}

impl Default for ServiceSettings {
    fn default() -> ServiceSettings {
        ServiceSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 8268)),
            observe: None,
            public_url: None,
            runs: const { std::num::NonZeroU32::new(8).expect("8 is not 0") },
            grace: Span::seconds(30),
            claim_margin: Span::seconds(120),
            canary: true,
        }
    }
}

impl ServiceSettings {
    /// What links in messages begin with, without a slash at the end.
    pub fn base_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.listen),
        }
    }
}

/// How requests present themselves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Whom the owner of a system can call or write to; part of the User-Agent.
    pub contact: String,
    /// PEM file with root certificates that are trusted beside those of this machine: government CAs are not in the
    /// common stores.
    pub extra_ca: Option<PathBuf>,
}

impl Default for Settings {
    /// Quảng Ninh, with everything in the working folder.
    fn default() -> Settings {
        Settings {
            province: quang_ninh(),
            store: "sqlite:thuocdo.db".to_owned(),
            evidence: "evidence".into(),
            spool: "spool".into(),
            catalogue: None,
            rewrite: BTreeMap::new(),
            http: Http::default(),
            network: Network::default(),
            drop: ".".into(),
            service: ServiceSettings::default(),
            notify: NotifySettings::default(),
            note: String::new(),
        }
    }
}

/// The ids under which the national portal lists Quảng Ninh (2026 and 2025).
fn quang_ninh() -> BTreeMap<String, String> {
    let values = [("unit", "H49"), ("npsp", "019d2be3-6a88-732b-8b1c-46b23e7f2084"), ("npsp_2025", "426106")];
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

impl Default for Http {
    fn default() -> Http {
        Http { contact: "contact not set".to_owned(), extra_ca: None }
    }
}

impl std::fmt::Debug for Settings {
    /// Without the store's address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Settings { province, store: _, evidence, spool, catalogue, rewrite, http, network, drop, service, notify, note } = self;
        let mut shown = f.debug_struct("Settings");
        shown
            .field("province", province)
            .field("store", &"***")
            .field("evidence", evidence)
            .field("spool", spool)
            .field("catalogue", catalogue);
        shown.field("rewrite", rewrite).field("http", http).field("network", network).field("drop", drop);
        shown.field("service", service).field("notify", notify).field("note", note).finish()
    }
}

impl Settings {
    /// From a file's text.
    ///
    /// # Errors
    /// One problem with its place.
    pub fn parse(file: &str, text: &str) -> Result<Settings, Problem> {
        let settings: Settings = toml::from_str(text).map_err(|error| Problem::from_toml(file, text, &error))?;
        if !settings.province.contains_key("unit") {
            let at = text.find("[province]").unwrap_or(0);
            return Err(Problem::at(file, text, at..at, "[province] names no unit", "add the province's unit id, like unit = \"H49\""));
        }
        for (from, to) in &settings.rewrite {
            for address in [from, to] {
                let right = url::Url::parse(address)
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none());
                if !right {
                    let at = text.find(address.as_str()).unwrap_or(0);
                    let message = format!("[rewrite] {address:?} is no base address");
                    return Err(Problem::at(
                        file,
                        text,
                        at..at + address.len(),
                        message,
                        "write scheme, host and port only, like \"https://dichvucong.gov.vn\"",
                    ));
                }
            }
        }
        if let Some((message, fix)) = settings.network.fault() {
            let at = text.find("quorum").unwrap_or(0);
            return Err(Problem::at(file, text, at..at, message, fix));
        }
        match settings.notify.check(file, text) {
            Some(problem) => Err(problem),
            None => Ok(settings),
        }
    }

    /// From a file (the defaults if it does not exist and was not asked for), then the environment. Relative paths in
    /// the file begin at its folder, those of the environment at the working folder.
    ///
    /// # Errors
    /// The file cannot be read, or a problem with its place.
    pub fn load(asked: Option<&Path>) -> anyhow::Result<Settings> {
        use anyhow::Context;
        let path = asked.unwrap_or(Path::new("thuocdo.toml"));
        let mut settings = match std::fs::read_to_string(path) {
            Ok(text) => {
                let settings = Settings::parse(&path.display().to_string(), &text).map_err(|problem| anyhow::anyhow!("{problem}"))?;
                let settings = settings.based_in(path.parent().unwrap_or(Path::new("")));
                // A path is known to be right only where its folder is known, so this is not parse's to see.
                settings
                    .http
                    .extra_ca
                    .as_deref()
                    .map(read_certificates)
                    .transpose()
                    .map_err(|wrong| anyhow::anyhow!("{}: {wrong}", path.display()))?;
                settings
            }
            Err(error) if asked.is_none() && error.kind() == std::io::ErrorKind::NotFound => Settings::default(),
            Err(error) => return Err(error).with_context(|| format!("cannot read the settings {}", path.display())),
        };
        if let Ok(store) = std::env::var("THUOCDO_STORE") {
            settings.store = store;
        }
        if let Ok(spool) = std::env::var("THUOCDO_SPOOL") {
            settings.spool = spool.into();
        }
        if let Ok(evidence) = std::env::var("THUOCDO_EVIDENCE") {
            settings.evidence = evidence.into();
        }
        Ok(settings)
    }

    /// The same settings with relative paths beginning at this folder.
    fn based_in(mut self, folder: &Path) -> Settings {
        if let Some(path) = self.sqlite_path() {
            self.store = format!("sqlite:{}", folder.join(path).display());
        }
        self.evidence = folder.join(&self.evidence);
        self.drop = folder.join(&self.drop);
        self.spool = folder.join(&self.spool);
        self.catalogue = self.catalogue.map(|catalogue| folder.join(catalogue));
        self.http.extra_ca = self.http.extra_ca.map(|path| folder.join(path));
        self
    }

    /// The file of the embedded database; `None` for a server.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let path = self.store.strip_prefix("sqlite:")?;
        Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
    }

    /// Unit id of the province.
    pub fn province_unit(&self) -> &str {
        &self.province["unit"]
    }

    /// The address that is really asked in place of this one.
    pub fn rewritten(&self, url: &str) -> String {
        let found = self.rewrite.iter().find_map(|(from, to)| {
            let from = from.trim_end_matches('/');
            let rest = url.strip_prefix(from)?;
            matches!(rest.chars().next(), None | Some('/' | '?' | '#')).then(|| format!("{}{rest}", to.trim_end_matches('/')))
        });
        found.unwrap_or_else(|| url.to_owned())
    }

    /// An honest User-Agent with the contact (RFC 9110, 10.1.5).
    pub fn user_agent(&self) -> String {
        format!("thuocdo/{} ({})", env!("CARGO_PKG_VERSION"), self.http.contact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_whole_base_addresses_only() {
        let text = "[rewrite]\n\"https://dichvucong.gov.vn\" = \"http://127.0.0.1:8080\"\n";
        let settings = Settings::parse("thuocdo.toml", text).expect("settings");
        for (url, want) in [
            ("https://dichvucong.gov.vn/api?x=1", "http://127.0.0.1:8080/api?x=1"),
            ("https://dichvucong.gov.vn", "http://127.0.0.1:8080"),
            ("https://dichvucong.gov.vn.example/api", "https://dichvucong.gov.vn.example/api"),
            ("http://dichvucong.gov.vn/api", "http://dichvucong.gov.vn/api"),
        ] {
            assert_eq!(settings.rewritten(url), want);
        }
    }

    #[test]
    fn one_clear_error_for_each_wrong_key() {
        for (text, line, want) in [
            ("stor = \"sqlite:x\"", 1, "unknown field"),
            ("store = 5", 1, "invalid type"),
            ("\nevidence = true", 2, "invalid type"),
            ("catalogue = [\".\"]", 1, "invalid type"),
            ("drop = 5", 1, "invalid type"),
            ("rewrite = \"http://127.0.0.1:1\"", 1, "invalid type"),
            ("[rewrite]\n\"https://dichvucong.gov.vn\" = \"http://127.0.0.1:1/path\"", 2, "is no base address"),
            ("[rewrite]\n\"https://dichvucong.gov.vn\" = \"ftp://127.0.0.1\"", 2, "is no base address"),
            ("store = \"sqlite:a\"\nstore = \"sqlite:b\"", 2, "duplicate key"),
            ("[http]\ncontact = 5", 2, "invalid type"),
            ("[http]\nagent = \"x\"", 2, "unknown field"),
            ("[http]\nextra_ca = true", 2, "invalid type"),
            ("[network]\nreference = []", 2, "unknown field"),
            ("[network]\nreferences = \"tcp://10.0.0.1:53\"", 2, "invalid type"),
            ("[network]\nreferences = [\"10.0.0.1:53\"]", 2, "is no reference"),
            ("[network]\nreferences = [\"tcp://10.0.0.1\"]", 2, "is no reference"),
            ("[network]\nreferences = [\n  \"tcp://10.0.0.1:53\",\n  \"tcp://10.0.0.1:0\",\n]", 2, "is no reference"),
            ("[network]\nreferences = [\"tcp://:53\"]", 2, "is no reference"),
            ("[network]\nreferences = [\"tcp://10.0.0.1:53/x\"]", 2, "is no reference"),
            ("[network]\nreferences = [\"https://10.0.0.1:53\"]", 2, "is no reference"),
            ("[network]\nquorum = 0", 2, "quorum = 0"),
            ("[network]\nquorum = \"one\"", 2, "invalid type"),
            ("[network]\nreferences = [\"tcp://10.0.0.1:53\"]\nquorum = 2", 3, "there are 1 references"),
            ("[network]\ntimeout = \"soon\"", 2, "is no time for references"),
            ("[network]\ntimeout = \"2m\"", 2, "is no time for references"),
            ("[network]\ntimeout = 3", 2, "invalid type"),
            ("\n[rewrite]\n\"dichvucong.gov.vn\" = \"http://127.0.0.1:1\"", 3, "is no base address"),
            ("[province]\nunit = 5", 2, "invalid type"),
            ("\n[province]\nnpsp = \"x\"", 2, "names no unit"),
            ("[service]\nlisten = \"8268\"", 2, "invalid socket address"),
            ("[service]\nobserve = 9268", 2, "invalid type"),
            ("[service]\nruns = 0", 2, "nonzero"),
            ("[service]\ngrace = \"0s\"", 2, "is not a length of time"),
            ("[service]\npublic_url = \"thuocdo\"", 2, "relative URL"),
            ("[service]\nport = 5", 2, "unknown field"),
            ("[province", 1, "table"),
        ] {
            let problem = Settings::parse("thuocdo.toml", text).expect_err(text);
            assert!(problem.message.contains(want), "{text}: {problem}");
            assert_eq!(problem.line, line, "{text}: {problem}");
            assert!(!problem.fix.is_empty(), "{text}: {problem}");
        }
    }

    #[test]
    fn references_have_host_and_port() {
        let text = "[network]\nreferences = [\"tcp://10.0.0.1:53\", \"tcp://[2001:db8::1]:443\", \"tcp://ntp.example:123\"]\nquorum = 2\n";
        let settings = Settings::parse("thuocdo.toml", text).expect("settings");
        let read: Vec<(&str, u16)> = settings.network.references.iter().map(|asked| (asked.host.as_str(), asked.port)).collect();
        assert_eq!(read, [("10.0.0.1", 53), ("2001:db8::1", 443), ("ntp.example", 123)]);
        assert_eq!((settings.network.quorum, settings.network.timeout.as_secs()), (2, 3));
        assert_eq!(Settings::parse("thuocdo.toml", "").expect("settings").network, Network::default());
    }

    #[test]
    fn further_roots_are_read_when_the_settings_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("thuocdo.toml");
        std::fs::write(&path, "[http]\nextra_ca = \"ca.pem\"\n").expect("settings");
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (pem, words) in [
            (None, "cannot be read"),
            (Some(""), "holds no certificate"),
            (Some(key), "holds \"PRIVATE KEY\" at block 1"),
            (Some(garbage), "no certificate in block 1"),
            (Some("-----BEGIN CERTIFICATE-----\nAAAA\n"), "is broken at block 1"),
        ] {
            if let Some(pem) = pem {
                std::fs::write(folder.path().join("ca.pem"), pem).expect("a file");
            }
            let said = Settings::load(Some(&path)).expect_err(words).to_string();
            assert!(said.contains(words) && said.contains("thuocdo.toml") && said.ends_with("with root certificates"), "{said}");
        }
        let key = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).expect("a certificate");
        std::fs::write(folder.path().join("ca.pem"), key.cert.pem()).expect("a file");
        let settings = Settings::load(Some(&path)).expect("settings");
        assert_eq!(settings.http.extra_ca, Some(folder.path().join("ca.pem")));
    }
}
