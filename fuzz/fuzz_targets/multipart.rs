//! Multipart forms with a boundary and a body from anywhere (security R17, R20).
#![no_main]

use edupro_http::testkit::strangers::multipart;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    multipart(bytes);
});
