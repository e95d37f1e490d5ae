//! Tickets: a request on its way through the tenant, with its identity and whoever waits for the answer.

use schema::{
    address::Address,
    command::{CallOutcome, Caller, Command, Recipient, Reply, Request, SendMessage},
    event::Author,
    ids::{AddressHash, ConversationId, DedupeKey, MessageId, Offset},
};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::{handle::Refusal, ports::DedupeEntry};

/// What makes a command the same command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) key: DedupeKey,
    /// 0: content is not compared.
    pub(crate) content: u64,
}

impl Identity {
    /// Carriers' commands carry their own ids; an operator's the client's key. Others may be repeated.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        match request.command.arrival() {
            Command::Receive(_) if planted!(DedupeKeyDropped) => None,
            Command::Receive(message) => Some(Self::carrier(&["text", &message.carrier_id])),
            Command::Call(call) => Some(Self::carrier(&[moment(&call.outcome), &call.carrier_id])),
            Command::Voicemail(voicemail) => Some(Self::carrier(&["recording", &voicemail.carrier_id])),
            Command::Receipt(report) => {
                let (attempt, status) = (report.attempt.to_string(), report.status.rank().to_string());
                Some(Self::carrier(&["receipt", &report.carrier_id, &attempt, &status]))
            }
            command => {
                let key = request.key.as_deref()?;
                let by = match &request.origin.by {
                    Author::Operator(operator) => operator.as_str(),
                    _ => "",
                };
                let content = postcard::to_stdvec(command).expect("plain values always encode");
                let digest: [u8; 32] = Sha256::digest(&content).into();
                let content = u64::from_le_bytes(digest[..8].try_into().expect("eight bytes")) | 1;
                Some(Self { key: hash(&["operator", by, key]), content })
            }
        }
    }

    fn carrier(parts: &[&str]) -> Self {
        Self { key: hash(parts), content: 0 }
    }
}

/// One call comes in, has one verdict and is over: three things that one call tells once each. That it has one verdict
/// whichever of them tells it, its conversation knows.
fn moment(outcome: &CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Missed | CallOutcome::Answered { .. } => "call",
        CallOutcome::Begun => "call begun",
        CallOutcome::Ended { .. } => "call ended",
    }
}

fn hash(parts: &[&str]) -> DedupeKey {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        digest.update(part.as_bytes());
    }
    let digest: [u8; 32] = digest.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    DedupeKey(key)
}

/// Where a command goes within the tenant.
pub(crate) enum Target<'a> {
    /// To the conversation of whoever has this address.
    Address(&'a Address),
    /// To this conversation.
    Conversation(ConversationId),
    /// To the tenant itself.
    Tenant,
}

/// Where a command goes.
pub(crate) fn target(command: &Command) -> Target<'_> {
    match command {
        Command::Receive(message) => Target::Address(&message.from),
        Command::Call(call) => Target::Address(&call.from),
        Command::Voicemail(voicemail) => match &voicemail.caller {
            Caller::Address(address) => Target::Address(address),
            Caller::Conversation(conversation) => Target::Conversation(*conversation),
        },
        Command::ConsentRecord(record) => Target::Conversation(record.conversation),
        Command::Send(send) => recipient(send),
        Command::SendWith(with) => recipient(&with.send),
        Command::Called(reference) => Target::Conversation(reference.conversation),
        Command::Receipt(report) => Target::Conversation(report.conversation),
        Command::Retry(reference) | Command::Cancel(reference) | Command::CancelQueued(reference) => {
            Target::Conversation(reference.conversation)
        }
        Command::Note(note) => Target::Conversation(note.conversation),
        Command::Assign(assign) => Target::Conversation(assign.conversation),
        Command::LetGo(letting) => Target::Conversation(letting.conversation),
        Command::Resolve(reference)
        | Command::Reopen(reference)
        | Command::OptOut(reference)
        | Command::OptIn(reference)
        | Command::Unblock(reference)
        | Command::Release(reference)
        | Command::Wake(reference) => Target::Conversation(reference.conversation),
        Command::Snooze(snooze) => Target::Conversation(snooze.conversation),
        Command::Tag(tags) => Target::Conversation(tags.conversation),
        Command::MarkRead(read) => Target::Conversation(read.conversation),
        Command::OptOutBecause(out) => Target::Conversation(out.conversation),
        Command::Block(block) => Target::Conversation(block.conversation),
        Command::UpdateContact(update) => Target::Conversation(update.conversation),
        Command::Claim(claim) => Target::Conversation(claim.conversation),
        Command::Settle(settle) => Target::Conversation(settle.conversation),
        Command::Replay(replay) => Target::Conversation(replay.conversation),
        Command::Late(late) => target(&late.arrival),
        Command::Configure(_) | Command::Register(_) | Command::CancelQueue(_) | Command::CaughtUp(_) => Target::Tenant,
    }
}

fn recipient(send: &SendMessage) -> Target<'_> {
    match &send.to {
        Recipient::Address(address) => Target::Address(address),
        Recipient::Conversation(conversation) => Target::Conversation(*conversation),
    }
}

/// What the tenant says to a ticket.
pub(crate) enum Answer {
    /// Stored, or refused with nothing stored.
    Done(Result<Reply, Refusal>),
    /// The look-up for repetitions is too old to be trusted: look again, with the request given back.
    LookAgain(Box<Request>),
    /// The tenant ended before it looked at this: ask whoever has it now.
    Unread(Box<Request>),
}

/// Who waits for the answer.
pub(crate) enum ReplyTo {
    /// An edge.
    Caller(oneshot::Sender<Answer>),
    /// A lane that wants to send this.
    Lane(MessageId),
    /// A carrier call whose result must not get lost: asked again until it is stored.
    Call(oneshot::Sender<Answer>),
    /// Nobody.
    Nobody,
}

/// The answer to "was this accepted before?", and up to where that answer is complete.
pub(crate) struct Seen {
    /// Where the views stood, read first.
    pub(crate) up_to: Offset,
    /// What was found.
    pub(crate) entry: Option<DedupeEntry>,
}

/// A request within the tenant.
pub(crate) struct Ticket {
    pub(crate) request: Request,
    pub(crate) identity: Option<Identity>,
    /// The hash of the address it is about, if it is about one.
    pub(crate) hash: Option<AddressHash>,
    /// What the views said about its identity, before it came here.
    pub(crate) seen: Option<Seen>,
    pub(crate) reply: ReplyTo,
}

impl Ticket {
    /// A ticket of the tenant's own.
    pub(crate) fn own(request: Request, reply: ReplyTo) -> Self {
        Self { request, identity: None, hash: None, seen: None, reply }
    }

    pub(crate) fn target(&self) -> Target<'_> {
        target(&self.request.command)
    }
}

/// A ticket on its way into a mailbox. A mailbox that ends drops what is in it: whoever waits is given the request back,
/// for nobody has looked at it.
pub(crate) struct Mail(Option<Ticket>);

impl Mail {
    pub(crate) fn new(ticket: Ticket) -> Self {
        Self(Some(ticket))
    }

    pub(crate) fn open(mut self) -> Ticket {
        self.0.take().expect("it is opened once")
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        if let Some(Ticket { request, reply: ReplyTo::Caller(to), .. }) = self.0.take() {
            let _ = to.send(Answer::Unread(Box::new(request)));
        }
    }
}
