-- One row a run of a node: when no node ran, the system was unavailable. `ended_at` is null while it runs, and for
-- ever when it was killed.
create table uptime (
    id           text primary key,
    started_at   text not null,
    last_seen_at text not null,
    ended_at     text
) strict;
