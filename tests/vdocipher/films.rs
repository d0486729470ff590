//! The way of a film, from the leave to upload it until it is gone.

use std::time::Duration;

use chrono::TimeDelta;
use edupro_core::{
    files::FileKey,
    video::{
        Film, HostError, UploadHow, UploadId, UploadTicket, VideoId, VideoProvider, VideoState,
    },
};

use crate::support::{Rig, fields, refused, stranger, title};

#[tokio::test]
async fn a_film_goes_all_the_way() {
    let rig = Rig::new().await;
    rig.ready_after_polls(1).await;
    let title = title("أمواج & waves");
    let (ticket, id) = rig.ticket(&title).await;
    let waiting = rig.host.show(&id).await.unwrap();
    assert_eq!(
        (&waiting.state, waiting.word.as_str()),
        (&VideoState::AwaitingUpload, "PRE-Upload")
    );
    assert_eq!((waiting.duration, waiting.title.as_deref()), (None, Some(title.as_str())));

    let pushed = rig.push(&ticket).await.unwrap();
    assert_eq!((&pushed.state, pushed.word.as_str()), (&VideoState::Queued, "Queued"));
    assert_eq!(pushed.id.as_ref(), Some(&id));
    let queued = rig.host.show(&id).await.unwrap();
    assert_eq!((&queued.state, queued.duration), (&VideoState::Queued, None));
    let ready = rig.host.show(&id).await.unwrap();
    assert_eq!((&ready.state, ready.word.as_str()), (&VideoState::Ready, "ready"));
    assert_eq!(ready.duration, Some(Duration::from_secs(25)));
    let age = rig.clock.now() - ready.begun_at.unwrap();
    assert!(age.abs() < TimeDelta::minutes(1), "{age}");

    rig.watch(&id).await.unwrap();
    rig.host.delete(std::slice::from_ref(&id)).await.unwrap();
    assert!(matches!(refused(rig.host.show(&id).await), HostError::NotFound));
    assert!(matches!(refused(rig.watch(&id).await), HostError::NotFound));
}

#[tokio::test]
async fn a_ticket_says_what_the_bucket_wants() {
    let rig = Rig::new().await;
    let (mut ticket, id) = rig.ticket("Waves").await;
    assert_eq!(ticket.upload, UploadId(format!("orig/{}", id.0)));
    let life = ticket.expires_at.unwrap() - rig.clock.now();
    assert!((life - TimeDelta::hours(1)).abs() < TimeDelta::minutes(1), "{life}");
    let names: Vec<_> = fields(&mut ticket).iter().map(|(name, _)| name.clone()).collect();
    let expected = [
        "policy",
        "key",
        "x-amz-signature",
        "x-amz-algorithm",
        "x-amz-date",
        "x-amz-credential",
        "success_action_status",
        "success_action_redirect",
    ];
    assert_eq!(names, expected);
    let Some(fake) = rig.ours() else { return };
    let UploadHow::Form { url, file_field, .. } = &ticket.how else { panic!("{ticket:?}") };
    assert_eq!((url, file_field.as_str()), (&fake.bucket_url(), "file"));
    let seen = fake.requests().remove(0);
    assert_eq!(format!("{} {}", seen.method, seen.uri), "PUT /api/videos?title=Waves");
    assert_eq!(seen.headers["authorization"], "Apisecret fake-apisecret-0001");
    assert_eq!(seen.headers["accept"], "application/json");
    assert_eq!(seen.headers["content-length"], "0");
    assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("edupro/"));
}

#[tokio::test]
async fn every_word_is_kept_and_read_without_its_case() {
    let rig = Rig::new().await;
    let id = rig.video("Waves").await;
    for (word, state) in [
        ("Pre-Upload", VideoState::AwaitingUpload),
        ("queued", VideoState::Queued),
        ("Processing", VideoState::Unknown),
        ("Failed", VideoState::Failed),
        ("ERROR", VideoState::Failed),
        ("READY", VideoState::Ready),
    ] {
        rig.set_status(&id, word, None).await;
        let info = rig.host.show(&id).await.unwrap();
        // A word that is `queued` in another case is not worked on by the double.
        assert_eq!((info.state, info.word.as_str()), (state, word));
    }
    rig.set_status(&id, "ready", Some(1_503)).await;
    let info = rig.host.show(&id).await.unwrap();
    assert_eq!(info.duration, Some(Duration::from_secs(1_503)));
}

#[tokio::test]
async fn a_film_may_be_pushed_again() {
    let rig = Rig::new().await;
    let (ticket, id) = rig.ticket("Waves").await;
    for _ in 0..2 {
        assert_eq!(rig.push(&ticket).await.unwrap().id.as_ref(), Some(&id));
    }
    assert_eq!(rig.host.show(&id).await.unwrap().state, VideoState::Ready);
}

#[tokio::test]
async fn a_ticket_ends_after_an_hour() {
    let rig = Rig::new().await;
    let (ticket, _) = rig.ticket("Waves").await;
    rig.set_time(TimeDelta::seconds(3_610)).await;
    let late = refused(rig.push(&ticket).await);
    rig.set_time(TimeDelta::zero()).await;
    assert!(matches!(late, HostError::TicketExpired), "{late:?}");
}

#[tokio::test]
async fn a_ticket_that_was_altered_is_no_good() {
    type Change = fn(&mut Vec<(String, String)>);
    let changes: [Change; 5] = [
        |fields| fields[0].1 = "e30=".to_owned(),
        |fields| fields[1].1 = "orig/another".to_owned(),
        |fields| fields[2].1 = "0".repeat(64),
        |fields| fields.push(("acl".to_owned(), "public-read".to_owned())),
        |fields| drop(fields.remove(4)),
    ];
    let rig = Rig::new().await;
    let (ticket, id) = rig.ticket("Waves").await;
    for change in changes {
        let mut altered = ticket.clone();
        change(fields(&mut altered));
        let error = refused(rig.push(&altered).await);
        assert!(matches!(error, HostError::Other(_)), "{error:?}");
    }
    let info = rig.host.show(&id).await.unwrap();
    assert_eq!(info.state, VideoState::AwaitingUpload);
}

#[tokio::test]
async fn a_ticket_of_another_host_is_not_taken() {
    let rig = Rig::new().await;
    let ticket = UploadTicket::new(UploadId("1".to_owned()), None, None, UploadHow::Relay);
    let error = refused(rig.push(&ticket).await);
    assert!(matches!(error, HostError::Unsupported(_)), "{error:?}");
}

#[tokio::test]
async fn a_film_that_is_not_there_is_somebodys_fault() {
    let rig = Rig::new().await;
    let (ticket, _) = rig.ticket("Waves").await;
    let key = FileKey::from_stored("media/lesson-video/00/none.mp4".to_owned());
    let error = refused(rig.host.push(&ticket, &Film::new(&rig.files, &key, None)).await);
    // That the host has no such video would be another story.
    assert!(matches!(error, HostError::Other(_)), "{error:?}");
}

#[tokio::test]
async fn a_large_film_is_passed_on_piece_by_piece() {
    let rig = Rig::new().await;
    let (ticket, id) = rig.ticket("Waves").await;
    let key = rig.film(64 << 20).await;
    rig.host.push(&ticket, &Film::new(&rig.files, &key, None)).await.unwrap();
    assert_eq!(rig.host.show(&id).await.unwrap().state, VideoState::Ready);
    let Some(fake) = rig.ours() else { return };
    assert_eq!(fake.video(&id.0).unwrap().size, (64 << 20) + 24);
    let seen = fake.requests();
    let post = seen.iter().find(|seen| seen.uri.path().starts_with("/s3/")).unwrap();
    let length: u64 = post.headers["content-length"].to_str().unwrap().parse().unwrap();
    assert!(length > 64 << 20, "{length}");
    assert!(!post.headers.contains_key("transfer-encoding"));
    assert!(!post.headers.contains_key("authorization"));
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let rig = Rig::new().await;
    let (one, other) = (rig.video("Waves").await, rig.video("Sound").await);
    let ids = [one.clone(), stranger(), VideoId("../a,b".to_owned()), other];
    rig.host.delete(&ids).await.unwrap();
    for id in &ids {
        assert!(matches!(refused(rig.host.show(id).await), HostError::NotFound), "{id:?}");
    }
    rig.host.delete(&ids).await.unwrap();
    let Some(fake) = rig.ours() else { return };
    let before = fake.requests().len();
    rig.host.delete(&[]).await.unwrap();
    rig.host.delete(&ids[2..3]).await.unwrap();
    assert_eq!(fake.requests().len(), before, "nothing is asked about nothing");
}

#[tokio::test]
async fn a_title_finds_exactly_its_videos() {
    let rig = Rig::new().await;
    let title = title("100% & more");
    let mut made = Vec::new();
    for name in [title.as_str(), &format!("{title}!"), &title, &title.to_uppercase()] {
        made.push(rig.ticket(name).await.1);
    }
    let found = rig.host.search(&title).await.unwrap();
    let ids: Vec<_> = found.iter().filter_map(|info| info.id.clone()).collect();
    assert_eq!(ids, [made[2].clone(), made[0].clone()]);
    assert!(found.iter().all(|info| info.state == VideoState::AwaitingUpload));
    // Its name would find it too.
    assert_eq!(rig.host.search(&made[0].0).await.unwrap(), []);
    rig.host.delete(&made).await.unwrap();
    assert_eq!(rig.host.search(&title).await.unwrap(), []);
    let Some(fake) = rig.ours() else { return };
    let list = fake.requests().into_iter().find(|seen| seen.method == "GET").unwrap();
    assert!(list.uri.query().unwrap().ends_with("&limit=40"), "{}", list.uri);
}
