//! libFuzzer's way into `fuzz::codec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::codec::run(data));
