//! A node that joins.

use schema::command::{Recipient, SendMessage};

use super::{
    apart::{add_tenant, text_to},
    *,
};
use crate::{
    cluster::first_of,
    ports::{Member, MemberState},
};

/// Tenants that the hash gives to the third of three nodes.
fn of_the_third() -> impl Iterator<Item = TenantId> {
    let member = |number| Member {
        node: name(number),
        state: MemberState::Serving,
        weight: 1,
        address: String::new(),
        reads: WriteVersion::NEWEST,
    };
    let members = [0, 1, 2].map(member);
    let names = (0..).map(|number| TenantId::new(&format!("moves-{number}")).unwrap());
    names.filter(move |tenant| first_of(tenant, &members) == Some(&name(2)))
}

fn moves() -> ClusterOptions {
    ClusterOptions { settle_after: Duration::from_millis(300), moves_per_s: 20, ..options() }
}

/// Two nodes, and a tenant.
async fn two() -> Nodes {
    let mut nodes = Nodes::none();
    for _ in 0..2 {
        nodes.add_with(WriteVersion::NEWEST, moves()).await;
    }
    nodes.world.tenant(&nodes.engines[0]).await;
    nodes
}

/// One more tenant, that does nothing.
async fn runs(nodes: &Nodes, tenant: &TenantId) {
    let register = ask(Command::Register(Registration::Tenant(tenant.clone())));
    nodes.engines[0].submit(&TenantId::system(), register).await.unwrap();
    until("it runs", async || nodes.engines[0].tenant(tenant).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_receives_its_share_little_by_little_and_nothing_is_refused() {
    let mut nodes = two().await;
    let others: Vec<TenantId> = (0..40).map(|number| TenantId::new(&format!("other-{number}")).unwrap()).collect();
    for tenant in &others {
        runs(&nodes, tenant).await;
    }
    let moves_there = of_the_third().next().unwrap();
    add_tenant(&nodes, &moves_there).await;
    let mut readers = [nodes.reader_of(0, &moves_there).await, nodes.reader_of(1, &moves_there).await];
    let owned = |nodes: &Nodes| nodes.engines.iter().map(|engine| engine.owned().tenants).collect::<Vec<u64>>();
    until("all run", async || owned(&nodes).iter().sum::<u64>() == 43).await;
    let (engine, tenant) = (nodes.engines[0].clone(), moves_there.clone());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let load = tokio::spawn(async move {
        let mut last = Offset(0);
        for number in 0.. {
            if *stopped.borrow() {
                break;
            }
            let text = text_to(&tenant, &format!("SM{number}"), "x");
            last = engine.submit(&tenant, text).await.expect("not refused").offset;
        }
        last
    });
    let joined = tokio::time::Instant::now();
    nodes.add_with(WriteVersion::NEWEST, moves()).await;
    let members = nodes.engines[0].members().unwrap();
    let all: Vec<TenantId> = others.iter().cloned().chain([acme(), moves_there.clone(), TenantId::system()]).collect();
    let share = all.iter().filter(|tenant| first_of(tenant, &*members) == Some(&name(2))).count() as u64;
    assert!((5..=25).contains(&share), "{share} of 43");
    until("it has its share", async || {
        let has = nodes.engines[2].owned().tenants;
        // Two nodes give, 20 a second each.
        let most = 2.0 + 2.0 * 20.0 * joined.elapsed().as_secs_f64();
        assert!(has as f64 <= most, "{has} after {:?}", joined.elapsed());
        assert!(has == 0 || joined.elapsed() >= moves().settle_after, "not at once");
        has == share
    })
    .await;
    for tenant in &all {
        let place = first_of(tenant, &*members).unwrap();
        until("each is in its place", async || name(nodes.owner(tenant).await) == *place).await;
    }
    stop.send_replace(true);
    let last = load.await.unwrap();
    for reader in &mut readers {
        reader.reads_to(last).await;
    }
    assert_eq!(nodes.dense_of(&moves_there).await, last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_text_is_with_the_carrier_moves_when_that_has_answered() {
    let mut nodes = two().await;
    let mut both: Vec<TenantId> = of_the_third().take(2).collect();
    // They go from the end.
    both.sort_unstable();
    let [idle, calls] = &both[..] else { unreachable!("two") };
    add_tenant(&nodes, calls).await;
    runs(&nodes, idle).await;
    let submit = async |nodes: &Nodes, request| nodes.engines[0].submit(calls, request).await.expect("not refused");
    let conversation = submit(&nodes, text_to(calls, "SM1", "hi")).await.conversation.unwrap();
    nodes.world.carrier.hold();
    let send = SendMessage { to: Recipient::Conversation(conversation), channel: None, text: "on our way".to_owned() };
    submit(&nodes, ask(Command::Send(send))).await;
    until("it is with the carrier", async || nodes.world.carrier.waiting() == 1).await;
    nodes.add_with(WriteVersion::NEWEST, moves()).await;
    until("another moves", async || nodes.owner(idle).await == 2).await;
    submit(&nodes, text_to(calls, "SM2", "when?")).await;
    assert_ne!(nodes.owner(calls).await, 2, "it is served where it is");
    nodes.world.carrier.release();
    until("it moves, too", async || nodes.owner(calls).await == 2).await;
    submit(&nodes, text_to(calls, "SM3", "hello?")).await;
}
