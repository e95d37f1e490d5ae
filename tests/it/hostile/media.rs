//! Pictures of contacts: the engine keeps where the carrier holds them and fetches nothing, so nobody makes it ask an
//! address of theirs (SSRF).

use std::{fs, net::TcpListener, path::Path};

use loadtest::{
    carrier::{DEMO_ACCOUNT, DEMO_ADDRESS, DEMO_TOKEN},
    signature::sign,
};

use crate::{
    support::scan,
    webhook::world::{CONTACT, World},
};

const SMS: &str = "/webhooks/twilio/demo-line/sms";

async fn send(world: &World, sid: &str, media: &str) -> u16 {
    let form: Vec<(String, String)> = [
        ("AccountSid", DEMO_ACCOUNT),
        ("To", DEMO_ADDRESS),
        ("MessageSid", sid),
        ("From", CONTACT),
        ("NumMedia", "1"),
        ("MediaUrl0", media),
        ("MediaContentType0", "image/jpeg"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let client = reqwest::Client::builder().no_proxy().build().expect("the carrier installed a provider");
    let request = client.post(world.url(SMS)).header("X-Twilio-Signature", sign(DEMO_TOKEN, &world.url(SMS), &form));
    request.form(&form).send().await.expect("answered").status().as_u16()
}

#[tokio::test]
async fn a_picture_is_a_reference_and_nobody_fetches_it() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let world = World::start().await;
    assert_eq!(send(&world, "SM1", &format!("http://{}/picture", trap.local_addr().unwrap())).await, 200);
    assert_eq!(world.count("message.received").await, 1);
    assert_eq!(trap.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody fetched it");
}

#[tokio::test]
async fn a_reference_that_is_no_plain_url_is_refused() {
    let world = World::start().await;
    let long = format!("https://api.twilio.com/{}", "x".repeat(3_000));
    for (number, media) in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//evil.example/x",
        "https://",
        "https:///x",
        "https://api.twilio.com@evil.example/x",
        "https://api.twilio.com/\r\nX: y",
        "https://api.twilio.com/a b",
        "https://api.twilio.com/\u{202e}gpj",
        &long,
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(send(&world, &format!("SM{number}"), media).await, 400, "{media}");
    }
    assert_eq!(world.count("message.received").await, 0);
}

/// Who asks other hosts: the carrier's adapter (whose lists follow only the carrier's own paths), the command line, traces,
/// tunnels to the CQL servers that configuration and those servers name; and a test, which asks itself.
const ASKS: [&str; 6] = [
    "src/app",
    "src/channels/twilio",
    "src/cli",
    "src/session/lane/tests.rs",
    "src/store/cql/tunnel.rs",
    "src/telemetry",
];

#[test]
fn only_these_ask_other_hosts() {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = scan::code_only(&fs::read_to_string(&path).unwrap());
                if ["reqwest", "TcpStream::connect", "hyper_util::client"].iter().any(|word| code.contains(word)) {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    ["src", "actors/src", "schema/src"].iter().for_each(|part| walk(&root.join(part), &mut found));
    assert!(
        found.iter().any(|path| path.contains("src/channels/twilio/send.rs")),
        "the carrier's adapter was not read"
    );
    let known = |path: &&String| !ASKS.iter().any(|known| path.contains(&format!("/{known}")));
    let strangers: Vec<_> = found.iter().filter(known).collect();
    assert!(strangers.is_empty(), "{strangers:?} ask other hosts: may a stranger choose which? See docs/security.md");
}
