//! The sections about who is let in. Defaults and reasons: config/default.toml.

use std::{num::NonZeroU32, path::PathBuf};

use super::section::{Seconds, Secret, section};

section! {
    /// Tokens.
    Auth("auth") {
        /// How long a minted token is valid.
        token_ttl_s: Seconds, 1..=31_536_000;
        /// How far clocks may be apart.
        leeway_s: Seconds, 0..=600;
        /// Secrets of others who mint tokens.
        shared_secrets: Vec<Secret>, "a list of at most 4 secrets of 32 bytes or more";
        /// Where the keys of tokens are.
        keys_directory: PathBuf, "the path of a directory";
        /// Between looks at the key files.
        keys_reload_s: Seconds, 1..=3_600;
    }
}

section! {
    /// People who sign in with e-mail and password.
    SignIn("sign_in") {
        /// Tries with one e-mail, a minute.
        attempts_per_minute: NonZeroU32, 1..=600;
        /// Tries of one peer, a minute.
        peer_attempts_per_minute: NonZeroU32, 1..=100_000;
        /// How long a browser stays signed in.
        session_s: Seconds, 60..=31_536_000;
        /// Browsers of one person.
        sessions_max: usize, 1..=100;
        /// How long an invitation is good.
        invitation_s: Seconds, 60..=2_592_000;
        /// How long a link to a new password is good.
        reset_s: Seconds, 60..=604_800;
    }
}
