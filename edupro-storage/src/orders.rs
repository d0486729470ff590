use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    StoreError, StoreResult,
    accounts::UserId,
    coupons::Item,
    payment::{
        Currency, Money, OrderRef, Terms,
        orders::{Order, OrderStatus, OrderStore},
    },
};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    cents::{from_cents, to_cents},
    sql::Tx,
};

/// The columns of [`OrderRow`].
macro_rules! order_columns {
    () => {
        "id, provider, student_id, customer_email, teacher_id, course_id, course_title, module_id,
         module_title, price, currency, success_url, cancel_url, status, session, url, charge,
         refunded, problem, created_at, expires_at, paid_at"
    };
}

#[derive(sqlx::FromRow)]
struct OrderRow {
    id: Uuid,
    provider: String,
    student_id: i64,
    customer_email: String,
    teacher_id: i64,
    course_id: Uuid,
    course_title: String,
    module_id: Option<Uuid>,
    module_title: Option<String>,
    price: i64,
    currency: String,
    success_url: String,
    cancel_url: String,
    status: String,
    session: Option<String>,
    url: Option<String>,
    charge: Option<String>,
    refunded: i64,
    problem: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
}

impl TryFrom<OrderRow> for Order {
    type Error = StoreError;

    fn try_from(row: OrderRow) -> StoreResult<Self> {
        let price = from_cents(row.price);
        let currency: Option<Currency> = row.currency.parse().ok();
        let amount = currency.and_then(|currency| Money::of(price, currency));
        let amount =
            amount.ok_or(StoreError::Corrupt { column: "orders.currency", value: row.currency })?;
        let status = OrderStatus::from_word(&row.status)
            .ok_or(StoreError::Corrupt { column: "orders.status", value: row.status })?;
        Ok(Self {
            id: row.id,
            provider: row.provider,
            student: UserId(row.student_id),
            customer_email: row.customer_email,
            item: Item {
                teacher: UserId(row.teacher_id),
                course: row.course_id,
                course_title: row.course_title,
                module: row.module_id.zip(row.module_title),
                price,
            },
            amount,
            terms: Terms {
                currency: amount.currency,
                success_url: row.success_url,
                cancel_url: row.cancel_url,
            },
            status,
            session: row.session,
            url: row.url,
            charge: row.charge,
            refunded: from_cents(row.refunded),
            problem: row.problem,
            created_at: row.created_at,
            expires_at: row.expires_at,
            paid_at: row.paid_at,
        })
    }
}

fn item_id(item: &Item) -> Uuid {
    item.module.as_ref().map_or(item.course, |(module, _)| *module)
}

#[async_trait]
impl OrderStore for Tx {
    async fn add(&mut self, order: &Order) -> StoreResult<bool> {
        let (module_id, module_title) = order.item.module.clone().unzip();
        let added = self
            .query(
                "INSERT INTO orders (id, provider, student_id, customer_email, teacher_id,
                                     course_id, course_title, module_id, module_title, item_id,
                                     price, currency, success_url, cancel_url, status, refunded,
                                     created_at, expires_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                         $17, $18, $17)
                 ON CONFLICT DO NOTHING",
            )
            .bind(order.id)
            .bind(order.provider.clone())
            .bind(order.student.0)
            .bind(order.customer_email.clone())
            .bind(order.item.teacher.0)
            .bind(order.item.course)
            .bind(order.item.course_title.clone())
            .bind(module_id)
            .bind(module_title)
            .bind(item_id(&order.item))
            .bind(to_cents(order.item.price))
            .bind(order.terms.currency.to_string())
            .bind(order.terms.success_url.clone())
            .bind(order.terms.cancel_url.clone())
            .bind(order.status.as_str())
            .bind(to_cents(order.refunded))
            .bind(order.created_at)
            .bind(order.expires_at)
            .execute()
            .await?;
        Ok(added == 1)
    }

    async fn find(&mut self, id: Uuid) -> StoreResult<Option<Order>> {
        let row = self
            .query(concat!("SELECT ", order_columns!(), " FROM orders WHERE id = $1"))
            .bind(id)
            .optional::<OrderRow>()
            .await?;
        row.map(Order::try_from).transpose()
    }

    async fn lock(&mut self, id: Uuid) -> StoreResult<Option<Order>> {
        let row = self
            .query(concat!(
                "UPDATE orders SET status = status WHERE id = $1 RETURNING ",
                order_columns!()
            ))
            .bind(id)
            .optional::<OrderRow>()
            .await?;
        row.map(Order::try_from).transpose()
    }

    async fn lock_unsettled(&mut self, student: UserId, item: &Item) -> StoreResult<Option<Order>> {
        let row = self
            .query(concat!(
                "UPDATE orders SET status = status
                 WHERE student_id = $1 AND item_id = $2
                   AND status IN ('created', 'open', 'pending')
                 RETURNING ",
                order_columns!()
            ))
            .bind(student.0)
            .bind(item_id(item))
            .optional::<OrderRow>()
            .await?;
        row.map(Order::try_from).transpose()
    }

    async fn resolve(&mut self, provider: &str, order: &OrderRef) -> StoreResult<Option<Uuid>> {
        let statement = match order {
            OrderRef::Order(id) => self
                .query("SELECT id FROM orders WHERE provider = $1 AND id = $2")
                .bind(provider.to_owned())
                .bind(*id),
            OrderRef::Session(session) => self
                .query("SELECT id FROM orders WHERE provider = $1 AND session = $2")
                .bind(provider.to_owned())
                .bind(session.clone()),
            OrderRef::Charge(charge) => self
                .query("SELECT id FROM orders WHERE provider = $1 AND charge = $2")
                .bind(provider.to_owned())
                .bind(charge.clone()),
            _ => return Ok(None),
        };
        Ok(statement.optional::<(Uuid,)>().await?.map(|(id,)| id))
    }

    async fn save(&mut self, order: &Order, now: DateTime<Utc>) -> StoreResult<()> {
        self.query(
            "UPDATE orders
             SET status = $2, session = $3, url = $4, charge = $5, refunded = $6, problem = $7,
                 expires_at = $8, paid_at = $9, updated_at = $10
             WHERE id = $1",
        )
        .bind(order.id)
        .bind(order.status.as_str())
        .bind(order.session.clone())
        .bind(order.url.clone())
        .bind(order.charge.clone())
        .bind(to_cents(order.refunded))
        .bind(order.problem.clone())
        .bind(order.expires_at)
        .bind(order.paid_at)
        .bind(now)
        .execute()
        .await?;
        Ok(())
    }

    async fn ask(
        &mut self,
        id: Uuid,
        now: DateTime<Utc>,
        then: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let asked = self
            .query(
                "UPDATE orders SET asked_at = $2
                 WHERE id = $1 AND (asked_at IS NULL OR asked_at <= $3)",
            )
            .bind(id)
            .bind(now)
            .bind(then)
            .execute()
            .await?;
        Ok(asked == 1)
    }

    async fn unsettled(&mut self, then: DateTime<Utc>, most: i64) -> StoreResult<Vec<Order>> {
        let rows = self
            .query(concat!(
                "SELECT ",
                order_columns!(),
                " FROM orders
                  WHERE status IN ('created', 'open', 'pending') AND created_at <= $1
                  ORDER BY COALESCE(asked_at, created_at) LIMIT $2"
            ))
            .bind(then)
            .bind(most)
            .all::<OrderRow>()
            .await?;
        rows.into_iter().map(Order::try_from).collect()
    }

    async fn note_event(
        &mut self,
        provider: &str,
        event: &str,
        order: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<bool> {
        let noted = self
            .query(
                "INSERT INTO payment_events (provider, event, order_id, received_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
            )
            .bind(provider.to_owned())
            .bind(event.to_owned())
            .bind(order)
            .bind(now)
            .execute()
            .await?;
        Ok(noted == 1)
    }

    async fn purge_events(&mut self, then: DateTime<Utc>) -> StoreResult<u64> {
        self.query("DELETE FROM payment_events WHERE received_at < $1").bind(then).execute().await
    }

    async fn record(
        &mut self,
        order: &Order,
        amount: Decimal,
        now: DateTime<Utc>,
    ) -> StoreResult<()> {
        // A refund has the name of the sale, whoever has changed or left since.
        let (module_id, module_title) = order.item.module.clone().unzip();
        let recorded = self
            .query(
                "INSERT INTO sales (teacher_id, student_id, student_name, course_id, course_title,
                                    module_id, module_title, amount, sold_at, order_id)
                 SELECT $1, $2,
                        COALESCE((SELECT s.student_name FROM sales s
                                  WHERE s.order_id = $9 AND s.amount > 0),
                                 (SELECT p.full_name FROM student_profiles p WHERE p.id = $2), ''),
                        $3, $4, $5, $6, $7, $8, $9
                 WHERE TRUE
                 ON CONFLICT DO NOTHING",
            )
            .bind(order.item.teacher.0)
            .bind(order.student.0)
            .bind(order.item.course)
            .bind(order.item.course_title.clone())
            .bind(module_id)
            .bind(module_title)
            .bind(to_cents(amount))
            .bind(now)
            .bind(order.id)
            .execute()
            .await?;
        match recorded {
            1 => Ok(()),
            _ => Err(StoreError::Other("an order was to be sold twice".into())),
        }
    }

    async fn is_covered(&mut self, order: &Order, then: DateTime<Utc>) -> StoreResult<bool> {
        let (covered,) = self
            .query(
                "SELECT EXISTS (
                     SELECT 1 FROM sales s
                     WHERE s.student_id = $1 AND s.course_id = $2
                       AND (s.module_id = $3 OR (s.module_id IS NULL AND $3 IS NULL))
                       AND s.amount >= 0 AND s.sold_at > $5
                       AND (s.order_id IS NULL OR s.order_id <> $4)
                       AND NOT EXISTS (SELECT 1 FROM orders o
                                       WHERE o.id = s.order_id AND o.status = 'refunded'))",
            )
            .bind(order.student.0)
            .bind(order.item.course)
            .bind(order.item.module.as_ref().map(|(module, _)| *module))
            .bind(order.id)
            .bind(then)
            .one::<(bool,)>()
            .await?;
        Ok(covered)
    }
}
