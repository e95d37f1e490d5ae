//! Our outbound client against the vendor's own OpenAPI document: npm `@stoplight/prism-cli` serves it and refuses what it
//! does not allow; `scripts/setup-clients.sh` installs both, and nothing of theirs is kept here.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use actors::ports::{Carrier as _, HistoryQuery, LookUp};
use loadtest::carrier::{DEMO_ACCOUNT, DEMO_ADDRESS, DEMO_TOKEN};
use reqwest::StatusCode;
use schema::{address::E164, command, event::MediaRef, message::Status, time::Stamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    outbound::{sender, text},
    world::{CONTACT, account, line, secrets},
};
use crate::support::{process::free_port, wait::until_within};

/// What is listed, and the vendor's example of a full page of it.
const LISTS: [(&str, &str); 3] =
    [("Messages", "readFullPage1"), ("Calls", "readFullPage1"), ("Messages/{MessageSid}/Media", "readFull")];
/// A page of Node with a document of two megabytes.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// The vendor's document behind a server that holds every request against it.
struct Prism {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/clients").join(path);
    assert!(path.exists(), "{} is missing: run scripts/setup-clients.sh", path.display());
    path
}

/// The document, but for three things. Each list has one of its examples, the fullest. It has no page after it: Prism
/// remembers nothing, and gives the same page for ever (and the link in the vendor's example of calls bears a date where
/// the document wants a time). And of lists in a form it is said that a name is repeated,
/// as OpenAPI has it by default and the vendor says in words; Prism wants to read it.
fn document() -> Value {
    let mut document: Value =
        serde_json::from_slice(&fs::read(installed("prism/twilio_api_v2010.json")).unwrap()).unwrap();
    for (list, full) in LISTS {
        let path = format!("/2010-04-01/Accounts/{{AccountSid}}/{list}.json");
        let answer = &mut document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"];
        let mut example = answer["examples"][full].clone();
        assert!(example.is_object(), "{list} has an example {full}");
        example["value"]["next_page_uri"] = Value::Null;
        answer["examples"] = json!({full: example});
    }
    let create = &mut document["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"];
    create["requestBody"]["content"]["application/x-www-form-urlencoded"]["encoding"] =
        json!({"MediaUrl": {"style": "form", "explode": true}});
    document
}

impl Prism {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("twilio.json");
        fs::write(&path, document().to_string()).unwrap();
        let port = free_port();
        let child = Command::new("node")
            .arg(installed("prism/node_modules/@stoplight/prism-cli/dist/index.js"))
            .args(["mock", "--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(&path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let address = ([127, 0, 0, 1], port).into();
        let prism = Self { child, address, _directory: directory };
        until_within(READY_WITHIN, "Prism to listen", async || tokio::net::TcpStream::connect(address).await.is_ok())
            .await;
        prism
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it says to a request of our own making.
    async fn post(&self, form: &[(&str, &str)]) -> StatusCode {
        let url = format!("{}/2010-04-01/Accounts/{DEMO_ACCOUNT}/Messages.json", self.url());
        let request = reqwest::Client::new().post(url).basic_auth(DEMO_ACCOUNT, Some(DEMO_TOKEN)).form(form);
        request.send().await.unwrap().status()
    }
}

#[tokio::test]
async fn the_outbound_client_asks_nothing_that_the_vendors_own_document_does_not_allow() {
    let prism = Prism::start().await;
    let ours = sender(&prism.url(), secrets());

    let mut out = text(CONTACT);
    for url in ["https://desk.example.com/a.jpg", "https://desk.example.com/b.jpg"] {
        out.media.push(MediaRef { url: url.to_owned(), content_type: "image/jpeg".to_owned() });
    }
    let outcome = ours.send(out).await;
    let command::SendOutcome::Accepted { carrier_id } = outcome else { panic!("{outcome:?}") };
    assert_eq!(carrier_id, "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    let (since, until) = (Stamp(1_500_000_000_000_000), Stamp(1_700_000_000_000_000));
    let time_out = Duration::from_secs(30);
    let to = E164::new(CONTACT).unwrap();
    let from = DEMO_ADDRESS.to_owned();
    let listed = ours.look_up(LookUp { account: account(), from, to, since, until, time_out }).await.expect("listed");
    let rows: Vec<_> = listed.iter().map(|text| (&*text.carrier_id, &*text.text, text.status)).collect();
    assert_eq!(rows, [("SMded05904ccb347238880ca9264e8fe1c", "testing", Status::Sent)]);

    let (channel, address) = (line(), DEMO_ADDRESS.to_owned());
    let query = HistoryQuery { account: account(), channel, address, since, until, requests_max: 8, time_out };
    let history = ours.history(query).await.expect("read");
    // A page of calls, none of which came in and was missed; one of messages; one message's media.
    assert_eq!((history.requests, history.complete), (3, true));
    let [arrival] = &history.arrivals[..] else { panic!("{:?}", history.arrivals) };
    let command::Command::Receive(came_in) = &arrival.command else { panic!("{arrival:?}") };
    assert_eq!((&*came_in.carrier_id, came_in.media.len()), ("MMc26223853f8c46b4ab7dfaa6abba0a26", 1));
    assert!(came_in.media[0].url.ends_with("/Media/MEaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "{:?}", came_in.media);
    assert_eq!(arrival.at, Stamp(1_558_719_889_000_000));

    // And it does refuse.
    assert_eq!(prism.post(&[("From", DEMO_ADDRESS), ("Body", "hello")]).await, StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = [("To", CONTACT), ("From", DEMO_ADDRESS), ("Body", "hello"), ("ValidityPeriod", "soon")];
    assert_eq!(prism.post(&wrong).await, StatusCode::UNPROCESSABLE_ENTITY);
    let right = [("To", CONTACT), ("From", DEMO_ADDRESS), ("Body", "hello"), ("ValidityPeriod", "600")];
    assert_eq!(prism.post(&right).await, StatusCode::CREATED, "{}", json!(right));
}
