//! What is due next: follows from the state alone.
