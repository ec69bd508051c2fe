-- The ledger: each event's hash over itself and the hash before it; an incident's head is its last event's.
alter table incident_events add column hash text not null default '';
alter table incidents add column head text not null default '';
-- The last event that an anchor covers.
alter table incidents add column anchored_seq bigint not null default 0;
create index incidents_unanchored on incidents (id) where seq > anchored_seq;

-- One a day, over the heads that moved since the one before. `body` is canonical JSON, as it was signed.
create table anchors (
    day       text primary key,
    body      text not null,
    hash      text not null,
    signature text not null,
    key       text not null
);

create table anchor_heads (
    day         text not null,
    incident_id text not null references incidents (id),
    seq         bigint not null,
    head        text not null,
    primary key (day, incident_id)
);
create index anchor_heads_incident on anchor_heads (incident_id);
