//! The log of who did what.

use std::{net::Ipv4Addr, sync::Arc};

use chrono::TimeDelta;
use serde_json::json;

use super::{super::working, add, commit, now, person, write};
use crate::{
    Page, PageNumber, Storage, Transaction,
    accounts::{User, UserId},
    audit::{Action, Entry, KEPT, LogQuery, NewEntry, StudentsQuery},
};

fn entry(teacher: UserId, student: &User, action: Action) -> NewEntry {
    let details = [("price".to_owned(), json!("5.00")), ("a".to_owned(), json!([1, null, "ع"]))];
    NewEntry {
        at: now(),
        action,
        actor: Some((teacher, "Mona".to_owned())),
        address: Some(Ipv4Addr::LOCALHOST.into()),
        teacher: Some(teacher),
        student: Some(student.id),
        object: ("coupon", "7".to_owned()),
        before: None,
        after: Some(details.into()),
    }
}

async fn of_students(
    tx: &mut dyn Transaction,
    teacher: UserId,
    student: Option<UserId>,
    number: i64,
) -> Option<(i64, Vec<Entry>)> {
    let page = Page { number: PageNumber::Nth(number), size: 2 };
    let query = StudentsQuery { student, action: None, page };
    let found = working("a log cannot be read", tx.audit().of_students(teacher, &query).await);
    found.map(|page| (page.count, page.items))
}

async fn of_user(tx: &mut dyn Transaction, user: UserId, action: Option<Action>) -> Vec<String> {
    let query = LogQuery { user: Some(user), action, limit: 9, ..LogQuery::default() };
    let found = working("a log cannot be read", tx.audit().log(&query).await);
    found.into_iter().map(|entry| entry.action).collect()
}

/// What is added stays as it is and in its order, until it is old enough.
pub(super) async fn log(storage: &Arc<dyn Storage>) {
    let student = add(storage, &person()).await;
    let (mona, sami) = (add(storage, &person()).await.id, add(storage, &person()).await.id);
    let entries = [
        entry(mona, &student, Action::StudentJoined),
        entry(mona, &student, Action::StudentBlocked),
        entry(mona, &student, Action::StudentUnblocked),
        NewEntry { student: None, ..entry(mona, &student, Action::CouponsCreated) },
        entry(sami, &student, Action::StudentJoined),
    ];
    let mut tx = write(storage).await;
    working("a log cannot be added to", tx.audit().append(&entries).await);
    drop(tx);
    let mut tx = write(storage).await;
    let undone = of_students(&mut *tx, mona, None, 1).await;
    assert_eq!(undone, Some((0, Vec::new())), "what was undone is in the log");
    working("a log cannot be added to", tx.audit().append(&entries).await);
    commit(tx).await;

    let mut tx = write(storage).await;
    let words = |entries: &[Entry]| entries.iter().map(|it| it.action.clone()).collect::<Vec<_>>();
    let (count, newest) = of_students(&mut *tx, mona, None, 1).await.unwrap_or_default();
    assert_eq!(count, 3, "what concerns a teacher and a student");
    assert_eq!(words(&newest), ["student_unblocked", "student_blocked"], "the newest first");
    let expected = Entry {
        id: newest[0].id,
        at: entries[2].at,
        action: "student_unblocked".to_owned(),
        actor: entries[2].actor.clone(),
        teacher: Some(mona),
        student: Some((student.id, student.username.clone())),
        address: Some("127.0.0.1".to_owned()),
        object: ("coupon".to_owned(), "7".to_owned()),
        before: None,
        after: entries[2].after.clone(),
    };
    assert_eq!(newest[0], expected, "an entry as it was added");
    let last = of_students(&mut *tx, mona, Some(student.id), 2).await;
    assert_eq!(last.map(|(_, last)| words(&last)), Some(vec!["student_joined".to_owned()]));
    assert_eq!(of_students(&mut *tx, mona, None, 3).await, None, "a page that is not there");
    let none = of_students(&mut *tx, mona, Some(sami), 1).await;
    assert_eq!(none, Some((0, Vec::new())), "what concerns nobody");
    let all = of_user(&mut *tx, student.id, None).await;
    let expected = ["student_joined", "student_blocked", "student_unblocked", "student_joined"];
    assert_eq!(all, expected, "the whole log, the oldest first");
    let some = of_user(&mut *tx, mona, Some(Action::CouponsCreated)).await;
    assert_eq!(some, ["coupons_created"], "what somebody did");

    // Too young to go.
    let refused = tx.audit().purge(now() + TimeDelta::hours(1)).await;
    assert!(refused.is_err(), "a young entry can be deleted: {refused:?}");
    drop(tx);
    let mut tx = write(storage).await;
    let at = now() - KEPT - TimeDelta::hours(1);
    let old = NewEntry { at, ..entry(mona, &student, Action::StudentRemoved) };
    working("a log cannot be added to", tx.audit().append(&[old]).await);
    let oldest = working("a log cannot be read", tx.audit().oldest().await);
    assert!(oldest.is_some_and(|oldest| oldest <= at), "the oldest entry");
    working("a log cannot be added to", tx.audit().append(&entries[..1]).await);
    let swept = working("old entries cannot go", tx.audit().purge(now() - KEPT).await);
    assert!(swept >= 1, "old entries go");
    let left = of_students(&mut *tx, mona, None, 1).await.map(|(count, _)| count);
    assert_eq!(left, Some(4), "only old entries go");
    commit(tx).await;
}
