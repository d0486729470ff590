//! People, and what they log in with.

use std::{net::Ipv6Addr, sync::Arc};

use chrono::TimeDelta;
use tokio::task::JoinSet;

use super::{
    super::{word, working},
    CROWD, add, commit, now, number, person, read, write,
};
use crate::{
    Storage, StoreError, SystemEntropy,
    accounts::{Email, NewUser, Phone, Reset, Session, Taken, User, UserId, Username},
    entropy::Entropy,
    storage::atomically,
};

/// An id that nobody has.
const NOBODY: UserId = UserId(i64::MAX);

/// Somebody is found by each of their names, as they were added and as they were changed.
pub(super) async fn users(storage: &Arc<dyn Storage>) {
    let new = person();
    let user = add(storage, &new).await;
    let expected = User {
        id: user.id,
        email: new.email.to_string(),
        username: new.username.to_string(),
        slug: new.slug.clone().unwrap_or_default(),
        first_name: new.first_name.clone(),
        last_name: new.last_name.clone(),
        phone: new.phone.as_ref().map(ToString::to_string),
        parent_phone: new.parent_phone.as_ref().map(ToString::to_string),
        user_type: new.user_type,
        is_staff: new.is_staff,
        is_active: true,
        avatar: None,
        logo: None,
        last_login: None,
        created_at: new.created_at,
    };
    assert_eq!(user, expected, "somebody who was added");
    is_found(storage, &expected, &new.password_hash).await;

    let mut tx = write(storage).await;
    let at = now();
    let users = tx.users();
    working("a password cannot be set", users.set_password(user.id, "$another", at).await);
    working("a log-in cannot be noted", users.set_last_login(user.id, at).await);
    working("somebody cannot be kept out", users.set_active(user.id, false, at).await);
    // Whoever is gone meanwhile is no failure.
    working("nobody's password", users.set_password(NOBODY, "$another", at).await);
    working("nobody's log-in", users.set_last_login(NOBODY, at).await);
    working("nobody is kept out", users.set_active(NOBODY, false, at).await);
    commit(tx).await;
    let expected = User { last_login: Some(at), is_active: false, ..expected };
    is_found(storage, &expected, "$another").await;

    let without = NewUser { slug: None, phone: None, parent_phone: None, ..person() };
    let other = add(storage, &without).await;
    assert_eq!(other.slug, format!("user-{}", other.id), "the slug of who has none");
    assert_eq!((other.phone, other.parent_phone), (None, None), "no telephone");
    assert!(other.id > user.id, "who comes later has a larger id");
    let mut tx = read(storage).await;
    let all = working("people cannot be listed", tx.users().all().await);
    assert!(all.is_sorted_by_key(|user| user.id), "people are listed by their ids");
    let are_there = all.contains(&expected) && all.iter().any(|one| one.id == other.id);
    assert!(are_there, "somebody is not in the list of all");
    is_unknown(storage).await;
}

async fn is_found(storage: &Arc<dyn Storage>, user: &User, hash: &str) {
    let mut tx = read(storage).await;
    let users = tx.users();
    let found = working("nobody can be found by id", users.find(user.id).await);
    assert_eq!(found.as_ref(), Some(user), "found by id");
    for name in [user.username.to_uppercase(), user.username.to_lowercase()] {
        let found = working("nobody can be found by name", users.find_by_username(&name).await);
        assert_eq!(found.as_ref(), Some(user), "found by {name}");
    }
    let email: Email = working("an address", user.email.to_uppercase().parse());
    let found = working("nobody can be found by address", users.find_credentials(&email).await);
    let found = found.unwrap_or_else(|| panic!("nobody is found by {email}"));
    assert_eq!((&found.user, found.password_hash.as_str()), (user, hash), "found by address");
    let is_taken = working("a slug cannot be looked for", users.slug_is_taken(&user.slug).await);
    assert!(is_taken, "somebody's slug is free");
}

async fn is_unknown(storage: &Arc<dyn Storage>) {
    let mut tx = read(storage).await;
    let (users, new) = (tx.users(), person());
    assert_eq!(working("nobody by id", users.find(NOBODY).await), None, "nobody has this id");
    let name = new.username.to_string();
    for name in [name.as_str(), "", "%", "_", "'"] {
        let found = working("nobody by name", users.find_by_username(name).await);
        assert_eq!(found, None, "nobody has the name {name:?}");
    }
    let found = working("nobody by address", users.find_credentials(&new.email).await);
    assert!(found.is_none(), "nobody has this address");
    let is_taken = working("nobody's slug", users.slug_is_taken(&word()).await);
    assert!(!is_taken, "nobody has this slug");
    let taken = users.taken(Some(&new.username), Some(&new.email), new.phone.as_ref()).await;
    assert_eq!(working("nobody's names", taken), Taken::default(), "nobody has these names");
}

/// Each of the unique values belongs to one, also when many want it at once.
pub(super) async fn names_are_taken_once(storage: &Arc<dyn Storage>) {
    let first = person();
    add(storage, &first).await;
    let username: Username = working("a name", first.username.to_string().to_uppercase().parse());
    let phone: Phone = working("a telephone", number(&word()).parse());
    let other = person();
    let wishes = [
        NewUser { username: username.clone(), ..person() },
        NewUser { email: first.email.clone(), ..person() },
        NewUser { phone: first.phone.clone(), ..person() },
        NewUser { slug: first.slug.clone(), ..person() },
    ];
    for wish in &wishes {
        let mut tx = write(storage).await;
        let added = working("a name that is taken is a failure", tx.users().add(wish).await);
        assert_eq!(added, None, "two people have one name");
        // The rule goes on in the same transaction, to say which it was.
        let taken = tx.users().taken(Some(&wish.username), Some(&wish.email), wish.phone.as_ref());
        let taken = working("after a refusal nothing can be asked", taken.await);
        let expected = Taken {
            username: wish.username == username,
            email: wish.email == first.email,
            phone: wish.phone == first.phone,
        };
        assert_eq!(taken, expected, "which names are taken");
        commit(tx).await;
    }
    let mut tx = read(storage).await;
    let found = tx.users().find_credentials(&first.email).await;
    let found = working("nobody can be found by address", found);
    let is_as_before = found.is_some_and(|found| found.password_hash == first.password_hash);
    assert!(is_as_before, "who wants a name that is taken changes who has it");
    let mut asked =
        async |username: Option<&Username>, email: Option<&Email>, phone: Option<&Phone>| {
            working("names cannot be looked for", tx.users().taken(username, email, phone).await)
        };
    let none = Taken::default();
    assert_eq!(asked(None, None, None).await, none, "what was not asked is taken");
    let name = Taken { username: true, ..none };
    assert_eq!(asked(Some(&first.username), None, Some(&phone)).await, name, "a name");
    let email = Taken { email: true, ..none };
    assert_eq!(asked(None, Some(&first.email), None).await, email, "an address");
    let phone = Taken { phone: true, ..none };
    assert_eq!(asked(Some(&other.username), None, first.phone.as_ref()).await, phone, "a number");

    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let storage = Arc::clone(storage);
        let wish = NewUser { username: other.username.clone(), ..person() };
        crowd.spawn(async move {
            atomically(&SystemEntropy, || async {
                let mut tx = storage.write().await?;
                let added = tx.users().add(&wish).await?;
                tx.commit().await?;
                Ok::<_, StoreError>(added)
            })
            .await
        });
    }
    let added = crowd.join_all().await.into_iter();
    let added = added.filter_map(|added| working("of many who want a name one fails", added));
    assert_eq!(added.count(), 1, "so many get one name at the same moment");
}

fn session(user: UserId) -> Session {
    let now = now();
    Session {
        id: SystemEntropy.uuid(now),
        user,
        generation: 0,
        created_at: now,
        rotated_at: now,
        expires_at: now + TimeDelta::days(1),
        user_agent: Some("متصفح 1.0".to_owned()),
        address: Some(Ipv6Addr::LOCALHOST.into()),
    }
}

/// A session lives until it ends, for one reason or another, and is refreshed once at a time.
pub(super) async fn sessions(storage: &Arc<dyn Storage>) {
    let user = add(storage, &person()).await;
    let sessions = [session(user.id), session(user.id), session(user.id), session(user.id)];
    let mut tx = write(storage).await;
    for (minutes, session) in (0..).zip(&sessions) {
        let created_at = session.created_at + TimeDelta::minutes(minutes);
        let session = Session { created_at, ..session.clone() };
        working("a session cannot be added", tx.sessions().add(&session, 4).await);
    }
    commit(tx).await;
    let mut tx = write(storage).await;
    let again = tx.sessions().add(&sessions[0], 4).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "a session that is there: {again:?}");
    drop(tx);

    let mut tx = write(storage).await;
    let kept = tx.sessions();
    let [first, second, third, last] = &sessions;
    let live = working("a session cannot be found", kept.find_live(first.id, now()).await);
    assert_eq!(live, Some((first.clone(), user.clone())), "a session and its user");
    let ended =
        working("a session cannot be found", kept.find_live(first.id, first.expires_at).await);
    assert_eq!(ended, None, "a session that is over");
    let (at, end) = (now(), now() + TimeDelta::days(2));
    for expected in [true, false] {
        let counted = working("a refresh cannot be counted", kept.rotate(first, at, end).await);
        assert_eq!(counted, expected, "a refresh is counted once");
    }
    let live = working("a session cannot be found", kept.find_live(first.id, now()).await);
    let rotated = Session { generation: 1, rotated_at: at, expires_at: end, ..first.clone() };
    assert_eq!(live.map(|(session, _)| session), Some(rotated), "a session after its refresh");
    let all = working("sessions cannot be listed", kept.live(user.id, now()).await);
    let all: Vec<_> = all.into_iter().map(|session| session.id).collect();
    assert_eq!(all, [last.id, third.id, second.id, first.id], "sessions, the newest first");
    let is_live = async |tx: &mut Box<dyn crate::Transaction>, session: &Session| {
        let found = tx.sessions().find_live(session.id, now()).await;
        working("a session cannot be found", found).is_some()
    };
    for (whose, expected) in [(NOBODY, false), (user.id, true), (user.id, false)] {
        let ended = tx.sessions().revoke(whose, second.id, now()).await;
        let ended = working("a session cannot be ended", ended);
        assert_eq!(ended, expected, "a session is ended once, and by nobody else");
    }
    assert!(!is_live(&mut tx, second).await, "a session that was ended");
    let created_at = last.created_at + TimeDelta::minutes(9);
    let next = Session { created_at, ..session(user.id) };
    working("a session cannot be added", tx.sessions().add(&next, 3).await);
    let left = [is_live(&mut tx, first).await, is_live(&mut tx, third).await];
    assert_eq!(left, [false, true], "the oldest session ends first");
    assert!(is_live(&mut tx, &next).await, "a session that was added where there were many");
    working(
        "sessions cannot be ended",
        tx.sessions().revoke_others(user.id, Some(last.id), now()).await,
    );
    let left = [is_live(&mut tx, third).await, is_live(&mut tx, last).await];
    assert_eq!(left, [false, true], "all sessions but one end");
    working("somebody cannot be kept out", tx.users().set_active(user.id, false, now()).await);
    assert!(!is_live(&mut tx, last).await, "a session of who is kept out");
    working("somebody cannot be let in", tx.users().set_active(user.id, true, now()).await);
    assert!(is_live(&mut tx, last).await, "a session of who is let in again");
    working("sessions cannot be ended", tx.sessions().revoke_others(user.id, None, now()).await);
    assert!(!is_live(&mut tx, last).await, "all sessions end");

    let late = session(user.id);
    working("a session cannot be added", tx.sessions().add(&late, 3).await);
    let swept = tx.sessions().purge(now() + TimeDelta::hours(12)).await;
    assert!(working("sessions cannot be forgotten", swept) >= 4, "ended sessions are forgotten");
    assert!(is_live(&mut tx, &late).await, "a session that lives is forgotten");
    commit(tx).await;
}

/// A code is tried so often, used once, and replaced by the next.
pub(super) async fn resets(storage: &Arc<dyn Storage>) {
    let user = add(storage, &person()).await.id;
    let reset = |nonce: &str| Reset { user, nonce: nonce.to_owned(), expires_at: now() };
    let (old, new) = (reset("old"), reset("new"));
    let mut tx = write(storage).await;
    let store = tx.resets();
    assert_eq!(working("a request", store.find(user).await), None, "nobody asked for a code");
    for request in [&old, &new] {
        working("a request cannot be kept", store.replace(request).await);
        let found = working("a request cannot be found", store.find(user).await);
        assert_eq!(found.as_ref(), Some(request), "the last request");
    }
    for expected in [Some(&new), Some(&new), None] {
        let taken = working("a try cannot be counted", store.take_try(user, 2).await);
        assert_eq!(taken.as_ref(), expected, "a code is tried twice");
    }
    working("a try cannot be given back", store.give_back_try(&new).await);
    let taken = working("a try cannot be counted", store.take_try(user, 2).await);
    assert_eq!(taken.as_ref(), Some(&new), "a try that was given back");
    let was_used = working("a code cannot be used", store.consume(&old, now()).await);
    assert!(!was_used, "a code that was replaced is used");
    for expected in [true, false] {
        let was_used = working("a code cannot be used", store.consume(&new, now()).await);
        assert_eq!(was_used, expected, "a code is used once");
    }
    assert_eq!(working("a request", store.find(user).await), None, "a code that was used");
    working("a request cannot be kept", store.replace(&old).await);
    let swept = working("requests cannot be forgotten", store.purge(old.expires_at).await);
    let kept = working("a request", store.find(user).await);
    assert!(kept.is_some(), "a request that is not old is forgotten, with {swept} others");
    let later = old.expires_at + TimeDelta::microseconds(1);
    working("requests cannot be forgotten", store.purge(later).await);
    assert_eq!(working("a request", store.find(user).await), None, "an old request is kept");
    commit(tx).await;
}
