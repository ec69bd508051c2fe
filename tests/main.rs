//! The product from outside: stories over real HTTP, a real database and a strict carrier.

mod access;
mod backup;
mod changes;
mod chaos;
mod deploy;
mod escalation;
mod intake;
mod kill;
mod ledger;
mod live;
mod mail;
mod mail_killed;
mod outage;
mod paging;
mod phone;
mod policies;
mod report;
mod restart;
mod restore;
mod roles;
mod single_sign_on;
mod statements;
mod tidy;
mod upgrade;
mod watch;
mod watching;
mod web_board;
mod web_handsets;
mod web_intake;
mod web_links;
mod web_people;
mod world;

/// What the worlds of this binary are kept in.
const DATABASE: world::Database = world::Database::Sqlite;
