//! Dice with a seed: the same seed gives the same throws.

use std::sync::{Mutex, PoisonError};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// Shared dice.
#[derive(Debug)]
pub struct Chance(Mutex<StdRng>);

impl Chance {
    /// With a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// From 0 to 1, without 1.
    pub fn uniform(&self) -> f64 {
        self.with(|dice| dice.random::<f64>())
    }

    /// Whether something of this share happens.
    pub fn hits(&self, share: f64) -> bool {
        share > 0.0 && self.uniform() < share
    }

    /// One of so many.
    pub fn below(&self, end: usize) -> usize {
        self.with(|dice| dice.random_range(0..end.max(1)))
    }

    /// A standard normal deviate (Box and Muller).
    pub fn normal(&self) -> f64 {
        let (u, v) = self.with(|dice| (dice.random::<f64>(), dice.random::<f64>()));
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    fn with<T>(&self, throw: impl FnOnce(&mut StdRng) -> T) -> T {
        throw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
