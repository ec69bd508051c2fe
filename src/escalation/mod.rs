//! And if they do not answer? The levels that are paged in turn.

pub mod climb;
pub mod policy;

pub use climb::Ladder;
pub use policy::{Level, Policy, Target};
