//! Pages, searches and orders of lists (security R38, R40).
#![no_main]

use edupro_http::testkit::strangers::query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    query(bytes);
});
