//! The first command: who is it, what may it see, and where was it.

use std::time::Duration;

use actors::tenant::TenantHandle;
use schema::{
    codes::{Close, ErrorBody, StreamError},
    frame::{ConnectRequest, ConnectResult, Identity, PositionBody, RefreshResult, Reply, TokenRequest},
    problem::Code,
};
use tokio::time::Instant;

use super::{StreamState, connection::Session, desk::Desk, lane::Lane, recover, transport::Stop};
use crate::auth::{AuthError, Claims, Grant};

/// What clients see as the server's version.
pub(super) const VERSION: &str = concat!("deskwire ", env!("CARGO_PKG_VERSION"));

/// Why a connect does not do.
pub(super) enum Refused {
    /// Answered; the client decides by the code whether it comes back.
    Error(ErrorBody),
    /// The connection ends.
    Stop(Stop),
}

impl From<StreamError> for Refused {
    fn from(error: StreamError) -> Self {
        Self::Error(error.into())
    }
}

impl From<Close> for Refused {
    fn from(close: Close) -> Self {
        Self::Stop(close.into())
    }
}

impl Session {
    /// Answers the connect command.
    pub(super) async fn connect(&mut self, id: u32, request: ConnectRequest) -> Result<(), Stop> {
        if self.desk.is_some() {
            return Err(Close::BadRequest.into());
        }
        match self.admit(request).await {
            Ok(result) => self.reply(Reply { id, connect: Some(result), ..Reply::default() }).await,
            Err(Refused::Stop(stop)) => Err(stop),
            Err(Refused::Error(error)) => {
                self.refused = true;
                self.reply(Reply::error(id, error)).await
            }
        }
    }

    async fn admit(&mut self, request: ConnectRequest) -> Result<ConnectResult, Refused> {
        let (claims, grant) = claims(&self.state, &request.token).await?;
        let seat = self.state.0.seats.sit(&claims.tenant, &claims.operator).ok_or(Close::ConnectionLimit)?;
        let tenant = tenant(&self.state, &claims).await?;
        let role = tenant.settings().role(&claims.operator, claims.role).ok_or(Close::PermissionDenied)?;
        let feed = tenant.feed();
        let wanted = self.inbox_position(feed.channel(), &request)?;
        let inbox = recover::inbox(&feed, wanted.as_ref(), role, &self.state.0.limits).await;
        let (inbox, cursor) = inbox.map_err(|error| {
            tracing::warn!(tenant = %claims.tenant, %error, "an inbox cannot be read");
            StreamError::Internal
        })?;
        let keys = self.state.0.auth.replaced();
        let mut desk = Desk::new(tenant, (&claims, grant), keys, role, cursor, seat, self.client);
        desk.member = self.wire.clone().map(|wire| self.state.0.fan_outs.join(&feed, Lane::new(wire, role)));
        self.sit_down(desk, &claims);
        let client = self.client.0.to_string();
        let limits = &self.state.0.limits;
        Ok(ConnectResult {
            session: client.clone(),
            client,
            version: VERSION,
            expires: true,
            ttl: self.ttl(&claims),
            data: Identity { operator: claims.operator, role },
            subs: [(feed.channel().to_owned(), inbox)].into(),
            ping: seconds(limits.ping_every),
            pong: true,
            node: self.state.0.engine.node().to_string(),
        })
    }

    /// Where the client was: `subs` wins over `data`. Whatever it names must be answered, or it forgets its position.
    fn inbox_position(&self, inbox: &str, request: &ConnectRequest) -> Result<Option<PositionBody>, Refused> {
        if request.subs.len() > self.state.0.limits.channels {
            return Err(Close::ChannelLimit.into());
        }
        if request.subs.keys().any(|channel| channel != inbox) {
            return Err(StreamError::PermissionDenied.into());
        }
        let known = request.subs.get(inbox).filter(|sub| sub.recover);
        let known = known.map(|sub| PositionBody { epoch: sub.epoch.clone(), offset: sub.offset });
        Ok(known.or_else(|| request.data.as_ref().and_then(|data| data.inbox.clone())))
    }

    fn sit_down(&mut self, desk: Desk, claims: &Claims) {
        self.desk = Some(Box::new(desk));
        self.timers.stale = None;
        self.timers.ping = Some(Instant::now() + self.state.0.limits.ping_every);
        self.set_expiry(claims);
    }

    fn set_expiry(&mut self, claims: &Claims) {
        let left = claims.expires.since(self.state.0.engine.ports().clock.now());
        // A token for the next century does not need an alarm.
        self.timers.expiry = Instant::now().checked_add(left.saturating_add(self.state.0.limits.expiry_grace));
    }

    fn ttl(&self, claims: &Claims) -> u32 {
        seconds(claims.expires.since(self.state.0.engine.ports().clock.now()))
    }

    /// A new token for the same operator.
    pub(super) async fn refresh(&mut self, id: u32, request: TokenRequest) -> Result<(), Stop> {
        let (claims, grant) = match claims(&self.state, &request.token).await {
            Ok(admitted) => admitted,
            Err(Refused::Stop(stop)) => return Err(stop),
            Err(Refused::Error(error)) => return self.reply(Reply::error(id, error)).await,
        };
        let Some(desk) = &mut self.desk else { return Err(Close::BadRequest.into()) };
        if claims.tenant != *desk.tenant.id() || claims.operator != desk.operator {
            return Err(Close::InvalidToken.into());
        }
        (desk.token_role, desk.grant) = (claims.role, grant);
        desk.check_rights()?;
        self.set_expiry(&claims);
        let result = RefreshResult {
            client: self.client.0.to_string(),
            version: VERSION,
            expires: true,
            ttl: self.ttl(&claims),
        };
        self.reply(Reply { id, refresh: Some(result), ..Reply::default() }).await
    }
}

async fn tenant(state: &StreamState, claims: &Claims) -> Result<TenantHandle, Refused> {
    state.0.engine.tenant(&claims.tenant).await.map_err(|refusal| match refusal.problem().code {
        Code::NotFound => StreamError::PermissionDenied.into(),
        _ => {
            tracing::warn!(tenant = %claims.tenant, %refusal, "a tenant cannot be reached");
            StreamError::Internal.into()
        }
    })
}

/// Whole seconds, at least one: 0 would mean "never".
fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX).max(1)
}

/// What a token says, and what it was let in by.
async fn claims(state: &StreamState, token: &str) -> Result<(Claims, Grant), Refused> {
    if token.is_empty() {
        return Err(StreamError::Unauthorized.into());
    }
    let now = state.0.engine.ports().clock.now();
    state.0.auth.admit_anew(token, now).await.map_err(|error| match error {
        AuthError::Invalid => Close::InvalidToken.into(),
        AuthError::Expired => StreamError::TokenExpired.into(),
    })
}
