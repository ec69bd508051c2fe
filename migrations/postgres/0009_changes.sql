-- What changed lately, for whoever follows it live.
create index incidents_updated_at on incidents (updated_at);
