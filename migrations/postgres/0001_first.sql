-- The first tables, as in the SQLite folder: the same columns under the same number.
-- Ids sort by bytes (collate "C") as they do in SQLite, and their indexes are smaller and faster for it.
-- Numeric has no scale: a value keeps the digits it came with.

-- Every version of a collector file that a run used.
create table spec (
    sha256    text collate "C" not null primary key,
    collector text collate "C" not null,
    text      text not null
);

-- One row per due instant of a collector; attempt is the fencing token of its claim.
create table run (
    collector   text collate "C" not null,
    due_at      timestamptz not null,
    attempt     integer not null,
    trigger     text not null,
    state       text not null,
    claim_until timestamptz not null,
    started_at  timestamptz not null,
    ended_at    timestamptz,
    retry_at    timestamptz,
    spec_sha256 text collate "C" not null,
    primary key (collector, due_at)
);
create index run_due_at on run (due_at);

create table request (
    collector      text collate "C" not null,
    due_at         timestamptz not null,
    attempt        integer not null,
    no             integer not null,
    scope          text not null,
    method         text not null,
    url            text not null,
    body           text not null,
    at             timestamptz not null,
    elapsed_micros bigint not null,
    status         integer,
    content_type   text not null,
    evidence       text collate "C",
    size_bytes     bigint not null,
    outcome        text not null,
    reason         text,
    error          text not null,
    primary key (collector, due_at, attempt, no)
);
create index request_evidence on request (collector, evidence);

create table finding (
    collector text collate "C" not null,
    due_at    timestamptz not null,
    attempt   integer not null,
    request   integer not null,
    no        integer not null,
    reason    text not null,
    severity  text not null,
    place     text not null,
    text      text not null,
    primary key (collector, due_at, attempt, request, no)
);

create table gate_result (
    collector text collate "C" not null,
    due_at    timestamptz not null,
    attempt   integer not null,
    request   integer not null,
    no        integer not null,
    gate      text not null,
    outcome   text not null,
    detail    text not null,
    primary key (collector, due_at, attempt, request, no)
);

-- What a refused answer said: kept apart, for people who find out why. A null value: the source said it has none.
create table quarantined_reading (
    collector text collate "C" not null,
    due_at    timestamptz not null,
    attempt   integer not null,
    request   integer not null,
    no        integer not null,
    indicator text collate "C" not null,
    unit      text collate "C" not null,
    item      text collate "C" not null,
    period    text collate "C" not null,
    value     numeric check (value <> 'NaN'),
    flag      text not null,
    place     text not null,
    text      text not null,
    primary key (collector, due_at, attempt, request, no)
);

-- A short id for what an observation is of: 22 bytes a row instead of 46.
create table series (
    id        bigint generated always as identity primary key,
    collector text collate "C" not null,
    indicator text collate "C" not null,
    unit      text collate "C" not null,
    item      text collate "C" not null,
    unique (collector, indicator, unit, item)
);
create index series_unit on series (unit, indicator);
create index series_indicator on series (indicator);

-- Append-only: a corrected value is a later row. A null value: the source said it has none.
create table observation (
    series      bigint not null,
    period      text collate "C" not null,
    recorded_at timestamptz not null,
    value       numeric check (value <> 'NaN'),
    flag        text not null,
    due_at      timestamptz not null,
    request     integer not null,
    primary key (series, period, recorded_at)
);

-- When the value was last seen, apart from when it changed.
create table checked (
    series       bigint not null,
    period       text collate "C" not null,
    last_checked timestamptz not null,
    due_at       timestamptz not null,
    primary key (series, period)
);

-- The accepted shape (keys and types) of each list of rows of a collector.
create table shape (
    collector   text collate "C" not null,
    rows_no     integer not null,
    shape       text not null,
    accepted_at timestamptz not null,
    due_at      timestamptz not null,
    primary key (collector, rows_no)
);
