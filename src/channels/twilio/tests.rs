//! What is verified and read of Twilio's webhooks. Vectors: carriers.md C, made with PyPI `twilio`.

use std::sync::Arc;

use actors::ports::{AccountEntry, Arrival, ChannelEntry, Directory, Hook, Inbound, InboundError, RawWebhook};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use proptest::prelude::*;
use schema::{
    command::Command,
    event::Keyword,
    ids::{AccountId, ChannelId, TenantId},
    message::{ErrorClass, Status},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{TwilioInbound, TwilioInboundSettings};
use crate::channels::Secret;

mod voice;

const LINE: &str = "+14155550199";

/// Tenant `acme` with line `main` (account `own`, token `12345`), a second account and a second line; and a stranger.
struct Book;

fn line(channel: &str, tenant: &str, account: &str, address: &str) -> ChannelEntry {
    ChannelEntry {
        channel: ChannelId::new(channel).expect("a slug"),
        tenant: TenantId::new(tenant).expect("a slug"),
        account: AccountId::new(account).expect("a slug"),
        address: address.to_owned(),
    }
}

fn main_line() -> ChannelEntry {
    line("main", "acme", "own", LINE)
}

impl Directory for Book {
    fn pause(&self) -> schema::pause::Pause {
        schema::pause::Pause::None
    }
    fn write_version(&self) -> schema::event::WriteVersion {
        schema::event::WriteVersion::FIRST
    }

    fn tenant_exists(&self, _: &TenantId) -> bool {
        true
    }
    fn tenants(&self) -> Vec<TenantId> {
        Vec::new()
    }
    fn channels(&self) -> Vec<ChannelEntry> {
        Vec::new()
    }
    fn channel(&self, _: &ChannelId) -> Option<ChannelEntry> {
        None
    }
    fn channel_by_address(&self, address: &str) -> Option<ChannelEntry> {
        match address {
            "+14155550198" => Some(line("second", "acme", "own", address)),
            "+14155550666" => Some(line("theirs", "stranger", "foreign", address)),
            _ => None,
        }
    }
    fn account(&self, _: &AccountId) -> Option<AccountEntry> {
        None
    }
    fn account_by_carrier_id(&self, carrier_id: &str) -> Option<AccountEntry> {
        let (account, tenant) = match carrier_id {
            "AC0" => ("own", "acme"),
            "ACsub" => ("sub", "acme"),
            "ACforeign" => ("foreign", "stranger"),
            _ => return None,
        };
        let entry = line("any", tenant, account, LINE);
        Some(AccountEntry { account: entry.account, tenant: entry.tenant, carrier_id: carrier_id.to_owned() })
    }
}

fn inbound(public_url: &str) -> TwilioInbound {
    let settings = TwilioInboundSettings { public_url: public_url.to_owned(), answered_min_s: 5 };
    let secrets = |account: &AccountId| -> Arc<[Secret]> {
        match account.as_str() {
            "own" => vec![Secret::new("new"), Secret::new("12345")].into(),
            other => vec![Secret::new(format!("token of {other}"))].into(),
        }
    };
    TwilioInbound::new(&settings, Arc::new(Book), Arc::new(secrets))
}

fn webhook<'a>(
    channel: &'a ChannelEntry,
    hook: Hook,
    target: &'a str,
    signature: &'a str,
    body: &'a str,
) -> RawWebhook<'a> {
    let content_type = "application/x-www-form-urlencoded; charset=UTF-8";
    RawWebhook { hook, channel, target, content_type, signature, body: body.as_bytes() }
}

fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The algorithm again, written as its documentation says it.
fn sign(token: &str, url: &str, pairs: &[(&str, &str)]) -> String {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let text = sorted.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(token.as_bytes()).expect("any key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn receive(hook: Hook, target: &str, pairs: &[(&str, &str)]) -> Result<Arrival, InboundError> {
    let signature = sign("12345", &format!("https://example.com{target}"), pairs);
    let body = encode(pairs);
    inbound("https://example.com").receive(&webhook(&main_line(), hook, target, &signature, &body))
}

const VECTOR: [(&str, &str); 6] = [
    ("MessageSid", "SM00000000000000000000000000000001"),
    ("From", "+14155550100"),
    ("To", LINE),
    ("Body", "héllo & = +"),
    ("NumMedia", "0"),
    ("AccountSid", "AC0"),
];
const VECTOR_TARGET: &str = "/hooks/twilio/sms?t=acme";
const VECTOR_SIGNATURE: &str = "cIyK231u7EPBxOy8/6SA3MPDwZg=";

#[test]
fn the_vendors_form_vector_verifies_with_and_without_port() {
    let body = encode(&VECTOR);
    for base in ["https://example.com", "https://example.com:443", "https://example.com/"] {
        let arrival = inbound(base).receive(&webhook(&main_line(), Hook::Sms, VECTOR_TARGET, VECTOR_SIGNATURE, &body));
        let Ok(Arrival { command: Some(Command::Receive(message)), .. }) = arrival else {
            panic!("{base}: {arrival:?}")
        };
        assert_eq!(message.text, "héllo & = +");
    }
}

#[test]
fn what_was_not_signed_as_it_stands_is_forged() {
    let forged = |target: &str, signature: &str, body: &str| {
        let result = inbound("https://example.com").receive(&webhook(&main_line(), Hook::Sms, target, signature, body));
        assert_eq!(result, Err(InboundError::Forged));
    };
    let body = encode(&VECTOR);
    forged(VECTOR_TARGET, VECTOR_SIGNATURE, &format!("{body}&Extra=1"));
    forged(VECTOR_TARGET, VECTOR_SIGNATURE, &body.replace("NumMedia=0", "NumMedia=1"));
    forged("/hooks/twilio/sms?t=other", VECTOR_SIGNATURE, &body);
    forged(VECTOR_TARGET, "", &body);
    forged(VECTOR_TARGET, "not base64", &body);
    forged(VECTOR_TARGET, "dG9vIHNob3J0", &body);
    forged(VECTOR_TARGET, &sign("wrong", &format!("https://example.com{VECTOR_TARGET}"), &VECTOR), &body);
    forged(VECTOR_TARGET, &sign("12345", &format!("https://other.com{VECTOR_TARGET}"), &VECTOR), &body);
}

#[test]
fn the_vendors_json_vector_verifies_and_is_bound_to_its_body() {
    let json = |body: &str, target: &str, signature: &str| {
        let channel = main_line();
        let raw =
            RawWebhook { content_type: "application/json", ..webhook(&channel, Hook::Sms, target, signature, body) };
        inbound("https://example.com").receive(&raw)
    };
    let target = format!("{VECTOR_TARGET}&bodySHA256={}", hex::encode(Sha256::digest(b"{\"a\":1}")));
    let signature = "gCzp/GVNjb7StsC8hqVJ/wi2fXU=";
    let signed = json("{\"a\":1}", &target, signature);
    assert!(matches!(signed, Err(InboundError::Invalid { .. })), "signed, but its fields are missing: {signed:?}");
    assert_eq!(json("{\"a\":2}", &target, signature), Err(InboundError::Forged));
    assert_eq!(json("{\"a\":1}", VECTOR_TARGET, signature), Err(InboundError::Forged));
}

#[test]
fn a_signed_json_text_is_a_text() {
    let body = r#"{"MessageSid":"SM1","From":"+14155550100","Body":"hi","NumMedia":0,"Other":{"a":1}}"#;
    let target = format!("/webhooks/twilio/main/sms?bodySHA256={}", hex::encode(Sha256::digest(body)));
    let signature = sign("12345", &format!("https://example.com{target}"), &[]);
    let channel = main_line();
    let raw =
        RawWebhook { content_type: "application/json", ..webhook(&channel, Hook::Sms, &target, &signature, body) };
    let arrival = inbound("https://example.com").receive(&raw).expect("signed and complete");
    assert!(matches!(arrival.command, Some(Command::Receive(message)) if message.text == "hi"));
}

#[test]
fn the_named_accounts_token_counts_only_within_the_tenant() {
    let verdict = |token: &str, account: &str| {
        let pairs = [("MessageSid", "SM1"), ("From", "+14155550100"), ("Body", "hi"), ("AccountSid", account)];
        let signature = sign(token, "https://example.com/t", &pairs);
        let body = encode(&pairs);
        inbound("https://example.com").receive(&webhook(&main_line(), Hook::Sms, "/t", &signature, &body)).is_ok()
    };
    assert!(verdict("12345", "ACunknown"), "the line's own account, the older of two tokens");
    assert!(verdict("new", "AC0"), "the newer of two tokens");
    assert!(verdict("token of sub", "ACsub"), "another account of the tenant");
    assert!(!verdict("token of foreign", "ACforeign"), "another tenant's account");
    assert!(!verdict("token of sub", "AC0"), "an account that the webhook does not name");
}

#[test]
fn a_messaging_service_decides_nothing() {
    let pairs = [("MessagingServiceSid", "MG9"), ("MessageSid", "SM1"), ("From", "+14155550100"), ("Body", "x")];
    assert!(receive(Hook::Sms, "/t", &pairs).is_ok());
}

fn message(pairs: &[(&str, &str)]) -> Result<schema::command::ReceiveMessage, InboundError> {
    match receive(Hook::Sms, "/t", pairs)?.command {
        Some(Command::Receive(message)) => Ok(message),
        other => panic!("no text: {other:?}"),
    }
}

#[test]
fn a_picture_message_keeps_its_media_by_reference() {
    let base = [("MessageSid", "MM1"), ("From", "+14155550100"), ("NumMedia", "2"), ("OptOutType", "STOP")];
    let media = [("MediaUrl0", "https://m/0"), ("MediaContentType0", "image/jpeg"), ("MediaUrl1", "https://m/1")];
    let message = message(&[&base[..], &media[..]].concat()).expect("complete");
    let urls: Vec<_> = message.media.iter().map(|medium| (&*medium.url, &*medium.content_type)).collect();
    assert_eq!(urls, [("https://m/0", "image/jpeg"), ("https://m/1", "application/octet-stream")]);
    assert_eq!((message.text.as_str(), message.carrier_keyword), ("", Some(Keyword::Stop)));
}

#[test]
fn a_wrong_field_is_named() {
    let good = [("MessageSid", "SM1"), ("From", "+14155550100"), ("Body", "hi"), ("NumMedia", "0")];
    let cases = [
        ("MessageSid", ""),
        ("MessageSid", "SM 1"),
        ("From", "bob"),
        ("NumMedia", "many"),
        ("NumMedia", "11"),
        ("NumSegments", "-1"),
    ];
    for (field, value) in cases {
        let pairs: Vec<_> = good.iter().copied().filter(|(name, _)| *name != field).chain([(field, value)]).collect();
        let error = message(&pairs).expect_err(field);
        assert!(matches!(&error, InboundError::Invalid { field: named, .. } if named == field), "{field}: {error}");
    }
    let error = message(&[&good[..3], &[("NumMedia", "1")]].concat()).expect_err("no URL");
    assert!(matches!(error, InboundError::Invalid { field, .. } if field == "MediaUrl0"));
}

#[test]
fn the_number_written_to_names_the_line_within_the_tenant() {
    let line = |to: &str| {
        let pairs = [("MessageSid", "SM1"), ("From", "+14155550100"), ("Body", "hi"), ("To", to)];
        message(&pairs).expect("complete").channel.to_string()
    };
    assert_eq!(line(LINE), "main");
    assert_eq!(line("+14155550198"), "second", "a pool shares one webhook URL");
    assert_eq!(line("+14155550666"), "main", "never another tenant's line");
    assert_eq!(line("+19995550000"), "main");
}

const IDS: &str = "c=01890a5d-ac96-774b-bcce-b302099a8057&m=01890a5d-ac96-774b-bcce-b302099a8058&a=2";

fn report(word: &str, code: &str) -> Option<schema::command::DeliveryReport> {
    let pairs = [("MessageSid", "SM1"), ("MessageStatus", word), ("ErrorCode", code)];
    match receive(Hook::Status, &format!("/s?{IDS}"), &pairs).expect("complete").command {
        Some(Command::Receipt(report)) => Some(report),
        None => None,
        other => panic!("no receipt: {other:?}"),
    }
}

#[test]
fn a_status_moves_the_text_that_its_url_names() {
    let delivered = report("delivered", "").expect("moves");
    assert_eq!((delivered.status, delivered.attempt, delivered.error), (Status::Delivered, 2, None));
    assert_eq!(delivered.message.to_string(), "01890a5d-ac96-774b-bcce-b302099a8058");
    let words =
        [("sent", Status::Sent), ("read", Status::Read), ("failed", Status::Failed), ("canceled", Status::Failed)];
    for (word, status) in words {
        assert_eq!(report(word, "").expect(word).status, status);
    }
    let error = report("undelivered", "30006").expect("moves").error.expect("says why");
    assert_eq!((error.code, error.class), (30_006, ErrorClass::Landline));
    for earlier in ["queued", "accepted", "scheduled", "sending", "a_word_of_tomorrow"] {
        assert_eq!(report(earlier, ""), None, "{earlier} is acknowledged and changes nothing");
    }
}

#[test]
fn a_status_without_our_reference_names_what_is_missing() {
    let pairs = [("MessageSid", "SM1"), ("MessageStatus", "sent")];
    for (target, missing) in [("/s", "c"), ("/s?c=1", "c"), (&*format!("/s?{}", &IDS[..IDS.len() - 4]), "a")] {
        let error = receive(Hook::Status, target, &pairs).expect_err(target);
        assert!(matches!(error, InboundError::Invalid { field, .. } if field == missing), "{target}");
    }
}

proptest! {
    #[test]
    fn signed_bytes_of_any_kind_never_panic(
        body in proptest::collection::vec(any::<u8>(), 0..400),
        query in "[ -~]{0,60}",
        kind in 0_usize..3,
        json: bool,
    ) {
        let hook = [Hook::Sms, Hook::Status, Hook::Voice][kind];
        let channel = main_line();
        let target = if json {
            format!("/x?{query}&bodySHA256={}", hex::encode(Sha256::digest(&body)))
        } else {
            format!("/x?{query}")
        };
        let url = format!("https://example.com{target}");
        let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        let signature = sign("12345", &url, if json { &[] } else { &pairs });
        let content_type = if json { "application/json" } else { "" };
        let raw = RawWebhook { hook, channel: &channel, target: &target, content_type, signature: &signature, body: &body };
        let result = inbound("https://example.com").receive(&raw);
        let hash_was_ours = !json || !query.contains("bodySHA256");
        prop_assert!(!hash_was_ours || result != Err(InboundError::Forged), "what was signed is read");
    }

    #[test]
    fn fields_of_any_content_never_panic(
        fields in proptest::collection::vec(("(MessageSid|From|To|NumMedia|MediaUrl0|CallSid|CallStatus|DialCallStatus|RecordingSid|RecordingUrl|RecordingDuration|MessageStatus|ErrorCode|Body|[A-Za-z]{1,6})", "\\PC{0,20}|[0-9]{1,12}|SM[0-9]{3}|\\+1415555[0-9]{4}"), 0..14),
        kind in 0_usize..3,
        step in "(&step=(dialed|screen|screened|over|recorded|[a-z]{0,4}))?",
    ) {
        let hook = [Hook::Sms, Hook::Status, Hook::Voice][kind];
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        prop_assert_ne!(receive(hook, &format!("/x?{IDS}{step}"), &pairs), Err(InboundError::Forged));
    }
}
