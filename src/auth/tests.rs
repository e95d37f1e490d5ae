//! Tokens: what is accepted, and everything that must not be.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use super::*;

const NOW: Stamp = Stamp(1_700_000_000_000_000);

fn claims() -> Claims {
    Claims {
        tenant: TenantId::new("demo").unwrap(),
        operator: OperatorId::new("ana").unwrap(),
        role: Role::Operator,
        expires: Stamp(NOW.0 + 60_000_000),
    }
}

fn ed25519() -> (tempfile::TempDir, Key) {
    let directory = tempfile::tempdir().unwrap();
    let key = ring::make(directory.path()).unwrap().remove(0).term.key;
    (directory, key)
}

fn hs256() -> Key {
    Key::Hs256(vec![7; 32])
}

fn body() -> serde_json::Value {
    json!({"iss": NAME, "aud": NAME, "sub": "ana", "tenant": "demo", "role": "operator", "exp": 1_700_000_060})
}

fn signed(body: &serde_json::Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), body, &EncodingKey::from_secret(&[7; 32])).unwrap()
}

#[test]
fn a_token_says_what_was_minted_with_either_kind_of_key() {
    for key in [ed25519().1, hs256()] {
        let auth = Authenticator::new(&[key]).unwrap();
        let token = auth.mint(&claims()).unwrap();
        assert_eq!(auth.verify(&token, NOW), Ok(claims()));
    }
}

#[test]
fn a_token_is_worth_nothing_from_its_expiry_on() {
    let auth = Authenticator::new(&[hs256()]).unwrap();
    let token = auth.mint(&claims()).unwrap();
    assert_eq!(auth.verify(&token, Stamp(claims().expires.0 - 1)), Ok(claims()));
    assert_eq!(auth.verify(&token, claims().expires), Err(AuthError::Expired));
}

#[test]
fn a_token_for_somebody_else_or_lacking_a_claim_is_refused() {
    let auth = Authenticator::new(&[hs256()]).unwrap();
    assert!(auth.verify(&signed(&body()), NOW).is_ok(), "the base case must be good, or the others prove nothing");
    for (field, value) in [
        ("iss", json!("other")),
        ("aud", json!("other")),
        ("role", json!("god")),
        ("tenant", json!("a/b")),
        ("sub", json!("")),
        ("nbf", json!(1_700_000_001)),
        ("exp", json!("never")),
    ] {
        let mut body = body();
        body[field] = value;
        assert_eq!(auth.verify(&signed(&body), NOW), Err(AuthError::Invalid), "{field}");
    }
    for field in ["iss", "aud", "sub", "tenant", "role", "exp"] {
        let mut body = body();
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(auth.verify(&signed(&body), NOW), Err(AuthError::Invalid), "without {field}");
    }
}

#[test]
fn the_key_decides_the_algorithm_whatever_the_header_says() {
    let (_directory, key) = ed25519();
    let auth = Authenticator::new(std::slice::from_ref(&key)).unwrap();
    let Key::Ed25519Private(pem) = &key else { panic!("a private key was made") };

    let unsigned =
        [json!({"alg": "none", "typ": "JWT"}), body()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    assert_eq!(auth.verify(&format!("{unsigned}."), NOW), Err(AuthError::Invalid));

    // The public half, used as an HMAC secret: the classic confusion.
    let public = Jwk::from_encoding_key(&EncodingKey::from_ed_pem(pem).unwrap(), Algorithm::EdDSA).unwrap();
    let public = serde_json::to_value(&public).unwrap()["x"].as_str().unwrap().to_owned();
    let secret = URL_SAFE_NO_PAD.decode(public).unwrap();
    let forged =
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &body(), &EncodingKey::from_secret(&secret)).unwrap();
    assert_eq!(auth.verify(&forged, NOW), Err(AuthError::Invalid));
}

#[test]
fn an_old_key_still_verifies_behind_a_new_one() {
    let (_old_directory, old) = ed25519();
    let (_new_directory, new) = ed25519();
    let token = Authenticator::new(std::slice::from_ref(&old)).unwrap().mint(&claims()).unwrap();
    assert_eq!(Authenticator::new(std::slice::from_ref(&new)).unwrap().verify(&token, NOW), Err(AuthError::Invalid));
    let rotated = Authenticator::new(&[new.clone(), old]).unwrap();
    assert_eq!(rotated.verify(&token, NOW), Ok(claims()));
    let fresh = rotated.mint(&claims()).unwrap();
    assert!(Authenticator::new(&[new]).unwrap().verify(&fresh, NOW).is_ok(), "the first key signs");
}

#[test]
fn the_id_in_the_header_chooses_the_key_and_one_without_id_is_tried_with_all() {
    let (_directory, key) = ed25519();
    let Key::Ed25519Private(pem) = &key else { panic!("a private key was made") };
    let auth = Authenticator::new(std::slice::from_ref(&key)).unwrap();
    let id = jsonwebtoken::decode_header(auth.mint(&claims()).unwrap()).unwrap().kid.unwrap();
    let signing = EncodingKey::from_ed_pem(pem).unwrap();
    for (kid, is_good) in [(None, true), (Some(id), true), (Some("another".to_owned()), false)] {
        let header = Header { kid: kid.clone(), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &body(), &signing).unwrap();
        assert_eq!(auth.verify(&token, NOW).is_ok(), is_good, "{kid:?}");
    }
    // A shared secret has no id of ours: whoever mints with it calls it what they like.
    let header = Header { kid: Some("theirs".to_owned()), ..Header::new(Algorithm::HS256) };
    let token = jsonwebtoken::encode(&header, &body(), &EncodingKey::from_secret(&[7; 32])).unwrap();
    assert!(Authenticator::new(&[key, hs256()]).unwrap().verify(&token, NOW).is_ok());
}

#[test]
fn a_key_verifies_nothing_from_its_end_on() {
    let until = Some(Stamp(NOW.0 + 1_000_000));
    let auth = Authenticator::with(&[Term { key: hs256(), until }], Duration::ZERO).unwrap();
    let token = auth.mint(&claims()).unwrap();
    assert!(auth.verify(&token, NOW).is_ok());
    assert_eq!(auth.verify(&token, Stamp(NOW.0 + 1_000_000)), Err(AuthError::Invalid));
}

#[test]
fn clocks_may_differ_by_the_leeway_and_no_more() {
    let auth = Authenticator::with(&[hs256().into()], Duration::from_secs(30)).unwrap();
    let token = auth.mint(&claims()).unwrap();
    assert!(auth.verify(&token, Stamp(claims().expires.0 + 29_999_999)).is_ok());
    assert_eq!(auth.verify(&token, Stamp(claims().expires.0 + 30_000_000)), Err(AuthError::Expired));
    let mut early = body();
    early["nbf"] = json!(1_700_000_030);
    assert!(auth.verify(&signed(&early), NOW).is_ok());
    early["nbf"] = json!(1_700_000_031);
    assert_eq!(auth.verify(&signed(&early), NOW), Err(AuthError::Invalid));
}

#[test]
fn a_token_of_an_unknown_key_makes_the_keys_be_looked_at_before_it_is_refused() {
    let ((_old_directory, old), (_new_directory, new)) = (ed25519(), ed25519());
    let fresh = Authenticator::new(std::slice::from_ref(&new)).unwrap().mint(&claims()).unwrap();
    let auth = Arc::new(Authenticator::new(std::slice::from_ref(&old)).unwrap());
    let replaced = Arc::downgrade(&auth);
    auth.on_unknown_key(Box::new(move || {
        replaced.upgrade().unwrap().replace(&[new.clone().into(), old.clone().into()]).unwrap();
    }));
    assert_eq!(auth.verify(&fresh, NOW), Ok(claims()));
}

#[test]
fn keys_are_made_once_and_only_for_their_owner() {
    let directory = tempfile::tempdir().unwrap();
    let made = || ring::make(directory.path()).map(|mut keys| keys.remove(0).term.key);
    let first = Authenticator::new(&[made().unwrap()]).unwrap();
    let again = Authenticator::new(&[made().unwrap()]).unwrap();
    assert!(again.verify(&first.mint(&claims()).unwrap(), NOW).is_ok());

    let path = directory.path().join("token-signing.pem");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(made(), Err(KeyError::Exposed { .. })));

    let secret = secret_file(directory.path(), "sealing.key").unwrap();
    assert_eq!(secret_file(directory.path(), "sealing.key").unwrap(), secret);
}

#[test]
fn weak_or_foreign_keys_are_refused() {
    assert!(Authenticator::new(&[]).is_err());
    assert!(Authenticator::new(&[Key::Hs256(vec![1; 31])]).is_err());
    assert!(Authenticator::new(&[Key::Ed25519Private(b"nonsense".to_vec())]).is_err());
    assert!(Authenticator::new(&[Key::Ed25519Public(b"nonsense".to_vec())]).is_err());
}

proptest::proptest! {
    #[test]
    fn arbitrary_tokens_never_panic(token in ".{0,200}") {
        let auth = Authenticator::new(&[hs256()]).unwrap();
        proptest::prop_assert_eq!(auth.verify(&token, NOW), Err(AuthError::Invalid));
    }
}

#[test]
fn two_that_start_at_once_get_the_same_key() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("keys");
    let start = std::sync::Barrier::new(8);
    let keys: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    match ring::make(&place).unwrap().remove(0).term.key {
                        Key::Ed25519Private(pem) => pem,
                        _ => panic!("another kind of key"),
                    }
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "one key for all");
}

#[test]
fn a_token_that_was_opened_before_ends_with_its_key_and_its_time() {
    let (_directory, key) = ed25519();
    let until = Stamp(NOW.0 + 30_000_000);
    let auth = Authenticator::with(&[Term { key, until: Some(until) }], Duration::ZERO).unwrap();
    let token = auth.mint(&claims()).unwrap();
    for _ in 0..2 {
        assert_eq!(auth.verify(&token, NOW), Ok(claims()));
    }
    assert_eq!(auth.verify(&token, until), Err(AuthError::Invalid), "its key is good no longer");

    let auth = Authenticator::new(&[hs256()]).unwrap();
    let token = auth.mint(&claims()).unwrap();
    assert_eq!(auth.verify(&token, NOW), Ok(claims()));
    assert_eq!(auth.verify(&token, claims().expires), Err(AuthError::Expired), "its time is over");
    auth.replace(&[Term::from(Key::Hs256(vec![8; 32]))]).unwrap();
    assert_eq!(auth.verify(&token, NOW), Err(AuthError::Invalid), "another key has taken its place");
}

#[test]
fn of_a_token_that_was_opened_before_each_changed_byte_counts() {
    let auth = Authenticator::new(&[hs256()]).unwrap();
    let token = auth.mint(&claims()).unwrap();
    assert_eq!(auth.verify(&token, NOW), Ok(claims()));
    for place in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(auth.verify(&changed, NOW), Err(AuthError::Invalid), "byte {place}");
    }
}
