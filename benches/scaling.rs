//! What hundreds of nodes ask of gossip, and a thousand of placement: chitchat itself, set as `src/cluster/gossip.rs` sets it,
//! over channels and in virtual time; where rendezvous hashing puts tenants; and what a tenant weighs in the directory, which
//! every node holds whole. docs/scaling.md computes with it.
#![allow(clippy::disallowed_methods, reason = "a bench has the real time and its own arguments")]

#[path = "support/figures.rs"]
#[allow(dead_code, reason = "other benches use the rest of it")]
mod figures;

use std::{net::SocketAddr, time::Duration};

use actors::{
    cluster::first_of,
    directory::SystemDirectory,
    ports::{Member, MemberState},
};
use chitchat::{
    ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, ProtocolVersion, spawn_chitchat,
    transport::{ChannelTransport, Statistics},
};
use figures::{Run, Wanted};
use schema::{
    event::{
        AccountRegistered, Author, ChannelClaimed, Fact, Header, Origin, StoredEvent, TenantRegistered, Via,
        WriteVersion,
    },
    ids::{AccountId, ChannelId, NodeId, Offset, RequestId, TenantId},
    time::Stamp,
};
use tokio::time::Instant;

/// As the engine ships: `cluster.gossip_interval_ms` and `cluster.silent_intervals`.
const INTERVAL: Duration = Duration::from_millis(250);
const SILENT: u32 = 12;
/// The longest datagram there is, less what signing adds.
const DATAGRAM: usize = 65_507 - 36;
/// Longer than any cluster takes to know itself.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let mut run = Run::new("scaling");
    for nodes in run.full_or_quick(vec![10, 100, 300, 600, 1_000], vec![5]) {
        gossip(&mut run, nodes);
    }
    placement(&mut run);
    directory(&mut run);
    run.end();
}

fn address(node: usize) -> SocketAddr {
    let node = u16::try_from(node).expect("at most thousands");
    SocketAddr::from(([10, 0, 0, 1], 10_000 + node))
}

/// A node's name is as long as those that the engine makes.
fn name(node: usize) -> String {
    format!("node-{node:08x}")
}

async fn start(node: usize, transport: &ChannelTransport) -> ChitchatHandle {
    let failures =
        FailureDetectorConfig::new(f64::from(SILENT), 100, INTERVAL * SILENT, INTERVAL * 2, Duration::from_secs(3_600));
    let config = ChitchatConfig {
        chitchat_id: ChitchatId::new(name(node), 1_795_000_000_000_000, address(node)),
        cluster_id: "deskwire".to_owned(),
        gossip_interval: INTERVAL,
        listen_addr: address(node),
        seed_nodes: (0..3).map(|seed| address(seed).to_string()).collect(),
        failure_detector_config: failures,
        marked_for_deletion_grace_period: Duration::from_secs(3_600),
        catchup_callback: None,
        extra_liveness_predicate: None,
        protocol_version: ProtocolVersion::V0,
    };
    let about =
        [("state", "serving"), ("weight", "1"), ("relay", "10.0.0.1:7947"), ("relay_version", "1"), ("reads", "1")];
    let about = about.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    spawn_chitchat(config, about, transport).await.expect("an address of its own")
}

/// Virtual time until every node but the missing one sees so many others alive.
async fn until_all_see(handles: &[ChitchatHandle], alive: usize, missing: Option<usize>) -> Option<Duration> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        let mut agree = true;
        for handle in handles.iter().enumerate().filter(|(node, _)| Some(*node) != missing).map(|(_, handle)| handle) {
            agree = agree && handle.with_chitchat(|chitchat| chitchat.live_nodes().count()).await == alive;
            if !agree {
                break;
            }
        }
        if agree {
            return Some(since.elapsed());
        }
        tokio::time::sleep(INTERVAL).await;
    }
    None
}

fn between(before: Statistics, after: Statistics) -> (f64, f64) {
    let messages = (after.num_messages_total - before.num_messages_total) as f64;
    (messages, (after.num_bytes_total - before.num_bytes_total) as f64)
}

fn gossip(run: &mut Run, nodes: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let transport = ChannelTransport::with_mtu(DATAGRAM);
        let mut handles = Vec::new();
        for node in 0..nodes {
            handles.push(start(node, &transport).await);
        }
        let known = until_all_see(&handles, nodes, None).await.or_else(|| {
            run.say(&format!("{nodes} nodes do not get to know each other within {PATIENCE:?}"));
            None
        });
        let Some(known) = known else { return };
        let (before, real) = (transport.statistics(), std::time::Instant::now());
        let calm = Duration::from_secs(5);
        tokio::time::sleep(calm).await;
        let cpu = real.elapsed().as_secs_f64() / calm.as_secs_f64() / nodes as f64;
        let (messages, bytes) = between(before, transport.statistics());
        let gone = nodes - 1;
        // Told nobody: its loop ends at once.
        handles[gone].initiate_shutdown().expect("it runs");
        let missed = until_all_see(&handles, gone, Some(gone)).await;
        let each = |sum: f64| sum / calm.as_secs_f64() / nodes as f64;
        let note = format!(
            "{:.0} bytes a message, {:.0} messages and {:.2} MB a second and node; all knew all after {:.1} s; a dead one was \
             missed by all after {}",
            bytes / messages,
            each(messages),
            each(bytes) / 1e6,
            known.as_secs_f64(),
            missed.map_or_else(|| "more than two minutes".to_owned(), |missed| format!("{:.1} s", missed.as_secs_f64())),
        );
        let what = format!("gossip of {nodes} nodes: CPU of each, of a core");
        run.row(0, &what, "%", vec![cpu * 100.0], &Wanted::Nothing, &note);
    });
}

fn placement(run: &mut Run) {
    let (nodes, tenants) = run.full_or_quick((1_000, 200_000), (50, 500));
    let member = |node| Member {
        node: NodeId::new(&name(node)).expect("a slug"),
        state: MemberState::Serving,
        weight: 1,
        address: String::new(),
        reads: WriteVersion::NEWEST,
    };
    let members: Vec<Member> = (0..nodes).map(member).collect();
    let tenant = |number: usize| TenantId::new(&format!("tenant-{number}")).expect("a slug");
    let mut shares = vec![0_u32; nodes];
    let at = |node: &NodeId| members.iter().position(|member| member.node == *node).expect("a member");
    let real = std::time::Instant::now();
    let places: Vec<NodeId> =
        (0..tenants).map(|number| first_of(&tenant(number), &members).expect("somebody").clone()).collect();
    let each_us = real.elapsed().as_secs_f64() * 1e6 / tenants as f64;
    places.iter().for_each(|node| shares[at(node)] += 1);
    let fair = tenants as f64 / nodes as f64;
    let most = f64::from(*shares.iter().max().expect("nodes")) / fair;
    let note = format!("{tenants} tenants, one node each; {each_us:.0} µs to place one");
    run.row(
        0,
        &format!("placement over {nodes} nodes: the fullest, of a fair share"),
        "×",
        vec![most],
        &Wanted::Nothing,
        &note,
    );

    // A node that dies: its tenants, and nobody else's, go to all of the others.
    let lost = &members[0].node;
    let rest: Vec<&Member> = members[1..].iter().collect();
    let moved: Vec<usize> = (0..tenants).filter(|number| places[*number] == *lost).collect();
    let strays = (0..tenants.min(2_000)).filter(|number| places[*number] != *lost);
    let strays = strays.filter(|number| first_of(&tenant(*number), rest.iter().copied()) != Some(&places[*number]));
    assert_eq!(strays.count(), 0, "a tenant moved between two nodes that stayed");
    let mut taken = vec![0_u32; nodes];
    for number in &moved {
        let heir = first_of(&tenant(*number), rest.iter().copied()).expect("somebody");
        taken[at(heir)] += 1;
    }
    let heirs = taken.iter().filter(|count| **count > 0).count();
    let note = format!(
        "{} tenants moved, to {heirs} others, at most {} to one",
        moved.len(),
        taken.iter().max().unwrap_or(&0)
    );
    let share = moved.len() as f64 / tenants as f64 * 100.0;
    run.row(0, "… one node dies: tenants that move", "%", vec![share], &Wanted::Nothing, &note);
}

/// A tenant with an account and a line.
fn registered(number: usize) -> [Fact; 3] {
    let tenant = TenantId::new(&format!("tenant-{number}")).expect("a slug");
    let account = AccountId::new(&format!("account-{number}")).expect("a slug");
    let channel = ChannelId::new(&format!("line-{number}")).expect("a slug");
    let claimed = ChannelClaimed {
        channel,
        tenant: tenant.clone(),
        account: account.clone(),
        address: format!("+1{number:010}"),
    };
    let carrier_id = format!("AC{number:032x}");
    [
        TenantRegistered { tenant: tenant.clone() }.into(),
        AccountRegistered { account, tenant, carrier_id }.into(),
        claimed.into(),
    ]
}

/// Bytes of this process that are in memory.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("this process");
    pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok()).expect("a number") * 4_096.0
}

fn directory(run: &mut Run) {
    let tenants = run.full_or_quick(1_000_000, 1_000);
    let (before, began) = (resident(), std::time::Instant::now());
    let directory = SystemDirectory::default();
    let mut log = Vec::new();
    let mut logged = 0;
    for (fact, offset) in (0..tenants).flat_map(registered).zip(1..) {
        let origin = Origin { by: Author::Engine, via: Via::Engine, request: RequestId(uuid::Uuid::nil()) };
        let (stamp, previous) = (Stamp(1_795_000_000_000_000 + offset), Offset(0));
        let header = Header { offset: Offset(offset), stamp, conversation: None, previous, origin, accepted: None };
        let event = StoredEvent { header, fact, parts: Vec::new() };
        log.clear();
        event.encode(&mut log).expect("it is small");
        logged += log.len();
        directory.apply(&event.fact);
    }
    let each = tenants as f64;
    let note = format!(
        "with an account and a line; {:.0} bytes in the directory's log; made and read at {:.1} µs",
        logged as f64 / each,
        began.elapsed().as_secs_f64() * 1e6 / each,
    );
    run.row(
        0,
        "a tenant in the directory of every node: bytes",
        "bytes",
        vec![(resident() - before) / each],
        &Wanted::Nothing,
        &note,
    );
}
