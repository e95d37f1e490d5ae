//! Owners who stay, and operators who leave, for good or for a while.

use schema::{
    command::{Assign, Availability},
    event::{BatchHeader, ConversationAssigned, Header, OperatorConfigured, SealedBatch, StoredEvent},
    ids::{BatchId, OperatorId},
    role::Role,
};

use super::*;

fn operator(name: &str) -> OperatorId {
    OperatorId::new(name).expect("a slug")
}

fn role(name: &str, role: Option<Role>) -> Request {
    ask(Command::Configure(Setting::Operator(operator(name), role)))
}

fn assign(conversation: ConversationId, to: &str) -> Request {
    ask(Command::Assign(Assign { conversation, operator: Some(operator(to)) }))
}

async fn assigned(world: &World, conversation: ConversationId) -> Option<OperatorId> {
    let stored = world.views.conversation(&acme(), conversation).await.expect("readable").expect("it exists");
    State::load(&stored).expect("it decodes").assigned
}

#[tokio::test]
async fn the_last_owner_can_neither_be_revoked_nor_become_less() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(role("ana", Some(Role::Owner))).await.expect("the first");
    for less in [None, Some(Role::Admin)] {
        let refused = tenant.submit(role("ana", less)).await;
        assert!(matches!(refused, Err(Refusal::Rejected { code: Code::LastOwner, .. })), "{refused:?}");
    }
    tenant.submit(role("ben", Some(Role::Owner))).await.expect("a second");
    tenant.submit(role("ana", None)).await.expect("she was not the last");
    let refused = tenant.submit(role("ben", Some(Role::Viewer))).await;
    assert!(matches!(refused, Err(Refusal::Rejected { code: Code::LastOwner, .. })), "{refused:?}");
}

#[tokio::test]
async fn what_a_revoked_operator_was_on_goes_back_to_nobody_and_stays_there() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let mut conversations = Vec::new();
    for number in 0..4_u32 {
        let reply = tenant.submit(text(&format!("SM{number}"), &format!("+1415555010{number}"), "hello")).await;
        conversations.push(reply.expect("stored").conversation.expect("a conversation"));
    }
    let [hers, also_hers, resolved, bens] = conversations[..] else { panic!("four") };
    for (conversation, to) in [(hers, "jo"), (also_hers, "jo"), (resolved, "jo"), (bens, "ben")] {
        tenant.submit(assign(conversation, to)).await.expect("assigned");
    }
    tenant.submit(ask(Command::Resolve(ConversationRef { conversation: resolved }))).await.expect("resolved");
    let gone = tenant.submit(role("jo", None)).await.expect("revoked");
    let refused = tenant.submit(assign(bens, "jo")).await;
    assert!(matches!(refused, Err(Refusal::Rejected { code: Code::Invalid, .. })), "{refused:?}");
    for conversation in [hers, also_hers] {
        let end = tokio::time::Instant::now() + PATIENCE;
        while assigned(&world, conversation).await.is_some() {
            assert!(tokio::time::Instant::now() < end, "a revoked operator is still on it");
            tenant.viewed(gone.offset).await.expect("viewed");
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(assigned(&world, bens).await, Some(operator("ben")), "nobody else's");
    assert_eq!(assigned(&world, resolved).await, Some(operator("jo")), "what is over stays as it was");
    let again = tenant.submit(text("SM9", "+14155550102", "me again")).await.expect("stored");
    tenant.viewed(again.offset).await.expect("viewed");
    assert_eq!(assigned(&world, resolved).await, None, "a new episode is nobody's");
}

/// Waits until the log says that somebody is on nothing any more; opens nothing, and wakes nobody.
async fn unassigned_in_the_log(world: &World) {
    let nobody = Fact::from(ConversationAssigned { operator: None });
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let batches = world.log.batches(&FeedId::of(&acme()));
        let mut events = batches.iter().flat_map(SealedBatch::events).map(|event| event.expect("decodes"));
        if events.any(|event| event.fact == nobody) {
            return;
        }
        assert!(tokio::time::Instant::now() < end, "still assigned");
        tokio::task::yield_now().await;
    }
}

/// The revocation as its owner would have stored it, and nothing after it.
async fn revoke_and_crash(world: &World, name: &str) {
    let feed = FeedId::of(&acme());
    let head = world.log.head(&feed).await.expect("readable");
    let stamp = head.stamp.plus(Duration::from_micros(1));
    let origin = ask(Command::Configure(Setting::Operator(operator(name), None))).origin;
    let (offset, previous) = (head.next_offset, Offset(0));
    let header = Header { offset, stamp, conversation: None, previous, origin, accepted: None };
    let fact = OperatorConfigured { operator: operator(name), role: None }.into();
    let mut body = Vec::new();
    StoredEvent { header, fact, parts: Vec::new() }.encode(&mut body).expect("encodes");
    let (node, id) = (NodeId::new("one").expect("a slug"), BatchId(SystemIds.uuid()));
    let number = head.next_batch;
    let header = BatchHeader { feed, number, id, first: offset, count: 1, stamp, node, wake_at: None };
    world.log.append(SealedBatch { header, body: body.into() }).await.expect("stored");
    world.log.restart(world.views.clone()).await.expect("what lags is due");
}

#[tokio::test]
async fn a_crash_between_a_revocation_and_its_assignments_leaves_nobody_assigned_for_good() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let reply = tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored");
    let conversation = reply.conversation.expect("a conversation");
    tenant.submit(assign(conversation, "jo")).await.expect("assigned");
    engine.drain(PATIENCE).await;
    drop((engine, tenant));
    revoke_and_crash(&world, "jo").await;
    let _again = world.engine().await;
    unassigned_in_the_log(&world).await;
}

#[tokio::test]
async fn what_is_written_to_somebody_away_goes_back_to_nobody_also_after_a_restart_and_with_nobody_looking() {
    let mut world = World::new();
    world.limits.policy.away_return = Duration::from_secs(1);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let reply = tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored");
    let conversation = reply.conversation.expect("a conversation");
    tenant.submit(assign(conversation, "jo")).await.expect("assigned");
    let read = Command::Called(ConversationRef { conversation });
    tenant.submit(ask(read)).await.expect("nobody waits");
    let away = Setting::Availability(operator("jo"), Availability::Away);
    tenant.submit(ask(Command::Configure(away))).await.expect("away");
    tenant.submit(text("SM2", CALLER, "and thursday?")).await.expect("stored");
    assert!(world.names(&tenant).await.contains(&"conversation.return_set"));
    engine.drain(PATIENCE).await;
    drop((engine, tenant));
    let _again = world.engine().await;
    unassigned_in_the_log(&world).await;
}

#[tokio::test]
async fn who_waits_for_somebody_that_goes_away_is_given_back_too() {
    let mut world = World::new();
    world.limits.policy.away_return = Duration::from_millis(50);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let reply = tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored");
    tenant.submit(assign(reply.conversation.expect("a conversation"), "jo")).await.expect("assigned");
    let away = Setting::Availability(operator("jo"), Availability::Away);
    tenant.submit(ask(Command::Configure(away))).await.expect("away");
    unassigned_in_the_log(&world).await;
}
