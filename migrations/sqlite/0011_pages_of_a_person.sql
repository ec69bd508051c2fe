-- What a text from a number, or by a person, may mean: looked up for each page that is made.
create index attempts_address_created on attempts (address, created_at);
create index attempts_person_created on attempts (person, created_at);
