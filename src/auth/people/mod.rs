//! People who sign in with e-mail and password: invitations, sessions, and what is kept of them in the sealed table.
//!
//! Secrets (passwords, links, cookies) are kept as hashes only. Knows nothing of HTTP, roles or the log: what somebody
//! may do is the tenant's to say, each time.

mod attempts;
mod password;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use rand::TryRngCore as _;
use schema::{
    ids::{OperatorId, SessionId, TenantId},
    person::{EMAIL_MAX, Link, PageSession, Person, SignedIn},
    time::Stamp,
};
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};
use uuid::Uuid;

use self::{attempts::Attempts, password::Passwords};

/// Longest name of a browser that is kept, in characters.
const AGENT_MAX: usize = 120;
/// Between two looks for what other nodes have changed, at least.
const LOOK_AT_MOST: Duration = Duration::from_millis(250);
/// Accounts with one e-mail that a password is tried on: an e-mail may be somebody at several tenants.
const SAME_EMAIL_MAX: usize = 4;

/// Whose record.
pub type Who = (TenantId, OperatorId);
/// Every record of the sealed table.
pub type AllPeople = Arc<dyn Fn() -> Vec<(TenantId, OperatorId, Vec<u8>)> + Send + Sync>;
/// Keeps a record, an empty one forgets; durable when it returns, else why not.
pub type PutPerson = Arc<dyn Fn(Who, Vec<u8>) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Every record, if another node may have changed one since this was last asked; else why it cannot be told.
pub type ChangedPeople =
    Arc<dyn Fn() -> BoxFuture<'static, Result<Option<Vec<(TenantId, OperatorId, Vec<u8>)>>, String>> + Send + Sync>;

/// The sealed table of people.
#[derive(Clone)]
pub struct PeopleTable {
    /// Reads all of it.
    pub all: AllPeople,
    /// Reads it again; none: no other node can change it.
    pub changed: Option<ChangedPeople>,
    /// Writes one.
    pub put: PutPerson,
}

impl PeopleTable {
    /// For tests of the edges.
    pub fn in_memory() -> Self {
        let rows: Arc<std::sync::Mutex<BTreeMap<Who, Vec<u8>>>> = Arc::default();
        let read = rows.clone();
        Self {
            all: Arc::new(move || {
                let rows = read.lock().unwrap_or_else(PoisonError::into_inner);
                rows.iter().map(|((tenant, operator), row)| (tenant.clone(), operator.clone(), row.clone())).collect()
            }),
            changed: None,
            put: Arc::new(move |who, row| {
                let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                if row.is_empty() {
                    drop(rows.remove(&who))
                } else {
                    drop(rows.insert(who, row))
                }
                Box::pin(std::future::ready(Ok(())))
            }),
        }
    }
}

/// How long things are good, and how often they may be tried.
#[derive(Debug, Clone)]
pub struct PeopleLimits {
    /// Tries with one e-mail.
    pub attempts_per_minute: NonZeroU32,
    /// Tries of one peer.
    pub peer_attempts_per_minute: NonZeroU32,
    /// How long a browser stays signed in.
    pub session: Duration,
    /// Browsers of one person; with another the oldest ends.
    pub sessions_max: usize,
    /// How long an invitation is good.
    pub invitation: Duration,
    /// How long a link to set a new password is good.
    pub reset: Duration,
}

/// Why somebody is not let in, or a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// The two do not belong together, or nobody has that e-mail.
    #[error("e-mail or password is wrong")]
    Credentials,
    /// Used, replaced or too old.
    #[error("the link is spent")]
    Link,
    /// Too short or too long.
    #[error("not a password that may be set")]
    Password,
    /// Not an e-mail address.
    #[error("not an e-mail address")]
    Email,
    /// Somebody has a password under that name already.
    #[error("has a password already")]
    Taken,
    /// Nobody signs in by that name.
    #[error("nobody signs in by that name")]
    Unknown,
    /// Too many tries.
    #[error("too many tries")]
    TooOften {
        /// When to try again.
        retry_after: Duration,
    },
    /// The machine, or the sealed table, cannot take it now.
    #[error("not now")]
    Busy,
}

/// Somebody's browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Who.
    pub who: Who,
    /// Which browser.
    pub session: SessionId,
    /// When it ends by itself.
    pub until: Stamp,
}

/// Everybody who signs in, and where. One per process.
pub struct People {
    table: PeopleTable,
    limits: PeopleLimits,
    known: RwLock<Known>,
    /// One change at a time: what is kept follows what is decided.
    changing: Mutex<()>,
    /// When it was last looked for what other nodes have changed.
    looked: Mutex<Option<Instant>>,
    passwords: Passwords,
    attempts: Attempts,
    /// Told when a session ends: streams look whether it was theirs.
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct Known {
    people: BTreeMap<Who, Person>,
    /// Sessions, and when each ends.
    sessions: HashMap<SessionId, Stamp>,
}

impl Known {
    fn of(rows: Vec<(TenantId, OperatorId, Vec<u8>)>) -> Self {
        let mut known = Self::default();
        for (tenant, operator, record) in rows {
            match serde_json::from_slice::<Person>(&record) {
                Ok(person) => known.put((tenant, operator), Some(person)),
                Err(_) => tracing::error!(%tenant, %operator, "what somebody signs in with cannot be read"),
            }
        }
        known
    }

    fn put(&mut self, who: Who, person: Option<Person>) {
        let before = match person {
            Some(person) => {
                let sessions: Vec<_> = person.sessions.iter().map(|session| (session.id, session.until)).collect();
                let before = self.people.insert(who, person);
                self.forget_sessions(before.as_ref());
                self.sessions.extend(sessions);
                return;
            }
            None => self.people.remove(&who),
        };
        self.forget_sessions(before.as_ref());
    }

    fn forget_sessions(&mut self, person: Option<&Person>) {
        for session in person.into_iter().flat_map(|person| &person.sessions) {
            self.sessions.remove(&session.id);
        }
    }
}

impl People {
    pub(super) fn new(table: PeopleTable, limits: PeopleLimits, ended: watch::Sender<()>) -> Result<Self, PeopleError> {
        let known = RwLock::new(Known::of((table.all)()));
        let (attempts, passwords) = (Attempts::new(&limits), Passwords::new()?);
        let (changing, looked) = (Mutex::new(()), Mutex::new(None));
        Ok(Self { table, limits, known, changing, looked, passwords, attempts, ended })
    }

    /// Learns what other nodes have changed. Returns after a look that began after this was called; whoever comes meanwhile
    /// shares the next one, so that nobody can make the store busy by asking.
    pub async fn look_again(&self) {
        let Some(changed) = &self.table.changed else { return };
        let asked = Instant::now();
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|at| at >= asked) {
            return;
        }
        if let Some(at) = *looked {
            tokio::time::sleep_until(at + LOOK_AT_MOST).await;
        }
        *looked = Some(Instant::now());
        self.read_again(changed).await;
    }

    async fn read_again(&self, changed: &ChangedPeople) {
        let _one = self.changing.lock().await;
        let rows = match changed().await {
            Ok(None) => return,
            Ok(Some(rows)) => rows,
            Err(error) => return tracing::warn!(error, "what other nodes know of people could not be read"),
        };
        let now = Known::of(rows);
        let has_ended = {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            let is_over = |session: &SessionId| !now.sessions.contains_key(session);
            let has_ended = known.sessions.keys().any(is_over);
            *known = now;
            has_ended
        };
        if has_ended {
            self.ended.send_replace(());
        }
    }

    /// Whether a browser is still signed in.
    pub fn is_signed_in(&self, session: SessionId, now: Stamp) -> bool {
        self.known().sessions.get(&session).is_some_and(|until| now < *until)
    }

    /// A link for somebody new; whatever link they had is spent.
    pub async fn invite(&self, who: Who, email: &str, now: Stamp) -> Result<(String, Stamp), PeopleError> {
        let email = address(email)?;
        let _one = self.changing.lock().await;
        if self.person(&who).is_some_and(|person| person.password.is_some()) {
            return Err(PeopleError::Taken);
        }
        let person = Person { email, password: None, link: None, sessions: Vec::new() };
        self.make_link(who, person, now.plus(self.limits.invitation)).await
    }

    /// A link to set a new password; the old one is good until then.
    pub async fn reset(&self, who: Who, now: Stamp) -> Result<(String, Stamp), PeopleError> {
        let _one = self.changing.lock().await;
        let person = self.person(&who).ok_or(PeopleError::Unknown)?;
        let good = if person.password.is_some() { self.limits.reset } else { self.limits.invitation };
        self.make_link(who, person, now.plus(good)).await
    }

    async fn make_link(&self, who: Who, person: Person, until: Stamp) -> Result<(String, Stamp), PeopleError> {
        let (secret, hash) = secret()?;
        self.keep(who, Person { link: Some(Link { hash, until }), ..person }).await?;
        Ok((secret, until))
    }

    /// Whose link it is, also where another node has made it a moment ago.
    pub async fn look(&self, link: &str, peer: Option<IpAddr>, now: Stamp) -> Result<(Who, Person), PeopleError> {
        self.attempts.peer(peer)?;
        if let Ok(found) = self.by_link(link, now) {
            return Ok(found);
        }
        self.look_again().await;
        self.by_link(link, now)
    }

    fn by_link(&self, link: &str, now: Stamp) -> Result<(Who, Person), PeopleError> {
        let hash = digest(link.as_bytes());
        let fits = |person: &Person| person.link.as_ref().is_some_and(|link| link.hash == hash && now < link.until);
        let known = self.known();
        let found = known.people.iter().find(|(_, person)| fits(person));
        found.map(|(who, person)| (who.clone(), person.clone())).ok_or(PeopleError::Link)
    }

    /// Sets a password by a link, which is spent then; every browser of before is signed out, this one is in.
    pub async fn join(
        &self,
        link: &str,
        password: String,
        (agent, peer): (&str, Option<IpAddr>),
        now: Stamp,
    ) -> Result<(Visitor, String), PeopleError> {
        self.attempts.peer(peer)?;
        Passwords::check(&password)?;
        self.by_link(link, now)?;
        let hash = self.passwords.hash(password).await?;
        let _one = self.changing.lock().await;
        let (who, person) = self.by_link(link, now)?;
        let person = Person { password: Some(hash), link: None, sessions: Vec::new(), ..person };
        let begun = self.begin(who, person, agent, now).await;
        self.ended.send_replace(());
        begun
    }

    /// Signs in; gives the cookie, which is kept nowhere else.
    pub async fn sign_in(
        &self,
        (email, password): (&str, String),
        tenant: Option<&TenantId>,
        (agent, peer): (&str, Option<IpAddr>),
        now: Stamp,
    ) -> Result<(Visitor, String), PeopleError> {
        self.attempts.peer(peer)?;
        let email = address(email).map_err(|_| PeopleError::Credentials)?;
        self.attempts.email(&email)?;
        let found = self.by_email(&email, tenant);
        let hashes = found.iter().map(|(_, hash)| hash.clone()).collect();
        let which = self.passwords.find(hashes, password).await?.ok_or(PeopleError::Credentials)?;
        let (who, hash) = found.into_iter().nth(which).ok_or(PeopleError::Credentials)?;
        let _one = self.changing.lock().await;
        // It may have been replaced while it was checked.
        let same = |person: &Person| person.password.as_ref() == Some(&hash);
        let person = self.person(&who).filter(same).ok_or(PeopleError::Credentials)?;
        self.begin(who, person, agent, now).await
    }

    fn by_email(&self, email: &str, tenant: Option<&TenantId>) -> Vec<(Who, String)> {
        let known = self.known();
        let theirs = known
            .people
            .iter()
            .filter(|((at, _), person)| person.email == email && tenant.is_none_or(|tenant| tenant == at));
        let found = theirs.filter_map(|(who, person)| Some((who.clone(), person.password.clone()?)));
        found.take(SAME_EMAIL_MAX).collect()
    }

    async fn begin(
        &self,
        who: Who,
        mut person: Person,
        agent: &str,
        now: Stamp,
    ) -> Result<(Visitor, String), PeopleError> {
        let (secret, hash) = secret()?;
        let id: [u8; 32] = Sha256::digest(hash.as_bytes()).into();
        let id = SessionId(Uuid::from_bytes(id[..16].try_into().map_err(|_| PeopleError::Busy)?));
        let until = now.plus(self.limits.session);
        let agent = agent.chars().filter(|letter| !letter.is_control()).take(AGENT_MAX).collect();
        person.sessions.retain(|session| now < session.until);
        let many = (person.sessions.len() + 1).saturating_sub(self.limits.sessions_max);
        person.sessions.drain(..many);
        person.sessions.push(SignedIn { id, hash, since: now, until, agent });
        self.keep(who.clone(), person).await?;
        if many > 0 {
            self.ended.send_replace(());
        }
        Ok((Visitor { who, session: id, until }, secret))
    }

    /// Whose cookie it is.
    pub fn visitor(&self, cookie: &str, now: Stamp) -> Option<Visitor> {
        let hash = digest(cookie.as_bytes());
        let known = self.known();
        known.people.iter().find_map(|(who, person)| {
            let session = person.sessions.iter().find(|session| session.hash == hash && now < session.until)?;
            Some(Visitor { who: who.clone(), session: session.id, until: session.until })
        })
    }

    /// The same, also where another node has let them in a moment ago.
    pub async fn whose(&self, cookie: &str, now: Stamp) -> Option<Visitor> {
        if let Some(visitor) = self.visitor(cookie, now) {
            return Some(visitor);
        }
        self.look_again().await;
        self.visitor(cookie, now)
    }

    /// Where somebody is signed in, newest first; and their e-mail.
    pub fn sessions(&self, visitor: &Visitor, now: Stamp) -> Option<(String, Vec<PageSession>)> {
        let person = self.person(&visitor.who)?;
        let live = person.sessions.into_iter().rev().filter(|session| now < session.until);
        let rows = live.map(|session| PageSession {
            id: session.id,
            since: session.since,
            until: session.until,
            agent: session.agent,
            current: session.id == visitor.session,
        });
        Some((person.email, rows.collect()))
    }

    /// Signs one browser out, or with `None` every one. Streams that were opened by them end.
    pub async fn sign_out(&self, who: &Who, session: Option<SessionId>) -> Result<(), PeopleError> {
        let _one = self.changing.lock().await;
        let Some(mut person) = self.person(who) else { return Ok(()) };
        person.sessions.retain(|known| session.is_some_and(|session| session != known.id));
        let kept = self.keep(who.clone(), person).await;
        self.ended.send_replace(());
        kept
    }

    /// Forgets somebody: password, link, e-mail and every browser.
    pub async fn forget(&self, who: &Who) -> Result<(), PeopleError> {
        let _one = self.changing.lock().await;
        if self.person(who).is_none() {
            return Ok(());
        }
        self.put(who, Vec::new()).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).put(who.clone(), None);
        self.ended.send_replace(());
        Ok(())
    }

    /// What is kept of somebody.
    pub fn person(&self, who: &Who) -> Option<Person> {
        self.known().people.get(who).cloned()
    }

    /// Durable first, then known.
    async fn keep(&self, who: Who, person: Person) -> Result<(), PeopleError> {
        let record = serde_json::to_vec(&person).map_err(|_| PeopleError::Busy)?;
        self.put(&who, record).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).put(who, Some(person));
        Ok(())
    }

    async fn put(&self, who: &Who, record: Vec<u8>) -> Result<(), PeopleError> {
        (self.table.put)(who.clone(), record).await.map_err(|error| unavailable(who, &error))
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable((tenant, operator): &Who, error: &str) -> PeopleError {
    tracing::error!(%tenant, %operator, error, "what somebody signs in with could not be stored");
    PeopleError::Busy
}

/// In lower case, with one @ and something on both sides; whether it is anybody's only a message to it would show.
fn address(text: &str) -> Result<String, PeopleError> {
    let email = text.trim().to_lowercase();
    let whole = email.len() <= EMAIL_MAX && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    let parts =
        email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if whole && parts { Ok(email) } else { Err(PeopleError::Email) }
}

/// 256 random bits as text, and the hash that is kept of them.
fn secret() -> Result<(String, String), PeopleError> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|_| PeopleError::Busy)?;
    let secret = URL_SAFE_NO_PAD.encode(bytes);
    let hash = digest(secret.as_bytes());
    Ok((secret, hash))
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
