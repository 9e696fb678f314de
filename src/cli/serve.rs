//! `thuocdo serve`: the service that runs unattended.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::files;
use crate::collect::run::chain;
use crate::serve::service::ReloadRequests;
use crate::serve::start::{self, StartError, alone, bind};
use crate::serve::{Service, canary, hours, notify, run, scores};
use crate::settings::Settings;
use crate::web;

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Start although the clock shows less than what was recorded
    #[arg(long)]
    trust_clock: bool,
    /// How log lines are written, to standard error; THUOCDO_LOG sets what is logged (info)
    #[arg(long, value_enum, default_value = "json")]
    log: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// What went wrong after the start; what keeps it from starting has an exit code of its own.
pub async fn serve(arguments: &ServeArguments, settings: Option<&Path>) -> anyhow::Result<ExitCode> {
    begin_log(arguments.log);
    match started(arguments, settings).await {
        Ok(running) => running.until_stopped().await,
        Err(error) => {
            match arguments.log {
                LogFormat::Json => tracing::error!("the service does not start: {}", chain(&error)),
                LogFormat::Text => eprintln!("error: {}", chain(&error)),
            }
            Ok(ExitCode::from(error.exit_code()))
        }
    }
}

/// A service whose sockets are bound and whose database is open.
pub(super) struct Running {
    pub service: Arc<Service>,
    pub reloads: ReloadRequests,
    /// Where pages and API are served, and where metrics are if apart.
    pub listeners: (TcpListener, Option<TcpListener>),
    pub alone: start::Alone,
}

async fn started(arguments: &ServeArguments, settings: Option<&Path>) -> Result<Running, StartError> {
    let settings = Settings::load(settings).map_err(|error| StartError::Settings(format!("{error:#}")))?;
    let alone = alone(&settings)?;
    let (listen, observe) = (settings.service.listen, settings.service.observe);
    let read = files(settings.catalogue.as_deref()).map_err(|error| StartError::Settings(format!("{error:#}")))?;
    let pages = bind(listen, "[service] listen").await?;
    let observed = match observe {
        Some(address) => Some(bind(address, "[service] observe").await?),
        None => None,
    };
    let parts = start::prepare(settings, read, arguments.trust_clock).await?;
    let (service, reloads) = Service::new(parts);
    Ok(Running { service, reloads, listeners: (pages, observed), alone })
}

impl Running {
    pub async fn until_stopped(self) -> anyhow::Result<ExitCode> {
        let Running { service, reloads, listeners: (pages, observed), alone } = self;
        let (recorded, changes) = tokio::sync::mpsc::channel(1024);
        let mut beside = tokio::task::JoinSet::new();
        // Pages and health answer until the last run has ended.
        let ended = CancellationToken::new();
        let (people, machines) = (web::pages(Arc::clone(&service)), web::observation(Arc::clone(&service)));
        match observed {
            None => drop(beside.spawn(answer(ended.clone(), pages, people.merge(machines)))),
            Some(observed) => {
                beside.spawn(answer(ended.clone(), pages, people));
                beside.spawn(answer(ended.clone(), observed, machines));
            }
        }
        if service.settings.service.canary {
            beside.spawn(canary::run(Arc::clone(&service)));
        }
        beside.spawn(scores::run(Arc::clone(&service), changes));
        beside.spawn(notify::run(Arc::clone(&service)));
        beside.spawn(hours::run(Arc::clone(&service), recorded.clone()));
        let in_order = run::run(Arc::clone(&service), reloads, recorded).await?;
        ended.cancel();
        // Whatever works beside the runs has seen `stopping`.
        let _ended = tokio::time::timeout(std::time::Duration::from_secs(12), async {
            while let Some(ended) = beside.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(error = %error, "a fault of this program ended a part of the service");
                }
            }
        })
        .await;
        let _closed = tokio::time::timeout(std::time::Duration::from_secs(5), service.db.close()).await;
        tracing::info!("stopped");
        drop(alone);
        Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Answers at one address until the service has ended.
async fn answer(ended: CancellationToken, listener: TcpListener, router: axum::Router) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "listening on http://{address}");
    }
    if let Err(error) = web::serve(listener, router, ended).await {
        tracing::error!(error = %error, "pages, API or metrics are not served any more");
    }
}

pub(super) fn begin_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("THUOCDO_LOG").unwrap_or_else(|_| "info".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let log = log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let begun = match format {
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Text => log.try_init(),
    };
    if let Err(error) = begun {
        eprintln!("the log cannot be written: {error}");
    }
}
