//! The whole engine over simulated ports, on one thread, in virtual time, from one seed.
//!
//! - [`world`] is all that is not the engine: time, chance, and the step at which the machine dies. The ports ([`log`],
//!   [`views`], [`keys`], [`carrier`]) do what real ones do when things go badly; what is durable there outlives the engine.
//! - [`edge`] plays carriers' webhooks, operators and dashboards; [`life`] runs one engine after the other over the world.
//! - [`model`] is the judge: a few maps of its own over what the log holds, what left, what was answered and shown. It
//!   checks the promises of design.md at every step and knows nothing of the engine's code.
//! - [`planted`] holds the faults that prove the judge sees.
//!
//! A run is its seed: the same seed gives the same trace, in every process.

mod carrier;
mod dice;
mod edge;
mod end;
mod keys;
mod life;
mod links;
mod log;
mod model;
mod nodes;
mod plan;
mod planted;
mod sessions;
mod tests;
mod views;
mod world;

pub(crate) use planted::{Fault, plant, planted, smuggle};
