//! The decision: a pure function from state and command to events. No clock, randomness, I/O or actor inside.

mod automatic;
mod call;
mod desk;
mod inbound;
mod late;
mod outbound;

use std::time::Duration;

use schema::{
    address::Address,
    command::Command,
    event::{ContactCreated, Fact, Personal},
    ids::{AddressHash, ContactId, ConversationId, KeyId, MessageId, NodeId},
    problem::Code,
    time::Stamp,
};
use uuid::Uuid;

use super::state::State;
use crate::{handle::Refusal, outbox::RetryPolicy, tenant::Settings};

/// Everything a decision may depend on besides state and command.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// When.
    pub now: Stamp,
    /// The tenant's settings, newest.
    pub settings: &'a Settings,
    /// Durations and bounds.
    pub policy: &'a Policy,
    /// Who would send.
    pub node: &'a NodeId,
    /// Fresh ids, enough for one decision.
    pub fresh: [Uuid; 3],
    /// Uniform random bits, for jitter.
    pub random: u64,
}

/// Carriers keep a text for whole seconds: one that is of use for less than this is too late.
pub const VALIDITY_MIN: Duration = Duration::from_secs(1);

/// Durations and bounds that configuration sets.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How long an operator's text is worth sending.
    pub reply_validity: Duration,
    /// How long a text-back is worth sending.
    pub text_back_validity: Duration,
    /// How long a confirmation may take (47 CFR 64.1200(a)(12): five minutes).
    pub confirmation_validity: Duration,
    /// How long the verdict on a call is waited for once the call is over.
    pub verdict_wait: Duration,
    /// A shorter call was not answered by a person.
    pub answered_min: Duration,
    /// What a contact writes to somebody who is away goes back to nobody after this.
    pub away_return: Duration,
    /// Most texts of one contact that may be open at their lanes.
    pub max_open_sends: usize,
    /// When a text that certainly was not taken is tried again.
    pub retry: RetryPolicy,
    /// Most arrivals kept for a parked conversation.
    pub max_unprocessed: usize,
    /// Whether [`POISON`] makes a decision panic. Only tests have it.
    #[cfg(any(test, feature = "contracts"))]
    pub poison: Poison,
}

/// A text that makes a decision panic, in tests.
#[cfg(any(test, feature = "contracts"))]
pub const POISON: &str = "deskwire-test-poison";
/// A text, of whomever, after which [`POISON`] is harmless for the rest of the process's life.
#[cfg(any(test, feature = "contracts"))]
pub const CURE: &str = "deskwire-test-cure";

/// A switch for [`POISON`].
#[cfg(any(test, feature = "contracts"))]
#[derive(Debug, Clone, Default)]
pub struct Poison(std::sync::Arc<std::sync::atomic::AtomicBool>);

#[cfg(any(test, feature = "contracts"))]
impl Poison {
    /// From now on the text is harmless.
    pub fn cure(&self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    fn act(&self, command: &Command) {
        let Command::Receive(message) = command else { return };
        if message.text == CURE {
            self.cure();
        }
        let cured = self.0.load(std::sync::atomic::Ordering::SeqCst);
        assert!(cured || message.text != POISON, "the poison of a test");
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            reply_validity: Duration::from_secs(4 * 3600),
            text_back_validity: Duration::from_secs(600),
            confirmation_validity: Duration::from_secs(300),
            verdict_wait: Duration::from_secs(60),
            answered_min: Duration::from_secs(5),
            away_return: Duration::from_secs(300),
            max_open_sends: 64,
            retry: RetryPolicy::default(),
            max_unprocessed: 256,
            #[cfg(any(test, feature = "contracts"))]
            poison: Poison::default(),
        }
    }
}

/// One event to be, without its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What happened.
    pub fact: Fact,
    /// What of it is personal.
    pub personal: Option<Personal>,
}

impl<F: Into<Fact>> From<F> for Draft {
    fn from(fact: F) -> Self {
        Self { fact: fact.into(), personal: None }
    }
}

/// The events that follow from a command; none: nothing had to change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// In order.
    pub events: Vec<Draft>,
    /// The message that was made.
    pub message: Option<MessageId>,
}

impl Decision {
    pub(crate) fn push(&mut self, draft: impl Into<Draft>) {
        self.events.push(draft.into());
    }

    pub(crate) fn push_personal(&mut self, fact: impl Into<Fact>, personal: Personal) {
        let personal = (!personal.is_empty()).then_some(personal);
        self.events.push(Draft { fact: fact.into(), personal });
    }

    fn one(draft: impl Into<Draft>) -> Self {
        Self { events: vec![draft.into()], message: None }
    }

    fn nothing() -> Self {
        Self::default()
    }
}

/// What the tenant found out before it makes a conversation.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Made for it.
    pub conversation: ConversationId,
    /// Made for it.
    pub contact: ContactId,
    /// Durable already.
    pub key: KeyId,
    /// Stands for the address.
    pub hash: AddressHash,
    /// The address itself; only sealed parts hold it from here on.
    pub address: Address,
}

impl Newcomer {
    /// The fact that begins its conversation.
    pub fn created(&self) -> ContactCreated {
        ContactCreated {
            contact: self.contact,
            key: self.key,
            address: self.hash,
            reachable: self.address.phone().is_some(),
        }
    }

    /// The first event of its conversation.
    pub fn draft(&self, name: Option<String>) -> Draft {
        let personal = Personal { address: Some(self.address.clone()), name, ..Personal::default() };
        Draft { fact: self.created().into(), personal: Some(personal) }
    }
}

/// Decides. The state is the newest there is, also while the batch that made it is still on its way to disk.
pub fn decide(
    state: &State,
    command: &Command,
    inputs: &Inputs<'_>,
    by: &schema::event::Author,
) -> Result<Decision, Refusal> {
    #[cfg(any(test, feature = "contracts"))]
    inputs.policy.poison.act(command);
    match command {
        Command::Receive(message) => Ok(inbound::receive(state, message, inputs)),
        Command::Call(call) => Ok(call::call(state, call, inputs)),
        Command::Voicemail(voicemail) => Ok(call::voicemail(state, voicemail, inputs)),
        Command::Receipt(report) => Ok(outbound::receipt(state, report, inputs)),
        Command::Send(send) => outbound::send(state, send, inputs),
        Command::SendWith(with) => outbound::send_with(state, with, inputs),
        Command::Retry(reference) => outbound::retry(state, reference.message, inputs),
        Command::Cancel(reference) => outbound::cancel(state, reference.message),
        Command::CancelQueued(reference) => outbound::cancel_queued(state, reference.message),
        Command::Claim(claim) => outbound::claim(state, claim, inputs),
        Command::Settle(settle) => Ok(outbound::settle(state, settle, inputs)),
        Command::Note(_)
        | Command::Assign(_)
        | Command::LetGo(_)
        | Command::Called(_)
        | Command::Resolve(_)
        | Command::Reopen(_)
        | Command::Snooze(_)
        | Command::Tag(_)
        | Command::MarkRead(_)
        | Command::UpdateContact(_)
        | Command::OptOut(_)
        | Command::OptOutBecause(_)
        | Command::OptIn(_)
        | Command::Block(_)
        | Command::Unblock(_)
        | Command::ConsentRecord(_)
        | Command::Release(_)
        | Command::Wake(_) => desk::decide(state, command, inputs, by),
        Command::Replay(replay) => {
            if !state.unprocessed.contains(&replay.unprocessed) {
                return Ok(Decision::nothing());
            }
            let mut decision = decide(state, &replay.command, inputs, by)?;
            decision.push(schema::event::MessageReplayed { unprocessed: replay.unprocessed });
            Ok(decision)
        }
        Command::Late(late) => late::decide(state, late, inputs, by),
        Command::Configure(_) | Command::Register(_) | Command::CancelQueue(_) | Command::CaughtUp(_) => {
            Err(Refusal::rejected(Code::Invalid, "a setting is not a conversation's business"))
        }
    }
}
