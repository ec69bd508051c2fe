-- One row a heartbeat of one node: what passed each leg of the path that a page takes, and when. Kept for a day.
create table heartbeats (
    id          text primary key,
    node        text not null,
    carrier     text not null,
    covers      text not null,
    begun_at    text not null,
    kept_at     text,
    answered_at text,
    turned_at   text,
    claimed_at  text,
    taken_at    text,
    receipt_at  text,
    ended_at    text,
    failed      text,
    reason      text
) strict;
create index heartbeats_begun_at on heartbeats (begun_at);
-- Their rows of the outbox are few and soon gone.
create index attempts_heartbeats on attempts (created_at) where purpose = 'heartbeat';
