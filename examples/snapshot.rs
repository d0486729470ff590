//! An answer as a snapshot: the clock stands still and chance is seeded, so two runs give the same
//! bytes. This is what a test looks like; here it is a program, so that it can be tried at once.
//!
//! ```sh
//! cargo run -p edupro-suite --example snapshot
//! ```

use std::{error::Error, io::Write};

use chrono::TimeDelta;
use edupro_http::testkit::TestApp;
use insta::assert_snapshot;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = TestApp::new().await;
    let mona = app.teacher("mona").await;
    let omar = app.student("omar", "mona").await;

    let course = json!({"title": "Sound", "description": "What we hear", "price": "50"});
    let course = mona.post("/course/create/", course).await.json();
    let coupon = mona.post("/coupon/create/", json!({"number_of_coupons": 1, "price": "50"})).await;
    let code = &coupon.json()[0]["code"];

    app.clock().advance(TimeDelta::minutes(5));
    let wanted = json!({"course_id": course["id"], "coupon_code": code});
    let answer = omar.post("/course/course-enrollment/", wanted).await;
    writeln!(std::io::stdout(), "{answer}")?;
    // What is between the quotes is written by `cargo insta review`, or by hand.
    assert_snapshot!(answer, @r#"
    201 Created

    {
      "id": 1,
      "teacher": 1,
      "student": 2,
      "course": "019b82de-d47b-7c9a-a745-152e17e79beb",
      "status": "active",
      "is_active": true,
      "date": "2026-01-03T08:05:00.123456Z",
      "access_type": "full_access",
      "ended_date": "2026-02-02T08:05:00.123456Z",
      "progress": "0.00"
    }
    "#);

    omar.post("/password-reset/request/", json!({"email": "omar@example.com"})).await;
    // A mail is sent by a job, and the test says when.
    let mails = app.mails().await;
    assert_snapshot!(mails[0].text, @"
    Your OTP code is: A4TV6Q. It will expire in 10 minutes.

    If you did not ask for it, you can ignore this mail.
    ");
    Ok(())
}
