//! Ringdown: on-call paging and phone escalation. In the order an incident lives:

/// Who may do what: tokens, roles, sessions.
pub mod access;
/// The REST interface.
pub mod api;
/// SMS and voice providers, and the built-in handsets.
pub mod carrier;
/// The command line.
pub mod cli;
/// `schedules/*.toml`: loaded, checked, kept as revisions.
pub mod config;
/// Whom we serve.
pub mod customer;
/// And if they do not answer?
pub mod escalation;
/// What we know of a trouble, and what is done about it: the pure core and the one door to it.
pub mod incident;
/// How trouble reaches us: the hotline, and webhooks from monitoring.
pub mod intake;
/// Mail to customers, teams and people.
pub mod mail;
/// Several nodes on one database.
pub mod node;
/// Whose shift is it?
pub mod oncall;
/// Reaching one person: the page outbox, calls, texts, replies, receipts.
pub mod paging;
/// Whom we page.
pub mod people;
/// After a restore from a backup: what it still wants sent is held until a person has looked.
pub mod quarantine;
/// Is this installation fit to page somebody tonight?
pub mod readiness;
/// What was promised and what was kept: exports that can be verified, and the daily anchors.
pub mod report;
/// The running process.
pub mod server;
/// A whole world from a seed: nodes, a database, carriers, people, and all that goes wrong among them.
pub mod simulation;
/// Promises: plans, priorities, time zones.
pub mod sla;
/// The two databases as one.
pub mod store;
/// Durable timers.
pub mod timer;
/// Who watches the watchman: heartbeats, stalls, clock steps, room on the disk.
pub mod watch;
/// The pages.
pub mod web;

/// Time as an argument.
pub mod clock;
/// Keys and ids.
pub mod id;
/// Spans of time as people write them.
pub mod span;
