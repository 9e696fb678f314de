-- What watching portals yields, as in the SQLite folder: the same columns under the same number.

-- A short id for what is watched: a portal, or "PORTAL@ipv6" where IPv6 has a verdict of its own.
create table target (
    id        bigint generated always as identity primary key,
    collector text collate "C" not null,
    target    text collate "C" not null,
    unique (collector, target)
);

-- Append-only: one row per target, hour and attempt at the hour's run, since two copies may each have watched a part of it.
-- due_at is the run that brought it; a probe's is the hour itself. latency: counts by step (rollup::Histogram).
create table availability_hour (
    target            bigint not null,
    hour              timestamptz not null,
    due_at            timestamptz not null,
    attempt           integer not null,
    recorded_at       timestamptz not null,
    slot_micros       bigint not null,
    n_up              bigint not null,
    n_degraded        bigint not null,
    n_down            bigint not null,
    n_unknown         bigint not null,
    latency           bytea not null,
    certificate_until timestamptz,
    primary key (target, hour, due_at, attempt)
);

-- Every stretch of such an hour that is not up, with the attempts that prove it (they are in the evidence of the run).
create table availability_interval (
    target     bigint not null,
    from_at    timestamptz not null,
    due_at     timestamptz not null,
    attempt    integer not null,
    to_at      timestamptz not null,
    state      text collate "C" not null,
    phase      text collate "C",
    reason     text collate "C",
    n_attempts bigint not null,
    text       text collate "C" not null,
    primary key (target, from_at, due_at, attempt)
);

-- Time by state of a closed day in Vietnam, in microseconds, with what was announced laid over it; computed again from the
-- hours at any time. Months and years are sums of it.
create table availability_day (
    target            bigint not null,
    day               text collate "C" not null,
    up                bigint not null,
    degraded          bigint not null,
    down              bigint not null,
    maintenance       bigint not null,
    unknown           bigint not null,
    n_outages         bigint not null,
    latency           bytea not null,
    certificate_until timestamptz,
    primary key (target, day)
);
