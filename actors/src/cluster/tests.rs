//! Several engines over one log: one owner a tenant, readers on every node, takeovers, duels, and giving tenants away.

mod apart;
mod settle;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use schema::{
    command::{Command, Registration, Reply, Request},
    event::WriteVersion,
    ids::{FeedId, NodeId, Offset, TenantId},
    pause::Pause,
};

use super::{ClusterOptions, Joined, in_order_of};
use crate::{
    engine::{Engine, Limits, Setup},
    feed::Cursor,
    follower::Advances,
    handle::Refusal,
    memory::MemoryCluster,
    ports::{Asked, Follow, Following, Log as _, Peer, PeerAnswer, PeerError},
    presence::ClientId,
    tenant::tests::{CALLER, PATIENCE, World, acme, ask, line, missed, text},
};

/// Several nodes over one world.
struct Nodes {
    world: World,
    cluster: Arc<MemoryCluster>,
    engines: Vec<Engine>,
    limits: Limits,
    /// What each node's search waits for.
    grown: Vec<Arc<Advances>>,
}

fn name(number: usize) -> NodeId {
    NodeId::new(&format!("node-{number}")).unwrap()
}

fn options() -> ClusterOptions {
    ClusterOptions {
        confirm_within: Duration::from_millis(600),
        suspect_after: Duration::from_millis(200),
        wake_every: Duration::from_millis(100),
        raise_after: Duration::from_millis(300),
        // Tenants stay where they are, but in the test that is about it.
        moves_per_s: 0,
        ..ClusterOptions::default()
    }
}

fn setup(world: &World, limits: Limits, node: &NodeId, grown: &Arc<Advances>) -> Setup {
    let (ports, directory) = (world.ports(), Arc::default());
    Setup { node: node.clone(), ports, limits, arbiters: 1, advances: vec![grown.clone()], directory }
}

impl Nodes {
    fn none() -> Self {
        let world = World::new();
        let limits = world.limits();
        Self { world, cluster: Arc::default(), engines: Vec::new(), limits, grown: Vec::new() }
    }

    async fn of(count: usize) -> Self {
        let mut nodes = Self::none();
        for _ in 0..count {
            nodes.add(WriteVersion::NEWEST).await;
        }
        nodes
    }

    async fn add(&mut self, reads: WriteVersion) {
        self.add_with(reads, options()).await;
    }

    async fn add_with(&mut self, reads: WriteVersion, options: ClusterOptions) {
        let node = name(self.engines.len());
        let grown = Arc::default();
        let setup = setup(&self.world, self.limits.clone(), &node, &grown);
        let joined = Joined { cluster: self.cluster.join(&node, reads), options };
        let engine = Engine::join(setup, joined).unwrap();
        self.cluster.open(&node, Arc::new(engine.clone()));
        engine.begin().await.unwrap();
        self.engines.push(engine);
        self.grown.push(grown);
    }

    /// Three nodes and a tenant with a line.
    async fn with_tenant() -> Self {
        let nodes = Self::of(3).await;
        nodes.world.tenant(&nodes.engines[0]).await;
        until("all know it", async || nodes.engines.iter().all(|engine| engine.directory().tenant_exists(&acme())))
            .await;
        nodes
    }

    async fn submit(&self, node: usize, request: Request) -> Result<Reply, Refusal> {
        self.engines[node].submit(&acme(), request).await
    }

    async fn pause(&self, node: usize, pause: Pause) {
        let command = Command::Register(Registration::Pause(pause));
        self.engines[node].submit(&TenantId::system(), ask(command)).await.unwrap();
    }

    async fn owner(&self, tenant: &TenantId) -> usize {
        let head = self.world.log.head(&FeedId::of(tenant)).await.unwrap();
        let owner = head.owner.expect("somebody has written to it");
        (0..self.engines.len()).find(|number| name(*number) == owner).unwrap()
    }

    /// A node where the tenant neither runs nor is read.
    async fn bystander(&self) -> usize {
        let owner = self.owner(&acme()).await;
        let at = (0..self.engines.len()).find(|at| *at != owner && self.engines[*at].running(&acme()).is_none());
        at.expect("the tenant was made through one node")
    }

    async fn reader(&self, node: usize) -> Reader {
        self.reader_of(node, &acme()).await
    }

    async fn reader_of(&self, node: usize, tenant: &TenantId) -> Reader {
        let tenant = self.engines[node].tenant(tenant).await.unwrap();
        let cursor = tenant.feed().tail();
        Reader { at: cursor.position(), cursor }
    }

    /// Every offset of the log, each from one batch.
    async fn dense(&self) -> Offset {
        self.dense_of(&acme()).await
    }

    async fn dense_of(&self, tenant: &TenantId) -> Offset {
        let batches = self.world.log.read(&FeedId::of(tenant), Offset(1), usize::MAX).await.unwrap();
        let mut next = Offset(1);
        for batch in &batches {
            assert_eq!(batch.header.first, next);
            next = batch.header.end();
        }
        Offset(next.0 - 1)
    }
}

/// A dashboard, as far as the core knows.
struct Reader {
    at: Offset,
    cursor: Cursor,
}

impl Reader {
    /// Everything up to `until`, once and in order.
    async fn reads_to(&mut self, until: Offset) {
        while self.at < until {
            let slice =
                tokio::time::timeout(PATIENCE, self.cursor.next()).await.expect("it comes").expect("it goes on");
            for entry in slice.entries() {
                assert_eq!(entry.offset, self.at.next(), "in order, without a gap");
                self.at = entry.offset;
            }
        }
    }
}

/// A door behind which nobody is.
struct Silent;

#[async_trait]
impl Peer for Silent {
    async fn ask(&self, _asked: Asked) -> Result<PeerAnswer, PeerError> {
        std::future::pending().await
    }

    async fn follow(&self, _follow: Follow) -> Result<Following, PeerError> {
        std::future::pending().await
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(tokio::time::Instant::now() < deadline, "not in time: {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_takes_commands_and_shows_every_event() {
    let nodes = Nodes::with_tenant().await;
    let mut readers = [nodes.reader(0).await, nodes.reader(1).await, nodes.reader(2).await];
    let mut last = Offset(0);
    for number in 0..30 {
        let reply = nodes.submit(number % 3, text(&format!("SM{number}"), CALLER, "hello")).await.unwrap();
        assert!(reply.offset > last);
        last = reply.offset;
        let shown = nodes.engines[number % 3].tenant(&acme()).await.unwrap().feed().position().offset;
        assert!(shown >= last, "whoever asked finds what was answered");
    }
    for reader in &mut readers {
        reader.reads_to(last).await;
    }
    let owned: Vec<bool> =
        nodes.engines.iter().map(|engine| engine.running(&acme()).is_some_and(|tenant| tenant.is_here())).collect();
    assert_eq!(owned.iter().filter(|here| **here).count(), 1, "one owner: {owned:?}");
    assert_eq!(nodes.dense().await, last);
    // A carrier's second try, at another node.
    let again = nodes.submit(1, text("SM3", CALLER, "hello")).await.unwrap();
    assert!(again.offset < last && nodes.dense().await == last, "accepted once");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_passed_on_without_following_whom_nobody_reads() {
    let nodes = Nodes::with_tenant().await;
    let at = nodes.bystander().await;
    let engine = &nodes.engines[at];
    let before = engine.owned();
    let mut last = Offset(0);
    for number in 0..10 {
        last = nodes.submit(at, text(&format!("SM{number}"), CALLER, "hello")).await.unwrap().offset;
    }
    // A call's answer needs the line's settings.
    until("the views", async || engine.settings(&acme()).await.unwrap().channels.contains_key(&line())).await;
    let after = engine.owned();
    assert_eq!((after.followed, after.tenants), (before.followed, before.tenants), "nobody reads it here");
    assert_eq!(after.forwarded, before.forwarded + 10);
    // Who begins to read it here finds what was answered, search is told to catch up, and from then on what is passed on
    // is shown when it returns.
    let told_before = nodes.grown[at].next().now_or_never().unwrap_or_default();
    assert!(!told_before.contains(&FeedId::of(&acme())));
    let tenant = engine.tenant(&acme()).await.unwrap();
    assert!(tenant.feed().position().offset >= last && engine.owned().followed == before.followed + 1);
    let told = nodes.grown[at].next().now_or_never().unwrap_or_default();
    assert!(told.contains(&FeedId::of(&acme())), "{told:?}");
    last = nodes.submit(at, text("SM-next", CALLER, "hello")).await.unwrap().offset;
    assert!(tenant.feed().position().offset >= last);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_takes_everything_and_answers_nothing_is_replaced_before_the_asker_gives_up() {
    let nodes = Nodes::with_tenant().await;
    // Asked by the one that is last in order: whose turn it is does not know yet that the owner is gone.
    let members = nodes.engines[0].members().unwrap();
    let order: Vec<NodeId> = in_order_of(&acme(), &*members).into_iter().cloned().collect();
    let (owner, at) = (nodes.owner(&acme()).await, (0..3).find(|node| name(*node) == order[2]).unwrap());
    assert_eq!(name(owner), order[0]);
    nodes.submit(at, text("SM0", CALLER, "so that the way is known")).await.unwrap();
    // As a process that is stopped: others still take it for alive.
    nodes.cluster.open(&name(owner), Arc::new(Silent));
    nodes.submit(at, text("SM1", CALLER, "hello")).await.expect("taken by another");
    assert_ne!(nodes.owner(&acme()).await, owner);
    nodes.dense().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_where_the_hash_puts_it_is_found_where_the_log_says() {
    let nodes = Nodes::with_tenant().await;
    let (first, at) = (nodes.owner(&acme()).await, nodes.bystander().await);
    nodes.cluster.isolate(&name(first));
    nodes.submit(at, text("SM0", CALLER, "taken over")).await.unwrap();
    let second = nodes.owner(&acme()).await;
    until("the first steps down", async || !nodes.engines[first].running(&acme()).is_some_and(|it| it.is_here())).await;
    nodes.cluster.heal();
    for node in 0..3 {
        nodes.submit(node, text(&format!("SM-at-{node}"), CALLER, "hello")).await.unwrap();
    }
    assert!(nodes.owner(&acme()).await == second && second != first);
    nodes.dense().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_registered_at_one_node_is_known_at_all() {
    let nodes = Nodes::with_tenant().await;
    for engine in &nodes.engines {
        until("the directory", async || engine.directory().channel(&line()).is_some()).await;
        let settings = engine.tenant(&acme()).await.unwrap().settings();
        assert!(settings.channels.contains_key(&line()), "settings come with the feed");
    }
    for number in 0..30 {
        let tenant = TenantId::new(&format!("other-{number}")).unwrap();
        let register = ask(Command::Register(Registration::Tenant(tenant.clone())));
        nodes.engines[number % 3].submit(&TenantId::system(), register).await.unwrap();
        let known = nodes.engines[(number + 1) % 3].tenant(&tenant).await;
        assert!(!matches!(known, Err(Refusal::Rejected { .. })), "asked at once, at another node: {:?}", known.err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_go_on_when_the_owner_is_lost() {
    let nodes = Nodes::with_tenant().await;
    let owner = nodes.owner(&acme()).await;
    let others: Vec<usize> = (0..3).filter(|node| *node != owner).collect();
    let mut readers = Vec::new();
    for node in &others {
        readers.push(nodes.reader(*node).await);
    }
    let first = nodes.submit(others[0], text("SM1", CALLER, "before")).await.unwrap();
    // It runs on, and still reaches the log: only the fence keeps it out.
    nodes.cluster.isolate(&name(owner));
    let second = nodes.submit(others[0], text("SM2", CALLER, "after")).await.unwrap();
    let third = nodes.submit(others[1], text("SM3", CALLER, "after")).await.unwrap();
    assert!(first.offset < second.offset && second.offset < third.offset);
    for reader in &mut readers {
        reader.reads_to(third.offset).await;
    }
    assert_ne!(nodes.owner(&acme()).await, owner);
    nodes.dense().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_owner_finds_out_that_it_was_replaced() {
    let nodes = Nodes::with_tenant().await;
    let owner = nodes.owner(&acme()).await;
    let other = (owner + 1) % 3;
    let mut reader = nodes.reader(owner).await;
    nodes.submit(owner, text("SM0", CALLER, "before")).await.unwrap();
    nodes.cluster.isolate(&name(owner));
    let reply = nodes.submit(other, text("SM1", CALLER, "after")).await.unwrap();
    // Nobody asks it for anything; its own reader learns what the other side wrote when the link is back.
    let old = &nodes.engines[owner];
    until("it steps down", async || !old.running(&acme()).is_some_and(|tenant| tenant.is_here())).await;
    nodes.cluster.heal();
    reader.reads_to(reply.offset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_decided_on_what_another_owner_wrote() {
    let nodes = Nodes::with_tenant().await;
    let owner = nodes.owner(&acme()).await;
    nodes.submit(owner, text("SM0", CALLER, "so that it is sure of itself")).await.unwrap();
    nodes.cluster.isolate(&name(owner));
    let other = (owner + 1) % 3;
    let written = nodes.submit(other, text("SM1", "+14155550199", "to the new owner")).await.unwrap();
    // The old owner, which knows nothing of it, is asked for that conversation, which the views hold already.
    nodes.engines[other].tenant(&acme()).await.unwrap().viewed(written.offset).await.unwrap();
    let old = nodes.engines[owner].clone();
    let asked = tokio::spawn(async move { old.submit(&acme(), text("SM2", "+14155550199", "to the old one")).await });
    until("it steps down", async || !nodes.engines[owner].running(&acme()).is_some_and(|tenant| tenant.is_here()))
        .await;
    nodes.cluster.heal();
    let reply = asked.await.unwrap().expect("passed on");
    assert_eq!(reply.conversation, written.conversation);
    assert!(reply.offset > written.offset);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duel_ends_and_nothing_is_accepted_twice() {
    let nodes = Nodes::with_tenant().await;
    let owner = nodes.owner(&acme()).await;
    nodes.cluster.isolate(&name(owner));
    let other = (owner + 1) % 3;
    // Both sides are asked for the same texts.
    for number in 0..10 {
        let id = format!("SM{number}");
        let (_one, _other) =
            tokio::join!(nodes.submit(owner, text(&id, CALLER, "x")), nodes.submit(other, text(&id, CALLER, "x")));
    }
    nodes.cluster.heal();
    let mut replies = Vec::new();
    for number in 0..10 {
        let id = format!("SM{number}");
        let one = nodes.submit(owner, text(&id, CALLER, "x")).await.unwrap();
        assert_eq!(one, nodes.submit(other, text(&id, CALLER, "x")).await.unwrap(), "the same text, the same reply");
        replies.push(one.offset);
    }
    replies.dedup();
    assert_eq!(replies.len(), 10);
    nodes.dense().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_gives_its_tenants_away_and_refuses_nothing() {
    let nodes = Nodes::with_tenant().await;
    let owner = nodes.owner(&acme()).await;
    let mut reader = nodes.reader(owner).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let load = (0..3).map(|node| {
        let (engine, stopped) = (nodes.engines[node].clone(), stopped.clone());
        tokio::spawn(async move {
            let mut last = Offset(0);
            for number in 0.. {
                if *stopped.borrow() {
                    break;
                }
                let reply = engine.submit(&acme(), text(&format!("SM{node}-{number}"), CALLER, "x")).await;
                last = reply.expect("not one is refused").offset;
            }
            last
        })
    });
    let load: Vec<_> = load.collect();
    nodes.engines[owner].hand_over(PATIENCE).await;
    // It runs elsewhere already; the log says so with that node's first append.
    until("it is owned elsewhere", async || nodes.owner(&acme()).await != owner).await;
    let before = nodes.dense().await;
    until("it goes on", async || nodes.dense().await > Offset(before.0 + 20)).await;
    stop.send_replace(true);
    let mut last = Offset(0);
    for task in load {
        last = last.max(task.await.unwrap());
    }
    reader.reads_to(last).await;
    assert_eq!(nodes.engines[owner].owned().tenants, 0, "nothing stays");
    until("nor does the directory", async || nodes.owner(&TenantId::system()).await != owner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_text_leaves_after_its_node_died() {
    let nodes = Nodes::with_tenant().await;
    let owner = nodes.owner(&acme()).await;
    let other = (owner + 1) % 3;
    nodes.pause(other, Pause::All).await;
    nodes.submit(other, missed("CA1", CALLER)).await.unwrap();
    nodes.cluster.isolate(&name(owner));
    assert!(nodes.world.carrier.sent().is_empty(), "held back until its node is gone");
    nodes.pause(other, Pause::None).await;
    // Nobody asks for this tenant any more.
    until("it leaves", async || nodes.world.carrier.sent().len() == 1).await;
    assert_ne!(nodes.owner(&acme()).await, owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_online_on_every_node() {
    let nodes = Nodes::with_tenant().await;
    let mut tenants = Vec::new();
    for engine in &nodes.engines {
        tenants.push(engine.tenant(&acme()).await.unwrap());
    }
    for (number, tenant) in tenants.iter().enumerate() {
        let operator = schema::ids::OperatorId::new(&format!("op{number}")).unwrap();
        tenant.presence().join(ClientId(uuid::Uuid::from_u128(number as u128 + 1)), &operator);
    }
    for tenant in &tenants {
        until("all three are shown", async || tenant.presence().count() == (3, 3)).await;
    }
    let owner = nodes.owner(&acme()).await;
    let gone = (owner + 1) % 3;
    nodes.cluster.isolate(&name(gone));
    for number in (0..3).filter(|number| *number != gone) {
        until("those of a lost node go", async || tenants[number].presence().count() == (2, 2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_kinds_of_events_are_written_when_every_node_reads_them_and_who_does_not_owns_nothing() {
    let (old, new) = (WriteVersion::NEWEST, WriteVersion(WriteVersion::NEWEST.0 + 1));
    let mut nodes = Nodes::none();
    for reads in [new, new, old] {
        nodes.add(reads).await;
    }
    nodes.world.tenant(&nodes.engines[0]).await;
    let written = |node: usize| nodes.engines[node].directory().write_version();
    let long_after = tokio::time::Instant::now() + options().raise_after * 4;
    until("time to pass", async || tokio::time::Instant::now() >= long_after).await;
    assert_eq!([written(0), written(1), written(2)], [old; 3], "one of them does not read it");
    nodes.engines[2].hand_over(PATIENCE).await;
    nodes.engines[2].drain(PATIENCE).await;
    until("it is raised", async || (written(0), written(1)) == (new, new)).await;

    // One of before comes back: it follows and forwards, and owns nothing whoever is lost.
    nodes.add(old).await;
    let late = &nodes.engines[3];
    until("it knows", async || late.directory().write_version() == new && late.directory().tenant_exists(&acme()))
        .await;
    let mut reader = nodes.reader(3).await;
    let mut last = Offset(0);
    for number in 0..20 {
        last = nodes.submit(3, text(&format!("SM{number}"), CALLER, "hello")).await.unwrap().offset;
    }
    reader.reads_to(last).await;
    for number in 0..20 {
        let tenant = TenantId::new(&format!("other-{number}")).unwrap();
        let register = ask(Command::Register(Registration::Tenant(tenant.clone())));
        late.submit(&TenantId::system(), register).await.unwrap();
        until("it is there", async || late.tenant(&tenant).await.is_ok()).await;
    }
    assert_eq!(late.owned().tenants, 0, "of two dozen tenants");
    nodes.cluster.isolate(&name(0));
    nodes.cluster.isolate(&name(1));
    let alone = tokio::time::timeout(options().confirm_within * 4, nodes.submit(3, text("SM-alone", CALLER, "x")));
    assert!(!matches!(alone.await, Ok(Ok(_))) && late.owned().tenants == 0, "nor when it is alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_alone_does_not_start_on_events_that_it_does_not_read() {
    let (world, newer) = (World::new(), WriteVersion(WriteVersion::NEWEST.0 + 1));
    let engine = Engine::start(setup(&world, world.limits(), &name(0), &Arc::default())).await.unwrap();
    let directory = engine.inner_node().directory.clone();
    assert!(directory.may_write(WriteVersion::NEWEST).is_ok() && directory.may_write(newer).is_err());
    engine.raise_to(newer).await.unwrap();
    assert!(directory.may_write(newer).is_ok());
    engine.raise_to(WriteVersion::FIRST).await.unwrap();
    assert_eq!(engine.directory().write_version(), newer, "it is only ever raised");
    engine.drain(PATIENCE).await;
    let refused =
        Engine::start(setup(&world, world.limits(), &name(0), &Arc::default())).await.err().expect("it does not start");
    assert!(refused.to_string().contains("use a newer one"), "{refused}");
}
