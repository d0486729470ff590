use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use edupro_core::{
    Change,
    accounts::UserId,
    coupons::{
        self, COUPONS_MAX, Coupon, CouponChanges, CouponError, CouponId, CouponStatus, CouponUse,
        USES_MAX,
    },
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    EduPro,
    answer::{Created, ListOrPage, NoContent, Ready},
    error::{Answer, ApiError},
    extract::{Incoming, ListQuery, Once, Paginated, Path, Site, Teacher, form, invalid_page},
    render::{Moment, Number},
};

/// Coupons on a page (behaviour G9).
const PAGE_SIZE: i64 = 10;

const AT_LEAST_ONE: &str = "Ensure this value is greater than or equal to 1.";

form! {
    /// 5.1: how many coupons, and what each is worth.
    pub(crate) struct NewCouponsForm / NewCouponsDraft {
        number_of_coupons: i64 = required(whole().at_least(1, AT_LEAST_ONE).at_most(COUPONS_MAX)),
        price: Decimal = required(amount()),
    }
}

form! {
    /// 5.4: what becomes of a coupon.
    pub(crate) struct CouponUpdate / CouponUpdateDraft {
        status: Option<CouponStatus> = given(choice(&CouponStatus::ALL, CouponStatus::as_str)),
        max_uses: Option<i64> = given(whole().at_least(1, AT_LEAST_ONE).at_most(USES_MAX)),
        expiration_date: Change<DateTime<Utc>> = changed(moment()),
        price: Option<Decimal> = given(amount()),
        is_active: Option<bool> = given(flag()),
    }
}

/// A coupon, as its teacher sees it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct CouponView {
    id: CouponId,
    teacher: UserId,
    code: String,
    status: &'static str,
    max_uses: i64,
    used_count: i64,
    expiration_date: Moment,
    price: Number,
    is_active: bool,
    date: Moment,
}

impl From<Coupon> for CouponView {
    fn from(coupon: Coupon) -> Self {
        Self {
            id: coupon.id,
            teacher: coupon.teacher,
            code: coupon.code,
            status: coupon.status.as_str(),
            max_uses: coupon.max_uses,
            used_count: coupon.used_count,
            expiration_date: Moment(coupon.expires_at),
            price: Number(coupon.price),
            is_active: coupon.is_active,
            date: Moment(coupon.created_at),
        }
    }
}

/// 5.6: a use of a coupon; in its `coupon` the price is what was paid.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "CouponUseView_{S}")]
pub(crate) struct CouponUseView<S> {
    id: i64,
    coupon: CouponView,
    student: S,
    used_at: Moment,
    course: String,
    module: Option<String>,
}

/// 5.6: who used a coupon.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct BuyerView {
    user: BuyerUserView,
    full_name: String,
}

/// 5.6: the account of who used a coupon; null once it is gone.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct BuyerUserView {
    id: UserId,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

impl<S> CouponUseView<S> {
    fn new(used: CouponUse, student: S) -> Self {
        Self {
            id: used.id,
            coupon: used.coupon.into(),
            student,
            used_at: Moment(used.used_at),
            course: used.course_title,
            module: used.module_title,
        }
    }
}

fn buyer(used: &CouponUse) -> BuyerView {
    let account = used.student_account.clone();
    let (first_name, last_name, email) = account
        .map_or((None, None, None), |account| (Some(account.0), Some(account.1), Some(account.2)));
    BuyerView {
        user: BuyerUserView { id: used.student, first_name, last_name, email },
        full_name: used.student_name.clone(),
    }
}

/// 5.1 Create coupons.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    once: Once,
    incoming: Incoming<NewCouponsForm>,
) -> Answer<Ready<Created<Vec<CouponView>>>> {
    let form = incoming.read(&edupro).await?;
    let asked = format!("{} {}", form.number_of_coupons, form.price);
    let work = async {
        let count = usize::try_from(form.number_of_coupons).unwrap_or_default();
        let made = coupons::create(edupro.school(), &teacher, count, form.price).await?;
        let views: Vec<CouponView> = made.into_iter().map(CouponView::from).collect();
        Ok(Created(views))
    };
    once.answer(&edupro, teacher.id, &asked, work).await
}

/// 5.2 List coupons.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Site(links): Site,
    query: ListQuery,
) -> Answer<Paginated<CouponView>> {
    let page = query.page(PAGE_SIZE)?;
    let mut tx = edupro.school().storage.read().await?;
    let found = coupons::list(&mut *tx, teacher.id, page).await?;
    Ok(query.paginate(&links, page.size, found.map(CouponView::from)))
}

/// 5.3 Show a coupon.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<CouponId>,
) -> Answer<Json<CouponView>> {
    let mut tx = edupro.school().storage.read().await?;
    Ok(Json(coupons::show(&mut *tx, teacher.id, id).await?.into()))
}

/// 5.4 Update a coupon.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<CouponId>,
    incoming: Incoming<CouponUpdate>,
) -> Answer<Json<CouponView>> {
    coupons::owned(&mut *edupro.school().storage.read().await?, teacher.id, id).await?;
    let form = incoming.read(&edupro).await?;
    let changes = CouponChanges {
        status: form.status,
        max_uses: form.max_uses,
        expires_at: form.expiration_date,
        price: form.price,
        is_active: form.is_active,
    };
    Ok(Json(coupons::update(edupro.school(), &teacher, id, &changes).await?.into()))
}

/// 5.5 Delete a coupon.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Path(id): Path<CouponId>,
) -> Answer<NoContent> {
    coupons::delete(edupro.school(), &teacher, id).await?;
    Ok(NoContent)
}

/// 5.6 List used coupons: an array, or, for a client that asks for a page, the envelope in which
/// the student is a name.
pub(crate) async fn list_used(
    State(edupro): State<EduPro>,
    Teacher(teacher): Teacher,
    Site(links): Site,
    query: ListQuery,
) -> Answer<ListOrPage<Json<Vec<CouponUseView<BuyerView>>>, Paginated<CouponUseView<String>>>> {
    let mut tx = edupro.school().storage.read().await?;
    if query.value("page").is_some() {
        let page = query.page(PAGE_SIZE)?;
        let found = coupons::uses_page(&mut *tx, teacher.id, page).await?;
        let found = found.map(|used| {
            let name = used.student_name.clone();
            CouponUseView::new(used, name)
        });
        return Ok(ListOrPage::Page(query.paginate(&links, page.size, found)));
    }
    let used = coupons::uses(&mut *tx, teacher.id).await?;
    let views = used.into_iter().map(|used| {
        let buyer = buyer(&used);
        CouponUseView::new(used, buyer)
    });
    Ok(ListOrPage::List(Json(views.collect())))
}

impl From<CouponError> for ApiError {
    fn from(error: CouponError) -> Self {
        match error {
            CouponError::Unknown => Self::not_found(),
            CouponError::NotYours => Self::forbidden(),
            CouponError::FewerUsesThanUsed(_) => Self::field("max_uses", error.to_string()),
            CouponError::NoSuchPage => invalid_page(),
            CouponError::Store(error) => error.into(),
        }
    }
}
