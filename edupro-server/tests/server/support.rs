//! What several tests need.

#[path = "../../../tests/support/postgres.rs"]
pub(crate) mod postgres;
#[path = "../../../edupro-core/tests/support/smtp_server.rs"]
pub(crate) mod smtp_server;

use std::{
    io::Cursor,
    time::{Duration, Instant},
};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::smtp_server::SmtpServer;
use crate::home::Home;

pub(crate) const LOGIN: &str = "/api/v1/teacher/login/";
pub(crate) const LOGOUT: &str = "/api/v1/logout/";
pub(crate) const REFRESH: &str = "/api/v1/token/refresh/";
pub(crate) const REQUEST_RESET: &str = "/api/v1/password-reset/request/";
pub(crate) const CONFIRM_RESET: &str = "/api/v1/password-reset/confirm/";
pub(crate) const PROFILE: &str = "/api/v1/teacher/teacher-profile/";
pub(crate) const UPDATE: &str = "/api/v1/teacher/update-profile/";

/// After this time something hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(30);
/// Everybody's password.
pub(crate) const PASSWORD: &str = "Str0ng-Pass!";
/// Everybody's, in the demo.
pub(crate) const DEMO_PASSWORD: &str = "palm-tree-42";

/// Waits until `look` finds something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < HANGS, "after {HANGS:?} there is still no {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// 1.1
pub(crate) fn credentials(username: &str, password: &str) -> Value {
    json!({"email": format!("{username}@example.com"), "password": password})
}

/// 1.9
pub(crate) fn teacher(username: &str, phone: &str) -> Value {
    json!({
        "first_name": "Mona",
        "last_name": "Adel",
        "username": username,
        "email": format!("{username}@example.com"),
        "phone": phone,
        "password1": PASSWORD,
        "password2": PASSWORD,
    })
}

/// A picture that PNG cannot make much smaller.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut noise = 1_u32;
    let picture = RgbImage::from_fn(width, height, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, red, green, blue] = noise.to_le_bytes();
        Rgb([red, green, blue])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The code in a mail.
pub(crate) fn code(mail: &str) -> Option<&str> {
    mail.split_once("Your OTP code is: ")?.1.get(..6)
}

/// A school that sends its mail to this server.
pub(crate) fn home_with_mail(smtp: &SmtpServer) -> Home {
    Home::new()
        .with("EDUPRO_AUTH__THROTTLE", "false")
        .with("EDUPRO_MAIL__PROVIDER", "smtp")
        .with("EDUPRO_MAIL__HOST", "localhost")
        .with("EDUPRO_MAIL__PORT", &smtp.port().to_string())
        .with("EDUPRO_MAIL__TLS", "none")
        .with("EDUPRO_MAIL__FROM", "mail@school.example")
}
