-- Calendar feeds. The address holds the token; here stands its SHA-256 alone.
create table feeds (
    id         text primary key,
    token      text not null,
    -- The shifts of one person, or of one schedule.
    person     text,
    schedule   text,
    owner      text not null,
    created_at text not null,
    read_at    text,
    revoked_at text
) strict;
create index feeds_owner on feeds (owner);
create unique index feeds_token on feeds (token);
