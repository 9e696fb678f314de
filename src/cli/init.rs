//! `thuocdo init`: writes what is built in into a folder, for editing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::output::say;
use crate::catalogue::Files;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Folder, made if it does not exist
    folder: PathBuf,
}

/// A settings file that says what can be set, with the defaults.
const SETTINGS: &str = r#"# Settings of one installation. Every key is optional; the values below are the defaults.
store = "sqlite:thuocdo.db"        # or postgres://USER@HOST/DATABASE
evidence = "evidence"              # folder of the raw answers
spool = "spool"                    # folder where probes write what they see before it is evidence; on a disk of this machine
catalogue = "."                    # folder with collectors/, registry/ and criteria/
drop = "."                         # where source.file patterns begin

[http]
contact = "contact not set"        # whom the owner of a system can call; part of the User-Agent
# extra_ca = "ca.pem"              # PEM file of further root certificates (government CAs), beside this machine's own

[network]                          # tells our own network from a source that is down; without references nothing is judged, and nobody watches portals
references = []                    # like ["tcp://10.0.0.1:53", "tcp://dns.example:53"]: asked when a source cannot be reached
quorum = 1                         # so many must answer, else the reason is own_network
timeout = "3s"                     # how long they have, at most a minute
# loopback_names = true            # a name may lead to this machine: tests and demonstrations only
# dns = ["10.0.0.2:53"]            # name servers that probes ask; those of this machine if none

[province]                         # {province.<name>} in collector files
unit = "H49"
npsp = "019d2be3-6a88-732b-8b1c-46b23e7f2084"
npsp_2025 = "426106"
# documents = "https://…"          # base address of the document system's statistics page

[service]                          # `thuocdo serve`
listen = "127.0.0.1:8268"          # pages and API; whoever reaches it may read them
# observe = "127.0.0.1:9268"       # metrics, health and reload there instead
# public_url = "https://…"         # what links in messages begin with
runs = 8                           # at once
grace = "30s"                      # for running runs, after SIGTERM
claim_margin = "2m"                # so long after a run's own limit another copy takes it
canary = true                      # the known answer, every 15 minutes

[notify]                           # whom the service tells: sources stale, changed, well again; certificates and secrets that end
# webhook = "https://…"            # takes what Alertmanager's /api/v2/alerts takes; or { secret = "notify/webhook" }
# bearer = { secret = "notify/token" }
group_wait = "30s"                 # changes within it go out in one request; what is over before then is not told
expiry_warning = "21d"             # so long before their end certificates and secrets are told of
timeout = "10s"                    # for the webhook's answer
# resend = "2m"                    # for an Alertmanager, which forgets; without it each change is told once

# [rewrite]                        # asked in place of another address: demo, tests, a pilot
# "https://dichvucong.gov.vn" = "http://127.0.0.1:8080"
"#;

/// Writes settings, collectors, registry and criteria; never over a file that is there.
pub fn init(arguments: &InitArguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.folder;
    let embedded = Files::embedded();
    let mut files: Vec<(&str, &str)> = embedded.iter().collect();
    files.push(("thuocdo.toml", SETTINGS));
    if let Some((there, _)) = files.iter().find(|(path, _)| folder.join(path).exists()) {
        bail!("{} is there already; name an empty folder", folder.join(there).display());
    }
    for (path, text) in &files {
        let target = folder.join(path);
        let parent = target.parent().expect("a file stands in a folder");
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        write(&target, text).with_context(|| format!("cannot write {}", target.display()))?;
    }
    say!("{} files in {}", files.len(), folder.display());
    say!("next: cd {} && thuocdo check", folder.display());
    Ok(ExitCode::SUCCESS)
}

/// The settings may come to hold a password, so files are for their owner only.
fn write(target: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(target)?.write_all(text.as_bytes())
}
