//! A node that joins.

use super::*;
use crate::cluster::first_of;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_receives_its_share_little_by_little_and_nothing_is_refused() {
    let moves = ClusterOptions { settle_after: Duration::from_millis(300), moves_per_s: 20, ..options() };
    let mut nodes = Nodes::none();
    for _ in 0..2 {
        nodes.add_with(WriteVersion::NEWEST, moves).await;
    }
    nodes.world.tenant(&nodes.engines[0]).await;
    let others: Vec<TenantId> = (0..40).map(|number| TenantId::new(&format!("other-{number}")).unwrap()).collect();
    for tenant in &others {
        let register = ask(Command::Register(Registration::Tenant(tenant.clone())));
        nodes.engines[0].submit(&TenantId::system(), register).await.unwrap();
        until("it runs", async || nodes.engines[0].tenant(tenant).await.is_ok()).await;
    }
    let mut reader = nodes.reader(0).await;
    let owned = |nodes: &Nodes| nodes.engines.iter().map(|engine| engine.owned().tenants).collect::<Vec<u64>>();
    until("all run", async || owned(&nodes).iter().sum::<u64>() == 42).await;
    let engine = nodes.engines[0].clone();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let load = tokio::spawn(async move {
        let mut last = Offset(0);
        for number in 0.. {
            if *stopped.borrow() {
                break;
            }
            last = engine.submit(&acme(), text(&format!("SM{number}"), CALLER, "x")).await.expect("not refused").offset;
        }
        last
    });
    let joined = tokio::time::Instant::now();
    nodes.add_with(WriteVersion::NEWEST, moves).await;
    let members = nodes.engines[0].members().unwrap();
    let all: Vec<TenantId> = others.iter().cloned().chain([acme(), TenantId::system()]).collect();
    let share = all.iter().filter(|tenant| first_of(tenant, &*members) == Some(&name(2))).count() as u64;
    assert!((5..=25).contains(&share), "{share} of 42");
    let mut seen = 0;
    until("it has its share", async || {
        let has = nodes.engines[2].owned().tenants;
        // Two nodes give, 20 a second each.
        let most = 2.0 + 2.0 * 20.0 * joined.elapsed().as_secs_f64();
        assert!(has as f64 <= most, "{has} after {:?}", joined.elapsed());
        seen = seen.max(has);
        has == share
    })
    .await;
    for tenant in &all {
        let place = first_of(tenant, &*members).unwrap();
        until("each is in its place", async || name(nodes.owner(tenant).await) == *place).await;
    }
    stop.send_replace(true);
    let last = load.await.unwrap();
    reader.reads_to(last).await;
    nodes.dense().await;
}
