//! Tokens: any text, and any header over any claims that the shared secret signed.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use deskwire::auth::{Authenticator, Key, NAME};
use hmac::{Hmac, Mac as _};
use schema::time::Stamp;
use serde_json::Value;
use sha2::Sha256;

use crate::input::texts;

const SECRET: [u8; 32] = [7; 32];
const NOW: u64 = 1_700_000_000;
/// A public key alone: there is no private half to it here, so nothing that claims to be its can be genuine.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

static AUTH: LazyLock<Authenticator> = LazyLock::new(|| {
    let keys = [Key::Hs256(SECRET.to_vec()), Key::Ed25519Public(PUBLIC.as_bytes().to_vec())];
    Authenticator::new(&keys).expect("good keys")
});

/// A token, or a header and claims parted by a zero byte.
pub fn run(data: &[u8]) {
    let now = Stamp(NOW * 1_000_000);
    let text = String::from_utf8_lossy(data);
    assert!(AUTH.verify(&text, now).is_err(), "a token that nobody signed was accepted");

    let [header, claims] = texts::<2>(data);
    let unsigned = format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&claims));
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&SECRET).expect("HMAC takes a key of any length");
    mac.update(unsigned.as_bytes());
    let token = format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    if let Ok(accepted) = AUTH.verify(&token, now) {
        // A claim that nobody asked for may hold what no number can, and is passed over unread.
        let (Ok(header), Ok(claims)) = (serde_json::from_str::<Value>(&header), serde_json::from_str::<Value>(&claims))
        else {
            return;
        };
        assert_eq!(header["alg"], "HS256", "the header chose the algorithm");
        assert_eq!((&claims["iss"], &claims["aud"]), (&NAME.into(), &NAME.into()), "made for somebody else");
        assert_eq!(claims["tenant"], accepted.tenant.as_str());
        assert_eq!(claims["sub"], accepted.operator.as_str());
        assert!(claims["exp"].as_u64() > Some(NOW), "expired");
        assert!(claims.get("nbf").and_then(Value::as_u64).is_none_or(|from| from <= NOW), "not good yet");
    }
    // Nobody signs with the half that everybody has.
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(PUBLIC.as_bytes()).expect("a key of any length");
    mac.update(unsigned.as_bytes());
    let confused = format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    assert!(AUTH.verify(&confused, now).is_err(), "the public key was taken for a secret");
}
