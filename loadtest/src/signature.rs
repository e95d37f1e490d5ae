//! Signs webhooks as Twilio does. Written apart from the engine's verification, so that one proves the other.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// The `X-Twilio-Signature` of a form posted to a URL. A fragment is no part of what is called, nor of what is signed.
pub fn sign(token: &str, url: &str, form: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = form.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(without_fragment(url).as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A URL as it is called.
pub fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_vector_is_met() {
        let form = [
            ("MessageSid", "SM00000000000000000000000000000001"),
            ("From", "+14155550100"),
            ("To", "+14155550199"),
            ("Body", "héllo & = +"),
            ("NumMedia", "0"),
            ("AccountSid", "AC0"),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = "https://example.com/hooks/twilio/sms?t=acme";
        assert_eq!(sign("12345", url, &form), "cIyK231u7EPBxOy8/6SA3MPDwZg=");
        assert_eq!(sign("12345", &format!("{url}#rc=5&rp=all"), &form), "cIyK231u7EPBxOy8/6SA3MPDwZg=");
    }
}
