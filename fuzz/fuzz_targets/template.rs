//! libFuzzer's way into `fuzz::template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::template::run(data));
