//! Passwords: argon2id, in PHC's notation, with OWASP's parameters (19 MiB, two passes, one lane). A few at a time.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString},
};
use rand::TryRngCore as _;
use schema::person::{PASSWORD_MAX, PASSWORD_MIN};
use tokio::sync::Semaphore;

use super::PeopleError;

/// Hashes at once: each takes a core for tens of milliseconds and 19 MiB.
const TOGETHER: usize = 2;
/// Longest wait for one's turn.
const TURN_WITHIN: Duration = Duration::from_secs(4);
/// Stands in for whoever is not known, so that they cannot be told by the time it takes.
const NOBODYS: &[u8] = b"nobody has this password";

/// Makes and checks hashes.
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    nobodys: String,
}

impl Passwords {
    pub(super) fn new() -> Result<Self, PeopleError> {
        Ok(Self { turns: Arc::new(Semaphore::new(TOGETHER)), nobodys: hash(NOBODYS)? })
    }

    /// Whether a password may be one.
    pub(super) fn check(password: &str) -> Result<(), PeopleError> {
        let long_enough = password.chars().count() >= PASSWORD_MIN;
        if long_enough && password.len() <= PASSWORD_MAX { Ok(()) } else { Err(PeopleError::Password) }
    }

    pub(super) async fn hash(&self, password: String) -> Result<String, PeopleError> {
        self.in_turn(move || hash(password.as_bytes())).await?
    }

    /// Which of these hashes the password belongs to; the work is the same when there are none.
    pub(super) async fn find(&self, hashes: Vec<String>, password: String) -> Result<Option<usize>, PeopleError> {
        let nobodys = self.nobodys.clone();
        self.in_turn(move || {
            if hashes.is_empty() {
                verifies(&nobodys, &password);
            }
            hashes.iter().position(|hash| verifies(hash, &password))
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PeopleError> {
        let turn = tokio::time::timeout(TURN_WITHIN, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(PeopleError::Busy) };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| PeopleError::Busy)
    }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

fn hash(password: &[u8]) -> Result<String, PeopleError> {
    let mut salt = [0; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut salt).map_err(|_| PeopleError::Busy)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| PeopleError::Busy)?;
    argon2().hash_password(password, &salt).map(|hash| hash.to_string()).map_err(|_| PeopleError::Password)
}

fn verifies(hash: &str, password: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    argon2().verify_password(password.as_bytes(), &parsed).is_ok()
}
