-- A run says whose it is. A binary that does not know these columns leaves them empty: it runs, and is not named.
alter table uptime add column node text;
alter table uptime add column process text;
alter table uptime add column version text;
alter table uptime add column revision bigint;
-- In microseconds: how far the node's own clock is ahead of the database's.
alter table uptime add column clock_ahead bigint;
alter table uptime add column stopping_at timestamptz;
create index uptime_last_seen_at on uptime (last_seen_at);

-- Whoever claimed it, so that a node that stops can give back what is its own.
alter table timers add column leased_by text;

-- Migrations that took something away. A binary that does not know the newest of them must not start.
create table contracted (
    migration bigint primary key
);
