//! Adapter: limits that several nodes send under. Redis hands out the parts; what was had of days is noted on disk.
//!
//! Knows nothing of lanes and texts: it brings questions there and answers back.

mod marks;
mod redis;

pub use marks::{MarkError, Marks};
pub use redis::{RedisError, RedisGrants, RedisOptions};
