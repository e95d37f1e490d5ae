//! Pace.
