//! The running process: what every part of it shares, boot and shutdown.

pub mod app;
pub mod bell;
pub mod boot;
pub mod listener;
pub mod router;
pub mod settings;
pub mod switchboard;
pub mod telemetry;

pub use app::App;
