//! Twilio's signature: base64 of HMAC-SHA1, keyed by the auth token, over the URL and the sorted parameters.
//!
//! Source: twilio-python `twilio/request_validator.py`. The URL counts with and without its port; a body that is no
//! form is signed through its hash in the URL (`bodySHA256`).

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::form::Form;
use crate::channels::Secret;

/// What was signed, if the signature is genuine.
pub struct Signed<'a> {
    /// Path and query as called.
    pub target: &'a str,
    /// The parameters of a form; empty for other bodies.
    pub form: &'a Form<'a>,
    /// The header.
    pub signature: &'a str,
}

/// The public base of our URLs, in the ways a signer may write it.
#[derive(Debug, Clone)]
pub struct Base {
    forms: Vec<String>,
}

impl Base {
    /// From `https://host`, `https://host:port` or the same with `http`.
    pub fn new(url: &str) -> Self {
        let url = url.trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let default = if scheme == "http" { "80" } else { "443" };
        let authority = rest.split('/').next().unwrap_or(rest);
        let path = &rest[authority.len()..];
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (authority, None),
        };
        let with = format!("{scheme}://{host}:{}{path}", port.unwrap_or(default));
        let without = format!("{scheme}://{host}{path}");
        let forms = if port.is_some() { vec![with, without] } else { vec![without, with] };
        Self { forms }
    }

    /// Whether any of the tokens made this signature. The comparison takes the same time wherever they differ.
    pub fn verifies(&self, tokens: &[Secret], signed: &Signed<'_>) -> bool {
        let mut expected = [0_u8; 30];
        let Ok(20) = STANDARD.decode_slice(signed.signature, &mut expected) else { return false };
        tokens.iter().any(|token| {
            let keyed = keyed(token);
            self.forms.iter().any(|base| digest(keyed.clone(), base, signed).ct_eq(&expected[..20]).into())
        })
    }
}

fn keyed(token: &Secret) -> Hmac<Sha1> {
    <Hmac<Sha1> as Mac>::new_from_slice(token.expose().as_bytes()).expect("HMAC takes a key of any length")
}

fn digest(mut mac: Hmac<Sha1>, base: &str, signed: &Signed<'_>) -> [u8; 20] {
    mac.update(base.as_bytes());
    mac.update(signed.target.as_bytes());
    for (name, value) in signed.form.signed() {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// Whether `bodySHA256` of the query is the hash of the body.
pub fn body_matches(target: &str, body: &[u8]) -> bool {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let Some((_, claimed)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bodySHA256") else {
        return false;
    };
    let actual = hex::encode(Sha256::digest(body));
    actual.as_bytes().ct_eq(claimed.to_ascii_lowercase().as_bytes()).into()
}
