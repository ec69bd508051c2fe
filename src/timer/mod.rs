//! Durable timers: one row an open incident, holding its one next due instant.
//!
//! The wheel sleeps until the earliest, or until the bell rings, or for a second: what is claimed is pushed forward
//! by a lease, carried out through the incident's door, and set anew there. A node that dies in between leaves a row
//! that comes due again when the lease ends; carrying it out twice changes nothing, because what is due follows from
//! the incident's state.

pub mod claim;
pub mod wheel;
