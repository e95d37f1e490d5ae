//! Who is asking: tokens (JWT) of operators, made and verified with keys that never leave the node.
//!
//! The key decides which algorithm a token must be signed with; a token's own header only has to agree, and names the
//! key (`kid`). Knows nothing of HTTP or the stream: both show it a token and get [`Claims`].

mod files;
mod known;
pub mod people;
pub mod ring;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{AlgorithmParameters, Jwk},
};
use schema::{
    ids::{OperatorId, SessionId, TenantId},
    role::Role,
    time::Stamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use self::{
    known::Known,
    people::{People, PeopleError, PeopleLimits, PeopleTable},
};
pub use files::secret_file;

/// `iss` and `aud` of every token.
pub const NAME: &str = "deskwire";
/// Shortest HS256 secret, in bytes (RFC 7518 §3.2).
pub const SECRET_MIN: usize = 32;
/// Longest token that is looked at, in bytes.
pub const TOKEN_MAX: usize = 4_096;

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

/// Stands for the key that opened a token; says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyMark(u64);

/// What a token was let in by: its key and, if somebody signed in for it, where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    key: KeyMark,
    session: Option<SessionId>,
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

/// A key, and until when it is good.
#[derive(Clone)]
pub struct Term {
    /// The key.
    pub key: Key,
    /// From then on it verifies nothing; none: no end is set.
    pub until: Option<Stamp>,
}

impl From<Key> for Term {
    fn from(key: Key) -> Self {
        Self { key, until: None }
    }
}

struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    id: Option<String>,
}

struct Verifier {
    validation: Validation,
    key: DecodingKey,
    id: Option<String>,
    mark: KeyMark,
    until: Option<Stamp>,
}

/// The keys of one moment.
struct Keys {
    signer: Option<Signer>,
    verifiers: Vec<Verifier>,
    /// What these keys have opened.
    known: Known,
}

/// Makes and verifies tokens. Its keys can be replaced while it is used.
pub struct Authenticator {
    keys: ArcSwap<Keys>,
    leeway: Duration,
    look_again: OnceLock<Box<dyn Fn() + Send + Sync>>,
    replaced: watch::Sender<()>,
    people: OnceLock<Arc<People>>,
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
    /// Where somebody signed in for it: it ends with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
}

impl Authenticator {
    /// With keys that have no end, and clocks that agree.
    pub fn new(keys: &[Key]) -> Result<Self, KeyError> {
        let terms: Vec<Term> = keys.iter().cloned().map(Term::from).collect();
        Self::with(&terms, Duration::ZERO)
    }

    /// Tokens are made with the first key that can sign, and accepted from any of them (rotation: old keys stay
    /// behind the new one until their tokens have expired). `leeway`: how far the clocks of who mints may be off.
    pub fn with(keys: &[Term], leeway: Duration) -> Result<Self, KeyError> {
        let keys = ArcSwap::from_pointee(Keys::of(keys)?);
        Ok(Self {
            keys,
            leeway,
            look_again: OnceLock::new(),
            replaced: watch::Sender::new(()),
            people: OnceLock::new(),
        })
    }

    /// From now on these are the keys.
    pub fn replace(&self, keys: &[Term]) -> Result<(), KeyError> {
        self.keys.store(Keys::of(keys)?.into());
        self.replaced.send_replace(());
        Ok(())
    }

    /// People who sign in: tokens that were made for a session end with it. Only the first call counts.
    pub fn people(&self, table: PeopleTable, limits: PeopleLimits) -> Result<Arc<People>, PeopleError> {
        let people = Arc::new(People::new(table, limits, self.replaced.clone())?);
        Ok(self.people.get_or_init(|| people).clone())
    }

    /// Changes whenever the keys do, or a session ends: who was let in for long asks again then whether what it was let
    /// in by is [trusted](Self::trusts).
    pub fn replaced(&self) -> watch::Receiver<()> {
        self.replaced.subscribe()
    }

    /// Whether what a token was let in by is still good.
    pub fn trusts(&self, grant: Grant, now: Stamp) -> bool {
        self.keys.load().is_good(grant.key, now) && self.is_signed_in(grant.session, now)
    }

    fn is_signed_in(&self, session: Option<SessionId>, now: Stamp) -> bool {
        session.is_none_or(|session| self.people.get().is_some_and(|people| people.is_signed_in(session, now)))
    }

    /// Before a token of a key that nobody knows is refused, `look` may replace the keys: it may be newer than they
    /// are. Whoever looks limits how often; anybody can make such a token. Only the first call counts.
    pub fn on_unknown_key(&self, look: Box<dyn Fn() + Send + Sync>) {
        drop(self.look_again.set(look));
    }

    /// What the token says, if one of the keys signed it and it is still good at `now`.
    pub fn verify(&self, token: &str, now: Stamp) -> Result<Claims, AuthError> {
        self.admit(token, now).map(|(claims, _)| claims)
    }

    /// The same, with what it was let in by: for whoever stays longer than one request.
    pub fn admit(&self, token: &str, now: Stamp) -> Result<(Claims, Grant), AuthError> {
        if token.len() > TOKEN_MAX {
            return Err(AuthError::Invalid);
        }
        let opened = self.open(token, now).ok_or(AuthError::Invalid)?;
        let (body, key) = &*opened;
        if body.nbf.is_some_and(|from| Stamp(from.saturating_mul(1_000_000)) > now.plus(self.leeway)) {
            return Err(AuthError::Invalid);
        }
        let expires = Stamp(body.exp.saturating_mul(1_000_000));
        if expires.plus(self.leeway) <= now {
            return Err(AuthError::Expired);
        }
        if !self.is_signed_in(body.sid, now) {
            return Err(AuthError::Invalid);
        }
        let grant = Grant { key: *key, session: body.sid };
        Ok((Claims { tenant: body.tenant.clone(), operator: body.sub.clone(), role: body.role, expires }, grant))
    }

    /// The same, also where another node has begun the token's session a moment ago. Only a token that one of the keys signed
    /// makes us look.
    pub async fn admit_anew(&self, token: &str, now: Stamp) -> Result<(Claims, Grant), AuthError> {
        let admitted = self.admit(token, now);
        let (Err(AuthError::Invalid), Some(people), true) = (&admitted, self.people.get(), token.len() <= TOKEN_MAX)
        else {
            return admitted;
        };
        let session = self.open(token, now).and_then(|opened| opened.0.sid);
        if session.is_none_or(|session| people.is_signed_in(session, now)) {
            return admitted;
        }
        people.look_again().await;
        self.admit(token, now)
    }

    fn open(&self, token: &str, now: Stamp) -> Option<Arc<(Body, KeyMark)>> {
        if let Some(known) = self.keys.load().known(token, now) {
            return Some(known);
        }
        let named = jsonwebtoken::decode_header(token).ok()?.kid;
        let named = named.as_deref();
        let opened = self.keys.load().open(token, named, now);
        let (None, Some(name), Some(look)) = (&opened, named, self.look_again.get()) else { return opened };
        if self.keys.load().knows(name) {
            return None;
        }
        look();
        self.keys.load().open(token, named, now)
    }

    /// A token that says this. Fails only if none of the keys can sign.
    pub fn mint(&self, claims: &Claims) -> Result<String, KeyError> {
        self.mint_for(claims, None)
    }

    /// The same for a session: the token ends with it, also before its time.
    pub fn mint_for(&self, claims: &Claims, session: Option<SessionId>) -> Result<String, KeyError> {
        let keys = self.keys.load();
        let signer = keys.signer.as_ref().ok_or(KeyError::Unusable("no key to sign tokens with"))?;
        let body = Body {
            iss: NAME.to_owned(),
            aud: NAME.to_owned(),
            sub: claims.operator.clone(),
            tenant: claims.tenant.clone(),
            role: claims.role,
            exp: claims.expires.0 / 1_000_000,
            nbf: None,
            sid: session,
        };
        let header = Header { kid: signer.id.clone(), ..Header::new(signer.algorithm) };
        jsonwebtoken::encode(&header, &body, &signer.key)
            .map_err(|_| KeyError::Unusable("the signing key does not sign"))
    }
}

impl Keys {
    fn of(terms: &[Term]) -> Result<Self, KeyError> {
        let mut signer = None;
        let mut verifiers = Vec::with_capacity(terms.len());
        for Term { key, until } in terms {
            let Loaded { algorithm, signing, verifying, id } = key.load()?;
            let (validation, mark) = (validation(algorithm), key.mark(id.as_deref()));
            verifiers.push(Verifier { validation, key: verifying, id: id.clone(), mark, until: *until });
            if signer.is_none() {
                signer = signing.map(|key| Signer { algorithm, key, id });
            }
        }
        if verifiers.is_empty() {
            return Err(KeyError::Unusable("no key to verify tokens with"));
        }
        Ok(Self { signer, verifiers, known: Known::new() })
    }

    fn knows(&self, name: &str) -> bool {
        self.verifiers.iter().any(|verifier| verifier.id.as_deref() == Some(name))
    }

    /// A key with a name opens only tokens that bear it, or none (they are older than names); a shared secret has none,
    /// and whoever else mints with it may call it what they like.
    fn open(&self, token: &str, named: Option<&str>, now: Stamp) -> Option<Arc<(Body, KeyMark)>> {
        let fits = |verifier: &&Verifier| {
            let names = verifier.id.is_none() || named.is_none() || verifier.id.as_deref() == named;
            names && verifier.is_good(now)
        };
        let mut verifiers = self.verifiers.iter().filter(fits);
        let opened = verifiers.find_map(|verifier| Some((verifier.open(token)?, verifier.mark)))?;
        Some(self.known.put(token, opened))
    }

    /// A token that was opened before, if the key that did is still good.
    fn known(&self, token: &str, now: Stamp) -> Option<Arc<(Body, KeyMark)>> {
        self.known.get(token).filter(|known| self.is_good(known.1, now))
    }

    fn is_good(&self, key: KeyMark, now: Stamp) -> bool {
        self.verifiers.iter().any(|verifier| verifier.mark == key && verifier.is_good(now))
    }
}

impl Verifier {
    fn is_good(&self, now: Stamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn open(&self, token: &str) -> Option<Body> {
        jsonwebtoken::decode::<Body>(token, &self.key, &self.validation).ok().map(|data| data.claims)
    }
}

/// A key as the library takes it.
struct Loaded {
    algorithm: Algorithm,
    signing: Option<EncodingKey>,
    verifying: DecodingKey,
    id: Option<String>,
}

impl Key {
    /// A key that is told by its name has the same mark in both halves.
    fn mark(&self, id: Option<&str>) -> KeyMark {
        let told = match (id, self) {
            (Some(id), _) => id.as_bytes(),
            (None, Self::Ed25519Private(bytes) | Self::Ed25519Public(bytes) | Self::Hs256(bytes)) => bytes,
        };
        let digest: [u8; 32] = Sha256::digest(told).into();
        KeyMark(u64::from_le_bytes(digest[..8].try_into().expect("eight bytes")))
    }

    fn load(&self) -> Result<Loaded, KeyError> {
        match self {
            Self::Ed25519Private(pem) => {
                let public = public_key(pem)?;
                let unusable = |_| KeyError::Unusable("not an Ed25519 private key in PKCS#8 PEM");
                let signing = Some(EncodingKey::from_ed_pem(pem).map_err(unusable)?);
                let verifying = DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(public)).map_err(unusable)?;
                Ok(Loaded { algorithm: Algorithm::EdDSA, signing, verifying, id: Some(key_id(&public)) })
            }
            Self::Ed25519Public(pem) => {
                let unusable = KeyError::Unusable("not an Ed25519 public key in PEM");
                let Ok(verifying) = DecodingKey::from_ed_pem(pem) else { return Err(unusable) };
                let id = ring::raw_public(pem).map(|public| key_id(&public)).ok_or(unusable)?;
                Ok(Loaded { algorithm: Algorithm::EdDSA, signing: None, verifying, id: Some(id) })
            }
            Self::Hs256(secret) if secret.len() < SECRET_MIN => {
                Err(KeyError::Unusable("an HS256 secret needs at least 32 bytes"))
            }
            Self::Hs256(secret) => {
                let signing = Some(EncodingKey::from_secret(secret));
                let verifying = DecodingKey::from_secret(secret);
                Ok(Loaded { algorithm: Algorithm::HS256, signing, verifying, id: None })
            }
        }
    }
}

/// The 32 bytes of the public half.
fn public_key(pem: &[u8]) -> Result<[u8; 32], KeyError> {
    let unusable = || KeyError::Unusable("not an Ed25519 private key in PKCS#8 PEM");
    let signing = EncodingKey::from_ed_pem(pem).map_err(|_| unusable())?;
    let public = Jwk::from_encoding_key(&signing, Algorithm::EdDSA).map_err(|_| unusable())?;
    let AlgorithmParameters::OctetKeyPair(pair) = public.algorithm else { return Err(unusable()) };
    let bytes = URL_SAFE_NO_PAD.decode(pair.x).map_err(|_| unusable())?;
    bytes.try_into().map_err(|_| unusable())
}

/// What `kid` says: the beginning of the public key's SHA-256, in hex.
fn key_id(public: &[u8; 32]) -> String {
    hex::encode(&Sha256::digest(public)[..8])
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

#[cfg(test)]
mod tests;
