//! Other nodes, for whoever runs the engine.

use axum::{Json, extract::State};
use schema::{
    ids::NodeId,
    problem::Problem,
    rest::{ClusterMember, ClusterStatus},
};

use super::tenants::must_run_the_engine;
use crate::api::{ApiState, answer::Answer, caller::Caller};

/// Who is a member, in which state, and what each owns. A node that is alone is its only member.
#[utoipa::path(get, path = "/v1/admin/cluster", tag = "engine", responses((status = 200, body = ClusterStatus),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn cluster(State(state): State<ApiState>, caller: Caller) -> Answer<ClusterStatus> {
    must_run_the_engine(&caller)?;
    let engine = &state.parts().engine;
    let Some(known) = engine.members() else {
        let mut alone = row(engine.node().clone(), "serving", 1, String::new());
        alone.tenants = Some(engine.owned().tenants);
        return Ok(Json(ClusterStatus { node: engine.node().clone(), members: vec![alone] }));
    };
    let members = known.iter().map(|member| async {
        let owned = engine.owned_by(&member.node).await;
        let said = row(member.node.clone(), member.state.as_str(), member.weight, member.address.clone());
        ClusterMember {
            tenants: owned.as_ref().map(|owned| owned.tenants),
            followed: owned.as_ref().map(|owned| owned.followed),
            takeovers: owned.as_ref().map(|owned| owned.takeovers),
            forwarded: owned.as_ref().map(|owned| owned.forwarded),
            ..said
        }
    });
    let members = futures_util::future::join_all(members).await;
    Ok(Json(ClusterStatus { node: engine.node().clone(), members }))
}

fn row(node: NodeId, state: &str, weight: u32, relay: String) -> ClusterMember {
    let state = state.to_owned();
    ClusterMember { node, state, weight, relay, tenants: None, followed: None, takeovers: None, forwarded: None }
}
