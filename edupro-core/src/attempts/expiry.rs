use super::GRACE;
use crate::{School, StoreResult, storage};

/// Notes of all attempts whose time ran out that they have expired. Whoever reads one before sees
/// the same ([`Attempt::at`](super::Attempt::at)); running it twice, or in two processes, does
/// nothing more.
pub async fn expire(school: &School) -> StoreResult<()> {
    let before = school.clock.now() - GRACE;
    storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        tx.attempts().expire(before).await?;
        tx.commit().await
    })
    .await
}
