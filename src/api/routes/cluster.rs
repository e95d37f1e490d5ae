//! Other nodes, for whoever runs the engine.

use actors::{
    engine::Engine,
    ports::{Member, MemberState},
};
use axum::{Json, extract::State};
use schema::{
    event::WriteVersion,
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
        let node = engine.node().clone();
        let (state, reads) = (MemberState::Serving, WriteVersion::NEWEST);
        let mut alone = row(&Member { node, state, weight: 1, address: String::new(), reads });
        alone.tenants = Some(engine.owned().tenants);
        return Ok(status(engine, vec![alone]));
    };
    let members = known.iter().map(|member| async {
        let owned = engine.owned_by(&member.node).await;
        ClusterMember {
            tenants: owned.as_ref().map(|owned| owned.tenants),
            followed: owned.as_ref().map(|owned| owned.followed),
            takeovers: owned.as_ref().map(|owned| owned.takeovers),
            forwarded: owned.as_ref().map(|owned| owned.forwarded),
            last_takeover: owned.as_ref().and_then(|owned| owned.last_takeover),
            behind: owned.as_ref().map(|owned| owned.behind),
            ..row(member)
        }
    });
    Ok(status(engine, futures_util::future::join_all(members).await))
}

fn status(engine: &Engine, members: Vec<ClusterMember>) -> Json<ClusterStatus> {
    let write_version = engine.directory().write_version();
    Json(ClusterStatus { node: engine.node().clone(), write_version, members })
}

/// What a member says of itself without being asked.
fn row(member: &Member) -> ClusterMember {
    let Member { node, state, weight, address, reads } = member.clone();
    ClusterMember {
        node,
        state: state.as_str().to_owned(),
        weight,
        relay: address,
        reads,
        tenants: None,
        followed: None,
        takeovers: None,
        forwarded: None,
        last_takeover: None,
        behind: None,
    }
}
