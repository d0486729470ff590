//! Counters behind the limits, and requests that may be repeated.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::task::JoinSet;

use super::{
    super::{word, working},
    CROWD, add, commit, now, person, write,
};
use crate::{
    Storage, StoreError, SystemEntropy,
    idempotency::{Given, KeyUse},
    limits::Tally,
    storage::atomically,
};

/// A counter begins anew with its window, and is forgotten after it.
pub(super) async fn counters(storage: &Arc<dyn Storage>) {
    let (key, start, window) = (word(), now(), TimeDelta::minutes(15));
    let end = start + window;
    let mut tx = write(storage).await;
    let store = tx.limits();
    let tally = working("a counter cannot be read", store.tally(&key, start).await);
    assert_eq!(tally, None, "a counter that nobody has begun");
    for count in 1..=3 {
        let last = start + TimeDelta::seconds(count);
        // Only the first opens a window.
        let counted = store.count(&key, last, end + TimeDelta::seconds(count - 1)).await;
        let counted = working("nothing can be counted", counted);
        assert_eq!(counted, Tally { count, window_ends: end, last }, "a counter");
        let tally = working("a counter cannot be read", store.tally(&key, last).await);
        assert_eq!(tally, Some(counted), "a counter that is only read");
    }
    working("nothing can be taken back", store.give_back(&key).await);
    working("nothing can be taken back", store.give_back(&word()).await);
    let tally = working("a counter cannot be read", store.tally(&key, start).await);
    assert_eq!(tally.map(|tally| tally.count), Some(2), "a counter of which one was taken back");
    let over = working("a counter cannot be read", store.tally(&key, end).await);
    assert_eq!(over, None, "a counter whose window is over");
    let counted = working("nothing can be counted", store.count(&key, end, end + window).await);
    let anew = Tally { count: 1, window_ends: end + window, last: end };
    assert_eq!(counted, anew, "a counter with a new window");
    for _ in 0..3 {
        working("nothing can be taken back", store.give_back(&key).await);
    }
    let tally = working("a counter cannot be read", store.tally(&key, end).await);
    assert!(tally.is_none_or(|tally| tally.count == 0), "less than nothing was counted");
    working("counters cannot be forgotten", store.purge(end).await);
    let tally = working("a counter cannot be read", store.tally(&key, end).await);
    assert!(tally.is_some(), "a counter is forgotten within its window");
    let swept = working("counters cannot be forgotten", store.purge(end + window).await);
    assert!(swept >= 1, "a counter is kept beyond its window");
    commit(tx).await;
}

/// A key is begun once, answered once, and forgotten.
pub(super) async fn idempotency(storage: &Arc<dyn Storage>) {
    let (one, other) = (add(storage, &person()).await.id, add(storage, &person()).await.id);
    let (key, start) = (word(), now());
    let mut tx = write(storage).await;
    let store = tx.idempotency();
    assert_eq!(working("a key", store.find(one, &key).await), None, "a key that nobody has used");
    for expected in [true, false] {
        let begun = working("a key cannot be begun", store.begin(one, &key, "asked", start).await);
        assert_eq!(begun, expected, "a key is begun once");
    }
    let begun = working("a key cannot be begun", store.begin(other, &key, "asked", start).await);
    assert!(begun, "two people share a key");
    let found = working("a key cannot be found", store.find(one, &key).await);
    let expected = KeyUse { fingerprint: "asked".to_owned(), started_at: start, given: None };
    assert_eq!(found, Some(expected.clone()), "a key that was begun");
    let given = Given { status: 201, body: r#"{"message": "تم \"التسجيل\""}"#.to_owned() };
    working("an answer cannot be kept", store.finish(one, &key, &given).await);
    let found = working("a key cannot be found", store.find(one, &key).await);
    assert_eq!(found, Some(KeyUse { given: Some(given), ..expected.clone() }), "an answer");
    let found = working("a key cannot be found", store.find(other, &key).await);
    assert_eq!(found, Some(expected), "somebody else's answer");
    working("a key cannot be forgotten", store.forget(other, &key).await);
    assert_eq!(working("a key", store.find(other, &key).await), None, "a key was forgotten");
    working("keys cannot be forgotten", store.purge(start).await);
    let found = working("a key cannot be found", store.find(one, &key).await);
    assert!(found.is_some(), "a key that is not old is forgotten");
    working("keys cannot be forgotten", store.purge(start + TimeDelta::microseconds(1)).await);
    assert_eq!(working("a key", store.find(one, &key).await), None, "an old key is kept");
    commit(tx).await;

    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (storage, key) = (Arc::clone(storage), key.clone());
        crowd.spawn(async move {
            atomically(&SystemEntropy, || async {
                let mut tx = storage.write().await?;
                let begun = tx.idempotency().begin(one, &key, "asked", start).await?;
                tx.commit().await?;
                Ok::<_, StoreError>(begun)
            })
            .await
        });
    }
    let begun = crowd.join_all().await.into_iter();
    let begun = begun.filter(|begun| matches!(begun, Ok(true)) || begun.is_err());
    let begun: Vec<_> = begun.collect();
    assert!(matches!(&begun[..], [Ok(true)]), "a key that many begin at once: {begun:?}");
}
