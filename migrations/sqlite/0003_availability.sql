-- What watching portals yields: per target and hour the slots by state, and every stretch that is not up.

-- A short id for what is watched: a portal, or "PORTAL@ipv6" where IPv6 has a verdict of its own.
create table target (
    id        integer not null primary key,
    collector text not null,
    target    text not null,
    unique (collector, target)
) strict;

-- Append-only: one row per target, hour and attempt at the hour's run, since two copies may each have watched a part of it.
-- due_at is the run that brought it; a probe's is the hour itself. latency: counts by step (rollup::Histogram).
create table availability_hour (
    target            integer not null,
    hour              integer not null,
    due_at            integer not null,
    attempt           integer not null,
    recorded_at       integer not null,
    slot_micros       integer not null,
    n_up              integer not null,
    n_degraded        integer not null,
    n_down            integer not null,
    n_unknown         integer not null,
    latency           blob not null,
    certificate_until integer,
    primary key (target, hour, due_at, attempt)
) strict, without rowid;

-- Every stretch of such an hour that is not up, with the attempts that prove it (they are in the evidence of the run).
create table availability_interval (
    target     integer not null,
    from_at    integer not null,
    due_at     integer not null,
    attempt    integer not null,
    to_at      integer not null,
    state      text not null,
    phase      text,
    reason     text,
    n_attempts integer not null,
    text       text not null,
    primary key (target, from_at, due_at, attempt)
) strict, without rowid;

-- Time by state of a closed day in Vietnam, in microseconds, with what was announced laid over it; computed again from the
-- hours at any time. Months and years are sums of it.
create table availability_day (
    target            integer not null,
    day               text not null,
    up                integer not null,
    degraded          integer not null,
    down              integer not null,
    maintenance       integer not null,
    unknown           integer not null,
    n_outages         integer not null,
    latency           blob not null,
    certificate_until integer,
    primary key (target, day)
) strict, without rowid;
