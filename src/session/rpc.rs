//! `rpc`: an operator's commands. A method's name says which command; its arguments are the command's JSON.

use actors::{engine::Engine, handle::Refusal, presence::ClientId, reader::Reader, tenant::TenantHandle, trace};
use schema::{
    codes::{ErrorBody, StreamError},
    command::{Command, ConsentBasis, KEY_MAX, OptOutBecause, Request, SendMessage, SendWith},
    event::{Author, Origin, Via},
    frame::RpcRequest,
    ids::{ConversationId, OperatorId},
    page::{Cursor, PAGE_DEFAULT},
    problem::{Code, Problem},
    role::Role,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};

use super::{StreamState, desk::Desk};

/// Every method, and the least role that may call it.
pub const METHODS: &[(&str, Role)] = &[
    ("inbox.page", Role::Viewer),
    ("typing.set", Role::Operator),
    ("message.send", Role::Operator),
    ("message.retry", Role::Operator),
    ("message.cancel", Role::Operator),
    ("note.add", Role::Operator),
    ("conversation.assign", Role::Operator),
    ("conversation.resolve", Role::Operator),
    ("conversation.reopen", Role::Operator),
    ("conversation.snooze", Role::Operator),
    ("conversation.tag", Role::Operator),
    ("conversation.mark_read", Role::Operator),
    ("conversation.called", Role::Operator),
    ("contact.update", Role::Operator),
    ("contact.opt_out", Role::Operator),
    ("contact.opt_in", Role::Operator),
    ("contact.block", Role::Operator),
    ("contact.unblock", Role::Operator),
    ("contact.record_consent", Role::Admin),
];

/// What an RPC needs, apart from its session.
pub(super) struct Call {
    engine: Engine,
    tenant: TenantHandle,
    operator: OperatorId,
    role: Role,
    client: ClientId,
}

/// A key beside the command's own arguments: the same key gives the same reply.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Key {
    idempotency_key: Option<String>,
}

/// `message.send`.
#[derive(Deserialize)]
struct Sent {
    #[serde(flatten)]
    send: SendMessage,
    /// It stays here for so many seconds and can be taken back.
    #[serde(default)]
    hold_s: Option<u16>,
    /// Why they may be texted, if they never wrote nor called.
    #[serde(default)]
    basis: Option<ConsentBasis>,
}

/// `contact.opt_out`.
#[derive(Deserialize)]
struct OptingOut {
    conversation: ConversationId,
    /// Why, for whoever asks later.
    #[serde(default)]
    reason: Option<String>,
}

/// `typing.set`.
#[derive(Deserialize)]
struct Typing {
    conversation: ConversationId,
    /// Started, or stopped.
    typing: bool,
}

/// `inbox.page`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    /// Resolved conversations rather than open ones.
    resolved: bool,
    /// Where the page before ended.
    after: Option<Cursor>,
    /// Most rows.
    limit: Option<usize>,
}

impl Call {
    pub(super) fn new(state: &StreamState, desk: &Desk, client: ClientId) -> Self {
        Self {
            engine: state.0.engine.clone(),
            tenant: desk.tenant.clone(),
            operator: desk.operator.clone(),
            role: desk.role,
            client,
        }
    }

    /// The method's answer as JSON.
    pub(super) async fn answer(self, request: RpcRequest) -> Result<Box<RawValue>, ErrorBody> {
        let data = request.data.as_deref().map_or("{}", RawValue::get);
        self.may(&request.method)?;
        match request.method.as_str() {
            "inbox.page" => self.inbox(arguments(data)?).await,
            "typing.set" => self.typing(arguments(data)?),
            method => self.submit(command(method, data)?, data).await,
        }
    }

    async fn submit(self, command: Command, data: &str) -> Result<Box<RawValue>, ErrorBody> {
        let key = arguments::<Key>(data)?.idempotency_key;
        if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > KEY_MAX) {
            return Err((&Problem::new(Code::Invalid).field("idempotency_key")).into());
        }
        let origin = Origin {
            by: Author::Operator(self.operator.clone()),
            via: Via::Stream,
            request: self.engine.ports().ids.request(),
        };
        let (request, began) = (origin.request, self.engine.ports().clock.now());
        let reply = self.engine.submit(self.tenant.id(), Request { command, origin, key }).await;
        let status = reply.as_ref().map_or_else(|refusal| u64::from(refusal.problem().code.status()), |_| 200);
        trace::edge(request, Via::Stream, (began, self.engine.ports().clock.now()), status, None);
        let reply = reply.map_err(|refusal| ErrorBody::from(&refusal.problem()))?;
        Ok(to_raw_value(&reply).expect("plain values always encode"))
    }

    /// The first load: its position is read first, its rows second, so that nothing is missing from there on.
    async fn inbox(self, page: Page) -> Result<Box<RawValue>, ErrorBody> {
        let ports = self.engine.ports();
        let reader = Reader::new(ports.log.clone(), ports.views.clone(), self.engine.vault().clone());
        let limit = page.limit.unwrap_or(PAGE_DEFAULT);
        let read = reader.inbox(self.tenant.id(), !page.resolved, page.after, limit).await;
        let mut page = read.map_err(|error| ErrorBody::from(&Refusal::from(error).problem()))?;
        page.paused = self.tenant.settings().pauses.clone();
        Ok(to_raw_value(&page).expect("plain values always encode"))
    }

    fn typing(self, typing: Typing) -> Result<Box<RawValue>, ErrorBody> {
        let presence = self.tenant.presence();
        if typing.typing {
            presence.start_typing(self.client, typing.conversation, self.engine.ports().clock.now());
        } else {
            presence.stop_typing(self.client);
        }
        Ok(to_raw_value(&serde_json::Map::new()).expect("plain values always encode"))
    }

    /// Before anything of the arguments is read.
    fn may(&self, method: &str) -> Result<(), ErrorBody> {
        match METHODS.iter().find(|(name, _)| *name == method) {
            None => Err(StreamError::MethodNotFound.into()),
            Some((_, least)) if self.role < *least => Err(StreamError::PermissionDenied.into()),
            Some(_) => Ok(()),
        }
    }
}

/// The command that a method and its arguments stand for.
pub fn command(method: &str, data: &str) -> Result<Command, ErrorBody> {
    Ok(match method {
        "message.send" => {
            let Sent { send, hold_s, basis } = arguments(data)?;
            SendWith::command(send, hold_s, basis)
        }
        "message.retry" => Command::Retry(arguments(data)?),
        "message.cancel" => Command::Cancel(arguments(data)?),
        "note.add" => Command::Note(arguments(data)?),
        "conversation.assign" => Command::Assign(arguments(data)?),
        "conversation.resolve" => Command::Resolve(arguments(data)?),
        "conversation.reopen" => Command::Reopen(arguments(data)?),
        "conversation.snooze" => Command::Snooze(arguments(data)?),
        "conversation.tag" => Command::Tag(arguments(data)?),
        "conversation.mark_read" => Command::MarkRead(arguments(data)?),
        "conversation.called" => Command::Called(arguments(data)?),
        "contact.update" => Command::UpdateContact(arguments(data)?),
        "contact.opt_out" => {
            let OptingOut { conversation, reason } = arguments(data)?;
            OptOutBecause::command(conversation, reason)
        }
        "contact.opt_in" => Command::OptIn(arguments(data)?),
        "contact.block" => Command::Block(arguments(data)?),
        "contact.unblock" => Command::Unblock(arguments(data)?),
        "contact.record_consent" => Command::ConsentRecord(arguments(data)?),
        _ => return Err(StreamError::MethodNotFound.into()),
    })
}

/// What is wrong with arguments is told by the name of the field, never by what it held.
fn arguments<T: DeserializeOwned>(data: &str) -> Result<T, ErrorBody> {
    serde_json::from_str(data).map_err(|error| {
        let problem = Problem::new(Code::Invalid);
        let problem = match missing_field(&error) {
            Some(field) => problem.field(field),
            None => problem,
        };
        (&problem).into()
    })
}

/// The library tells the field only in words.
fn missing_field(error: &serde_json::Error) -> Option<String> {
    let words = error.to_string();
    let field = words.strip_prefix("missing field `")?;
    Some(field.split('`').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190b2e4-7d1a-7000-8000-000000000000";

    #[test]
    fn every_method_stands_for_its_command() {
        let conversation = format!(r#""conversation":"{ID}""#);
        let message = format!(r#"{{{conversation},"message":"{ID}"}}"#);
        let only = format!("{{{conversation}}}");
        let send = format!(r#"{{"to":{{{conversation}}},"text":"x","idempotency_key":"k"}}"#);
        let methods = [
            ("message.send", send),
            ("message.retry", message.clone()),
            ("message.cancel", message),
            ("note.add", format!(r#"{{{conversation},"text":"x"}}"#)),
            ("conversation.assign", format!(r#"{{{conversation},"operator":"ana"}}"#)),
            ("conversation.resolve", only.clone()),
            ("conversation.reopen", only.clone()),
            ("conversation.snooze", format!(r#"{{{conversation},"until":1}}"#)),
            ("conversation.tag", format!(r#"{{{conversation},"add":["vip"]}}"#)),
            ("conversation.mark_read", format!(r#"{{{conversation},"up_to":3}}"#)),
            ("conversation.called", only.clone()),
            ("contact.update", format!(r#"{{{conversation},"name":"x"}}"#)),
            ("contact.opt_out", only.clone()),
            ("contact.opt_in", only.clone()),
            ("contact.block", format!(r#"{{{conversation},"why":"spam"}}"#)),
            ("contact.unblock", only),
            ("contact.record_consent", format!(r#"{{{conversation},"how":"phone","when":1,"words":"x"}}"#)),
        ];
        let mut commands: Vec<String> = Vec::new();
        for (method, data) in methods {
            let command = command(method, &data).unwrap_or_else(|error| panic!("{method}: {error:?}"));
            commands.push(format!("{:?}", std::mem::discriminant(&command)));
        }
        let count = commands.len();
        let own = ["inbox.page", "typing.set"];
        assert_eq!(count + own.len(), METHODS.len(), "every method has a least role");
        commands.sort();
        commands.dedup();
        assert_eq!(commands.len(), count, "no two methods do the same");
    }

    #[test]
    fn carriers_lanes_and_admins_commands_are_no_methods() {
        for method in ["message.receive", "message.claim", "settings.configure", "", "conversation.wake"] {
            assert_eq!(command(method, "{}").unwrap_err().code, 104, "{method}");
        }
    }

    #[test]
    fn a_missing_argument_is_named() {
        let error = command("note.add", &format!(r#"{{"conversation":"{ID}"}}"#)).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (400, "invalid: text"));
        let error = command("note.add", r#"{"conversation":"secret","text":"secret"}"#).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (400, "invalid"), "nothing of the content is told");
    }
}
