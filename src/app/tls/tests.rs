//! Pairs of files: which are taken, and what is said of the others.

use super::*;

const NOW: Stamp = Stamp(1_800_000_000_000_000);

fn made(until: i32) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut certificate = rcgen::CertificateParams::new(vec!["desk.example.com".to_owned()]).unwrap();
    certificate.not_after = rcgen::date_time_ymd(until, 1, 1);
    (certificate.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn refused(certificate: &str, key: &str) -> Unusable {
    let pair = Pair { certificate: certificate.as_bytes().to_vec(), key: key.as_bytes().to_vec() };
    usable(&pair, NOW).expect_err("it must be refused")
}

#[test]
fn what_is_wrong_with_a_pair_is_said_with_the_key_of_the_file() {
    let (certificate, key) = made(2040);
    let (_, other_key) = made(2040);
    let (expired, expired_key) = made(2026);
    let cases = [
        (refused("nonsense", &key), CERTIFICATE, "PEM certificates"),
        (refused(&key, &key), CERTIFICATE, "PEM certificates"),
        (refused("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", &key), CERTIFICATE, "X.509"),
        (refused(&expired, &expired_key), CERTIFICATE, "has expired on 2026-01-01"),
        (refused(&certificate, &certificate), KEY, "private key in PEM"),
        (refused(&certificate, "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"), KEY, "cannot be"),
        (refused(&certificate, &other_key), KEY, "does not belong to the certificate"),
    ];
    for (said, key, why) in cases {
        assert_eq!(said.key, key, "{said:?}");
        assert!(said.why.contains(why), "{said:?}");
    }
}

#[test]
fn a_good_pair_speaks_http_1_and_says_until_when() {
    let (certificate, key) = made(2040);
    let pair = Pair { certificate: certificate.into_bytes(), key: key.into_bytes() };
    let (config, until) = usable(&pair, NOW).unwrap();
    assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    assert_eq!(shown(until), "2040-01-01T00:00:00Z");
}

#[test]
fn a_broken_new_pair_leaves_the_old_one_in_use() {
    let (certificate, key) = made(2040);
    let pair = Pair { certificate: certificate.into_bytes(), key: key.into_bytes() };
    let (config, _) = usable(&pair, NOW).unwrap();
    let files = Files { certificate: PathBuf::new(), key: PathBuf::new() };
    let tls = Tls { files: Arc::new(files), current: Arc::new(ArcSwap::new(config.clone())) };
    tls.take(&Err(Unusable { key: KEY, why: "cannot be read".to_owned() }), false, NOW);
    tls.take(&Ok(Pair { certificate: b"half".to_vec(), key: pair.key.clone() }), false, NOW);
    assert!(Arc::ptr_eq(&tls.current(), &config));
    tls.take(&Ok(pair), false, NOW);
    assert!(!Arc::ptr_eq(&tls.current(), &config), "a good one is taken");
}
