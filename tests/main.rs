//! The product from outside: stories over real HTTP, a real database and a strict carrier.

mod escalation;
mod paging;
mod tidy;
mod world;
