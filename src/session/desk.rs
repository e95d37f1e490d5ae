//! What a session holds once its operator is known: a place in the feed, subscriptions, presence.

use std::time::Duration;

use actors::{
    feed::Cursor,
    presence::{ClientId, News},
    tenant::TenantHandle,
    trace,
};
use schema::{
    codes::Close,
    ids::{Offset, OperatorId},
    role::Role,
};
use tokio::sync::{broadcast, watch};

use super::{
    connection::Wake,
    fanout::Member,
    filter::Filter,
    lane::{Lane, Written},
    limits::Seat,
    transport::Stop,
};
use crate::auth::{Claims, Grant};

/// An operator at work.
pub(super) struct Desk {
    pub(super) tenant: TenantHandle,
    pub(super) operator: OperatorId,
    /// What the token allows.
    pub(super) token_role: Role,
    /// The role in force.
    pub(super) role: Role,
    /// The inbox: everything up to its position was sent.
    pub(super) cursor: Cursor,
    pub(super) filters: Vec<Filter>,
    /// Its place in the fan-out; none: its socket is not there to be written to by others.
    pub(super) member: Option<Member>,
    /// Set while subscribed to presence.
    pub(super) presence: Option<broadcast::Receiver<News>>,
    rights: watch::Receiver<Offset>,
    /// What its token was let in by, and when keys are replaced or sessions end.
    pub(super) grant: Grant,
    keys: watch::Receiver<()>,
    pub(super) seat: Seat,
    online: Online,
}

/// What a desk waits for.
pub(super) enum Turn {
    /// Somebody's rights changed.
    Rights,
    /// Keys were replaced or sessions ended: what its token was let in by may be forgotten.
    Keys,
    /// Presence news; none: some were missed.
    Presence(Option<News>),
    /// A subscription is catching up.
    CatchUp,
}

impl Desk {
    pub(super) fn new(
        tenant: TenantHandle,
        (claims, grant): (&Claims, Grant),
        mut keys: watch::Receiver<()>,
        role: Role,
        cursor: Cursor,
        seat: Seat,
        client: ClientId,
    ) -> Self {
        // The keys may have been replaced since the token was looked at.
        keys.mark_changed();
        let rights = tenant.feed().rights();
        let online = Online::new(&tenant, client, &claims.operator);
        Self {
            tenant,
            operator: claims.operator.clone(),
            token_role: claims.role,
            role,
            cursor,
            filters: Vec::new(),
            member: None,
            presence: None,
            rights,
            grant,
            keys,
            seat,
            online,
        }
    }

    /// The two things it waits for: events, and everything else.
    pub(super) fn waits(&mut self) -> (Events<'_>, Others<'_>) {
        let catching_up = self.filters.iter().any(|filter| !filter.is_live());
        let Self { cursor, presence, rights, keys, member, .. } = self;
        let events = match member.as_ref().map(Member::lane).filter(|lane| !lane.is_held()) {
            Some(lane) => Events::Parked(lane),
            None => Events::Own(cursor),
        };
        (events, Others { catching_up, presence, rights, keys })
    }

    /// Whether the fan-out can do what is to be done for events: it knows nothing of subscriptions, nor of traces.
    pub(super) fn may_park(&self) -> bool {
        let is_idle = self.filters.is_empty() && self.cursor.is_at_head() && !self.cursor.is_closed();
        self.member.is_some() && is_idle && !trace::is_on()
    }

    /// Leaves events to the fan-out, unless that is ahead already.
    pub(super) async fn park(&mut self, stall: Duration) -> Result<(), Stop> {
        let Some(member) = &self.member else { return Ok(()) };
        match member.park(self.cursor.position()) {
            None => Ok(()),
            Some(written) => self.go_on(written, stall).await,
        }
    }

    /// Goes on where the fan-out is.
    pub(super) async fn take_back(&mut self, stall: Duration) -> Result<(), Stop> {
        match self.member.as_ref().and_then(|member| member.lane().take()) {
            Some(written) => self.go_on(written, stall).await,
            None => Ok(()),
        }
    }

    async fn go_on(&mut self, written: Written, stall: Duration) -> Result<(), Stop> {
        self.cursor.advance(written.up_to);
        match &self.member {
            // Kept apart: it is rare, and would be memory in every session.
            Some(member) if !written.is_whole() => Box::pin(member.lane().finish(written, stall)).await,
            _ => Ok(()),
        }
    }

    /// Whether the operator may still see what it sees: asked at every connect, subscribe and refresh, and whenever
    /// the tenant changed somebody's rights.
    pub(super) fn check_rights(&self) -> Result<(), Stop> {
        match self.tenant.settings().role(&self.operator, self.token_role) {
            None => Err(Close::PermissionDenied.into()),
            Some(role) if role != self.role => Err(Close::StateInvalidated.into()),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn client(&self) -> ClientId {
        self.online.client
    }
}

/// How events come.
pub(super) enum Events<'d> {
    /// It writes them itself.
    Own(&'d mut Cursor),
    /// The fan-out does.
    Parked(&'d Lane),
}

impl Events<'_> {
    /// What there is to do. Dropping the future loses nothing.
    pub(super) async fn next(self) -> Wake {
        match self {
            Self::Own(cursor) => Wake::Events(cursor.next().await),
            Self::Parked(lane) => {
                lane.let_go().await;
                Wake::LetGo
            }
        }
    }
}

/// What a desk waits for beside events.
pub(super) struct Others<'d> {
    catching_up: bool,
    presence: &'d mut Option<broadcast::Receiver<News>>,
    rights: &'d mut watch::Receiver<Offset>,
    keys: &'d mut watch::Receiver<()>,
}

impl Others<'_> {
    /// The next of them. Dropping the future loses nothing.
    pub(super) async fn next(self) -> Turn {
        tokio::select! {
            biased;
            // The feed, which has the other end, is held by the cursor.
            _ = self.rights.changed() => Turn::Rights,
            // The authenticator lives as long as the state that every session holds.
            _ = self.keys.changed() => Turn::Keys,
            // Whoever is too late is told that it missed some; the sender lives as long as the tenant.
            news = or_never(self.presence.as_mut().map(broadcast::Receiver::recv)) => Turn::Presence(news.ok()),
            () = std::future::ready(()), if self.catching_up => Turn::CatchUp,
        }
    }
}

/// The outcome of what there is to wait for; of nothing it never comes.
pub(super) async fn or_never<F: Future>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// Shows an operator as online; ends with it.
struct Online {
    tenant: TenantHandle,
    client: ClientId,
}

impl Online {
    fn new(tenant: &TenantHandle, client: ClientId, operator: &OperatorId) -> Self {
        tenant.presence().join(client, operator);
        Self { tenant: tenant.clone(), client }
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        self.tenant.presence().leave(self.client);
    }
}
