-- The mail outbox: one row a mail and address, from the decision to write until a mail server took it.
create table mails (
    id              text primary key,
    incident_id     text not null references incidents (id),
    priority        text not null,
    audience        text not null,
    address         text not null,
    domain          text not null,
    subject         text not null,
    body            text,
    attachment_name text,
    attachment      text,
    stage           text not null,
    carrier         text,
    code            bigint,
    reason          text,
    tries           bigint not null default 0,
    leased_by       text,
    wake_at         timestamptz,
    created_at      timestamptz not null,
    ended_at        timestamptz,
    expires_at      timestamptz not null
);
create index mails_wake_at on mails (wake_at) where wake_at is not null;
create index mails_incident on mails (incident_id);
create index mails_ended_at on mails (ended_at) where body is not null;
