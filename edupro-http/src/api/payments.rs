use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    enrollments::Wanted,
    payment::{
        PaymentError,
        orders::{self, CheckoutError, Order, OrderError, OrderStatus},
    },
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    EduPro,
    answer::{Created, Heard},
    error::{Answer, ApiError},
    extract::{Body, Path, Student, Webhook, form},
    render::{Amount, Moment},
};

/// When to come back to a provider that does not say.
const RETRY_SECONDS: u64 = 5;
/// Longest wait that a provider's word makes of it.
const RETRY_SECONDS_MAX: u64 = 3_600;

form! {
    /// What to pay for: one of the two.
    pub(crate) struct CheckoutForm / CheckoutDraft {
        course_id: Option<Uuid> = optional(id()),
        module_id: Option<Uuid> = optional(id()),
    }
}

/// Where to pay.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CheckoutView {
    order_id: Uuid,
    url: Option<String>,
    expires_at: Moment,
}

/// An order of one's own.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OrderView {
    id: Uuid,
    status: &'static str,
    course: Uuid,
    module: Option<Uuid>,
    title: String,
    amount: Amount,
    currency: String,
    refunded: Amount,
    url: Option<String>,
    created_at: Moment,
    expires_at: Moment,
    paid_at: Option<Moment>,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        let (module, module_title) = order.item.module.unzip();
        // A page on which nobody can pay any more leads nowhere.
        let url = order.url.filter(|_| order.status == OrderStatus::Open);
        Self {
            id: order.id,
            status: order.status.as_str(),
            course: order.item.course,
            module,
            title: module_title.unwrap_or(order.item.course_title),
            amount: Amount(order.item.price),
            currency: order.terms.currency.to_string(),
            refunded: Amount(order.refunded),
            url,
            created_at: Moment(order.created_at),
            expires_at: Moment(order.expires_at),
            paid_at: order.paid_at.map(Moment),
        }
    }
}

/// Begin to pay for a course or a module. Asked again, the order is the same.
pub(crate) async fn checkout(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Body(form): Body<CheckoutForm>,
) -> Answer<Created<CheckoutView>> {
    let wanted = match (form.course_id, form.module_id) {
        (Some(course), None) => Wanted::Course(course),
        (None, Some(module)) => Wanted::Module(module),
        _ => {
            let words = "Name either a course_id or a module_id.";
            return Err(ApiError::field("non_field_errors", words));
        }
    };
    let order = orders::checkout(edupro.school(), &student, wanted).await?;
    let view =
        CheckoutView { order_id: order.id, url: order.url, expires_at: Moment(order.expires_at) };
    Ok(Created(view))
}

/// Hear from a provider. What it says is settled before the answer: if that fails, it says it again.
pub(crate) async fn webhook(
    State(edupro): State<EduPro>,
    Path(provider): Path<String>,
    webhook: Webhook,
) -> Answer<Heard> {
    let school = edupro.school();
    if provider != school.payment.name() {
        return Err(ApiError::not_found());
    }
    let events = school.payment.webhook(&webhook.request(), school.clock.now()).await;
    for event in events.map_err(refuse_webhook)? {
        orders::settle(school, &provider, &event).await?;
    }
    Ok(Heard)
}

/// Show an order of one's own.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(id): Path<Uuid>,
) -> Answer<Json<OrderView>> {
    let order = orders::show(edupro.school(), &student, id).await?;
    Ok(Json(order.into()))
}

fn refuse_webhook(error: PaymentError) -> ApiError {
    match error {
        PaymentError::Rejected { reason } => {
            tracing::warn!(%reason, "a webhook was refused");
            ApiError::detail(StatusCode::BAD_REQUEST, "This is not a webhook of this provider.")
        }
        PaymentError::Unsupported(_) => ApiError::not_found(),
        error => error.into(),
    }
}

impl From<PaymentError> for ApiError {
    fn from(error: PaymentError) -> Self {
        match &error {
            PaymentError::Unavailable { retry_after, .. } => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the payment provider is not available"
                );
                let seconds = retry_after.map_or(RETRY_SECONDS, |wait| wait.as_secs());
                let seconds = seconds.clamp(1, RETRY_SECONDS_MAX);
                Self::unavailable(u32::try_from(seconds).unwrap_or(1))
            }
            PaymentError::Rejected { .. }
            | PaymentError::NotFound
            | PaymentError::Unsupported(_)
            | PaymentError::Other(_) => {
                Self::bad_gateway(&error, "The payment provider did not accept this.")
            }
        }
    }
}

impl From<CheckoutError> for ApiError {
    fn from(error: CheckoutError) -> Self {
        let field = match error {
            CheckoutError::NoCheckout | CheckoutError::Underway(_) => "payment",
            CheckoutError::Free("module") => "module_id",
            CheckoutError::Free(_) => "course_id",
            CheckoutError::Price(_) => "price",
            CheckoutError::Enroll(error) => return error.into(),
            CheckoutError::Provider(error) => return error.into(),
            CheckoutError::Store(error) => return error.into(),
        };
        Self::field(field, error.to_string())
    }
}

impl From<OrderError> for ApiError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Unknown => Self::not_found(),
            OrderError::NotPaid => Self::detail(StatusCode::CONFLICT, error.to_string()),
            OrderError::Provider(error) => error.into(),
            OrderError::Store(error) => error.into(),
        }
    }
}
