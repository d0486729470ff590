use chrono::{DateTime, Utc};

use super::{GRACE, Subject};
use crate::{
    School, StoreResult,
    events::{Event, announce_all},
    storage,
};

/// An attempt whose time has run out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Which one, and whose.
    pub subject: Subject,
    /// When it had to be handed in.
    pub deadline: DateTime<Utc>,
}

impl From<Expired> for Event {
    fn from(Expired { subject, deadline }: Expired) -> Self {
        let Subject { attempt, student, teacher, assessment, assessment_title } = subject;
        Self::AttemptExpired { attempt, student, teacher, assessment, assessment_title, deadline }
    }
}

/// Notes of all attempts whose time ran out that they have expired, and announces it. Whoever reads
/// one before sees the same ([`Attempt::at`](super::Attempt::at)); running it twice, or in two
/// processes, does nothing more.
pub async fn expire(school: &School) -> StoreResult<()> {
    let before = school.clock.now() - GRACE;
    storage::atomically(&*school.entropy, || async {
        let mut tx = school.storage.write().await?;
        let expired = tx.attempts().expire(before).await?;
        announce_all(&mut *tx, school, expired).await?;
        tx.commit().await
    })
    .await
}
