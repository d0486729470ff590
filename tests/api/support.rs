//! How a story is told on both engines.

use std::io::Cursor;

use edupro_http::testkit::{TestApp, TestBuilder};
use edupro_storage::{Database, DatabaseOptions};
use image::{ImageFormat, RgbImage};

#[path = "../support/postgres.rs"]
mod postgres;

/// A school on a new SQLite file.
pub(crate) fn on_sqlite() -> TestBuilder {
    TestApp::builder()
}

/// A school on a new PostgreSQL database.
pub(crate) async fn on_postgres() -> TestBuilder {
    let url = postgres::database(async |template| {
        let database = Database::connect(&DatabaseOptions::new(template)).await.unwrap();
        database.migrate().await.unwrap();
        database.close().await;
    });
    TestApp::builder().database(url.await)
}

/// Tells each story twice.
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($school:ident) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn story($school: edupro_http::testkit::TestBuilder) $body

            #[tokio::test]
            async fn sqlite() {
                story(crate::support::on_sqlite()).await;
            }

            #[tokio::test]
            async fn postgres() {
                story(crate::support::on_postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// A picture of one colour.
pub(crate) fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(8, 6, image::Rgb([200, 30, 90])).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
