//! Events into state.
