-- One row a heartbeat of one node: what passed each leg of the path that a page takes, and when. Kept for a day.
create table heartbeats (
    id          text primary key,
    node        text not null,
    carrier     text not null,
    covers      text not null,
    begun_at    timestamptz not null,
    kept_at     timestamptz,
    answered_at timestamptz,
    turned_at   timestamptz,
    claimed_at  timestamptz,
    taken_at    timestamptz,
    receipt_at  timestamptz,
    ended_at    timestamptz,
    failed      text,
    reason      text
);
create index heartbeats_begun_at on heartbeats (begun_at);
-- Their rows of the outbox are few and soon gone.
create index attempts_heartbeats on attempts (created_at) where purpose = 'heartbeat';
