//! What every key store must do.

use schema::ids::{ContactId, KeyId, TenantId};
use uuid::Uuid;

use super::Stores;
use crate::ports::KeyError;

/// Runs every check, each on new stores.
pub async fn suite<S: Stores>(make: impl Fn() -> S) {
    a_contact_has_one_key(make()).await;
    keys_of_tenants_are_apart(make()).await;
    a_destroyed_key_is_gone_for_ever(make()).await;
    calls_that_overlap_all_get_their_answer(make()).await;
    a_tenant_has_one_hash_secret(make()).await;
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("names in tests are slugs")
}

fn contact(number: u128) -> ContactId {
    ContactId(Uuid::from_u128(number))
}

async fn a_contact_has_one_key<S: Stores>(mut stores: S) {
    let demo = tenant("demo");
    let first = stores.keys().create(&demo, contact(1)).await.expect("a key is made");
    let other = stores.keys().create(&demo, contact(2)).await.expect("a key is made");
    assert_ne!(first.id, other.id);
    assert_ne!(first.secret, other.secret);
    for _ in 0..2 {
        let keys = stores.keys();
        assert_eq!(keys.create(&demo, contact(1)).await, Ok(first.clone()), "the same contact gets the same key");
        assert_eq!(keys.get(&demo, first.id).await, Ok(first.clone()));
        assert_eq!(keys.get(&demo, other.id).await, Ok(other.clone()));
        drop(keys);
        stores.restart().await;
    }
    let unknown = stores.keys().get(&demo, KeyId(Uuid::from_u128(9))).await;
    assert_eq!(unknown, Err(KeyError::Destroyed));
}

async fn keys_of_tenants_are_apart<S: Stores>(stores: S) {
    let keys = stores.keys();
    let here = keys.create(&tenant("a"), contact(1)).await.expect("a key is made");
    let there = keys.create(&tenant("b"), contact(1)).await.expect("a key is made");
    assert_ne!(here.secret, there.secret);
    assert_eq!(keys.get(&tenant("b"), here.id).await, Err(KeyError::Destroyed));
    keys.destroy(&tenant("b"), here.id).await.expect("destroying what is not there is fine");
    assert_eq!(keys.get(&tenant("a"), here.id).await, Ok(here));
}

async fn a_destroyed_key_is_gone_for_ever<S: Stores>(mut stores: S) {
    let demo = tenant("demo");
    let gone = stores.keys().create(&demo, contact(1)).await.expect("a key is made");
    let kept = stores.keys().create(&demo, contact(2)).await.expect("a key is made");
    stores.keys().destroy(&demo, gone.id).await.expect("a key is destroyed");
    stores.keys().destroy(&demo, gone.id).await.expect("destroying twice is fine");
    for _ in 0..2 {
        assert_eq!(stores.keys().get(&demo, gone.id).await, Err(KeyError::Destroyed));
        assert_eq!(stores.keys().get(&demo, kept.id).await, Ok(kept.clone()));
        stores.restart().await;
    }
    let again = stores.keys().create(&demo, contact(1)).await.expect("a key is made");
    assert_ne!(again.id, gone.id, "the contact may come back, the key never");
    assert_ne!(again.secret, gone.secret);
    assert_eq!(stores.keys().get(&demo, gone.id).await, Err(KeyError::Destroyed));
}

async fn calls_that_overlap_all_get_their_answer<S: Stores>(mut stores: S) {
    let demo = tenant("demo");
    let keys = stores.keys();
    let made = futures_util::future::join_all((0..100).map(|index| keys.create(&demo, contact(index % 50)))).await;
    let made: Vec<_> = made.into_iter().map(|key| key.expect("a key is made")).collect();
    for index in 0..50 {
        assert_eq!(made[index], made[index + 50], "two calls for one contact make one key");
    }
    drop(keys);
    stores.restart().await;
    for key in made {
        assert_eq!(stores.keys().get(&demo, key.id).await, Ok(key));
    }
}

async fn a_tenant_has_one_hash_secret<S: Stores>(mut stores: S) {
    let here = stores.keys().hash_secret(&tenant("a")).await.expect("a secret is made");
    let there = stores.keys().hash_secret(&tenant("b")).await.expect("a secret is made");
    assert_ne!(here, there);
    stores.restart().await;
    assert_eq!(stores.keys().hash_secret(&tenant("a")).await, Ok(here));
}
