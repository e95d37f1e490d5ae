//! Calls as Twilio tells them, over HTTP: what it is told to do, and what comes of it in the conversation.

use actors::reader::{Reader, Window};
use loadtest::{
    carrier::{DEMO_ADDRESS, DEMO_TOKEN},
    signature::{sign, without_fragment},
};
use schema::{
    address::E164,
    command::{Command, Setting},
    event::Fact,
    role::Role,
    settings::{ChannelSettings, Ring, VoiceMode, Voicemail},
};

use super::world::{CONTACT, World, line, tenant};
use crate::support::wait::until;

/// Status and body.
type Said = (u16, String);

/// Posts to a URL as Twilio does.
async fn post(url: &str, form: &[(&str, &str)]) -> Said {
    let url = without_fragment(url);
    let form: Vec<_> = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let signature = sign(DEMO_TOKEN, url, &form);
    let client = reqwest::Client::builder().no_proxy().build().expect("the carrier installed a provider");
    let sent = client.post(url).header("X-Twilio-Signature", signature).form(&form).send().await.expect("answered");
    (sent.status().as_u16(), sent.text().await.expect("a body"))
}

/// One call's webhooks.
async fn voice(world: &World, url: &str, sid: &str, more: &[(&str, &str)]) -> String {
    let url = if url.is_empty() { world.url("/webhooks/twilio/demo-line/voice") } else { url.to_owned() };
    let base = [("CallSid", sid), ("From", CONTACT), ("To", DEMO_ADDRESS), ("Direction", "inbound")];
    let (status, body) = post(&url, &[&base[..], more].concat()).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// An attribute's value, unescaped.
fn attribute(document: &str, name: &str) -> String {
    let (_, rest) = document.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name}: {document}"));
    rest.split('"').next().expect("it ends").replace("&amp;", "&")
}

async fn configure(world: &World, change: impl FnOnce(&mut ChannelSettings)) {
    let settings = world.engine.tenant(&tenant()).await.expect("it runs").settings();
    let mut line_settings = settings.channels[&line()].clone();
    change(&mut line_settings);
    world.submit(&tenant(), Command::Configure(Setting::Channel(line(), line_settings))).await;
}

#[tokio::test]
async fn a_forwarded_call_is_greeted_texted_once_and_its_voicemail_joins_the_conversation() {
    let world = World::start().await;
    configure(&world, |line| line.voice.voicemail = Some(Voicemail { max_s: 60 })).await;
    let document = voice(&world, "", "CA1", &[("CallStatus", "ringing")]).await;
    assert!(
        document.contains("<Say>Thank you for calling") && document.ends_with("<Hangup/></Response>"),
        "{document}"
    );
    let recorded = attribute(&document, "recordingStatusCallback");
    let recording = [
        ("CallSid", "CA1"),
        ("RecordingSid", "RE1"),
        ("RecordingUrl", "https://api.twilio.com/Recordings/RE1"),
        ("RecordingDuration", "12"),
        ("RecordingStatus", "completed"),
    ];
    for _ in 0..2 {
        assert_eq!(post(&recorded, &recording).await.0, 200);
    }
    voice(&world, "", "CA1", &[("CallStatus", "ringing")]).await;
    voice(&world, "", "CA1", &[("CallStatus", "completed"), ("CallbackSource", "call-progress-events")]).await;
    until("the text-back", async || world.sent().len() == 1).await;
    let names: Vec<_> = world.facts().await.iter().map(Fact::name).filter(|name| name.starts_with("call.")).collect();
    assert_eq!(names, ["call.missed", "call.voicemail"], "one event each, whatever is repeated");

    let handle = world.engine.tenant(&tenant()).await.expect("it runs");
    handle.viewed(handle.feed().position().offset).await.expect("the views follow");
    let ports = world.engine.ports();
    let reader = Reader::new(ports.log.clone(), ports.views.clone(), world.engine.vault().clone());
    let inbox = reader.inbox(&tenant(), true, None, 10).await.expect("read");
    assert_eq!((inbox.rows.len(), inbox.rows[0].unread), (1, 2), "the call and the message are unread, in one place");
    let page = reader.conversation(&tenant(), Role::Operator, inbox.rows[0].conversation, Window::Latest, 50).await;
    let shown: Vec<_> = page.expect("read").events.iter().map(|event| event.get().to_owned()).collect();
    let voicemail = shown.iter().find(|event| event.contains("call.voicemail")).expect("it is shown");
    assert!(voicemail.contains("https://api.twilio.com/Recordings/RE1") && voicemail.contains("\"duration_s\":12"));
}

#[tokio::test]
async fn a_line_that_rings_is_missed_only_when_nobody_takes_the_call() {
    let world = World::start().await;
    let phone = E164::new("+15005550199").expect("a number");
    configure(&world, |line| {
        line.voice.mode = VoiceMode::Ring(Ring { phone, ring_s: 20, confirm: true });
    })
    .await;
    let document = voice(&world, "", "CA1", &[("CallStatus", "ringing")]).await;
    assert!(document.contains("timeout=\"20\"") && document.contains(">+15005550199</Number>"), "{document}");
    let (action, screen) = (attribute(&document, "action"), attribute(&document, "url"));
    let leg = [("ParentCallSid", "CA1"), ("CallStatus", "in-progress")];
    let gather = voice(&world, &screen, "CA2", &leg).await;
    let screened = attribute(&gather, "action");
    assert!(voice(&world, &screened, "CA2", &[&leg[..], &[("Digits", "1")]].concat()).await.contains("<Response/>"));
    let taken = [
        ("CallStatus", "in-progress"),
        ("DialCallStatus", "completed"),
        ("DialBridged", "true"),
        ("DialCallDuration", "3"),
    ];
    assert!(voice(&world, &action, "CA1", &taken).await.contains("<Hangup/>"));
    assert_eq!((world.count("call.answered").await, world.count("call.missed").await), (1, 0));

    // The next one a voicemail picks up: it does not press 1.
    let document = voice(&world, "", "CA3", &[("CallStatus", "ringing")]).await;
    let action = attribute(&document, "action");
    let machine = [("CallStatus", "in-progress"), ("DialCallStatus", "completed"), ("DialBridged", "false")];
    let over = [("CallStatus", "no-answer"), ("CallbackSource", "call-progress-events")];
    // The caller hung up at the same moment: the report that the call is over overtakes the verdict.
    voice(&world, "", "CA3", &over).await;
    assert!(voice(&world, &action, "CA3", &machine).await.contains("<Say>"));
    voice(&world, &action, "CA3", &machine).await;
    until("the text-back", async || world.sent().len() == 1).await;
    assert_eq!((world.count("call.answered").await, world.count("call.missed").await), (1, 1));
}

#[tokio::test]
async fn a_voicemail_that_overtakes_its_call_is_in_the_same_conversation() {
    let world = World::start().await;
    let recording = [("RecordingSid", "RE1"), ("RecordingUrl", "https://c/RE1"), ("RecordingDuration", "3")];
    let url = world.url("/webhooks/twilio/demo-line/voice?step=recorded");
    voice(&world, &url, "CA1", &recording).await;
    voice(&world, "", "CA1", &[("CallStatus", "ringing")]).await;
    assert_eq!((world.count("call.voicemail").await, world.count("call.missed").await), (1, 1));
    assert_eq!(world.count("contact.created").await, 1);
}
