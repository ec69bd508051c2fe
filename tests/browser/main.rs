//! The pages in a real browser.
//!
//! Pictures of every page are left in `target/pictures`.

mod accessible;
mod board;
mod driver;
mod hostile;
mod house;
#[allow(dead_code, reason = "the stories use all of it")]
#[path = "../world/issuer.rs"]
mod issuer;
mod keyboard;
mod links;
mod pictures;
mod plain;
mod seldom;
mod sign_in;
mod story;

/// What the issuer of the stories serves; here it is told otherwise.
const PUBLIC_URL: &str = "https://pager.example.com";
