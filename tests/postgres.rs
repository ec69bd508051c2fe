//! The stories of `main.rs` once more, on PostgreSQL, and what holds for both databases alone.
//!
//! Not here: the copies of a database that is a file; and what stands in `deploy/`, which no database changes.

mod access;
mod changes;
mod chaos;
mod contention;
mod escalation;
mod intake;
mod kill;
mod ledger;
mod live;
mod mail;
mod mail_killed;
mod nodes;
mod outage;
mod paging;
mod parity;
mod phone;
mod policies;
mod report;
mod restart;
mod restore;
mod roles;
mod server_restart;
mod single_sign_on;
mod statements;
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
const DATABASE: world::Database = world::Database::Postgres;
