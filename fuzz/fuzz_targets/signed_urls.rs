//! Links to private files (security R25).
#![no_main]

use edupro_http::testkit::strangers::signed_urls;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    signed_urls(bytes);
});
