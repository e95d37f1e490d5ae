//! Outbox lanes: one per sender address; a pure schedule, claims before sends.
