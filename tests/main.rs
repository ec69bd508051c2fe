//! The product from outside: stories over real HTTP, a real database and a strict carrier.

mod chaos;
mod escalation;
mod intake;
mod kill;
mod ledger;
mod live;
mod mail;
mod outage;
mod paging;
mod phone;
mod policies;
mod report;
mod restart;
mod tidy;
mod watch;
mod world;
