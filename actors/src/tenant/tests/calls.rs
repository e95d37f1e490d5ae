//! Calls over memory ports: one event each over restarts, a verdict that never comes, messages left.

use schema::{
    command::{Caller, VoicemailReport},
    event::MediaRef,
};

use super::*;

fn told(outcome: CallOutcome) -> Request {
    let from = Address::from_carrier(CALLER).expect("an address");
    let call = CallReport { channel: line(), from, carrier_id: "CA1".to_owned(), outcome, name: None };
    ask(Command::Call(call))
}

fn voicemail(caller: Caller) -> Request {
    ask(Command::Voicemail(VoicemailReport {
        channel: line(),
        caller,
        carrier_id: "RE1".to_owned(),
        call: "CA1".to_owned(),
        recording: MediaRef { url: "https://c/RE1".to_owned(), content_type: "audio/x-wav".to_owned() },
        duration_s: 12,
    }))
}

const OVER: CallOutcome = CallOutcome::Ended { duration_s: Some(31) };

#[tokio::test]
async fn what_is_told_of_a_call_after_a_restart_changes_nothing() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let first = tenant.submit(told(CallOutcome::Begun)).await.expect("stored");
    world.until(&tenant, "sent", |events| has_status(events, Status::Sent)).await;
    // Ended, not only forgotten: two owners would duel.
    engine.drain(PATIENCE).await;
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    assert_eq!(tenant.submit(told(CallOutcome::Begun)).await.expect("known"), first, "the same reply");
    for later in [OVER, CallOutcome::Missed, OVER] {
        let reply = tenant.submit(told(later)).await.expect("known");
        assert_eq!(reply.conversation, first.conversation, "{later:?}");
    }
    let names = world.names(&tenant).await;
    assert_eq!(names.iter().filter(|name| name.starts_with("call.")).collect::<Vec<_>>(), [&"call.missed"]);
    assert_eq!(world.carrier.sent().len(), 1);
}

#[tokio::test]
async fn a_call_without_a_verdict_is_decided_by_itself_also_after_a_restart() {
    let mut world = World::new();
    world.limits.policy.verdict_wait = Duration::from_millis(300);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(told(OVER)).await.expect("stored");
    // Ended, not only forgotten: two owners would duel.
    engine.drain(PATIENCE).await;
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    let is_missed = |event: &Event| matches!(event.fact, Fact::CallMissed(_));
    world.until(&tenant, "its event", |events| events.iter().any(is_missed)).await;
    tenant.submit(told(CallOutcome::Missed)).await.expect("too late");
    let events = world.events(&tenant).await;
    assert_eq!(events.iter().filter(|event| is_missed(event)).count(), 1);
}

#[tokio::test]
async fn a_voicemail_is_in_its_callers_conversation_once_however_it_names_the_caller() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let address = Address::from_carrier(CALLER).expect("an address");
    let first = tenant.submit(voicemail(Caller::Address(address))).await.expect("stored before its call");
    let call = tenant.submit(told(CallOutcome::Begun)).await.expect("stored");
    assert_eq!(call.conversation, first.conversation);
    let conversation = call.conversation.expect("one");
    assert_eq!(tenant.submit(voicemail(Caller::Conversation(conversation))).await.expect("known"), first);
    let events = world.events(&tenant).await;
    let recordings: Vec<_> = events.iter().filter(|event| event.fact.name() == "call.voicemail").collect();
    assert_eq!(recordings.len(), 1);
    assert_eq!(recordings[0].personal().map(|personal| personal.media[0].url.as_str()), Some("https://c/RE1"));
}
