//! Headers in which somebody says who they are: cookies, and the tokens in them (security R9, R13).
#![no_main]

use edupro_http::testkit::strangers::cookies_and_tokens;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cookies_and_tokens(bytes);
});
