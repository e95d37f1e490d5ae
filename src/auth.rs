//! Who is asking: tokens (JWT) of operators, made and verified with keys that never leave the node.
//!
//! The key decides which algorithm a token must be signed with; a token's own header only has to agree.
//! Knows nothing of HTTP or the stream: both show it a token and get [`Claims`].

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::Jwk};
use rand::TryRngCore as _;
use schema::{
    ids::{OperatorId, TenantId},
    role::Role,
    time::Stamp,
};
use serde::{Deserialize, Serialize};

/// `iss` and `aud` of every token.
pub const NAME: &str = "deskwire";
/// Shortest HS256 secret, in bytes (RFC 7518 §3.2).
pub const SECRET_MIN: usize = 32;
/// Longest token that is looked at, in bytes.
pub const TOKEN_MAX: usize = 4_096;

/// PKCS#8 v1 of an Ed25519 key, before its 32 bytes (RFC 8410 §7).
const ED25519_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whose data.
    pub tenant: TenantId,
    /// Who asks.
    pub operator: OperatorId,
    /// What the token allows; what the tenant configured for the operator wins.
    pub role: Role,
    /// From then on the token is worth nothing.
    pub expires: Stamp,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Not a token, not ours, or made for somebody else.
    #[error("token is not valid")]
    Invalid,
    /// It was good once.
    #[error("token has expired")]
    Expired,
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("key file {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than the owner may read it.
    #[error("key file {path} can be read by others than its owner; run chmod 600")]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// Not a key of the kind it should be.
    #[error("{0}")]
    Unusable(&'static str),
    /// The system gives no randomness.
    #[error("no randomness from the system")]
    Randomness,
}

/// Key material, as configuration or the data directory holds it.
#[derive(Clone)]
pub enum Key {
    /// Ed25519 private key, PKCS#8 PEM: signs and verifies.
    Ed25519Private(Vec<u8>),
    /// Ed25519 public key, PEM: verifies tokens of another signer, or of the key before.
    Ed25519Public(Vec<u8>),
    /// Shared secret of at least [`SECRET_MIN`] bytes: signs and verifies.
    Hs256(Vec<u8>),
}

struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
}

struct Verifier {
    validation: Validation,
    key: DecodingKey,
}

/// Makes and verifies tokens.
pub struct Authenticator {
    signer: Option<Signer>,
    verifiers: Vec<Verifier>,
}

/// The token's body as it travels.
#[derive(Serialize, Deserialize)]
struct Body {
    iss: String,
    aud: String,
    sub: OperatorId,
    tenant: TenantId,
    role: Role,
    /// Seconds since the epoch.
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
}

impl Authenticator {
    /// Tokens are made with the first key that can sign, and accepted from any of them (rotation: old keys stay
    /// behind the new one until their tokens have expired).
    pub fn new(keys: &[Key]) -> Result<Self, KeyError> {
        let mut signer = None;
        let mut verifiers = Vec::with_capacity(keys.len());
        for key in keys {
            let (algorithm, encoding, decoding) = key.load()?;
            verifiers.push(Verifier { validation: validation(algorithm), key: decoding });
            if signer.is_none() {
                signer = encoding.map(|key| Signer { algorithm, key });
            }
        }
        if verifiers.is_empty() {
            return Err(KeyError::Unusable("no key to verify tokens with"));
        }
        Ok(Self { signer, verifiers })
    }

    /// What the token says, if one of the keys signed it and it is still good at `now`.
    pub fn verify(&self, token: &str, now: Stamp) -> Result<Claims, AuthError> {
        if token.len() > TOKEN_MAX {
            return Err(AuthError::Invalid);
        }
        let body = self.verifiers.iter().find_map(|verifier| verifier.open(token)).ok_or(AuthError::Invalid)?;
        let now_s = now.0 / 1_000_000;
        if body.nbf.is_some_and(|from| from > now_s) {
            return Err(AuthError::Invalid);
        }
        if body.exp <= now_s {
            return Err(AuthError::Expired);
        }
        let expires = Stamp(body.exp.saturating_mul(1_000_000));
        Ok(Claims { tenant: body.tenant, operator: body.sub, role: body.role, expires })
    }

    /// A token that says this. Fails only if none of the keys can sign.
    pub fn mint(&self, claims: &Claims) -> Result<String, KeyError> {
        let signer = self.signer.as_ref().ok_or(KeyError::Unusable("no key to sign tokens with"))?;
        let body = Body {
            iss: NAME.to_owned(),
            aud: NAME.to_owned(),
            sub: claims.operator.clone(),
            tenant: claims.tenant.clone(),
            role: claims.role,
            exp: claims.expires.0 / 1_000_000,
            nbf: None,
        };
        jsonwebtoken::encode(&Header::new(signer.algorithm), &body, &signer.key)
            .map_err(|_| KeyError::Unusable("the signing key does not sign"))
    }
}

impl Verifier {
    fn open(&self, token: &str) -> Option<Body> {
        jsonwebtoken::decode::<Body>(token, &self.key, &self.validation).ok().map(|data| data.claims)
    }
}

impl Key {
    fn load(&self) -> Result<(Algorithm, Option<EncodingKey>, DecodingKey), KeyError> {
        match self {
            Self::Ed25519Private(pem) => {
                let unusable = |_| KeyError::Unusable("not an Ed25519 private key in PKCS#8 PEM");
                let signing = EncodingKey::from_ed_pem(pem).map_err(unusable)?;
                let public = Jwk::from_encoding_key(&signing, Algorithm::EdDSA).map_err(unusable)?;
                let verifying = DecodingKey::from_jwk(&public).map_err(unusable)?;
                Ok((Algorithm::EdDSA, Some(signing), verifying))
            }
            Self::Ed25519Public(pem) => {
                let verifying = DecodingKey::from_ed_pem(pem)
                    .map_err(|_| KeyError::Unusable("not an Ed25519 public key in PEM"))?;
                Ok((Algorithm::EdDSA, None, verifying))
            }
            Self::Hs256(secret) if secret.len() < SECRET_MIN => {
                Err(KeyError::Unusable("an HS256 secret needs at least 32 bytes"))
            }
            Self::Hs256(secret) => {
                Ok((Algorithm::HS256, Some(EncodingKey::from_secret(secret)), DecodingKey::from_secret(secret)))
            }
        }
    }
}

/// Time is checked by us, against the clock we are given.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[NAME]);
    validation.set_audience(&[NAME]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    validation
}

/// The node's own signing key under `directory`, made at first start in a file that only its owner can read.
/// Lost with the file: every token it signed.
pub fn signing_key(directory: &Path) -> Result<Key, KeyError> {
    let path = directory.join("token-signing.pem");
    match read_private(&path)? {
        Some(pem) => Ok(Key::Ed25519Private(pem)),
        None => {
            write_private(&path, &new_ed25519_pem()?)?;
            let pem = read_private(&path)?.ok_or(KeyError::Unusable("the signing key vanished after it was made"))?;
            Ok(Key::Ed25519Private(pem))
        }
    }
}

/// A secret of 32 bytes in a file of its own under `directory`, made at first use.
pub fn secret_file(directory: &Path, name: &str) -> Result<[u8; 32], KeyError> {
    let path = directory.join(name);
    match read_private(&path)? {
        Some(bytes) => bytes.try_into().map_err(|_| KeyError::Unusable("a secret file holds exactly 32 bytes")),
        None => {
            write_private(&path, &random_bytes()?)?;
            secret_file(directory, name)
        }
    }
}

fn new_ed25519_pem() -> Result<Vec<u8>, KeyError> {
    let mut der = ED25519_PREFIX.to_vec();
    der.extend_from_slice(&random_bytes()?);
    let body = STANDARD.encode(der);
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n").into_bytes())
}

/// Keys need the system's randomness, which no seed can repeat.
fn random_bytes() -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|_| KeyError::Randomness)?;
    Ok(bytes)
}

fn read_private(path: &Path) -> Result<Option<Vec<u8>>, KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let file_error = |source| KeyError::File { path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Err(KeyError::Exposed { path: path.to_owned() }),
        Ok(_) => fs::read(path).map(Some).map_err(file_error),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(error)),
    }
}

/// Never half a key: written beside, synced, then renamed into place.
/// Writes a new file beside its place and links it there: of two processes that start at once, one wins, and both
/// read the winner's bytes afterwards.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let file_error = |source| KeyError::File { path: path.to_owned(), source };
    let beside = path.with_extension(format!("new-{}", hex::encode(&random_bytes()?[..8])));
    let write = || -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let linked = match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        };
        fs::remove_file(&beside)?;
        linked?;
        path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
    };
    write().map_err(file_error)
}

#[cfg(test)]
mod tests;
