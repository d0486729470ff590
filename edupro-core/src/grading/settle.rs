use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Settled, Totals};
use crate::{
    StoreResult, Transaction,
    accounts::UserId,
    attempts::{AttemptStatus, Outcome},
};

impl Totals {
    /// What the attempt comes to, once nothing in it waits.
    fn settled(&self) -> Settled {
        let outcome = Outcome::new(self.score, self.max_score, self.passing_grade);
        Settled { attempt: self.attempt, outcome: (self.waiting == 0).then_some(outcome) }
    }

    /// How the attempt stands then.
    const fn status(&self) -> AttemptStatus {
        match self.waiting {
            0 => AttemptStatus::Graded,
            _ => self.status,
        }
    }
}

/// Adds up attempts whose answers got other points: those in which nothing waits any more
/// are graded by this. Returns how they stand then.
pub(super) async fn settle(
    tx: &mut dyn Transaction,
    attempts: &[Uuid],
    by: Option<UserId>,
    now: DateTime<Utc>,
) -> StoreResult<Vec<AttemptStatus>> {
    let totals = tx.grading().totals(attempts).await?;
    let settled: Vec<_> = totals.iter().map(Totals::settled).collect();
    tx.grading().settle(&settled, by, now).await?;
    Ok(totals.iter().map(Totals::status).collect())
}
