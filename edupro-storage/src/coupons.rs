use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    Page, PageOf, StoreError, StoreResult, Window,
    accounts::UserId,
    coupons::{Coupon, CouponId, CouponStatus, CouponStore, CouponUse, Item, NewCoupons, Sale},
};
use rust_decimal::Decimal;

use crate::{
    cents::{from_cents, to_cents},
    sql::Tx,
};

/// The columns of [`CouponRow`], from a table called `coupons`.
macro_rules! coupon_columns {
    () => {
        "coupons.id, coupons.teacher_id, coupons.code, coupons.status, coupons.max_uses,
         coupons.used_count, coupons.expires_at, coupons.price, coupons.is_active,
         coupons.created_at, coupons.deleted_at"
    };
}

#[derive(sqlx::FromRow)]
struct CouponRow {
    id: i64,
    teacher_id: i64,
    code: String,
    status: String,
    max_uses: i64,
    used_count: i64,
    expires_at: DateTime<Utc>,
    price: i64,
    is_active: bool,
    created_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl TryFrom<CouponRow> for Coupon {
    type Error = StoreError;

    fn try_from(row: CouponRow) -> StoreResult<Self> {
        let status = CouponStatus::from_word(&row.status)
            .ok_or(StoreError::Corrupt { column: "coupons.status", value: row.status })?;
        Ok(Self {
            id: CouponId(row.id),
            teacher: UserId(row.teacher_id),
            code: row.code,
            status,
            max_uses: row.max_uses,
            used_count: row.used_count,
            expires_at: row.expires_at,
            price: from_cents(row.price),
            is_active: row.is_active,
            created_at: row.created_at,
            is_deleted: row.deleted_at.is_some(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct UseRow {
    sale_id: i64,
    student_id: i64,
    student_name: String,
    course_title: String,
    module_title: Option<String>,
    amount: i64,
    sold_at: DateTime<Utc>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    #[sqlx(flatten)]
    coupon: CouponRow,
}

impl TryFrom<UseRow> for CouponUse {
    type Error = StoreError;

    fn try_from(row: UseRow) -> StoreResult<Self> {
        let coupon = Coupon { price: from_cents(row.amount), ..row.coupon.try_into()? };
        let account = row.first_name.zip(row.last_name).zip(row.email);
        Ok(Self {
            id: row.sale_id,
            coupon,
            student: UserId(row.student_id),
            student_account: account.map(|((first, last), email)| (first, last, email)),
            student_name: row.student_name,
            used_at: row.sold_at,
            course_title: row.course_title,
            module_title: row.module_title,
        })
    }
}

/// A use of a coupon: the ledger's row, the coupon and, while it exists, the account.
macro_rules! coupon_use {
    ($rest:literal) => {
        concat!(
            "SELECT s.id AS sale_id, s.student_id, s.student_name, s.course_title, s.module_title,
                    s.amount, s.sold_at, u.first_name, u.last_name, u.email, ",
            coupon_columns!(),
            " FROM sales s
              JOIN coupons ON coupons.id = s.coupon_id
              LEFT JOIN users u ON u.id = s.student_id
              WHERE s.teacher_id = $1
              ORDER BY s.sold_at DESC, s.id DESC ",
            $rest
        )
    };
}

impl Tx {
    async fn coupon_uses(
        &mut self,
        teacher: UserId,
        window: Option<Window>,
    ) -> StoreResult<Vec<CouponUse>> {
        let rows = match window {
            None => self.query(coupon_use!("")).bind(teacher.0),
            Some(window) => self
                .query(coupon_use!("LIMIT $2 OFFSET $3"))
                .bind(teacher.0)
                .bind(window.limit)
                .bind(window.offset),
        };
        rows.all::<UseRow>().await?.into_iter().map(CouponUse::try_from).collect()
    }
}

#[async_trait]
impl CouponStore for Tx {
    async fn add(&mut self, coupons: &NewCoupons) -> StoreResult<Option<Vec<Coupon>>> {
        let rows: Vec<String> = (5..5 + coupons.codes.len())
            .map(|n| format!("($1, ${n}, 'full_accessed', 1, 0, $2, $3, TRUE, $4)"))
            .collect();
        let text = format!(
            "INSERT INTO coupons (teacher_id, code, status, max_uses, used_count, expires_at, price,
                                  is_active, created_at)
             VALUES {}
             ON CONFLICT DO NOTHING
             RETURNING {}",
            rows.join(", "),
            coupon_columns!()
        );
        let mut statement = self
            .query_built(text)
            .bind(coupons.teacher.0)
            .bind(coupons.expires_at)
            .bind(to_cents(coupons.price))
            .bind(coupons.created_at);
        for code in &coupons.codes {
            statement = statement.bind(code.clone());
        }
        let rows = statement.all::<CouponRow>().await?;
        if rows.len() != coupons.codes.len() {
            return Ok(None);
        }
        let mut added = rows.into_iter().map(Coupon::try_from).collect::<StoreResult<Vec<_>>>()?;
        added.sort_by_key(|coupon| coupon.id.0);
        Ok(Some(added))
    }

    async fn find(&mut self, id: CouponId) -> StoreResult<Option<Coupon>> {
        let row = self
            .query(concat!("SELECT ", coupon_columns!(), " FROM coupons WHERE id = $1"))
            .bind(id.0)
            .optional::<CouponRow>()
            .await?;
        row.map(Coupon::try_from).transpose()
    }

    async fn find_by_code(&mut self, code: &str) -> StoreResult<Option<Coupon>> {
        let row = self
            .query(concat!("SELECT ", coupon_columns!(), " FROM coupons WHERE code = $1"))
            .bind(code.to_owned())
            .optional::<CouponRow>()
            .await?;
        row.map(Coupon::try_from).transpose()
    }

    async fn lock(&mut self, id: CouponId) -> StoreResult<Option<Coupon>> {
        let row = self
            .query(concat!(
                "UPDATE coupons SET code = code WHERE id = $1 RETURNING ",
                coupon_columns!()
            ))
            .bind(id.0)
            .optional::<CouponRow>()
            .await?;
        row.map(Coupon::try_from).transpose()
    }

    async fn save(&mut self, coupon: &Coupon, now: DateTime<Utc>) -> StoreResult<()> {
        self.query(
            "UPDATE coupons
             SET status = $2, max_uses = $3, expires_at = $4, price = $5, is_active = $6,
                 deleted_at = CASE WHEN $7 THEN COALESCE(deleted_at, $8) END
             WHERE id = $1",
        )
        .bind(coupon.id.0)
        .bind(coupon.status.as_str())
        .bind(coupon.max_uses)
        .bind(coupon.expires_at)
        .bind(to_cents(coupon.price))
        .bind(coupon.is_active)
        .bind(coupon.is_deleted)
        .bind(now)
        .execute()
        .await?;
        Ok(())
    }

    async fn list(&mut self, teacher: UserId, page: Page) -> StoreResult<Option<PageOf<Coupon>>> {
        let (count,) = self
            .query("SELECT COUNT(*) FROM coupons WHERE teacher_id = $1 AND deleted_at IS NULL")
            .bind(teacher.0)
            .one::<(i64,)>()
            .await?;
        let Some(window) = page.window(count) else { return Ok(None) };
        let rows = self
            .query(concat!(
                "SELECT ",
                coupon_columns!(),
                " FROM coupons WHERE teacher_id = $1 AND deleted_at IS NULL
                  ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
            ))
            .bind(teacher.0)
            .bind(window.limit)
            .bind(window.offset)
            .all::<CouponRow>()
            .await?;
        let items = rows.into_iter().map(Coupon::try_from).collect::<StoreResult<_>>()?;
        Ok(Some(PageOf { items, count, number: window.number }))
    }

    async fn redeem(
        &mut self,
        code: &str,
        item: &Item,
        student: UserId,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Coupon>> {
        let row = self
            .query(concat!(
                "UPDATE coupons
                 SET used_count = used_count + 1, is_active = (used_count + 1 < max_uses)
                 WHERE code = $1 AND teacher_id = $2 AND price = $3 AND expires_at > $4
                   AND deleted_at IS NULL AND is_active AND used_count < max_uses
                   AND status = 'full_accessed'
                   AND NOT EXISTS (SELECT 1 FROM sales s
                                   WHERE s.coupon_id = coupons.id AND s.student_id = $5)
                 RETURNING ",
                coupon_columns!()
            ))
            .bind(code.to_owned())
            .bind(item.teacher.0)
            .bind(to_cents(item.price))
            .bind(now)
            .bind(student.0)
            .optional::<CouponRow>()
            .await?;
        row.map(Coupon::try_from).transpose()
    }

    async fn was_used_by(&mut self, coupon: CouponId, student: UserId) -> StoreResult<bool> {
        let (used,) = self
            .query("SELECT EXISTS (SELECT 1 FROM sales WHERE coupon_id = $1 AND student_id = $2)")
            .bind(coupon.0)
            .bind(student.0)
            .one::<(bool,)>()
            .await?;
        Ok(used)
    }

    async fn record(&mut self, sale: &Sale<'_>) -> StoreResult<bool> {
        let (module_id, module_title) = sale.item.module.clone().unzip();
        let recorded = self
            .query(
                "INSERT INTO sales (teacher_id, student_id, student_name, coupon_id, coupon_code,
                                    course_id, course_title, module_id, module_title, amount,
                                    sold_at)
                 SELECT $1, $2, p.full_name, $3, $4, $5, $6, $7, $8, $9, $10
                 FROM student_profiles p WHERE p.id = $2
                 ON CONFLICT DO NOTHING",
            )
            .bind(sale.item.teacher.0)
            .bind(sale.student.id.0)
            .bind(sale.coupon.id.0)
            .bind(sale.coupon.code.clone())
            .bind(sale.item.course)
            .bind(sale.item.course_title.clone())
            .bind(module_id)
            .bind(module_title)
            .bind(to_cents(sale.coupon.price))
            .bind(sale.sold_at)
            .execute()
            .await?;
        Ok(recorded == 1)
    }

    async fn uses(&mut self, teacher: UserId) -> StoreResult<Vec<CouponUse>> {
        self.coupon_uses(teacher, None).await
    }

    async fn uses_page(
        &mut self,
        teacher: UserId,
        page: Page,
    ) -> StoreResult<Option<PageOf<CouponUse>>> {
        let (count,) = self
            .query("SELECT COUNT(*) FROM sales WHERE teacher_id = $1 AND coupon_id IS NOT NULL")
            .bind(teacher.0)
            .one::<(i64,)>()
            .await?;
        let Some(window) = page.window(count) else { return Ok(None) };
        let items = self.coupon_uses(teacher, Some(window)).await?;
        Ok(Some(PageOf { items, count, number: window.number }))
    }

    async fn revenue(&mut self, teacher: UserId) -> StoreResult<Decimal> {
        let (cents,) = self
            .query(
                "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM sales WHERE teacher_id = $1",
            )
            .bind(teacher.0)
            .one::<(i64,)>()
            .await?;
        Ok(from_cents(cents))
    }

    async fn switch_off_ended(&mut self, now: DateTime<Utc>) -> StoreResult<u64> {
        self.query("UPDATE coupons SET is_active = FALSE WHERE is_active AND expires_at <= $1")
            .bind(now)
            .execute()
            .await
    }
}
