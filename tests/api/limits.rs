//! How often something may be asked for (security R5, R7). Log-ins, registrations, codes and coupons
//! have their stories where they are told.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::Method;
use chrono::TimeDelta;
use edupro_core::accounts::{
    Client, Email,
    resets::{self, ResetError},
};
use edupro_http::testkit::{Answer, Browser, Part, TestApp};
use image::ImageFormat;
use serde_json::json;

use crate::support::{on_both_engines, picture};

/// Asks for a code, from the address with this number.
async fn forgot(app: &TestApp, address: u8, name: &str) -> Result<(), ResetError> {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, address));
    let client = Client { address, user_agent: None };
    let email: Email = format!("{name}@example.com").parse().unwrap();
    resets::request(app.school(), &client, &email).await
}

fn is_throttled(answer: &Result<(), ResetError>) -> bool {
    matches!(answer, Err(ResetError::Throttled(_)))
}

async fn send_picture(browser: &Browser, picture: &[u8]) -> Answer {
    let parts = [Part::File("profile_picture", "me.png", picture)];
    browser.multipart(Method::PATCH, "/teacher/update-profile/", &parts).await
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status(), 429, "{answer}");
    let wait: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
}

on_both_engines! {
    /// Twenty codes an hour for an address, and a hundred mails a minute for the school.
    async fn codes_of_an_address_and_of_the_school(school) {
        let app = school
            .settings(|settings| {
                settings.throttle = true;
                settings.uniform_reset_response = true;
            })
            .start()
            .await;
        for number in 0..20 {
            forgot(&app, 1, &format!("a{number}")).await.unwrap();
        }
        // Whoever is refused takes nothing from the others, however often.
        for number in 0..150 {
            assert!(is_throttled(&forgot(&app, 1, &format!("b{number}")).await));
        }
        for number in 0..80 {
            let address = 2 + number / 20;
            forgot(&app, address, &format!("c{number}")).await.unwrap();
        }
        assert!(is_throttled(&forgot(&app, 9, "d").await), "the hundred and first of a minute");
        app.clock().advance(TimeDelta::seconds(61));
        forgot(&app, 9, "e").await.unwrap();
    }

    /// Sixty requests with files an hour for each user.
    async fn uploads_of_a_user(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let nour = app.teacher("nour").await;
        let picture = picture(ImageFormat::Png);
        for _ in 0..60 {
            assert_eq!(send_picture(&mona, &picture).await.status(), 200);
        }
        assert_refused(&send_picture(&mona, &picture).await);
        // What has no file is no upload.
        let answer = mona.patch("/teacher/update-profile/", json!({"bio": "Waves"})).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(send_picture(&nour, &picture).await.status(), 200);
        app.clock().advance(TimeDelta::minutes(61));
        mona.post("/token/refresh/", json!({})).await;
        assert_eq!(send_picture(&mona, &picture).await.status(), 200);
    }

    /// Twenty leaves to upload a video an hour for each teacher.
    async fn leaves_to_upload(school) {
        let app = school.settings(|settings| settings.throttle = true).start().await;
        let mona = app.teacher("mona").await;
        let nour = app.teacher("nour").await;
        let ask = async |browser: &Browser| {
            browser.post("/course/create-vdocipher-upload-credentials/", json!({"title": "Waves"})).await
        };
        for _ in 0..20 {
            assert_eq!(ask(&mona).await.status(), 200);
        }
        assert_refused(&ask(&mona).await);
        assert_eq!(ask(&nour).await.status(), 200);
    }
}
