//! What operators do: commands, presence, typing, the first load.

use schema::role::Role;
use serde_json::{Value, json};

use super::world::{World, assert_dense};

const INBOX: &str = "inbox:demo";
const PRESENCE: &str = "presence:demo";

#[tokio::test]
async fn a_commands_reply_names_the_event_it_produced_and_the_same_key_gives_the_same_reply() {
    let world = World::start().await;
    let conversation = world.receive(1, "hello").await.conversation.unwrap();
    let mut ana = world.connect("ana", Role::Operator).await;
    let send = json!({"to": {"conversation": conversation}, "text": "hi there", "idempotency_key": "k1"});
    let first = ana.rpc("message.send", send.clone()).await["rpc"]["data"].clone();
    assert_eq!(first["conversation"], json!(conversation));
    assert!(first["message"].is_string());
    let push = ana.push(INBOX).await;
    assert_eq!((&push["pub"]["offset"], &push["pub"]["data"]["text"]), (&first["offset"], &json!("hi there")));
    assert_eq!(push["pub"]["data"]["by"], json!({"operator": "ana"}));

    let mut again = world.connect("ana", Role::Operator).await;
    assert_eq!(again.rpc("message.send", send.clone()).await["rpc"]["data"], first);
    let other = json!({"to": {"conversation": conversation}, "text": "something else", "idempotency_key": "k1"});
    let conflict = again.rpc("message.send", other).await;
    assert_eq!((&conflict["error"]["code"], &conflict["error"]["message"]), (&json!(409), &json!("key_reused")));
}

#[tokio::test]
async fn every_command_of_an_operator_reaches_the_log() {
    let world = World::start().await;
    let received = world.receive(1, "hello").await;
    let id = received.conversation.unwrap();
    let mut ana = world.connect("ana", Role::Operator).await;
    let later: u64 = 4_000_000_000_000_000;
    let commands: [(&str, Value, &str); 10] = [
        ("note.add", json!({"text": "a note"}), "note.added"),
        ("conversation.assign", json!({"operator": "ana"}), "conversation.assigned"),
        ("conversation.tag", json!({"add": ["vip"]}), "conversation.tagged"),
        ("conversation.mark_read", json!({"up_to": received.offset}), "conversation.read"),
        ("conversation.snooze", json!({"until": later}), "conversation.snoozed"),
        ("conversation.resolve", json!({}), "conversation.resolved"),
        ("conversation.reopen", json!({}), "conversation.reopened"),
        ("contact.update", json!({"name": "Robin"}), "contact.updated"),
        ("contact.opt_out", json!({}), "consent.changed"),
        ("contact.opt_in", json!({}), "consent.changed"),
    ];
    for (method, mut data, kind) in commands {
        data["conversation"] = json!(id);
        let reply = ana.rpc(method, data).await;
        let offset = &reply["rpc"]["data"]["offset"];
        assert!(offset.is_u64(), "{method}: {reply}");
        loop {
            let push = ana.push(INBOX).await;
            if push["pub"]["offset"] == *offset {
                assert_eq!(push["pub"]["data"]["type"], kind, "{method}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_command_that_is_not_accepted_says_why_by_code_and_field() {
    let world = World::start().await;
    let id = world.receive(1, "hello").await.conversation.unwrap();
    let mut ana = world.connect("ana", Role::Operator).await;
    let error = async |ana: &mut super::world::Client, method: &str, data: Value| {
        let reply = ana.rpc(method, data).await;
        (reply["error"]["code"].as_u64().unwrap(), reply["error"]["message"].as_str().unwrap().to_owned())
    };
    let missing = error(&mut ana, "note.add", json!({"conversation": id})).await;
    assert_eq!(missing, (400, "invalid: text".into()));
    let key = json!({"conversation": id, "text": "x", "idempotency_key": "k".repeat(129)});
    assert_eq!(error(&mut ana, "note.add", key).await, (400, "invalid: idempotency_key".into()));
    let nobody = json!({"conversation": "0190b2e4-7d1a-7000-8000-000000000000", "text": "x"});
    assert_eq!(error(&mut ana, "note.add", nobody).await.0, 404);
    ana.rpc("contact.opt_out", json!({"conversation": id})).await;
    let send = json!({"to": {"conversation": id}, "text": "x"});
    assert_eq!(error(&mut ana, "message.send", send).await, (411, "opted_out".into()));
}

#[tokio::test]
async fn pushes_go_on_while_a_command_waits_for_the_store() {
    let world = World::start().await;
    let id = world.receive(1, "hello").await.conversation.unwrap();
    let mut ana = world.connect("ana", Role::Operator).await;
    let mut bob = world.connect("bob", Role::Operator).await;
    world.log.hold();
    let waiting = ana.ask("rpc", json!({"method": "note.add", "data": {"conversation": id, "text": "held"}})).await;
    let typing = json!({"conversation": id, "typing": true});
    bob.subscribe(PRESENCE).await;
    assert!(bob.rpc("typing.set", typing).await["rpc"].is_object(), "soft state needs no store");
    world.log.release();
    let reply = ana.reply(waiting).await;
    assert!(reply["rpc"]["data"]["offset"].is_u64(), "{reply}");
    assert_eq!(bob.push(INBOX).await["pub"]["data"]["text"], "held");
}

#[tokio::test]
async fn operators_see_nothing_that_is_not_stored() {
    let world = World::start().await;
    let id = world.receive(1, "hello").await.conversation.unwrap();
    let mut ana = world.connect("ana", Role::Operator).await;
    let mut bob = world.connect("bob", Role::Operator).await;
    let head = world.head().await;
    world.log.hold();
    let waiting = ana.ask("rpc", json!({"method": "note.add", "data": {"conversation": id, "text": "held"}})).await;
    while world.log.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let position = bob.call("history", json!({"channel": INBOX})).await;
    assert_eq!(position["history"]["offset"], head, "what waits for the store is not there yet");
    world.log.release();
    ana.reply(waiting).await;
    assert_eq!(bob.push(INBOX).await["pub"]["offset"], head + 1);
}

#[tokio::test]
async fn who_is_online_looks_and_types_is_shown_and_ends_with_the_connection() {
    let world = World::start().await;
    let id = world.receive(1, "hello").await.conversation.unwrap();
    let mut ana = world.connect("ana", Role::Operator).await;
    ana.subscribe(PRESENCE).await;
    let mut bob = world.connect("bob", Role::Operator).await;
    let join = ana.push(PRESENCE).await;
    assert_eq!(join["join"]["info"]["user"], "bob");
    let client = join["join"]["info"]["client"].clone();

    bob.subscribe(&format!("conversation:{id}")).await;
    let looking = &ana.push(PRESENCE).await["pub"]["data"];
    assert_eq!(
        (&looking["type"], &looking["operator"], &looking["on"]),
        (&json!("looking"), &json!("bob"), &json!(true))
    );
    bob.rpc("typing.set", json!({"conversation": id, "typing": true})).await;
    let typing = ana.push(PRESENCE).await;
    assert!(typing["pub"]["offset"].is_null(), "passing news have no position");
    assert_eq!(typing["pub"]["data"]["type"], "typing");
    assert!(typing["pub"]["data"]["until"].is_u64());

    let online = ana.call("presence", json!({"channel": PRESENCE})).await;
    let doing = &online["presence"]["presence"][client.as_str().unwrap()];
    assert_eq!((&doing["user"], &doing["chan_info"]), (&json!("bob"), &json!({"looking": [id], "typing": id})));
    let stats = ana.call("presence_stats", json!({"channel": PRESENCE})).await;
    assert_eq!(stats["presence_stats"], json!({"num_clients": 2, "num_users": 2}));

    bob.rpc("typing.set", json!({"conversation": id, "typing": false})).await;
    assert!(ana.push(PRESENCE).await["pub"]["data"]["until"].is_null());
    bob.call("unsubscribe", json!({"channel": format!("conversation:{id}")})).await;
    assert_eq!(ana.push(PRESENCE).await["pub"]["data"]["on"], false);
    drop(bob);
    assert_eq!(ana.push(PRESENCE).await["leave"]["info"]["client"], client);
}

#[tokio::test]
async fn who_misses_presence_news_is_told_to_subscribe_again() {
    let world = World::start().await;
    let mut ana = world.connect("ana", Role::Operator).await;
    ana.subscribe(PRESENCE).await;
    let tenant = world.engine.tenant(&super::world::tenant()).await.unwrap();
    for number in 0..2_000_u128 {
        let client = actors::presence::ClientId(uuid::Uuid::from_u128(number));
        tenant.presence().join(client, &super::world::operator("bob"));
    }
    loop {
        let push = ana.push(PRESENCE).await;
        if !push["unsubscribe"].is_null() {
            assert_eq!(push["unsubscribe"]["code"], 2500);
            break;
        }
    }
    ana.subscribe(PRESENCE).await;
}

#[tokio::test]
async fn the_first_load_and_the_stream_after_it_leave_no_gap() {
    let world = World::start().await;
    world.receive_each(1, 5).await;
    world.receive_each(2, 5).await;
    let mut ana = world.connect("ana", Role::Operator).await;
    let page = ana.rpc("inbox.page", json!({"limit": 10})).await["rpc"]["data"].clone();
    let rows = page["rows"].as_array().unwrap();
    let position = page["offset"].as_u64().unwrap();
    world.receive_each(1, 5).await;
    let head = world.head().await;
    let (_ana, inbox) = world.resume(page["epoch"].as_str().unwrap(), position).await;
    assert_dense(&super::world::offsets(&inbox), position, head);
    for row in rows {
        assert!(row["last"].as_u64().unwrap() <= head && row["address"].is_string(), "{row}");
    }
    let stale = rows.iter().map(|row| row["last"].as_u64().unwrap()).max().unwrap_or(0);
    assert!(stale >= position.min(stale), "state may be newer than its position, never older");
}

#[tokio::test]
async fn nothing_of_one_tenant_reaches_another() {
    let world = World::start().await;
    world.found("other", "+15550100002").await;
    let id = world.receive(1, "for demo only").await.conversation.unwrap();
    let other = schema::ids::TenantId::new("other").unwrap();
    let mut eve = world.dial().await;
    let token = world.token_for(&other, "eve", Role::Admin, std::time::Duration::from_secs(60));
    let reply = eve.call("connect", json!({"token": token})).await;
    assert!(reply["connect"]["subs"]["inbox:other"].is_object(), "{reply}");
    assert!(reply["connect"]["subs"][INBOX].is_null());
    let channel = format!("conversation:{id}");
    assert_eq!(eve.error("subscribe", json!({"channel": channel})).await, 102);
    assert_eq!(eve.error("history", json!({"channel": channel, "limit": 10})).await, 102);
    assert_eq!(eve.error("rpc", json!({"method": "note.add", "data": {"conversation": id, "text": "x"}})).await, 404);
    assert_eq!(eve.error("presence", json!({"channel": PRESENCE})).await, 103);
    let page = eve.rpc("inbox.page", json!({})).await;
    assert_eq!(page["rpc"]["data"]["rows"], json!([]));
}

#[tokio::test]
async fn new_consent_is_recorded_by_admins_alone() {
    let world = World::start().await;
    let id = world.receive(1, "STOP").await.conversation.unwrap();
    let consent = json!({"conversation": id, "how": "in_person", "when": 1, "words": "You may text me"});
    let mut ana = world.connect("ana", Role::Operator).await;
    assert_eq!(ana.rpc("contact.record_consent", consent.clone()).await["error"]["code"], 103);
    let mut eve = world.connect("eve", Role::Admin).await;
    assert!(eve.rpc("contact.record_consent", consent).await["rpc"]["data"]["offset"].is_u64());
    let push = ana.push(INBOX).await;
    assert_eq!(push["pub"]["data"]["type"], "consent.recorded");
    assert_eq!(push["pub"]["data"]["by"], json!({"operator": "eve"}));
}
