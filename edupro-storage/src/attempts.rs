use async_trait::async_trait;
use edupro_core::attempts::AttemptStore;

use crate::sql::Tx;

#[async_trait]
impl AttemptStore for Tx {}
