//! A carrier's webhook: any hook, any target, any headers, any body; as a stranger sends it, and rightly signed.

use std::sync::{Arc, LazyLock};

use actors::{
    directory::SystemDirectory,
    ports::{Arrival, ChannelEntry, Hook, Inbound, InboundError, RawWebhook},
};
use deskwire::channels::{
    Secret,
    twilio::{TwilioInbound, TwilioInboundSettings},
};
use schema::{
    command::Command,
    ids::{AccountId, ChannelId, TenantId},
};
use sha2::{Digest as _, Sha256};

use crate::input::{choice, texts};

const BASE: &str = "https://desk.example";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

static DOOR: LazyLock<TwilioInbound> = LazyLock::new(|| {
    let settings = TwilioInboundSettings { public_url: BASE.to_owned(), answered_min_s: 5 };
    let secrets = Arc::new(|_: &AccountId| Arc::from([Secret::new(TOKEN)]));
    TwilioInbound::new(&settings, Arc::new(SystemDirectory::default()), secrets)
});

static LINE: LazyLock<ChannelEntry> = LazyLock::new(|| ChannelEntry {
    channel: ChannelId::new("line").expect("a slug"),
    tenant: TenantId::new("demo").expect("a slug"),
    account: AccountId::new("account").expect("a slug"),
    address: "+15550100001".to_owned(),
});

/// A choice, then query, signature and body, parted by zero bytes.
pub fn run(data: &[u8]) {
    let (chosen, rest) = choice(data);
    let hook = [Hook::Sms, Hook::Status, Hook::Voice][usize::from(chosen & 3) % 3];
    let json = chosen & 4 != 0;
    let [query, signature, _] = texts::<3>(rest);
    let body = rest.splitn(3, |byte| *byte == 0).nth(2).unwrap_or_default();
    // A target as HTTP has it: without a fragment.
    let target = format!("/webhooks/twilio/line/{}?{}", hook.as_str(), query.replace('#', ""));
    let content_type = if json { "application/json" } else { "application/x-www-form-urlencoded; charset=utf-8" };
    let webhook = RawWebhook { hook, channel: &LINE, target: &target, content_type, signature: &signature, body };
    // Nobody guesses twenty bytes: whatever a stranger sends is forged.
    assert_eq!(DOOR.receive(&webhook), Err(InboundError::Forged), "a signature that nobody made was accepted");

    let hash = if json { format!("&bodySHA256={}", hex::encode(Sha256::digest(body))) } else { String::new() };
    let target = format!("{target}{hash}");
    let form: Vec<(String, String)> = if json { vec![] } else { form_urlencoded::parse(body).into_owned().collect() };
    let signature = loadtest::signature::sign(TOKEN, &format!("{BASE}{target}"), &form);
    let webhook = RawWebhook { target: &target, signature: &signature, ..webhook };
    let received = DOOR.receive(&webhook);
    // A hash that stands before ours in the query is the one that counts, and does not match.
    let hashed_twice =
        json && form_urlencoded::parse(query.replace('#', "").as_bytes()).any(|(name, _)| name == "bodySHA256");
    assert!(hashed_twice || received != Err(InboundError::Forged), "signer and verifier disagree");
    if let Ok(arrival) = received {
        check(&arrival);
    }
}

/// What the rest of the engine relies on.
fn check(arrival: &Arrival) {
    let is_id = |id: &str| !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_url =
        |url: &str| url.starts_with("http") && url.len() <= 2_048 && url.bytes().all(|byte| byte.is_ascii_graphic());
    match &arrival.command {
        Some(Command::Receive(message)) => {
            assert!(is_id(&message.carrier_id) && message.media.len() <= 10 && message.segments > 0);
            assert!(message.media.iter().all(|medium| is_url(&medium.url)));
        }
        Some(Command::Receipt(report)) => assert!(is_id(&report.carrier_id)),
        Some(Command::Call(report)) => assert!(is_id(&report.carrier_id)),
        Some(Command::Voicemail(report)) => {
            assert!(is_id(&report.carrier_id) && is_url(&report.recording.url))
        }
        Some(other) => panic!("a webhook asks for {other:?}"),
        None => {}
    }
}
