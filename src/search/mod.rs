//! Full-text search: a follower of the log with an index of its own.
