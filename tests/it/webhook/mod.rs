//! The carriers' door and the way out, against the simulated carrier and against the vendor's own library.

mod bad_input;
mod calls;
mod flow;
mod joint;
mod one_answer;
mod openapi;
mod outbound;
mod vendor;
pub(crate) mod world;
