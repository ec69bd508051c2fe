-- Whoever is paged is connected with the caller who waits for that incident.
create index calls_incident on calls (incident_id);
