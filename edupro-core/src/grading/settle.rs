use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Settled, Totals};
use crate::{
    School, StoreResult, Transaction,
    accounts::UserId,
    attempts::{AttemptStatus, Outcome},
    events::{Event, announce_all},
};

impl Totals {
    /// What the attempt comes to, once nothing in it waits.
    fn outcome(&self) -> Option<Outcome> {
        let outcome = Outcome::new(self.score, self.max_score, self.passing_grade);
        (self.waiting == 0).then_some(outcome)
    }

    fn settled(&self) -> Settled {
        Settled { attempt: self.subject.attempt, outcome: self.outcome() }
    }

    /// How the attempt stands then.
    const fn status(&self) -> AttemptStatus {
        match self.waiting {
            0 => AttemptStatus::Graded,
            _ => self.status,
        }
    }

    /// What there is to tell of it: other points, or points for the first time.
    fn news(&self) -> Option<Event> {
        let outcome = self.outcome().filter(|outcome| self.before != Some(outcome.score))?;
        Some(self.subject.clone().graded(self.max_score, outcome, self.before))
    }
}

/// Adds up attempts whose answers got other points, and announces what that has changed: those in
/// which nothing waits any more are graded by this. Returns how they stand then.
pub(super) async fn settle(
    tx: &mut dyn Transaction,
    school: &School,
    attempts: &[Uuid],
    by: Option<UserId>,
    now: DateTime<Utc>,
) -> StoreResult<Vec<AttemptStatus>> {
    let totals = tx.grading().totals(attempts).await?;
    let settled: Vec<_> = totals.iter().map(Totals::settled).collect();
    tx.grading().settle(&settled, by, now).await?;
    announce_all(tx, school, totals.iter().filter_map(Totals::news)).await?;
    Ok(totals.iter().map(Totals::status).collect())
}
