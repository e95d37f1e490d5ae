//! libFuzzer's way into `fuzz::twiml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::twiml::run(data));
