//! Client-side subscriptions: a conversation, one's own matters, presence.

use std::collections::BTreeMap;

use actors::presence::{News, Online};
use schema::{
    codes::{Close, StreamError, Unsubscribe},
    frame::{
        Activity, ChannelRequest, ClientInfo, Doing, Empty, FLAG_REJECT_UNRECOVERED, PositionBody, PresenceResult,
        PresenceStatsResult, Push, Reply, SubscribeRequest, SubscribeResult, What,
    },
    ids::{ConversationId, Offset},
};

use super::{
    StreamState,
    channel::Channel,
    connection::Session,
    desk::Desk,
    filter::{Filter, Wanted},
    publication::Publications,
    recover,
    transport::Stop,
};

/// Steps towards the present that a subscribe reply waits for; the rest follows as pushes.
const STEPS: usize = 8;

impl Session {
    /// Begins a subscription.
    pub(super) async fn subscribe(&mut self, id: u32, request: SubscribeRequest) -> Result<(), Stop> {
        let Some(desk) = &mut self.desk else { return Err(Close::BadRequest.into()) };
        desk.check_rights()?;
        let reply = match begin(&self.state, desk, &request).await {
            Ok(result) => Reply { id, subscribe: Some(result), ..Reply::default() },
            Err(error) => Reply::error(id, error),
        };
        self.reply(reply).await
    }

    /// Ends a subscription; ending what is not there is fine, as with the protocol's own server.
    pub(super) async fn unsubscribe(&mut self, id: u32, request: &ChannelRequest) -> Result<(), Stop> {
        let Some(desk) = &mut self.desk else { return Err(Close::BadRequest.into()) };
        let reply = match Channel::parse(&request.channel) {
            None => Reply::error(id, StreamError::UnknownChannel),
            // Without its inbox a session is nothing: to end it, close the connection.
            Some(Channel::Inbox(_)) => Reply::error(id, StreamError::NotAvailable),
            Some(Channel::Presence(_)) => {
                desk.presence = None;
                Reply { id, unsubscribe: Some(Empty {}), ..Reply::default() }
            }
            Some(Channel::Conversation(_) | Channel::Operator(_)) => {
                if let Some(place) = desk.filters.iter().position(|filter| filter.channel() == request.channel) {
                    let filter = desk.filters.swap_remove(place);
                    look(desk, &filter, false);
                }
                Reply { id, unsubscribe: Some(Empty {}), ..Reply::default() }
            }
        };
        self.reply(reply).await
    }

    /// Who is there.
    pub(super) async fn presence(&mut self, id: u32, request: &ChannelRequest) -> Result<(), Stop> {
        let reply = match self.presence_of(request) {
            Err(error) => Reply::error(id, error),
            Ok(desk) => {
                let online = desk.tenant.presence().online(self.state.0.engine.ports().clock.now());
                let presence = online.into_iter().map(client_info).collect::<BTreeMap<_, _>>();
                Reply { id, presence: Some(PresenceResult { presence }), ..Reply::default() }
            }
        };
        self.reply(reply).await
    }

    /// How many are there.
    pub(super) async fn presence_stats(&mut self, id: u32, request: &ChannelRequest) -> Result<(), Stop> {
        let reply = match self.presence_of(request) {
            Err(error) => Reply::error(id, error),
            Ok(desk) => {
                let (clients, users) = desk.tenant.presence().count();
                let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
                let stats = PresenceStatsResult { num_clients: count(clients), num_users: count(users) };
                Reply { id, presence_stats: Some(stats), ..Reply::default() }
            }
        };
        self.reply(reply).await
    }

    fn presence_of(&self, request: &ChannelRequest) -> Result<&Desk, StreamError> {
        let desk = self.desk.as_deref().ok_or(StreamError::Unauthorized)?;
        match Channel::parse(&request.channel).ok_or(StreamError::UnknownChannel)? {
            Channel::Presence(tenant) if tenant == *desk.tenant.id() => Ok(desk),
            Channel::Presence(_) => Err(StreamError::PermissionDenied),
            _ => Err(StreamError::NotAvailable),
        }
    }

    /// Passes presence news on. Who missed some subscribes again and asks who is there.
    pub(super) async fn tell_presence(&mut self, news: Option<News>) -> Result<(), Stop> {
        let Some(desk) = &mut self.desk else { return Ok(()) };
        let channel = format!("presence:{}", desk.tenant.id());
        let push = match news {
            Some(news) => Push::new(channel, what(news)),
            None => {
                desk.presence = None;
                Push::unsubscribe(channel, Unsubscribe::InsufficientState)
            }
        };
        self.transport.send(push.encode()).await
    }
}

async fn begin(
    state: &StreamState,
    desk: &mut Desk,
    request: &SubscribeRequest,
) -> Result<SubscribeResult, StreamError> {
    let channel = Channel::parse(&request.channel).ok_or(StreamError::UnknownChannel)?;
    let presence = usize::from(desk.presence.is_some());
    let full = desk.filters.len() + presence >= state.0.limits.channels;
    if desk.filters.iter().any(|filter| filter.channel() == request.channel) {
        return Err(StreamError::AlreadySubscribed);
    }
    match channel {
        Channel::Inbox(tenant) if tenant == *desk.tenant.id() => Err(StreamError::AlreadySubscribed),
        Channel::Presence(tenant) if tenant == *desk.tenant.id() => {
            if desk.presence.is_some() {
                return Err(StreamError::AlreadySubscribed);
            }
            if full {
                return Err(StreamError::LimitExceeded);
            }
            desk.presence = Some(desk.tenant.presence().news());
            Ok(SubscribeResult::default())
        }
        Channel::Inbox(_) | Channel::Presence(_) => Err(StreamError::PermissionDenied),
        Channel::Operator(operator) if operator != desk.operator => Err(StreamError::PermissionDenied),
        _ if full => Err(StreamError::LimitExceeded),
        Channel::Operator(_) => follow(state, desk, request, Wanted::Own).await,
        Channel::Conversation(id) => {
            must_exist(state, desk, id).await?;
            follow(state, desk, request, Wanted::Conversation(id)).await
        }
    }
}

/// A conversation that was just made may not be in the views yet.
async fn must_exist(state: &StreamState, desk: &Desk, id: ConversationId) -> Result<(), StreamError> {
    let views = &state.0.engine.ports().views;
    let found = views.conversation(desk.tenant.id(), id).await.map_err(internal)?;
    if found.is_some() {
        return Ok(());
    }
    desk.tenant.viewed(desk.tenant.feed().position().offset).await.map_err(internal)?;
    let found = views.conversation(desk.tenant.id(), id).await.map_err(internal)?;
    found.map(|_| ()).ok_or(StreamError::UnknownChannel)
}

/// Begins a filter of the log, with the first page of what was missed.
async fn follow(
    state: &StreamState,
    desk: &mut Desk,
    request: &SubscribeRequest,
    wanted: Wanted,
) -> Result<SubscribeResult, StreamError> {
    let epoch = desk.tenant.feed().position().epoch;
    let from = match request.recover {
        true => recoverable(state, desk, request, wanted).await?,
        false => None,
    };
    if request.recover && from.is_none() && request.flag & FLAG_REJECT_UNRECOVERED != 0 {
        return Err(StreamError::UnrecoverablePosition);
    }
    let mut publications = Publications::default();
    let filter = match from {
        None => Filter::live(&request.channel, wanted, desk.cursor.position()),
        Some(offset) => {
            let mut filter = Filter::behind(&request.channel, wanted, offset);
            for _ in 0..STEPS {
                let page = filter.step(desk, state).await.map_err(internal)?;
                publications.append(page);
                let limits = &state.0.limits;
                let full = publications.len() >= limits.page_events || publications.bytes() >= limits.page_bytes;
                if filter.is_live() || full {
                    break;
                }
            }
            filter
        }
    };
    look(desk, &filter, true);
    let result = SubscribeResult {
        was_recovering: request.recover,
        recovered: from.is_some(),
        publications: publications.into_array(),
        ..recover::positioned(epoch, filter.position())
    };
    desk.filters.push(filter);
    Ok(result)
}

/// Where to go on from, if nothing will be missing.
async fn recoverable(
    state: &StreamState,
    desk: &Desk,
    request: &SubscribeRequest,
    wanted: Wanted,
) -> Result<Option<Offset>, StreamError> {
    let body = PositionBody { epoch: request.epoch.clone(), offset: request.offset };
    let Some(position) = recover::position(&body) else { return Ok(None) };
    let feed = desk.tenant.feed();
    if position.epoch != feed.position().epoch || !feed.shows(position.offset).await.map_err(internal)? {
        return Ok(None);
    }
    let far = feed.position().offset.0.saturating_sub(position.offset.0) > state.0.limits.scan_events;
    Ok((wanted != Wanted::Own || !far).then_some(position.offset))
}

/// Who is subscribed to a conversation is looking at it.
pub(super) fn look(desk: &Desk, filter: &Filter, on: bool) {
    if let Wanted::Conversation(conversation) = filter.wanted() {
        desk.tenant.presence().look(desk.client(), conversation, on);
    }
}

fn internal(error: impl std::fmt::Display) -> StreamError {
    tracing::warn!(%error, "a subscription cannot be read");
    StreamError::Internal
}

fn client_info(online: Online) -> (String, ClientInfo) {
    let client = online.client.0.to_string();
    let typing = online.typing.map(|(conversation, _)| conversation);
    let info = ClientInfo {
        user: online.operator,
        client: client.clone(),
        chan_info: Doing { looking: online.looking, typing },
    };
    (client, info)
}

fn what(news: News) -> What {
    match news {
        News::Joined(online) => What::Join { info: client_info(online).1 },
        News::Left(online) => What::Leave { info: client_info(online).1 },
        News::Looking { client, operator, conversation, on } => {
            What::Pub { data: Activity::Looking { operator, client: client.0.to_string(), conversation, on } }
        }
        News::Typing { client, operator, conversation, until } => {
            What::Pub { data: Activity::Typing { operator, client: client.0.to_string(), conversation, until } }
        }
    }
}
