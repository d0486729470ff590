use std::sync::Arc;

use serde_json::{Value, json};

use super::{Announced, EventError, EventSink, FanOut, MemorySink};

const ID: &str = "019b8275-3adb-7000-8000-000000000000";
const OTHER: &str = "019b8275-3adb-7000-8000-000000000001";

/// Every event as subscribers read it. What is here does not change within a version.
fn written() -> Vec<Value> {
    vec![
        json!({"event": "teacher_registered", "teacher": 1, "username": "mona"}),
        json!({"event": "student_registered", "student": 2, "username": "omar", "teacher": 1}),
        json!({"event": "student_joined", "teacher": 1, "student": 2}),
        json!({"event": "student_removed", "teacher": 1, "student": 2}),
        json!({"event": "student_blocked", "teacher": 1, "student": 2}),
        json!({"event": "student_unblocked", "teacher": 1, "student": 2}),
        json!({"event": "course_enrolled", "enrollment": 1, "student": 2, "teacher": 1,
               "course": ID, "course_title": "Waves", "paid": "50.00", "is_renewal": false,
               "ends_at": "2026-02-02T08:00:00.123456Z"}),
        json!({"event": "module_enrolled", "enrollment": 1, "student": 2, "teacher": 1,
               "course": ID, "course_title": "Waves", "module": OTHER, "module_title": "Sound",
               "paid": "5.00", "is_renewal": true, "ends_at": null}),
        json!({"event": "enrollment_deleted", "enrollment": 1, "student": 2, "course": ID,
               "deleted_by": 1}),
        json!({"event": "coupon_redeemed", "coupon": 1, "student": 2, "teacher": 1, "course": ID,
               "module": null, "price": "50.00"}),
        json!({"event": "lesson_completed", "student": 2, "teacher": 1, "course": ID,
               "module": OTHER, "lesson": ID, "lesson_title": "Pipes"}),
        json!({"event": "course_completed", "student": 2, "teacher": 1, "course": ID,
               "course_title": "Waves"}),
        json!({"event": "course_rated", "rating": 1, "student": 2, "teacher": 1, "course": ID,
               "course_title": "Waves", "stars": 5}),
        json!({"event": "password_changed", "user": 2}),
        json!({"event": "video_ready", "video": ID, "teacher": 1, "lesson": OTHER,
               "provider": "local", "duration": 90}),
        json!({"event": "order_paid", "order": ID, "provider": "stripe", "student": 2,
               "teacher": 1, "course": OTHER, "module": null, "amount": "50.00",
               "currency": "EGP", "is_needed": true}),
        json!({"event": "order_refunded", "order": ID, "provider": "stripe", "student": 2,
               "teacher": 1, "course": OTHER, "module": null, "amount": "20.00",
               "total": "50.00", "currency": "EGP", "enrollment_ended": true}),
        json!({"event": "attempt_started", "attempt": ID, "student": 2, "teacher": 1,
               "assessment": OTHER, "assessment_title": "Midterm", "number": 1,
               "deadline": "2026-01-03T08:30:00.123456Z"}),
        json!({"event": "attempt_submitted", "attempt": ID, "student": 2, "teacher": 1,
               "assessment": OTHER, "assessment_title": "Midterm", "is_pending": true}),
        json!({"event": "attempt_expired", "attempt": ID, "student": 2, "teacher": 1,
               "assessment": OTHER, "assessment_title": "Midterm",
               "deadline": "2026-01-03T08:30:00.123456Z"}),
        json!({"event": "attempt_graded", "attempt": ID, "student": 2, "teacher": 1,
               "assessment": OTHER, "assessment_title": "Midterm", "score": "7.50",
               "max_score": "10.00", "percentage": "75.00", "is_passed": true,
               "previous_score": null}),
    ]
}

fn announced(mut event: Value) -> Announced {
    event["id"] = ID.into();
    event["version"] = 1.into();
    event["at"] = "2026-01-03T08:00:00.123456Z".into();
    serde_json::from_value(event).unwrap()
}

#[test]
fn every_event_is_written_as_subscribers_read_it() {
    for event in written() {
        let announced = announced(event.clone());
        assert_eq!(announced.event.name(), event["event"]);
        assert_eq!(announced.event.version(), announced.version);
        let Value::Object(mut again) = serde_json::to_value(&announced).unwrap() else {
            panic!("an object")
        };
        for key in ["id", "version", "at"] {
            assert!(again.remove(key).is_some(), "{key}");
        }
        assert_eq!(Value::Object(again), event);
    }
}

#[test]
fn what_a_later_version_adds_is_ignored() {
    let event = json!({"event": "student_joined", "teacher": 1, "student": 2, "mood": "good"});
    assert_eq!(announced(event).event.name(), "student_joined");
}

#[derive(Debug)]
struct Critic;

#[async_trait::async_trait]
impl EventSink for Critic {
    async fn receive(&self, _: &Announced) -> Result<(), EventError> {
        Err(EventError::rejected("not my taste"))
    }
}

#[tokio::test]
async fn a_fan_out_tells_everybody_and_comes_again_while_somebody_may_take_it() {
    let (one, two) = (Arc::new(MemorySink::default()), Arc::new(MemorySink::default()));
    let sinks: [Arc<dyn EventSink>; 3] = [Arc::new(Critic), one.clone(), two.clone()];
    let all = FanOut::new(sinks.to_vec());
    let event = announced(json!({"event": "password_changed", "user": 2}));

    one.refuse(true);
    let said = all.receive(&event).await;
    assert!(matches!(said, Err(EventError::Unavailable { .. })));
    assert_eq!(one.received(), []);
    assert_eq!(two.take(), std::slice::from_ref(&event));

    one.refuse(false);
    assert!(matches!(all.receive(&event).await, Err(EventError::Rejected { .. })));
    assert_eq!(one.received(), std::slice::from_ref(&event));
    assert_eq!(two.received(), std::slice::from_ref(&event));
    assert!(FanOut::default().receive(&event).await.is_ok());
}
