//! A Redis that speaks TLS and asks who we are.

use actors::ports::{Ask, Call, Grants as _, GrantsError};
use deskwire::limit::{RedisGrants, RedisOptions};
use tempfile::TempDir;

use super::world::options;
use crate::support::{authority::Authority, process::free_port, redis::Redis};

/// A server with a TLS port, and one user who may do something.
fn server(authority: &Authority) -> (Redis, TempDir, u16) {
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let (certificate, key) = authority.certify(&["127.0.0.1"]);
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = (file("redis.crt", &certificate), file("redis.key", &key));
    let redis = Redis::start_with(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
        "--user",
        "desk",
        "on",
        ">right",
        "~test:*",
        "+@all",
    ]);
    (redis, directory, port)
}

fn call() -> Call {
    Call {
        node: "node-1".to_owned(),
        holder: "process-1".to_owned(),
        between: None,
        generation: 0,
        promise: 1,
        settle: 1,
        members: 1,
    }
}

async fn ask(options: &RedisOptions) -> Result<(), GrantsError> {
    let grants = RedisGrants::new(options).unwrap();
    grants.ask(&call(), &Ask::Beat { marked: 0, reset: false }).await.map(drop)
}

#[tokio::test]
async fn redis_is_asked_through_tls_by_its_own_certificate_and_with_the_right_password_only() {
    let authority = Authority::new();
    let (redis, _directory, port) = server(&authority);
    // As anybody, only a PING is answered.
    redis.ask(&["ACL", "SETUSER", "default", "-@all", "+ping"]).unwrap();
    let good = RedisOptions {
        user: "desk".to_owned(),
        password: "right".to_owned(),
        authorities: Some(authority.pem().into_bytes()),
        answer_within: std::time::Duration::from_secs(5),
        ..options(format!("rediss://127.0.0.1:{port}"))
    };
    ask(&good).await.unwrap();
    let bad = [
        ("another authority", RedisOptions { authorities: Some(Authority::new().pem().into_bytes()), ..good.clone() }),
        ("the system's authorities", RedisOptions { authorities: None, ..good.clone() }),
        ("another name", RedisOptions { url: format!("rediss://localhost:{port}"), ..good.clone() }),
        ("a wrong password", RedisOptions { password: "guessed".to_owned(), ..good.clone() }),
        ("nobody", RedisOptions { user: String::new(), password: String::new(), ..good.clone() }),
        ("other keys", RedisOptions { prefix: "others".to_owned(), ..good.clone() }),
        ("no TLS", RedisOptions { url: format!("redis://127.0.0.1:{port}"), ..good.clone() }),
    ];
    for (what, options) in bad {
        let refused = ask(&options).await;
        assert!(
            matches!(&refused, Err(GrantsError::Unavailable(why)) if !why.contains("guessed")),
            "{what}: {refused:?}"
        );
    }
}
