use async_trait::async_trait;

use super::{Begin, PaymentError, PaymentProvider, orders::Order};

/// The default: teachers hand out coupons, and nothing is paid outside. Redeeming one is a
/// statement in the enrolment's transaction ([`crate::enrollments::enroll`]), so there is nobody
/// to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct CouponEngine;

#[async_trait]
impl PaymentProvider for CouponEngine {
    fn name(&self) -> &'static str {
        "coupon"
    }

    async fn begin(&self, _: &Order) -> Result<Begin, PaymentError> {
        Ok(Begin::Local)
    }
}
