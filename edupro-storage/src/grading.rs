use async_trait::async_trait;
use edupro_core::grading::GradingStore;

use crate::sql::Tx;

#[async_trait]
impl GradingStore for Tx {}
