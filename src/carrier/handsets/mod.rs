//! The built-in carrier: virtual phones with text threads and ringing calls. It is a carrier like any other, behind
//! the same port; what it needs of us it asks the [`super::Switchboard`].
//!
//! Every phone number in the world is a phone here, from its first use. A phone rings until its owner acts (through
//! the doors of [`api`]), or does by itself what its [`Behaviour`] says. [`phone`] and [`call`] decide what happens on
//! a line and know no time but the one handed in; [`network`] keeps the phones and connects calls with each other;
//! [`line`] carries out what a call asks of us, one task a call; [`Handsets`] is the carrier's face. All of it lives
//! in memory and is gone with the process, as a phone that was ringing would be.

pub mod api;
pub mod call;
pub mod carrier;
pub mod happening;
pub mod line;
pub mod network;
pub mod owner;
pub mod phone;
#[cfg(test)]
mod tests;
pub mod verbs;

pub use api::routes;
pub use call::Call;
pub use carrier::{ActError, Handsets};
pub use happening::{Input, Line, Refused, Speaker, State, WaitingFor};
pub use network::Network;
pub use phone::{Act, Behaviour, Phone, Text};

/// Where heartbeats go: a number that is no phone's. No country has this code (ITU-T E.164 keeps 999 free).
pub const HEARTBEAT: &str = "+99900000000";

/// The longest text anybody may send or say, in characters: what a provider takes at most in one message.
pub const MAX_TEXT: usize = 1600;
