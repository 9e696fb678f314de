-- What the unattended service keeps: when each collector is due, how every attempt ended, what was missed, and the
-- few facts that several copies agree on.

-- Whose attempt is at work: HOST:PID:START of a copy, so that a restarted one knows what it left behind.
alter table run add column owner text not null default '';
-- What is waiting or at work, without walking the years behind it.
create index run_open on run (collector, due_at) where state in ('due', 'running') or retry_at is not null;
create index run_running on run (collector, due_at) where state = 'running';
create index run_retry on run (collector, retry_at) where retry_at is not null;

-- How every attempt at a run ended; the breaker, the page and the metrics are functions of this. Append-only.
create table attempt (
    collector  text not null,
    due_at     integer not null,
    attempt    integer not null,
    trigger    text not null,
    owner      text not null,
    started_at integer not null,
    ended_at   integer not null,
    state      text not null,
    reason     text,
    error      text not null,
    drift      integer not null,
    n_new      integer not null,
    n_restated integer not null,
    n_unchanged integer not null,
    n_quarantined integer not null,
    data_period text,
    primary key (collector, due_at, attempt)
) strict, without rowid;
create index attempt_ended on attempt (collector, ended_at);
create index attempt_success on attempt (collector, due_at, attempt)
    where state in ('recorded', 'partial') and trigger <> 'replay';
create index attempt_changed on attempt (collector, ended_at) where n_new + n_restated > 0;

insert into attempt
select collector, due_at, attempt, trigger, owner, started_at, coalesce(ended_at, started_at), state, null, '', 0, 0, 0, 0, 0, null
from run where state <> 'running';

-- Up to when the windows of a collector's schedule are planned: each is a run or counted as missed, once.
create table schedule (
    collector     text not null primary key,
    cron          text not null,
    timezone      text not null,
    planned_until integer not null,
    since         integer not null,
    paused_at     integer
) strict;

-- Windows that were never run, as the stretch they lie in.
create table missed (
    collector   text not null,
    first_due   integer not null,
    last_due    integer not null,
    n           integer not null,
    why         text not null,
    recorded_at integer not null,
    primary key (collector, first_due, why)
) strict;

-- A right that one copy has for a while: a turn at a host, telling people, scoring.
create table lease (
    name   text not null,
    slot   integer not null,
    holder text not null,
    until  integer not null,
    primary key (name, slot)
) strict;

-- From when a host may be asked again, across all copies.
create table host_rate (
    host    text not null primary key,
    next_at integer not null
) strict;

-- What was scored is over: whatever is recorded later counts as known later. One row.
create table horizon (
    id integer not null primary key,
    at integer not null
) strict;
insert into horizon (id, at) values (1, 0);

-- One row per scoring whose result differs from the one before; the result itself is computed again from as_of.
create table score_run (
    criteria_set    text not null,
    period          text not null,
    as_of           integer not null,
    criteria_sha256 text not null,
    result_sha256   text not null,
    n_sheets        integer not null,
    primary key (criteria_set, period, as_of)
) strict;

-- What is not as it should be, since when, and what people were told of it.
create table alert (
    kind     text not null,
    subject  text not null,
    since    integer not null,
    ended_at integer,
    told     text not null,
    told_at  integer,
    text     text not null,
    primary key (kind, subject)
) strict;

-- When the certificate ends that a collector's source showed last.
create table certificate (
    collector text not null primary key,
    until     integer not null,
    seen_at   integer not null
) strict;
