-- What happened, appended and never edited; the projection beside it is the same events, folded.
create table incidents (
    id          text primary key,
    reference   text not null,
    phase       text not null,
    priority    text not null,
    team        text not null,
    customer    text,
    opened_at   timestamptz not null,
    updated_at  timestamptz not null,
    seq         bigint not null,
    state       text not null
);
create unique index incidents_reference_open on incidents (reference) where phase = 'open';
create index incidents_phase_id on incidents (phase, id);
create index incidents_reference on incidents (reference);
create index incidents_customer on incidents (customer, phase);

create table incident_events (
    incident_id text not null references incidents (id),
    seq         bigint not null,
    at          timestamptz not null,
    kind        text not null,
    body        text not null,
    primary key (incident_id, seq)
);

-- One row an open incident: its one next due instant. A claim pushes `wake_at` forward, `due_at` stays.
create table timers (
    incident_id text primary key references incidents (id),
    due_at      timestamptz not null,
    wake_at     timestamptz not null
);
create index timers_wake_at on timers (wake_at);

-- The page outbox. `wake_at` is null when no node has anything to do for it; a lease pushes it forward.
create table attempts (
    id             text primary key,
    page_id        text,
    incident_id    text references incidents (id),
    purpose        text not null,
    priority       text not null,
    person         text,
    channel        text not null,
    address        text not null,
    position       bigint not null,
    stage          text not null,
    outcome        text,
    cancelled      boolean not null default false,
    body           text,
    reply_code     text,
    carrier        text,
    sid            text,
    status         text,
    error_code     text,
    reason         text,
    tries          bigint not null default 0,
    sends          bigint not null default 0,
    leased_by      text,
    wake_at        timestamptz,
    created_at     timestamptz not null,
    sent_at        timestamptz,
    answered_at    timestamptz,
    ended_at       timestamptz,
    expires_at     timestamptz not null
);
create index attempts_wake_at on attempts (wake_at) where wake_at is not null;
create index attempts_page on attempts (page_id);
create index attempts_incident on attempts (incident_id);
create index attempts_sid on attempts (carrier, sid);
create index attempts_address_sent on attempts (address, channel, sent_at);
create index attempts_reply_code on attempts (address, reply_code) where reply_code is not null;

-- Every receipt as it came, for the one who asks why; the same one twice is one.
create table receipts (
    carrier     text not null,
    sid         text not null,
    attempt_id  text,
    status      text not null,
    error_code  text,
    received_at timestamptz not null,
    primary key (carrier, sid, status)
);

-- What our people wrote back, and what they were answered; the same text twice is one.
create table replies (
    carrier     text not null,
    sid         text not null,
    address     text not null,
    verdict     text not null,
    answer      text,
    received_at timestamptz not null,
    primary key (carrier, sid)
);
create index replies_address on replies (address, received_at);

-- An inbound call on a hotline: what the caller has told so far. From the first ring.
create table calls (
    id          text primary key,
    carrier     text not null,
    sid         text not null,
    hotline     text,
    caller      text not null,
    customer    text,
    verified    boolean not null default false,
    step        text not null,
    answers     text not null,
    incident_id text references incidents (id),
    started_at  timestamptz not null,
    ended_at    timestamptz
);
create unique index calls_sid on calls (carrier, sid);
create index calls_caller on calls (caller, started_at);

-- Wrong PINs, to slow down whoever guesses.
create table pin_failures (
    hotline text not null,
    caller  text not null,
    at      timestamptz not null
);
create index pin_failures_at on pin_failures (at);

-- Every payload received, good or refused, for a while.
create table intake (
    id           text primary key,
    received_at  timestamptz not null,
    door         text not null,
    integration  text,
    remote       text,
    headers      text not null,
    body         text not null,
    status       bigint not null,
    verdict      text not null,
    incident_ids text not null
);
create index intake_received_at on intake (received_at);
create index intake_strays on intake (id) where integration is null;

-- Which open incident a sender's key means, and the gravest priority the sender ever gave it.
-- A row without an incident is a key being claimed by a transaction that will open one.
create table dedup (
    integration text not null,
    dedup_key   text not null,
    incident_id text references incidents (id),
    priority    text,
    primary key (integration, dedup_key)
);
create index dedup_incident on dedup (incident_id);

-- The ids of signed webhooks taken, and what was answered: the same id again has no second effect.
create table webhook_ids (
    integration text not null,
    webhook_id  text not null,
    answer      text,
    seen_at     timestamptz not null,
    primary key (integration, webhook_id)
);
create index webhook_ids_seen_at on webhook_ids (seen_at);

create table overrides (
    id         text primary key,
    schedule   text not null,
    person     text not null,
    instead_of text,
    start_at   timestamptz not null,
    end_at     timestamptz not null,
    created_by text not null,
    created_at timestamptz not null
);
create index overrides_schedule on overrides (schedule, end_at);

-- `schedules/`, as it was each time it changed; secrets are digests.
create table revisions (
    number    bigint primary key,
    digest    text not null,
    files     text not null,
    loaded_at timestamptz not null
);

create table tokens (
    jti        text primary key,
    name       text not null,
    role       text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz
);

-- The answer to a request that carried an Idempotency-Key.
create table idempotency (
    token      text not null,
    key        text not null,
    request    text not null,
    status     bigint not null,
    body       text not null,
    created_at timestamptz not null,
    primary key (token, key)
);
create index idempotency_created_at on idempotency (created_at);

-- Who runs, and may hold leases.
create table nodes (
    id         text primary key,
    started_at timestamptz not null,
    seen_at    timestamptz not null
);
