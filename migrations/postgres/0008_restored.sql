-- One row a restore from a backup: what happened between the two instants is not known to this database.
create table restores (
    id          text primary key,
    backup_at   timestamptz not null,
    restored_at timestamptz not null
);

-- Incidents of which the backup had something left to do. What goes out for one is held until a person settles it.
create table quarantine (
    incident_id text primary key references incidents (id),
    restored_at timestamptz not null,
    verdict     text,
    settled_by  text,
    settled_at  timestamptz
);
