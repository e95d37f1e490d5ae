//! What tenants and nodes keep from each other: room, and words.

use std::time::Duration;

use futures_util::future::join_all;
use schema::{
    address::Address,
    command::{ReceiveMessage, Setting},
    event::Fact,
    ids::{AccountId, ChannelId},
    role::Role,
    settings::ChannelSettings,
};

use super::*;
use crate::{cluster::follow::UNDER_WAY, feed::Slice};

fn other() -> TenantId {
    TenantId::new("other").unwrap()
}

fn line_of(tenant: &TenantId) -> ChannelId {
    ChannelId::new(&format!("{tenant}-line")).unwrap()
}

/// One more tenant, with a line of its own.
pub(super) async fn add_tenant(nodes: &Nodes, tenant: &TenantId) {
    let account = AccountId::new(&format!("{tenant}-account")).unwrap();
    let (channel, address) = (line_of(tenant), "+14155550198".to_owned());
    let registrations = [
        Registration::Tenant(tenant.clone()),
        Registration::Account { account: account.clone(), tenant: tenant.clone(), carrier_id: "AC2".to_owned() },
        Registration::Channel {
            channel: channel.clone(),
            tenant: tenant.clone(),
            account: account.clone(),
            address: address.clone(),
        },
    ];
    for registration in registrations {
        nodes.engines[0].submit(&TenantId::system(), ask(Command::Register(registration))).await.unwrap();
    }
    let setting = Setting::Channel(channel, ChannelSettings::new(address, account));
    nodes.engines[0].submit(tenant, ask(Command::Configure(setting))).await.unwrap();
    until("all know it", async || nodes.engines.iter().all(|engine| engine.directory().tenant_exists(tenant))).await;
}

pub(super) fn text_to(tenant: &TenantId, id: &str, words: &str) -> Request {
    ask(Command::Receive(ReceiveMessage {
        channel: line_of(tenant),
        from: Address::from_carrier(CALLER).unwrap(),
        carrier_id: id.to_owned(),
        text: words.to_owned(),
        media: Vec::new(),
        segments: 1,
        carrier_keyword: None,
    }))
}

fn said(slice: &Slice) -> String {
    let pieces: Vec<_> = slice.pieces(Role::Admin, 0, usize::MAX).collect();
    String::from_utf8(pieces.concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_one_tenant_reaches_another_over_nodes() {
    let nodes = Nodes::with_tenant().await;
    add_tenant(&nodes, &other()).await;
    let mut cursors = Vec::new();
    for engine in &nodes.engines {
        for (tenant, own) in [(acme(), "acme's"), (other(), "other's")] {
            cursors.push((engine.tenant(&tenant).await.unwrap().feed().tail(), own));
        }
    }
    // The same person, the same carrier ids, at the same time, through every node.
    let (mut to_acme, mut to_other) = (Vec::new(), Vec::new());
    for number in 0..60 {
        let (id, engine, tenant) = (format!("SM{number}"), &nodes.engines[number % 3], other());
        let (one, two) = (text(&id, CALLER, "acme's words"), text_to(&other(), &id, "other's words"));
        let (one, two) = tokio::join!(nodes.submit(number % 3, one), engine.submit(&tenant, two));
        to_acme.push(one.unwrap());
        to_other.push(two.unwrap());
    }
    let ends = [to_acme[59].offset, to_other[59].offset];
    for (number, (cursor, own)) in cursors.iter_mut().enumerate() {
        let foreign = if *own == "acme's" { "other" } else { "acme" };
        let mut words = 0;
        while cursor.position() < ends[number % 2] {
            let slice = tokio::time::timeout(PATIENCE, cursor.next()).await.expect("it comes").expect("it goes on");
            let said = said(&slice);
            assert!(!said.contains(foreign), "a reader of {own} sees {said}");
            words += said.matches(*own).count();
        }
        assert!(words >= 60, "{words}");
    }
    // Nor does asking for what is another's.
    for node in 0..3 {
        let owner = &nodes.engines[node];
        let message = to_other[0].message.unwrap();
        let answer = owner.tenant(&acme()).await.unwrap().place(message).await;
        assert!(!matches!(answer, Ok(Some(_))), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_takes_nothing_holds_nobody_back_and_keeps_little() {
    let nodes = Nodes::with_tenant().await;
    let (owner, at) = (nodes.owner(&acme()).await, nodes.bystander().await);
    let tenant = nodes.engines[owner].tenant(&acme()).await.unwrap();
    let position = tenant.feed().position();
    let follow = Follow { from: name(9), tenant: acme(), epoch: position.epoch, offset: position.offset };
    let mut stuck = nodes.engines[owner].follow(follow).await.unwrap();
    let mut reader = nodes.reader(at).await;
    let mut last = Offset(0);
    for number in 0..20 * UNDER_WAY {
        last = nodes.submit(at, text(&format!("SM{number}"), CALLER, "hello")).await.unwrap().offset;
    }
    reader.reads_to(last).await;
    assert_eq!(stuck.len(), UNDER_WAY, "more waits as a position");
    // It comes back, and misses nothing.
    let mut next = position.offset.next();
    while next <= last {
        let told = tokio::time::timeout(PATIENCE, stuck.recv()).await.expect("it comes").expect("it goes on");
        if let crate::ports::Followed::Batch(batch) = told {
            assert_eq!(batch.header.first, next);
            next = batch.header.end();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_through_another_node_is_refused_with_a_time_to_come_back_and_harms_no_other_tenant() {
    let mut nodes = Nodes::none();
    nodes.limits.mailbox = 4;
    for _ in 0..3 {
        nodes.add(WriteVersion::NEWEST).await;
    }
    nodes.world.tenant(&nodes.engines[0]).await;
    add_tenant(&nodes, &other()).await;
    until("all know it", async || nodes.engines.iter().all(|engine| engine.directory().tenant_exists(&acme()))).await;
    let owner = nodes.owner(&acme()).await;
    let at = (owner + 1) % 3;
    let flood = (0..2_000).map(|number| nodes.submit(at, text(&format!("SM{number}"), CALLER, "flood")));
    let beside = async {
        for number in 0..20 {
            let words = text_to(&other(), &format!("SM{number}"), "hello");
            nodes.engines[at].submit(&other(), words).await.expect("its own queue is empty");
        }
    };
    let (answers, ()) = tokio::join!(join_all(flood), beside);
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(refused, Refusal::Full { retry_after } if *retry_after > Duration::ZERO), "{refused}");
    }
    assert!((1..2_000).contains(&taken), "{taken} of 2,000 were taken");
    let log = nodes.world.log.read(&FeedId::of(&acme()), Offset(1), usize::MAX).await.unwrap();
    let events = log.iter().flat_map(|batch| batch.events().map(Result::unwrap).collect::<Vec<_>>());
    let stored = events.filter(|event| matches!(event.fact, Fact::MessageReceived(_))).count();
    assert_eq!(stored, taken, "what was refused is not there, what was taken is");
}
