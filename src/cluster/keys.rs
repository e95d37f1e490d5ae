//! What nodes know each other by: a secret for gossip, and certificates of one authority for the relay.

use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use ring::rand::{SecureRandom as _, SystemRandom};

/// The name that every node's certificate must hold: nodes come and go, and with them their addresses.
pub(super) const NAME: &str = "deskwire-node";

/// Why keys could not be made.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file is there already, or cannot be written.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// No key or certificate could be made.
    #[error("{0}")]
    Made(String),
}

fn made(error: impl std::fmt::Display) -> KeysError {
    KeysError::Made(error.to_string())
}

/// Makes `secret`, `ca.pem`, `ca.key`, `node.pem` and `node.key` in a directory. Nothing that is there is replaced.
pub fn make(directory: &Path) -> Result<(), KeysError> {
    std::fs::create_dir_all(directory).map_err(|error| file(directory, &error))?;
    let mut secret = [0; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| made("no randomness"))?;
    let authority_key = KeyPair::generate().map_err(made)?;
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "deskwire cluster");
    let authority_certificate = authority.self_signed(&authority_key).map_err(made)?;
    let node_key = KeyPair::generate().map_err(made)?;
    let node = CertificateParams::new([NAME.to_owned()]).map_err(made)?;
    let issuer = Issuer::new(authority, &authority_key);
    let node_certificate = node.signed_by(&node_key, &issuer).map_err(made)?;
    let files = [
        ("secret", hex::encode(secret)),
        ("ca.pem", authority_certificate.pem()),
        ("ca.key", authority_key.serialize_pem()),
        ("node.pem", node_certificate.pem()),
        ("node.key", node_key.serialize_pem()),
    ];
    for (name, content) in files {
        write(&directory.join(name), &content)?;
    }
    Ok(())
}

fn write(path: &Path, content: &str) -> Result<(), KeysError> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut it| it.write_all(content.as_bytes()).and_then(|()| it.sync_all()));
    written.map_err(|error| file(path, &error))
}

fn file(path: &Path, error: &std::io::Error) -> KeysError {
    KeysError::File { path: path.display().to_string(), reason: error.to_string() }
}
