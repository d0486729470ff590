use axum::{Json, extract::State, http::StatusCode};
use edupro_core::{
    accounts::UserId,
    ratings::{self, COMMENT_LENGTH, RATINGS, Rating, RatingChanges, RatingError, RatingName},
};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    EduPro, Links,
    answer::{Created, NoContent},
    error::{Answer, ApiError},
    extract::{Incoming, Path, SignedIn, Site, Student, Visitor, form},
    render::Moment,
};

const TOO_LOW: &str = "Ensure this value is greater than or equal to 1.";

form! {
    /// 6.2: a new rating.
    pub(crate) struct NewRating / NewRatingDraft {
        rating: i64 = required(whole().at_least(*RATINGS.start(), TOO_LOW).at_most(*RATINGS.end())),
        comment: Option<String> = optional(text().or_blank().of_lines().at_most(COMMENT_LENGTH)),
    }
}

form! {
    /// 6.3: what becomes of a rating.
    pub(crate) struct RatingUpdate / RatingUpdateDraft {
        rating: Option<i64> = given(whole().at_least(*RATINGS.start(), TOO_LOW).at_most(*RATINGS.end())),
        comment: Option<String> = given(text().or_blank().of_lines().at_most(COMMENT_LENGTH)),
    }
}

/// 6.2, 6.3: a rating, as who gave it sees it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct RatingView {
    id: i64,
    course: String,
    student: String,
    rating: i64,
    comment: String,
    created_at: Moment,
    uuid: Uuid,
}

impl From<Rating> for RatingView {
    fn from(rating: Rating) -> Self {
        Self {
            id: rating.id,
            course: rating.course_title,
            student: rating.student.profile.full_name,
            rating: rating.rating,
            comment: rating.comment,
            created_at: Moment(rating.created_at),
            uuid: rating.uuid,
        }
    }
}

/// 6.1: a rating, as anybody sees it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct ListedRating {
    id: i64,
    student: RaterView,
    rating: i64,
    comment: String,
    created_at: Moment,
    uuid: Uuid,
}

/// 6.1: who gave a rating.
#[derive(Debug, JsonSchema, Serialize)]
struct RaterView {
    user: RaterUserView,
    full_name: String,
    profile_picture: Option<String>,
}

/// 6.1: the account of who gave a rating: no more than a name.
#[derive(Debug, JsonSchema, Serialize)]
struct RaterUserView {
    id: UserId,
    first_name: String,
    last_name: String,
}

impl ListedRating {
    fn new(links: &Links, rating: Rating) -> Self {
        let student = rating.student;
        Self {
            id: rating.id,
            student: RaterView {
                user: RaterUserView {
                    id: student.user.id,
                    first_name: student.user.first_name,
                    last_name: student.user.last_name,
                },
                full_name: student.profile.full_name,
                profile_picture: links.file(student.profile.picture.as_ref()),
            },
            rating: rating.rating,
            comment: rating.comment,
            created_at: Moment(rating.created_at),
            uuid: rating.uuid,
        }
    }
}

/// 6.1 List the ratings of a course.
pub(crate) async fn list(
    State(edupro): State<EduPro>,
    Visitor(visitor): Visitor,
    Path(course): Path<Uuid>,
    Site(links): Site,
) -> Answer<Json<Vec<ListedRating>>> {
    let school = edupro.school();
    let viewer = visitor.as_ref().map(|signed_in| &*signed_in.user);
    let mut tx = school.storage.read().await?;
    let found = ratings::list(&mut *tx, viewer, course, school.clock.now()).await?;
    Ok(Json(found.into_iter().map(|rating| ListedRating::new(&links, rating)).collect()))
}

/// 6.2 Rate a course.
pub(crate) async fn create(
    State(edupro): State<EduPro>,
    Student(student): Student,
    Path(course): Path<Uuid>,
    incoming: Incoming<NewRating>,
) -> Answer<Created<RatingView>> {
    let school = edupro.school();
    let now = school.clock.now();
    ratings::admit(&mut *school.storage.read().await?, &student, course, now).await?;
    let form = incoming.read(&edupro).await?;
    let comment = form.comment.unwrap_or_default();
    let rating = ratings::create(school, &student, course, form.rating, &comment).await?;
    Ok(Created(rating.into()))
}

/// A rating by its number or its other name; anything else names nothing.
fn name(text: &str) -> Answer<RatingName> {
    let id = text.parse().map(RatingName::Id);
    id.or_else(|_| text.parse().map(RatingName::Uuid)).map_err(|_| ApiError::not_found())
}

/// 6.3 Show one's own rating.
pub(crate) async fn show(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
    Path(id): Path<String>,
) -> Answer<Json<RatingView>> {
    let mut tx = edupro.school().storage.read().await?;
    Ok(Json(ratings::own(&mut *tx, &signed_in.user, name(&id)?).await?.into()))
}

/// 6.3 Update one's own rating.
pub(crate) async fn update(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
    Path(id): Path<String>,
    incoming: Incoming<RatingUpdate>,
) -> Answer<Json<RatingView>> {
    let (school, name) = (edupro.school(), name(&id)?);
    ratings::own(&mut *school.storage.read().await?, &signed_in.user, name).await?;
    let form = incoming.read(&edupro).await?;
    let changes = RatingChanges { rating: form.rating, comment: form.comment };
    Ok(Json(ratings::update(school, &signed_in.user, name, &changes).await?.into()))
}

/// 6.3 Take one's own rating back.
pub(crate) async fn delete(
    State(edupro): State<EduPro>,
    SignedIn(signed_in): SignedIn,
    Path(id): Path<String>,
) -> Answer<NoContent> {
    ratings::delete(edupro.school(), &signed_in.user, name(&id)?).await?;
    Ok(NoContent)
}

impl From<RatingError> for ApiError {
    fn from(error: RatingError) -> Self {
        match error {
            RatingError::Unknown => Self::not_found(),
            RatingError::NotYours => Self::forbidden(),
            RatingError::NotEnrolled => Self::detail(StatusCode::FORBIDDEN, error.to_string()),
            RatingError::RatedBefore => Self::field("non_field_errors", error.to_string()),
            RatingError::Store(error) => error.into(),
        }
    }
}
