-- Who is signed in. The browser holds a random token; here stands its SHA-256 alone.
create table sessions (
    id           text primary key,
    -- A person of people.toml, or a password's name, or neither: then what stands here.
    person       text,
    account      text,
    name         text not null,
    role         text,
    how          text not null,
    network      text,
    agent        text,
    created_at   timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at   timestamptz not null,
    ended_at     timestamptz
);
create index sessions_person on sessions (person);
create index sessions_account on sessions (account);
create index sessions_expires_at on sessions (expires_at);

-- Passwords, as argon2id hashes. The role is its own, or that of the person.
create table passwords (
    name       text primary key,
    hash       text not null,
    role       text,
    person     text,
    created_at timestamptz not null,
    changed_at timestamptz not null
);

-- One-time codes to a phone. The digits are worked out from the id and a key that is not here.
create table codes (
    id         text primary key,
    person     text not null,
    address    text not null,
    channel    text not null,
    kind       text not null,
    network    text,
    guesses    bigint not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index codes_person on codes (person, created_at);
create index codes_expires_at on codes (expires_at);

-- One-time links. The address bar holds the token; here stands its SHA-256 alone.
create table links (
    id         text primary key,
    person     text,
    name       text not null,
    role       text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index links_expires_at on links (expires_at);

-- Each try to sign in. What was given as a name is kept hashed: people type passwords there.
create table sign_ins (
    id      text primary key,
    name    text not null,
    network text not null,
    kind    text not null,
    verdict text not null,
    at      timestamptz not null
);
create index sign_ins_name on sign_ins (name, at);
create index sign_ins_network on sign_ins (network, at);
create index sign_ins_at on sign_ins (at);

-- A line that its owner proved with a code.
create table proofs (
    person    text not null,
    address   text not null,
    channel   text not null,
    proven_at timestamptz not null,
    primary key (person, address, channel)
);

-- Who did what to the installation, and from where.
create table audit (
    id      text primary key,
    at      timestamptz not null,
    who     text not null,
    what    text not null,
    network text,
    detail  text
);
create index audit_at on audit (at);
