//! Weighted rendezvous hashing: who should take a tenant that nobody owns. Every node comes to the same answer, and a
//! node that comes or goes moves no tenant between two others.

use std::cmp::Ordering;

use schema::ids::{NodeId, TenantId};
use sha2::{Digest, Sha256};

use crate::ports::Member;

/// The member that should have a tenant.
pub fn first_of<'m>(tenant: &TenantId, members: impl IntoIterator<Item = &'m Member>) -> Option<&'m NodeId> {
    scored(tenant, members).min_by(before).map(|(_, node)| node)
}

/// Members in the order in which they should have a tenant.
pub fn in_order_of<'m>(tenant: &TenantId, members: impl IntoIterator<Item = &'m Member>) -> Vec<&'m NodeId> {
    let mut scored: Vec<_> = scored(tenant, members).collect();
    scored.sort_by(before);
    scored.into_iter().map(|(_, node)| node).collect()
}

fn scored<'m>(
    tenant: &TenantId,
    members: impl IntoIterator<Item = &'m Member>,
) -> impl Iterator<Item = (f64, &'m NodeId)> {
    let able = members.into_iter().filter(|member| member.weight > 0);
    able.map(|member| (score(tenant, &member.node, member.weight), &member.node))
}

/// The highest score first; of two that are equal, the first by name.
fn before((one, first): &(f64, &NodeId), (other, second): &(f64, &NodeId)) -> Ordering {
    other.total_cmp(one).then_with(|| first.cmp(second))
}

/// -weight / ln(u), u uniform in (0, 1): the highest of n such is member i's with probability weight i / sum.
fn score(tenant: &TenantId, node: &NodeId, weight: u32) -> f64 {
    let mut digest = Sha256::new();
    digest.update(node.as_str());
    digest.update([0]);
    digest.update(tenant.as_str());
    let digest: [u8; 32] = digest.finalize().into();
    let bits = u64::from_le_bytes(digest[..8].try_into().expect("eight bytes")) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds exactly")]
    let uniform = (bits as f64 + 0.5) / (1_u64 << 53) as f64;
    -f64::from(weight) / uniform.ln()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use schema::event::WriteVersion;

    use super::*;
    use crate::ports::MemberState;

    const TENANTS: usize = 3_000;

    fn member(name: &str, weight: u32) -> Member {
        let (node, state) = (NodeId::new(name).unwrap(), MemberState::Serving);
        Member { node, state, weight, address: String::new(), reads: WriteVersion::FIRST }
    }

    fn placed(members: &[Member]) -> Vec<NodeId> {
        let tenants = (0..TENANTS).map(|number| TenantId::new(&format!("t{number}")).unwrap());
        tenants.map(|tenant| first_of(&tenant, members).unwrap().clone()).collect()
    }

    fn shares(places: &[NodeId]) -> HashMap<&str, usize> {
        places.iter().fold(HashMap::new(), |mut shares, node| {
            *shares.entry(node.as_str()).or_default() += 1;
            shares
        })
    }

    #[test]
    fn tenants_spread_by_weight() {
        let places = placed(&[member("a", 1), member("b", 1), member("c", 2)]);
        let shares = shares(&places);
        for (node, share) in [("a", 750), ("b", 750), ("c", 1_500)] {
            assert!(shares[node].abs_diff(share) < 120, "{node} has {} of about {share}", shares[node]);
        }
    }

    #[test]
    fn a_node_that_goes_moves_only_its_own_tenants() {
        let all = [member("a", 1), member("b", 1), member("c", 1)];
        let (before, after) = (placed(&all), placed(&all[..2]));
        for (before, after) in before.iter().zip(&after) {
            assert!(before.as_str() == "c" || before == after, "{before} to {after}");
        }
    }

    #[test]
    fn a_node_without_weight_gets_nothing() {
        let places = placed(&[member("a", 1), member("b", 0)]);
        assert!(places.iter().all(|node| node.as_str() == "a"));
        assert_eq!(first_of(&TenantId::system(), &[member("b", 0)]), None);
    }
}
