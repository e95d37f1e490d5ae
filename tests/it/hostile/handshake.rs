//! Who may open a WebSocket, and what is agreed on with it.

use super::raw::{Raw, upgrade};
use crate::stream::world::World;

#[tokio::test]
async fn no_extension_is_agreed_on_whatever_is_offered() {
    let world = World::start().await;
    for offer in ["permessage-deflate", "permessage-deflate; client_max_window_bits", "x-webkit-deflate-frame, bbf-usp"]
    {
        let raw = Raw::dial(world.address, &upgrade(&format!("Sec-WebSocket-Extensions: {offer}\r\n"))).await;
        assert!(raw.answer.starts_with("HTTP/1.1 101"), "{}", raw.answer);
        assert!(!raw.answer.to_lowercase().contains("sec-websocket-extensions"), "{offer}: {}", raw.answer);
    }
    let raw = Raw::dial(world.address, &upgrade("")).await;
    assert!(raw.answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the key's answer of RFC 6455 §1.3: {}", raw.answer);
}

#[tokio::test]
async fn what_is_no_upgrade_is_refused_as_one() {
    let world = World::start().await;
    let good = upgrade("");
    let cases = [
        ("an old version", good.replace("Version: 13", "Version: 8"), "4"),
        ("no key", good.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), "400"),
        ("no version", good.replace("Sec-WebSocket-Version: 13\r\n", ""), "400"),
        ("no upgrade", good.replace("Upgrade: websocket\r\n", ""), "4"),
        ("another protocol", good.replace("Upgrade: websocket", "Upgrade: h2c"), "4"),
        ("not connected", good.replace("Connection: Upgrade", "Connection: close"), "4"),
        ("a POST", good.replace("GET /v1", "POST /v1"), "405"),
        ("from elsewhere", upgrade("Origin: https://evil.example\r\n"), "403"),
        ("from two places", upgrade("Origin: https://desk.example, https://evil.example\r\n"), "403"),
    ];
    for (name, request, status) in cases {
        let raw = Raw::dial(world.address, &request).await;
        assert!(raw.answer.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {}", raw.answer);
    }
}
