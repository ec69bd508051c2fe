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
    code            integer,
    reason          text,
    tries           integer not null default 0,
    leased_by       text,
    wake_at         text,
    created_at      text not null,
    ended_at        text,
    expires_at      text not null
) strict;
create index mails_wake_at on mails (wake_at) where wake_at is not null;
create index mails_incident on mails (incident_id);
create index mails_ended_at on mails (ended_at) where body is not null;
