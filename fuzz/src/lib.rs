//! What the world sends, as fuzz targets: each module is one, `run` takes any bytes and panics when a promise is broken.
//!
//! The functions are plain, so that `cargo test` replays every corpus through them; `fuzz_targets/` gives them to
//! libFuzzer (`scripts/fuzz.sh`, or `cargo fuzz run -s none --features libfuzzer TARGET`).

pub mod codec;
pub mod config;
pub mod frames;
mod input;
pub mod jwt;
pub mod template;
pub mod twiml;
pub mod webhook;

#[cfg(test)]
mod tests;
