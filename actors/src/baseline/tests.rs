//! Trims over memory ports: baseline plus log is the whole, wherever the cut is and whatever interrupts it.

use schema::ids::{BatchNumber, ConversationId, FeedId, Offset};

use super::*;
use crate::{
    memory::MemoryViews,
    ports::Checkpoint,
    projector::catch_up,
    tenant::{
        TenantHandle,
        tests::{CALLER, World, acme, missed, reply, text},
    },
};

const OTHER: &str = "+14155550101";

fn feed() -> FeedId {
    FeedId::of(&acme())
}

/// Two callers, texts, a reply, and everything sent.
async fn history(world: &World, tenant: &TenantHandle) -> [ConversationId; 2] {
    let first = tenant.submit(missed("CA1", CALLER)).await.expect("stored").conversation.expect("one");
    world.until(tenant, "the text-back", |_| world.carrier.sent().len() == 1).await;
    for number in 0..5 {
        tenant.submit(text(&format!("SM{number}"), CALLER, "a leak")).await.expect("stored");
    }
    tenant.submit(reply(first, "on our way")).await.expect("stored");
    world.until(tenant, "the reply", |_| world.carrier.sent().len() == 2).await;
    let second = tenant.submit(text("SM9", OTHER, "hello")).await.expect("stored");
    tenant.viewed(second.offset).await.expect("viewed");
    [first, second.conversation.expect("one")]
}

/// The views as baseline and log say.
async fn made_anew(world: &World) -> String {
    let before = world.views.dump(&acme());
    world.views.clear(&feed()).await.expect("cleared");
    assert_ne!(world.views.dump(&acme()), before, "something is behind the baseline");
    catch_up(&*world.log, &*world.views, &feed()).await.expect("caught up");
    world.views.dump(&acme())
}

#[tokio::test]
async fn baseline_and_log_are_the_whole_wherever_the_cut_is() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversations = history(&world, &tenant).await;
    let mut states = Vec::new();
    for id in conversations {
        states.push(world.views.conversation(&acme(), id).await.expect("readable").expect("known"));
    }
    drop((engine, tenant));
    catch_up(&*world.log, &*world.views, &feed()).await.expect("caught up");
    let end = world.log.head(&feed()).await.expect("readable").next_offset;
    let mut oldest = Offset(1);
    for to in 1..end.0 {
        let reached = trim(&*world.log, &*world.views, &feed(), Offset(to)).await.expect("trimmed");
        assert!(reached >= oldest && reached <= Offset(to), "{oldest} then {reached} for {to}");
        oldest = reached;
        let kept = world.views.dump(&acme());
        assert_eq!(made_anew(&world).await, kept, "trimmed to {to}");
    }
    assert!(oldest > Offset(5), "the cut has moved: {oldest}");
    for (id, state) in conversations.into_iter().zip(states) {
        let now = world.views.conversation(&acme(), id).await.expect("readable").expect("known");
        assert!(now.offset >= state.offset);
        let address = State::load(&now).expect("decodes").address_at;
        assert!(world.views.event(&acme(), id, address).await.expect("readable").is_some(), "the address stays");
    }
}

#[tokio::test]
async fn what_was_accepted_before_a_trim_is_still_accepted_once() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    history(&world, &tenant).await;
    let original = tenant.submit(text("SM0", CALLER, "a leak")).await.expect("known");
    drop((engine, tenant));
    let end = world.log.head(&feed()).await.expect("readable").next_offset;
    trim(&*world.log, &*world.views, &feed(), end).await.expect("trimmed");
    made_anew_after_trim(&world).await;
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    let again = tenant.submit(text("SM0", CALLER, "a leak")).await.expect("known");
    assert_eq!(again, original, "the carrier's repetition is the message that was trimmed");
}

async fn made_anew_after_trim(world: &World) {
    world.views.clear(&feed()).await.expect("cleared");
    catch_up(&*world.log, &*world.views, &feed()).await.expect("caught up");
}

#[tokio::test]
async fn a_crash_anywhere_in_a_trim_is_mended_by_the_next() {
    for crash_after in ["baseline", "log"] {
        let world = World::new();
        let engine = world.engine().await;
        let tenant = world.tenant(&engine).await;
        history(&world, &tenant).await;
        drop((engine, tenant));
        catch_up(&*world.log, &*world.views, &feed()).await.expect("caught up");
        let base = world.views.baseline().await.expect("readable").expect("there is one");
        let reached = catch_up_to(&*world.log, &*base, &feed(), Offset(12)).await.expect("reached").offset.next();
        if crash_after == "log" {
            world.log.trim(&feed(), reached).await.expect("trimmed");
        }
        // What `verify` does first.
        finish(&*world.log, &*world.views, &feed()).await.expect("finished");
        let kept = world.views.dump(&acme());
        assert_eq!(made_anew(&world).await, kept, "after a crash behind the {crash_after}");
        trim(&*world.log, &*world.views, &feed(), Offset(15)).await.expect("trimmed");
        let kept = world.views.dump(&acme());
        assert_eq!(made_anew(&world).await, kept, "and after the next trim");
    }
}

#[tokio::test]
async fn a_log_that_was_trimmed_without_a_baseline_is_refused() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    history(&world, &tenant).await;
    drop((engine, tenant));
    world.log.trim(&feed(), Offset(9)).await.expect("trimmed");
    let views = MemoryViews::default();
    let refused = catch_up(&*world.log, &views, &feed()).await;
    assert!(matches!(refused, Err(CatchUpError::Log(LogError::Trimmed { .. }))), "{refused:?}");
}

#[tokio::test]
async fn who_said_that_a_contact_may_not_be_texted_is_never_trimmed() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let stopped = tenant.submit(text("SM1", CALLER, "STOP")).await.expect("stored");
    for number in 2..6 {
        tenant.submit(text(&format!("SM{number}"), CALLER, "and another thing")).await.expect("stored");
    }
    drop((engine, tenant));
    catch_up(&*world.log, &*world.views, &feed()).await.expect("caught up");
    let end = world.log.head(&feed()).await.expect("readable").next_offset;
    let reached = trim(&*world.log, &*world.views, &feed(), end).await.expect("trimmed");
    let id = stopped.conversation.expect("one");
    let stored = world.views.conversation(&acme(), id).await.expect("readable").expect("known");
    let said = State::load(&stored).expect("decodes").consent_at;
    assert!(Offset(0) < said && said < reached, "{said} was cut off at {reached}");
    assert!(world.views.event(&acme(), id, said).await.expect("readable").is_some());
}

#[tokio::test]
async fn rows_ahead_of_their_checkpoint_are_written_again_and_not_folded_twice() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    history(&world, &tenant).await;
    drop((engine, tenant));
    catch_up(&*world.log, &*world.views, &feed()).await.expect("caught up");
    let whole = world.views.dump(&acme());
    for batch in world.log.batches(&feed()) {
        let checkpoint =
            Checkpoint { offset: Offset(batch.header.first.0 - 1), batch: BatchNumber(batch.header.number.0 - 1) };
        let torn = world.views.with_checkpoint(&feed(), checkpoint);
        catch_up(&*world.log, &torn, &feed()).await.expect("caught up");
        assert_eq!(torn.dump(&acme()), whole, "from batch {}", batch.header.number);
    }
}
