//! The `edupro` command in a folder of its own, and somebody who talks to it over sockets.

mod client;
mod process;

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

pub(crate) use self::{
    client::{Answer, Browser, Connection, multipart},
    process::{Home, Server, mode},
};

/// After this time something hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(30);
/// Everybody's password.
pub(crate) const PASSWORD: &str = "Str0ng-Pass!";

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
