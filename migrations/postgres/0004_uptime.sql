-- One row a run of a node: when no node ran, the system was unavailable. `ended_at` is null while it runs, and for
-- ever when it was killed.
create table uptime (
    id           text primary key,
    started_at   timestamptz not null,
    last_seen_at timestamptz not null,
    ended_at     timestamptz
);
