use std::net::IpAddr;

use axum::{Json, extract::State, http::HeaderMap};
use edupro_core::accounts::{
    Session,
    sessions::{self, EndError},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    EduPro,
    answer::NoContent,
    cookies::Cookies,
    error::{Answer, ApiError},
    extract::{Path, SignedIn},
    render::Moment,
};

/// One of one's own sessions.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct SessionView {
    id: Uuid,
    created_at: Moment,
    last_used_at: Moment,
    expires_at: Moment,
    user_agent: Option<String>,
    #[schemars(with = "Option<String>")]
    address: Option<IpAddr>,
    is_current: bool,
}

impl SessionView {
    fn new(session: Session, current: Uuid) -> Self {
        Self {
            id: session.id,
            created_at: Moment(session.created_at),
            last_used_at: Moment(session.rotated_at),
            expires_at: Moment(session.expires_at),
            user_agent: session.user_agent,
            address: session.address,
            is_current: session.id == current,
        }
    }
}

/// List one's own sessions.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
) -> Answer<Json<Vec<SessionView>>> {
    let found = sessions::list(edupro.school(), &signed_in.user).await?;
    let current = signed_in.session.id;
    Ok(Json(found.into_iter().map(|session| SessionView::new(session, current)).collect()))
}

/// End one of one's own sessions.
pub(crate) async fn end(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
    cookies: Cookies,
    Path(session): Path<Uuid>,
) -> Answer<(HeaderMap, NoContent)> {
    sessions::end_own(edupro.school(), &signed_in.user, session).await?;
    let is_current = session == signed_in.session.id;
    let headers = if is_current { cookies.clear() } else { HeaderMap::new() };
    Ok((headers, NoContent))
}

impl From<EndError> for ApiError {
    fn from(error: EndError) -> Self {
        match error {
            EndError::Unknown => Self::not_found(),
            EndError::Store(error) => error.into(),
        }
    }
}
