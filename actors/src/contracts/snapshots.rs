//! What every keeper of snapshots must do.

use schema::ids::TenantId;

use crate::ports::Snapshots;

/// Runs every check; `restarted` is what a process finds that opens the same place anew.
pub async fn suite<S: Snapshots>(made: S, restarted: impl Fn(S) -> S) {
    let [here, there] = ["here", "there"].map(|name| TenantId::new(name).expect("names in tests are slugs"));
    assert_eq!(made.load(&here).await, Ok(None), "nothing was saved");
    made.save(&here, vec![1; 100_000]).await.expect("it is saved");
    made.save(&here, vec![2, 0, 255]).await.expect("a shorter one replaces it");
    made.save(&there, Vec::new()).await.expect("an empty one is one too");
    let kept = [Ok(Some(vec![2, 0, 255])), Ok(Some(Vec::new()))];
    assert_eq!([made.load(&here).await, made.load(&there).await], kept);
    let made = restarted(made);
    assert_eq!([made.load(&here).await, made.load(&there).await], kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemorySnapshots;

    #[tokio::test]
    async fn memory_keeps_snapshots_as_promised() {
        suite(MemorySnapshots::default(), |same| same).await;
    }
}
