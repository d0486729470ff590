//! Pictures, documents and videos (security R22, R23). The first byte says what the rest claims to be.
#![no_main]

use edupro_core::conformance::strangers::file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    file(bytes);
});
