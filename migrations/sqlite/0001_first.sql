-- The first tables. Times are microseconds since 1970 in UTC, decimals canonical text, closed sets their labels.
-- No foreign keys between the big tables, and the time and series columns inside every unique key, so that
-- partitioning under PostgreSQL stays a migration; both folders keep the same columns under the same numbers.

-- Every version of a collector file that a run used.
create table spec (
    sha256    text not null primary key,
    collector text not null,
    text      text not null
) strict;

-- One row per due instant of a collector; attempt is the fencing token of its claim.
create table run (
    collector   text not null,
    due_at      integer not null,
    attempt     integer not null,
    trigger     text not null,
    state       text not null,
    claim_until integer not null,
    started_at  integer not null,
    ended_at    integer,
    retry_at    integer,
    spec_sha256 text not null,
    primary key (collector, due_at)
) strict;
create index run_due_at on run (due_at);

create table request (
    collector      text not null,
    due_at         integer not null,
    attempt        integer not null,
    no             integer not null,
    scope          text not null,
    method         text not null,
    url            text not null,
    body           text not null,
    at             integer not null,
    elapsed_micros integer not null,
    status         integer,
    content_type   text not null,
    evidence       text,
    size_bytes     integer not null,
    outcome        text not null,
    reason         text,
    error          text not null,
    primary key (collector, due_at, attempt, no)
) strict;
create index request_evidence on request (collector, evidence);

create table finding (
    collector text not null,
    due_at    integer not null,
    attempt   integer not null,
    request   integer not null,
    no        integer not null,
    reason    text not null,
    severity  text not null,
    place     text not null,
    text      text not null,
    primary key (collector, due_at, attempt, request, no)
) strict;

create table gate_result (
    collector text not null,
    due_at    integer not null,
    attempt   integer not null,
    request   integer not null,
    no        integer not null,
    gate      text not null,
    outcome   text not null,
    detail    text not null,
    primary key (collector, due_at, attempt, request, no)
) strict;

-- What a refused answer said: kept apart, for people who find out why. A null value: the source said it has none.
create table quarantined_reading (
    collector text not null,
    due_at    integer not null,
    attempt   integer not null,
    request   integer not null,
    no        integer not null,
    indicator text not null,
    unit      text not null,
    item      text not null,
    period    text not null,
    value     text,
    flag      text not null,
    place     text not null,
    text      text not null,
    primary key (collector, due_at, attempt, request, no)
) strict;

-- A short id for what an observation is of: 22 bytes a row instead of 46.
create table series (
    id        integer not null primary key,
    collector text not null,
    indicator text not null,
    unit      text not null,
    item      text not null,
    unique (collector, indicator, unit, item)
) strict;
create index series_unit on series (unit, indicator);
create index series_indicator on series (indicator);

-- Append-only: a corrected value is a later row. A null value: the source said it has none.
create table observation (
    series      integer not null,
    period      text not null,
    recorded_at integer not null,
    value       text,
    flag        text not null,
    due_at      integer not null,
    request     integer not null,
    primary key (series, period, recorded_at)
) strict, without rowid;

-- When the value was last seen, apart from when it changed.
create table checked (
    series       integer not null,
    period       text not null,
    last_checked integer not null,
    due_at       integer not null,
    primary key (series, period)
) strict, without rowid;

-- The accepted shape (keys and types) of each list of rows of a collector.
create table shape (
    collector   text not null,
    rows_no     integer not null,
    shape       text not null,
    accepted_at integer not null,
    due_at      integer not null,
    primary key (collector, rows_no)
) strict;
