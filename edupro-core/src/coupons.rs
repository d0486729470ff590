//! Coupons: what a teacher prints and a student pays with (contract section 5).
//!
//! A coupon is a prepaid voucher and no discount: it is worth one thing of exactly its price. What
//! it bought stands in the ledger with the price that was paid, and nothing that happens to the
//! coupon, the course or the student afterwards changes that.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Page, PageOf, School, StoreError, StoreResult, Transaction,
    accounts::{Actor, User, UserId},
    audit::{self, Deed},
    entropy,
};

/// Most coupons that are made at once (behaviour 5.1).
pub const COUPONS_MAX: i64 = 1_000;
/// Most uses of a coupon (behaviour 5.4).
pub const USES_MAX: i64 = 1_000_000;
/// Characters of a code: five bits each, so fifty bits (security R32).
const CODE_LENGTH: usize = 10;
/// How long a new coupon is good (behaviour 3.11).
const LIFETIME: TimeDelta = TimeDelta::days(30);
/// How often codes are drawn again when one of them exists already. That happens once in a
/// thousand million years, or when somebody's chance is broken.
const DRAWS: usize = 3;

/// Which coupon: an integer, as the contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub struct CouponId(pub i64);

/// What a coupon opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponStatus {
    /// What it pays for.
    FullAccessed,
    /// Nothing: it enrols nobody.
    LimitedAccess,
}

impl CouponStatus {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::FullAccessed, Self::LimitedAccess];

    /// The word the contract has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullAccessed => "full_accessed",
            Self::LimitedAccess => "limited_access",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A prepaid voucher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Which one.
    pub id: CouponId,
    /// Whose.
    pub teacher: UserId,
    /// What a student types.
    pub code: String,
    /// What it opens.
    pub status: CouponStatus,
    /// How often it may be used, each time by another student.
    pub max_uses: i64,
    /// How often it was.
    pub used_count: i64,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// What it is worth; two places.
    pub price: Decimal,
    /// Whether it works.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether it was deleted: the ledger still needs it.
    pub is_deleted: bool,
}

/// Coupons that are about to be made, alike but for their codes.
#[derive(Clone, Debug)]
pub struct NewCoupons {
    /// Whose.
    pub teacher: UserId,
    /// One each.
    pub codes: Vec<String>,
    /// What each is worth.
    pub price: Decimal,
    /// When they end.
    pub expires_at: DateTime<Utc>,
    /// Now.
    pub created_at: DateTime<Utc>,
}

/// A use of a coupon, as the ledger has it, with whom it belongs to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponUse {
    /// The row of the ledger.
    pub id: i64,
    /// The coupon as it is now; its price here is what was paid.
    pub coupon: Coupon,
    /// Who used it.
    pub student: UserId,
    /// First name, last name and e-mail address of the account, as they are now.
    pub student_account: Option<(String, String, String)>,
    /// Full name at the time.
    pub student_name: String,
    /// When.
    pub used_at: DateTime<Utc>,
    /// The course's title at the time.
    pub course_title: String,
    /// The module's title at the time, if it was for a module.
    pub module_title: Option<String>,
}

/// What is being paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Who gets the money.
    pub teacher: UserId,
    /// The course, or the course of the module.
    pub course: Uuid,
    /// Its title.
    pub course_title: String,
    /// The module, if it is one.
    pub module: Option<(Uuid, String)>,
    /// What it costs.
    pub price: Decimal,
}

/// A row for the ledger.
#[derive(Clone, Debug)]
pub struct Sale<'a> {
    /// What was sold.
    pub item: &'a Item,
    /// To whom.
    pub student: &'a User,
    /// What paid for it.
    pub coupon: &'a Coupon,
    /// Now.
    pub sold_at: DateTime<Utc>,
}

/// Where coupons and the ledger are kept.
#[async_trait]
pub trait CouponStore: Send {
    /// Adds all coupons in one statement and returns them in the order of their codes, or `None`
    /// when one of the codes exists.
    async fn add(&mut self, coupons: &NewCoupons) -> StoreResult<Option<Vec<Coupon>>>;

    /// The coupon with this id, deleted or not.
    async fn find(&mut self, id: CouponId) -> StoreResult<Option<Coupon>>;

    /// The coupon with this code, deleted or not.
    async fn find_by_code(&mut self, code: &str) -> StoreResult<Option<Coupon>>;

    /// The coupon, which nobody else uses or changes until this transaction ends.
    async fn lock(&mut self, id: CouponId) -> StoreResult<Option<Coupon>>;

    /// Keeps status, uses allowed, end, price, activity and deletion as they are here.
    async fn save(&mut self, coupon: &Coupon, now: DateTime<Utc>) -> StoreResult<()>;

    /// A page of a teacher's coupons that were not deleted, the newest first.
    async fn list(&mut self, teacher: UserId, page: Page) -> StoreResult<Option<PageOf<Coupon>>>;

    /// Uses the coupon once for this item, if it may be used by this student now: one statement,
    /// in which the conditions are the lock.
    async fn redeem(
        &mut self,
        code: &str,
        item: &Item,
        student: UserId,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Coupon>>;

    /// Whether this student has used this coupon.
    async fn was_used_by(&mut self, coupon: CouponId, student: UserId) -> StoreResult<bool>;

    /// Writes a sale into the ledger; false when this student has used this coupon before.
    async fn record(&mut self, sale: &Sale<'_>) -> StoreResult<bool>;

    /// A teacher's sales by coupon, the newest first: all, or one page of them.
    async fn uses(&mut self, teacher: UserId) -> StoreResult<Vec<CouponUse>>;

    /// A page of the same.
    async fn uses_page(
        &mut self,
        teacher: UserId,
        page: Page,
    ) -> StoreResult<Option<PageOf<CouponUse>>>;

    /// The sum of a teacher's ledger.
    async fn revenue(&mut self, teacher: UserId) -> StoreResult<Decimal>;

    /// Switches off coupons that have ended; returns how many.
    async fn switch_off_ended(&mut self, now: DateTime<Utc>) -> StoreResult<u64>;
}

/// Why a coupon pays for nothing. The words are the contract's (4.1, 7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CouponRefusal {
    /// No such code, or deleted.
    #[error("Invalid coupon code")]
    Unknown,
    /// Another teacher's, or of another price.
    #[error("Coupon is not valid for this {0}")]
    NotForThis(&'static str),
    /// Its time is over.
    #[error("Coupon has expired")]
    Expired,
    /// Nothing is left of it.
    #[error("Coupon has reached its maximum uses")]
    Spent,
    /// The teacher has switched it off.
    #[error("Coupon is not active")]
    Inactive,
    /// It opens nothing.
    #[error("Coupon status does not allow enrollment")]
    Limited,
    /// This student has had it.
    #[error("You have already used this coupon")]
    UsedBefore,
}

/// Why a coupon does not pay for an item, in the ruled order (behaviour 4.1, 8); `None` when
/// nothing speaks against it.
#[must_use]
pub fn refusal(
    coupon: Option<&Coupon>,
    item: &Item,
    used_before: bool,
    now: DateTime<Utc>,
) -> Option<CouponRefusal> {
    let thing = if item.module.is_some() { "module" } else { "course" };
    let Some(coupon) = coupon.filter(|coupon| !coupon.is_deleted) else {
        return Some(CouponRefusal::Unknown);
    };
    if coupon.teacher != item.teacher {
        return Some(CouponRefusal::NotForThis(thing));
    }
    if coupon.expires_at <= now {
        return Some(CouponRefusal::Expired);
    }
    if coupon.used_count >= coupon.max_uses {
        return Some(CouponRefusal::Spent);
    }
    if !coupon.is_active {
        return Some(CouponRefusal::Inactive);
    }
    if coupon.status == CouponStatus::LimitedAccess {
        return Some(CouponRefusal::Limited);
    }
    if coupon.price != item.price {
        return Some(CouponRefusal::NotForThis(thing));
    }
    used_before.then_some(CouponRefusal::UsedBefore)
}

/// Why a coupon was not shown, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CouponError {
    /// There is no such coupon, or the asker may not know of it.
    #[error("Not found.")]
    Unknown,
    /// It is another teacher's.
    #[error("You do not have permission to perform this action.")]
    NotYours,
    /// It was used more often already.
    #[error("Ensure this value is greater than or equal to {0}.")]
    FewerUsesThanUsed(i64),
    /// The list has no such page.
    #[error("Invalid page.")]
    NoSuchPage,
    /// The storage.
    #[error("coupons could not be read or saved")]
    Store(#[from] StoreError),
}

/// 5.1: makes so many coupons, all of them or none.
pub async fn create(
    school: &School,
    by: &Actor,
    count: usize,
    price: Decimal,
) -> Result<Vec<Coupon>, CouponError> {
    let teacher = by.id;
    let now = school.clock.now();
    for _ in 0..DRAWS {
        let new = NewCoupons {
            teacher,
            codes: (0..count).map(|_| draw(school)).collect(),
            price,
            expires_at: now + LIFETIME,
            created_at: now,
        };
        let added = school
            .atomically(|| async {
                let mut tx = school.storage.write().await?;
                let added = tx.coupons().add(&new).await?;
                if let Some(coupons) = &added {
                    let deed = Deed::CouponsCreated { teacher, coupons };
                    audit::note(&mut *tx, school, by, [deed]).await?;
                    tx.commit().await?;
                }
                Ok::<_, StoreError>(added)
            })
            .await?;
        if let Some(coupons) = added {
            return Ok(coupons);
        }
    }
    Err(StoreError::Other("the same coupon codes were drawn again and again".into()).into())
}

fn draw(school: &School) -> String {
    let mut chance = [0; CODE_LENGTH];
    school.entropy.fill(&mut chance);
    entropy::code(&chance)
}

/// 5.2: a page of a teacher's coupons.
pub async fn list(
    tx: &mut dyn Transaction,
    teacher: UserId,
    page: Page,
) -> Result<PageOf<Coupon>, CouponError> {
    tx.coupons().list(teacher, page).await?.ok_or(CouponError::NoSuchPage)
}

/// 5.3: one of a teacher's coupons; another's is unknown.
pub async fn show(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: CouponId,
) -> Result<Coupon, CouponError> {
    let coupon = tx.coupons().find(id).await?;
    coupon
        .filter(|coupon| coupon.teacher == teacher && !coupon.is_deleted)
        .ok_or(CouponError::Unknown)
}

fn own(coupon: Option<Coupon>, teacher: UserId) -> Result<Coupon, CouponError> {
    let coupon = coupon.filter(|coupon| !coupon.is_deleted).ok_or(CouponError::Unknown)?;
    match coupon.teacher == teacher {
        true => Ok(coupon),
        false => Err(CouponError::NotYours),
    }
}

/// The coupon, if it is this teacher's to change.
pub async fn owned(
    tx: &mut dyn Transaction,
    teacher: UserId,
    id: CouponId,
) -> Result<Coupon, CouponError> {
    own(tx.coupons().find(id).await?, teacher)
}

/// What becomes of a coupon.
#[derive(Clone, Debug, Default)]
pub struct CouponChanges {
    /// [`Coupon::status`].
    pub status: Option<CouponStatus>,
    /// [`Coupon::max_uses`].
    pub max_uses: Option<i64>,
    /// [`Coupon::expires_at`]; cleared, it becomes thirty days from now.
    pub expires_at: crate::Change<DateTime<Utc>>,
    /// [`Coupon::price`]. What was paid before stays as it was.
    pub price: Option<Decimal>,
    /// [`Coupon::is_active`].
    pub is_active: Option<bool>,
}

/// 5.4: changes what is sent and nothing else.
pub async fn update(
    school: &School,
    by: &Actor,
    id: CouponId,
    changes: &CouponChanges,
) -> Result<Coupon, CouponError> {
    let teacher = by.id;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let mut coupon = own(tx.coupons().lock(id).await?, teacher)?;
            let before = coupon.clone();
            coupon.status = changes.status.unwrap_or(coupon.status);
            coupon.max_uses = changes.max_uses.unwrap_or(coupon.max_uses);
            coupon.price = changes.price.unwrap_or(coupon.price);
            coupon.is_active = changes.is_active.unwrap_or(coupon.is_active);
            match changes.expires_at {
                crate::Change::Keep => {}
                crate::Change::Clear => coupon.expires_at = now + LIFETIME,
                crate::Change::Set(end) => coupon.expires_at = end,
            }
            if coupon.max_uses < coupon.used_count {
                return Err(CouponError::FewerUsesThanUsed(coupon.used_count));
            }
            tx.coupons().save(&coupon, now).await?;
            let deed = Deed::CouponChanged { before: &before, after: &coupon };
            audit::note(&mut *tx, school, by, [deed]).await?;
            tx.commit().await?;
            Ok(coupon)
        })
        .await
}

/// 5.5: the code works no more; what it bought stays bought.
pub async fn delete(school: &School, by: &Actor, id: CouponId) -> Result<(), CouponError> {
    let teacher = by.id;
    let now = school.clock.now();
    school
        .atomically(|| async {
            let mut tx = school.storage.write().await?;
            let mut coupon = own(tx.coupons().lock(id).await?, teacher)?;
            coupon.is_deleted = true;
            tx.coupons().save(&coupon, now).await?;
            audit::note(&mut *tx, school, by, [Deed::CouponDeleted { coupon: &coupon }]).await?;
            Ok(tx.commit().await?)
        })
        .await
}

/// 5.6: what a teacher's coupons have bought, the newest first.
pub async fn uses(tx: &mut dyn Transaction, teacher: UserId) -> StoreResult<Vec<CouponUse>> {
    tx.coupons().uses(teacher).await
}

/// 5.6: a page of the same.
pub async fn uses_page(
    tx: &mut dyn Transaction,
    teacher: UserId,
    page: Page,
) -> Result<PageOf<CouponUse>, CouponError> {
    tx.coupons().uses_page(teacher, page).await?.ok_or(CouponError::NoSuchPage)
}

/// 1.22: what a teacher has earned: the sum of the ledger, which nothing changes afterwards.
pub async fn revenue(tx: &mut dyn Transaction, teacher: UserId) -> StoreResult<Decimal> {
    tx.coupons().revenue(teacher).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(module: bool) -> Item {
        Item {
            teacher: UserId(1),
            course: Uuid::nil(),
            course_title: "Waves".into(),
            module: module.then(|| (Uuid::nil(), "Sound".into())),
            price: Decimal::new(5_000, 2),
        }
    }

    fn coupon() -> Coupon {
        Coupon {
            id: CouponId(1),
            teacher: UserId(1),
            code: "CODE".into(),
            status: CouponStatus::FullAccessed,
            max_uses: 2,
            used_count: 1,
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::days(1),
            price: Decimal::new(5_000, 2),
            is_active: true,
            created_at: DateTime::UNIX_EPOCH,
            is_deleted: false,
        }
    }

    fn said(coupon: Option<&Coupon>, module: bool, used_before: bool) -> Option<String> {
        let refusal = refusal(coupon, &item(module), used_before, DateTime::UNIX_EPOCH);
        refusal.map(|refusal| refusal.to_string())
    }

    proptest! {
        /// The first thing that is wrong, in the ruled order, is the one that is said.
        #[test]
        fn refusals_come_in_the_ruled_order(wrong in any::<[bool; 8]>(), module in any::<bool>()) {
            let [deleted, teacher, expired, spent, inactive, limited, price, used] = wrong;
            let mut it = coupon();
            it.is_deleted = deleted;
            if teacher { it.teacher = UserId(2); }
            if expired { it.expires_at = DateTime::UNIX_EPOCH; }
            if spent { it.used_count = 2; }
            it.is_active = !inactive;
            if limited { it.status = CouponStatus::LimitedAccess; }
            if price { it.price = Decimal::ONE; }
            let thing = if module { "Coupon is not valid for this module" } else { "Coupon is not valid for this course" };
            let words = [
                "Invalid coupon code", thing, "Coupon has expired", "Coupon has reached its maximum uses",
                "Coupon is not active", "Coupon status does not allow enrollment", thing,
                "You have already used this coupon",
            ];
            let expected = wrong.iter().position(|wrong| *wrong).map(|first| words[first].to_owned());
            prop_assert_eq!(said(Some(&it), module, used), expected);
        }
    }

    #[test]
    fn no_coupon_is_an_invalid_code() {
        assert_eq!(said(None, false, false).as_deref(), Some("Invalid coupon code"));
    }
}
