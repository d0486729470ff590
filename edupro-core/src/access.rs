//! Who may see what (behaviour G15, security R27): the only place where that is decided.
//!
//! | may | when |
//! | --- | --- |
//! | see a course | it is published; or one is its owner, staff, or a student with access to it |
//! | have a course | enrolled, with full access, active, not ended **at this moment**, and let in by the teacher |
//! | have a module | one has its course, or is enrolled in the module in the same way |
//! | have a lesson | lesson and module are published, and one has the module; or the lesson is a free preview of a published course and the teacher lets one in |
//! | take an assessment | one has the course, module or lesson it belongs to; or it belongs to none and its teacher lets one in |
//!
//! Owners have what is theirs. Being free does not replace enrolling, it only needs no coupon. A
//! price of 0 is not "free": it is what a module costs that is not sold by itself.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    StoreResult, Transaction,
    accounts::{User, UserId},
    roster::Standing,
};

/// What ties a student to a course, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    /// How the student stands with the course's teacher.
    pub standing: Option<Standing>,
    /// Whether the student has an enrolment in the course that holds now.
    pub course: bool,
    /// Whether the student has an enrolment in the module that holds now.
    pub module: bool,
}

/// Where ties are looked up.
#[async_trait]
pub trait AccessStore: Send {
    /// What ties a student to a course and, if one is asked for, to a module of it: one statement.
    async fn ties(
        &mut self,
        student: UserId,
        course: Uuid,
        module: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> StoreResult<Ties>;

    /// Where a module stands, and what ties a student to it: one statement.
    async fn module(
        &mut self,
        student: UserId,
        module: Uuid,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<(Place, Ties)>>;
}

/// What access is asked for: a course, or a module or a lesson in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The course.
    pub course: Uuid,
    /// The course's teacher.
    pub owner: UserId,
    /// Whether the course is published.
    pub course_is_published: bool,
    /// The module, when it is about one or about a lesson in it.
    pub module: Option<ModulePlace>,
    /// The lesson, when it is about one.
    pub lesson: Option<LessonPlace>,
}

/// The module of a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModulePlace {
    /// Which one.
    pub id: Uuid,
    /// Whether it is published.
    pub is_published: bool,
}

/// The lesson of a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LessonPlace {
    /// Whether it is published.
    pub is_published: bool,
    /// Whether it is a free preview.
    pub is_free: bool,
}

/// Whether somebody may have something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is their own.
    Owner,
    /// They may.
    Granted,
    /// They might, but the teacher has blocked them.
    Blocked,
    /// They may not.
    Refused,
}

/// Decides on content from what is known: the whole of the rule, without a storage.
#[must_use]
pub fn decide(place: &Place, viewer: UserId, ties: Ties) -> Access {
    if viewer == place.owner {
        return Access::Owner;
    }
    let module_is_open = place.module.is_none_or(|module| module.is_published);
    let lesson_is_open = place.lesson.is_none_or(|lesson| lesson.is_published);
    let is_preview = place.course_is_published && place.lesson.is_some_and(|lesson| lesson.is_free);
    let is_theirs = ties.course || ties.module || is_preview;
    match ties.standing {
        Some(Standing::Blocked) => Access::Blocked,
        Some(Standing::Active) if module_is_open && lesson_is_open && is_theirs => Access::Granted,
        Some(Standing::Active) | None => Access::Refused,
    }
}

/// Decides on an assessment, which stands at a place or belongs to its teacher alone.
#[must_use]
pub fn decide_assessment(
    place: Option<&Place>,
    owner: UserId,
    viewer: UserId,
    ties: Ties,
) -> Access {
    match (place, ties.standing) {
        (Some(place), _) => decide(place, viewer, ties),
        (None, _) if viewer == owner => Access::Owner,
        (None, Some(Standing::Active)) => Access::Granted,
        (None, Some(Standing::Blocked)) => Access::Blocked,
        (None, None) => Access::Refused,
    }
}

async fn ties(
    tx: &mut dyn Transaction,
    place: &Place,
    viewer: &User,
    now: DateTime<Utc>,
) -> StoreResult<Ties> {
    match viewer.is_student() {
        true => {
            let module = place.module.map(|module| module.id);
            tx.access().ties(viewer.id, place.course, module, now).await
        }
        false => Ok(Ties::default()),
    }
}

/// Whether `viewer` may have what stands at `place`: lessons, their files, their videos.
pub async fn content(
    tx: &mut dyn Transaction,
    place: &Place,
    viewer: &User,
    now: DateTime<Utc>,
) -> StoreResult<Access> {
    if viewer.id == place.owner {
        return Ok(Access::Owner);
    }
    let ties = ties(tx, place, viewer, now).await?;
    Ok(decide(place, viewer.id, ties))
}

/// Where a module stands, and whether `viewer` may have what is in it: one statement.
pub async fn module(
    tx: &mut dyn Transaction,
    id: Uuid,
    viewer: &User,
    now: DateTime<Utc>,
) -> StoreResult<Option<(Place, Access)>> {
    let found = match viewer.is_student() {
        true => tx.access().module(viewer.id, id, now).await?,
        false => tx.modules().find(id).await?.map(|module| (module.place(), Ties::default())),
    };
    Ok(found.map(|(place, ties)| (place, decide(&place, viewer.id, ties))))
}

/// Whether `viewer` may know of the course at `place`.
pub async fn course_is_visible(
    tx: &mut dyn Transaction,
    place: &Place,
    viewer: Option<&User>,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    if place.course_is_published {
        return Ok(true);
    }
    let Some(viewer) = viewer else { return Ok(false) };
    if viewer.id == place.owner || viewer.is_staff {
        return Ok(true);
    }
    let ties = ties(tx, place, viewer, now).await?;
    Ok(ties.course && ties.standing == Some(Standing::Active))
}

/// Whether `viewer` sees what is not published of a course: its owner, and staff.
#[must_use]
pub fn sees_drafts(owner: UserId, viewer: Option<&User>) -> bool {
    viewer.is_some_and(|viewer| viewer.id == owner || viewer.is_staff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether course, module and lesson are published, and whether the lesson is free.
    fn place([course, module, lesson, is_free]: [bool; 4]) -> Place {
        Place {
            course: Uuid::nil(),
            owner: UserId(1),
            course_is_published: course,
            module: Some(ModulePlace { id: Uuid::nil(), is_published: module }),
            lesson: Some(LessonPlace { is_published: lesson, is_free }),
        }
    }

    fn standing() -> impl Strategy<Value = Option<Standing>> {
        prop_oneof![Just(None), Just(Some(Standing::Active)), Just(Some(Standing::Blocked))]
    }

    proptest! {
        /// Security R27 and behaviour G15, written down a second time as the sentences they are.
        #[test]
        fn lessons_are_had_by_those_the_rule_names(
            flags in any::<[bool; 6]>(),
            standing in standing(),
        ) {
            let [course, module, lesson, is_free, has_course, has_module] = flags;
            let ties = Ties { standing, course: has_course, module: has_module };
            let access = decide(&place([course, module, lesson, is_free]), UserId(2), ties);
            let may = standing == Some(Standing::Active)
                && module
                && lesson
                && (has_course || has_module || (is_free && course));
            prop_assert_eq!(access == Access::Granted, may);
            prop_assert_eq!(access == Access::Blocked, standing == Some(Standing::Blocked));
        }

        #[test]
        fn owners_have_what_is_theirs(flags in any::<[bool; 4]>()) {
            let access = decide(&place(flags), UserId(1), Ties::default());
            prop_assert_eq!(access, Access::Owner);
        }
    }
}
