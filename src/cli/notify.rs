//! `thuocdo notify`: tries the webhook, or shows what people were told.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::Installation;
use super::output::{self, Format, Table, say};
use crate::model::{AlertKind, Told, Ts};
use crate::serve::notify::{PostError, Says, post_test};

/// Arguments of `notify`.
#[derive(Debug, Args)]
pub struct NotifyArguments {
    /// Send one alert, marked as a test, to the webhook of the settings
    #[arg(long)]
    test: bool,
}

/// Tries the webhook, or lists alerts with what was told of them.
pub async fn notify(arguments: &NotifyArguments, installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    if arguments.test { test(installation, format).await } else { list(installation, format).await }
}

async fn test(installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    let answer = match post_test(&installation.settings, Ts::now()).await {
        Ok(answer) => answer,
        Err(PostError::Refused(said)) => bail!("{} did not take the test alert: status {} {}", said.who, said.status, said.text),
        Err(error @ (PostError::NoWebhook | PostError::Config(_) | PostError::NoAnswer { .. })) => return Err(error.into()),
    };
    #[derive(Serialize)]
    struct Row<'a> {
        webhook: &'a str,
        status: u16,
        text: &'a str,
    }
    let mut table = Table::new(&["webhook", "status", "text"]);
    table.row([&answer.who, &answer.status.to_string(), &answer.text]);
    match format {
        Format::Table => {
            say!("{} took the test alert: status {}", answer.who, answer.status);
            if !answer.text.is_empty() {
                say!("{}", answer.text);
            }
        }
        Format::Json | Format::Csv => {
            output::print(format, &Row { webhook: &answer.who, status: answer.status, text: &answer.text }, &table)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(installation: &Installation, format: Format) -> anyhow::Result<ExitCode> {
    #[derive(Serialize)]
    struct Row {
        alert: AlertKind,
        subject: String,
        severity: &'static str,
        since: Ts,
        ended_at: Option<Ts>,
        told: Told,
        told_at: Option<Ts>,
        says: Says,
    }
    let rows: Vec<Row> = installation
        .existing_db()
        .await?
        .alerts()
        .await?
        .into_iter()
        .map(|row| Row {
            alert: row.kind,
            severity: row.kind.severity().label(),
            since: row.since,
            ended_at: row.ended_at,
            told: row.told,
            told_at: row.told_at,
            says: serde_json::from_str(&row.text).unwrap_or_default(),
            subject: row.subject,
        })
        .collect();
    let instant = |at: Option<Ts>| at.map(|at| at.to_string()).unwrap_or_default();
    let mut table = Table::new(&["alert", "subject", "since", "ended_at", "told", "told_at", "summary"]);
    for row in &rows {
        let cells = [row.alert.label(), &row.subject, &row.since.to_string(), &instant(row.ended_at)];
        table.row(cells.into_iter().chain([row.told.label(), &instant(row.told_at), &row.says.summary]));
    }
    output::print(format, &rows, &table)?;
    if format == Format::Table && installation.settings.notify.webhook.is_none() {
        say!("\nno webhook is set ([notify] in the settings): the service tells nobody");
    }
    Ok(ExitCode::SUCCESS)
}
