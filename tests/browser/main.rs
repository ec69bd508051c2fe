//! The pages in a real browser.
//!
//! Pictures of every page are left in `target/pictures`.

mod accessible;
mod board;
mod driver;
mod hostile;
mod house;
mod links;
mod plain;
