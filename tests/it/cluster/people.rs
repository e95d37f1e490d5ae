//! Somebody who signs in at one node, comes to another with their cookie, to a third with their token, and is signed out.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::world::{PUBLIC_URL, World};
use crate::support::wait::{DEADLINE, until};

const PASSWORD: &str = "correct horse battery staple";

/// As the page asks; the answer, and the cookie that it came with.
async fn page(node: &str, what: &str, body: &Value, cookie: &str) -> (u16, Value, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{node}/page/{what}")).header("origin", PUBLIC_URL).header("cookie", cookie);
    let answer = request.json(body).send().await.unwrap();
    let status = answer.status().as_u16();
    let set = answer.headers().get("set-cookie").map(|set| set.to_str().unwrap().to_owned());
    let set = set.and_then(|set| Some(set.split_once(';')?.0.to_owned())).unwrap_or_default();
    (status, answer.json().await.unwrap_or_default(), set)
}

async fn inbox(node: &str, token: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("{node}/v1/inbox")).bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_at_one_node_is_somebody_at_each_and_signed_out_at_each() {
    let mut world = World::start("people").await;
    let urls = world.urls();
    let link = world.command(0, &["operator", "invite", "--tenant", "demo", "--email", "ben@example.com"]);
    let link = link.lines().find_map(|line| line.split_once('#').map(|(_, link)| link.trim())).expect("a link");

    let (status, told, cookie) = page(&urls[1], "join", &json!({"link": link, "password": PASSWORD}), "").await;
    assert_eq!(status, 200, "invited at one node, joins at another: {told}");
    let token = told["token"].as_str().expect("a token").to_owned();
    assert_eq!(inbox(&urls[2], &token).await, 200, "with the token at a third");
    let (status, again, _) = page(&urls[0], "sign-in", &json!({}), &cookie).await;
    assert_eq!((status, &again["operator"]), (200, &json!("ben")), "with the cookie at the first");

    let (mut stream, _) =
        tokio_tungstenite::connect_async(format!("{}/v1/stream", urls[2].replacen("http", "ws", 1))).await.unwrap();
    stream.send(Message::text(json!({"id": 1, "connect": {"token": token}}).to_string())).await.unwrap();
    let first = stream.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(first.contains("inbox:demo"), "{first}");

    let (status, told, _) = page(&urls[0], "sign-out", &json!({"everywhere": true}), &cookie).await;
    assert_eq!(status, 200, "{told}");
    let ended = async { while !matches!(stream.next().await, Some(Ok(Message::Close(_))) | Some(Err(_)) | None) {} };
    let since = std::time::Instant::now();
    tokio::time::timeout(DEADLINE, ended).await.expect("the stream at the third node ends");
    eprintln!("a stream at another node ended {:?} after its person was signed out", since.elapsed());
    for node in &urls {
        until("the token to end with its session", async || inbox(node, &token).await == 401).await;
    }
    world.end();
}
