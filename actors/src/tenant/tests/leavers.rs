//! Owners who stay, and operators who leave.

use schema::{command::Assign, ids::OperatorId, role::Role};

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
