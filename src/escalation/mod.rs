//! And if they do not answer? The levels that are paged in turn.

pub mod policy;

pub use policy::{Level, Policy, Target};
