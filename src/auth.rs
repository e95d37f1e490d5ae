//! Tokens: who may do what. Mints and verifies the JWTs that stream and REST take.
