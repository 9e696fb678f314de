-- What the unattended service keeps, as in the SQLite folder: the same columns under the same number.

-- Whose attempt is at work: HOST:PID:START of a copy, so that a restarted one knows what it left behind.
alter table run add column owner text collate "C" not null default '';
-- What is waiting or at work, without walking the years behind it.
create index run_open on run (collector, due_at) where state in ('due', 'running') or retry_at is not null;
create index run_running on run (collector, due_at) where state = 'running';
create index run_retry on run (collector, retry_at) where retry_at is not null;

-- How every attempt at a run ended; the breaker, the page and the metrics are functions of this. Append-only.
create table attempt (
    collector  text collate "C" not null,
    due_at     timestamptz not null,
    attempt    integer not null,
    trigger    text not null,
    owner      text collate "C" not null,
    started_at timestamptz not null,
    ended_at   timestamptz not null,
    state      text not null,
    reason     text,
    error      text not null,
    drift      integer not null,
    n_new      integer not null,
    n_restated integer not null,
    n_unchanged integer not null,
    n_quarantined integer not null,
    data_period text collate "C",
    primary key (collector, due_at, attempt)
);
create index attempt_ended on attempt (collector, ended_at);
create index attempt_success on attempt (collector, due_at, attempt)
    where state in ('recorded', 'partial') and trigger <> 'replay';
create index attempt_changed on attempt (collector, ended_at) where n_new + n_restated > 0;

insert into attempt
select collector, due_at, attempt, trigger, owner, started_at, coalesce(ended_at, started_at), state, null, '', 0, 0, 0, 0, 0, null
from run where state <> 'running';

-- Up to when the windows of a collector's schedule are planned: each is a run or counted as missed, once.
create table schedule (
    collector     text collate "C" not null primary key,
    cron          text collate "C" not null,
    timezone      text collate "C" not null,
    planned_until timestamptz not null,
    since         timestamptz not null,
    paused_at     timestamptz
);

-- Windows that were never run, as the stretch they lie in.
create table missed (
    collector   text collate "C" not null,
    first_due   timestamptz not null,
    last_due    timestamptz not null,
    n           bigint not null,
    why         text collate "C" not null,
    recorded_at timestamptz not null,
    primary key (collector, first_due, why)
);

-- A right that one copy has for a while: a turn at a host, telling people, scoring.
create table lease (
    name   text collate "C" not null,
    slot   integer not null,
    holder text collate "C" not null,
    until  timestamptz not null,
    primary key (name, slot)
);

-- From when a host may be asked again, across all copies.
create table host_rate (
    host    text collate "C" not null primary key,
    next_at timestamptz not null
);

-- What was scored is over: whatever is recorded later counts as known later. One row.
create table horizon (
    id integer not null primary key,
    at timestamptz not null
);
insert into horizon (id, at) values (1, 'epoch');

-- One row per scoring whose result differs from the one before; the result itself is computed again from as_of.
create table score_run (
    criteria_set    text collate "C" not null,
    period          text collate "C" not null,
    as_of           timestamptz not null,
    criteria_sha256 text collate "C" not null,
    result_sha256   text collate "C" not null,
    n_sheets        integer not null,
    primary key (criteria_set, period, as_of)
);

-- What is not as it should be, since when, and what people were told of it.
create table alert (
    kind     text collate "C" not null,
    subject  text collate "C" not null,
    since    timestamptz not null,
    ended_at timestamptz,
    told     text collate "C" not null,
    told_at  timestamptz,
    text     text collate "C" not null,
    primary key (kind, subject)
);

-- When the certificate ends that a collector's source showed last.
create table certificate (
    collector text collate "C" not null primary key,
    until     timestamptz not null,
    seen_at   timestamptz not null
);
