//! The stop button at a tenant: what leaves, what stays, what is remembered.

use std::sync::atomic::{AtomicBool, Ordering};

use schema::{
    pause::{Pause, PauseScope},
    time::Stamp,
};

use super::*;
use crate::ports::Directory as _;

const SECOND: Duration = Duration::from_secs(1);

fn second_line() -> ChannelId {
    ChannelId::new("acme-second").expect("a slug")
}

fn pause(scope: PauseScope, pause: Pause) -> Request {
    ask(Command::Configure(Setting::Pause(scope, pause)))
}

async fn press(engine: &Engine, scope: PauseScope, what: Pause) {
    let (tenant, request) = match scope {
        PauseScope::Everyone => (TenantId::system(), ask(Command::Register(Registration::Pause(what)))),
        scope => (acme(), pause(scope, what)),
    };
    engine.submit(&tenant, request).await.expect("stored");
}

fn person(number: u32) -> String {
    format!("+1415555{number:04}")
}

/// An operator writes to a number.
fn write(to: &str, words: &str) -> Request {
    let to = Recipient::Address(Address::from_carrier(to).expect("an address"));
    ask(Command::Send(SendMessage { to, channel: Some(line()), text: words.to_owned() }))
}

fn texts(world: &World) -> Vec<String> {
    world.carrier.sent().into_iter().map(|sent| sent.text).collect()
}

async fn until_sent(world: &World, within: Duration, wanted: usize) {
    let all = async {
        while world.carrier.sent().len() < wanted {
            tokio::task::yield_now().await;
        }
    };
    let sent = || world.carrier.sent().len();
    tokio::time::timeout(within, all).await.unwrap_or_else(|_| panic!("{} of {wanted} were sent", sent()));
}

/// Long enough for two looks of housekeeping at every lane.
async fn two_looks(tenant: &TenantHandle) {
    for _ in 0..2 {
        let look = tokio::time::Instant::now() + Duration::from_millis(600);
        while tokio::time::Instant::now() < look {
            tenant.stats().await.expect("it answers");
        }
    }
}

#[tokio::test]
async fn nothing_leaves_while_paused_whoever_pressed_and_all_of_it_leaves_in_order_after() {
    for scope in [PauseScope::Everyone, PauseScope::Tenant, PauseScope::Line(line())] {
        let world = World::new();
        let engine = world.engine().await;
        let tenant = world.tenant(&engine).await;
        press(&engine, scope.clone(), Pause::All).await;
        for number in 0..5 {
            tenant.submit(write(CALLER, &format!("text {number}"))).await.expect("queued");
        }
        two_looks(&tenant).await;
        assert_eq!(texts(&world), Vec::<String>::new(), "{scope:?}");
        press(&engine, scope.clone(), Pause::None).await;
        until_sent(&world, SECOND, 5).await;
        assert_eq!(texts(&world), ["text 0", "text 1", "text 2", "text 3", "text 4"], "{scope:?}");
    }
}

#[tokio::test]
async fn an_automatic_pause_lets_an_operators_reply_pass_the_text_back_of_its_contact() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    press(&engine, PauseScope::Tenant, Pause::Automatic).await;
    let called = tenant.submit(missed("CA1", CALLER)).await.expect("stored");
    let back = called.message.expect("a text-back is queued");
    let conversation = called.conversation.expect("one");
    tenant.submit(reply(conversation, "a person")).await.expect("queued");
    until_sent(&world, PATIENCE, 1).await;
    two_looks(&tenant).await;
    assert_eq!(texts(&world), ["a person"], "the text-back stays, the person's text passes it");
    let place = tenant.place(back).await.expect("it answers").expect("it is queued");
    assert_eq!(place.paused, Some(Pause::Automatic));
    press(&engine, PauseScope::Tenant, Pause::None).await;
    until_sent(&world, SECOND, 2).await;
    assert_eq!(texts(&world), ["a person", "Acme missed you"]);
}

#[tokio::test]
async fn a_pause_is_kept_over_a_restart_and_is_an_event_with_its_author() {
    for scope in [PauseScope::Everyone, PauseScope::Tenant, PauseScope::Line(line())] {
        let world = World::new();
        let engine = world.engine().await;
        let tenant = world.tenant(&engine).await;
        press(&engine, scope.clone(), Pause::All).await;
        tenant.submit(write(CALLER, "kept")).await.expect("queued");
        drop(tenant);
        engine.drain(PATIENCE).await;
        let engine = world.engine().await;
        let tenant = engine.tenant(&acme()).await.expect("it runs");
        world
            .until(&tenant, "told", |events| {
                let told = |event: &&Event| matches!(&event.fact, Fact::PauseChanged(fact) if fact.scope == scope);
                let by = events.iter().find(told).map(|event| event.header.origin.by.clone());
                let engine_told = scope == PauseScope::Everyone && by == Some(Author::Engine);
                engine_told || matches!(by, Some(Author::Operator(_)))
            })
            .await;
        two_looks(&tenant).await;
        assert_eq!(texts(&world), Vec::<String>::new(), "{scope:?}");
        assert_eq!(tenant.settings().pauses.of(&scope), Pause::All);
        press(&engine, scope, Pause::None).await;
        until_sent(&world, SECOND, 1).await;
    }
}

#[tokio::test]
async fn a_paused_line_leaves_the_other_line_alone() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let (channel, address) = (second_line(), "+14155550198".to_owned());
    let claim = Registration::Channel { channel, tenant: acme(), account: account(), address: address.clone() };
    engine.submit(&TenantId::system(), ask(Command::Register(claim))).await.expect("registered");
    let settings = ChannelSettings { address, ..tenant.settings().channels[&line()].clone() };
    engine.submit(&acme(), ask(Command::Configure(Setting::Channel(second_line(), settings)))).await.expect("stored");
    press(&engine, PauseScope::Line(line()), Pause::All).await;
    tenant.submit(write(&person(1), "held")).await.expect("queued");
    let mut other = write(&person(2), "free");
    if let Command::Send(send) = &mut other.command {
        send.channel = Some(second_line());
    }
    tenant.submit(other).await.expect("queued");
    until_sent(&world, PATIENCE, 1).await;
    two_looks(&tenant).await;
    assert_eq!(texts(&world), ["free"]);
    let unknown = engine.submit(&acme(), pause(PauseScope::Line("nobody".parse().expect("a slug")), Pause::All)).await;
    assert!(matches!(unknown, Err(Refusal::Rejected { code: Code::NotFound, .. })), "{unknown:?}");
}

/// Grants every claim, and lets nothing through its door while it is shut.
#[derive(Default)]
struct Door {
    open: AtomicBool,
}

impl Limiter for Door {
    fn admit(&self, _: &PaceRequest<'_>, _: Stamp) -> Admission {
        Admission::Granted
    }
    fn depart(&self, _: &PaceRequest<'_>, now: Stamp) -> Admission {
        let wait = Admission::NotBefore { at: now.plus(Duration::from_millis(5)), pair: false };
        if self.open.load(Ordering::SeqCst) { Admission::Granted } else { wait }
    }
    fn restore(&self, _: &PaceRequest<'_>, _: Stamp) {}
}

#[tokio::test]
async fn a_claimed_text_that_has_not_left_goes_back_to_its_lane() {
    let mut world = World::new();
    let door = Arc::new(Door::default());
    world.ports.limiter = door.clone();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let message = tenant.submit(write(CALLER, "late")).await.expect("queued").message.expect("one");
    let has = |name: &'static str| move |events: &[Event]| events.iter().any(|event| event.fact.name() == name);
    world.until(&tenant, "claimed", has("message.claimed")).await;
    press(&engine, PauseScope::Everyone, Pause::All).await;
    door.open.store(true, Ordering::SeqCst);
    world.until(&tenant, "back in its lane", has("message.requeued")).await;
    two_looks(&tenant).await;
    assert_eq!(texts(&world), Vec::<String>::new(), "its claim was no leave to go");
    let place = tenant.place(message).await.expect("it answers").expect("it is queued");
    assert_eq!((place.place, place.paused), (1, Some(Pause::All)));
    press(&engine, PauseScope::Everyone, Pause::None).await;
    until_sent(&world, SECOND, 1).await;
    world.until(&tenant, "sent", |events| has_status(events, Status::Sent)).await;
    assert_eq!(texts(&world), ["late"], "once");
}

#[tokio::test]
async fn a_text_whose_time_ends_while_paused_expires_and_says_so() {
    let mut world = World::new();
    world.limits.policy.text_back_validity = Duration::from_millis(300);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    press(&engine, PauseScope::Tenant, Pause::All).await;
    tenant.submit(missed("CA1", CALLER)).await.expect("stored");
    world.until(&tenant, "expired", |events| has_status(events, Status::Expired)).await;
    press(&engine, PauseScope::Tenant, Pause::None).await;
    two_looks(&tenant).await;
    assert_eq!(texts(&world), Vec::<String>::new());
}

#[tokio::test]
async fn a_pause_that_was_not_stored_holds_nothing() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    for (owner, request) in [
        (acme(), pause(PauseScope::Tenant, Pause::All)),
        (TenantId::system(), ask(Command::Register(Registration::Pause(Pause::All)))),
    ] {
        world.log.fail_next(1, Failure::Unavailable);
        let refused = engine.submit(&owner, request).await;
        assert!(matches!(refused, Err(Refusal::Unavailable { .. })), "{refused:?}");
    }
    tenant.submit(write(CALLER, "goes")).await.expect("queued");
    until_sent(&world, PATIENCE, 1).await;
    assert!(tenant.settings().pauses.is_empty());
}

#[test]
fn what_everyone_is_told_is_a_fold_of_the_directory_and_an_order_that_changes_nothing_is_no_event() {
    let directory = crate::directory::SystemDirectory::default();
    for pause in [Pause::All, Pause::Automatic, Pause::None] {
        let fact = directory.decide(&Registration::Pause(pause)).expect("it may").expect("it is new");
        let ahead = directory.copy();
        ahead.apply(&fact);
        assert_ne!(directory.pause(), pause, "what runs ahead is nobody's yet");
        directory.apply(&fact);
        assert_eq!((ahead.pause(), directory.pause()), (pause, pause));
        assert_eq!(directory.decide(&Registration::Pause(pause)).expect("it may"), None);
    }
}

#[tokio::test]
async fn the_same_order_twice_is_one_event() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    for _ in 0..2 {
        for scope in [PauseScope::Tenant, PauseScope::Line(line())] {
            press(&engine, scope, Pause::Automatic).await;
        }
    }
    let names = world.names(&tenant).await;
    assert_eq!(names.iter().filter(|name| **name == "settings.pause").count(), 2, "{names:?}");
}
