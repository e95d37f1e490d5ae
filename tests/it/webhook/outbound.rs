//! What is certainly known of a text after one call to the carrier, whatever the carrier does.

use std::{sync::Arc, time::Duration};

use actors::{
    directory::SystemDirectory,
    memory::{SystemClock, SystemIds},
    ports::{Carrier as _, Ids as _, OutgoingText},
};
use deskwire::channels::{SecretSource, twilio::TwilioCarrier};
use loadtest::carrier::{DEMO_ACCOUNT, DEMO_ADDRESS, Fate, Faults};
use schema::{
    address::E164,
    command::SendOutcome,
    event::{AccountRegistered, ChannelClaimed, Fact},
    ids::{ConversationId, MessageId},
    message::{CarrierError, ErrorClass},
    time::Stamp,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::world::{CONTACT, account, carrier, line, secrets, sending, tenant};

const PUBLIC: &str = "https://desk.example.com";
const NOT_SENT: SendOutcome = SendOutcome::NotSent { retry_after_s: None };

pub(super) fn sender(base_url: &str, secrets: SecretSource) -> TwilioCarrier {
    let directory = SystemDirectory::default();
    let carrier_id = DEMO_ACCOUNT.to_owned();
    directory.apply(&Fact::from(AccountRegistered { account: account(), tenant: tenant(), carrier_id }));
    let address = DEMO_ADDRESS.to_owned();
    directory.apply(&Fact::from(ChannelClaimed { channel: line(), tenant: tenant(), account: account(), address }));
    TwilioCarrier::new(sending(base_url, PUBLIC), Arc::new(directory), secrets, Arc::new(SystemClock)).expect("builds")
}

pub(super) fn text(to: &str) -> OutgoingText {
    OutgoingText {
        account: account(),
        channel: line(),
        from: DEMO_ADDRESS.to_owned(),
        to: E164::new(to).expect("a number"),
        text: "hello & welcome + ü".to_owned(),
        media: vec![],
        conversation: ConversationId(SystemIds.uuid()),
        message: MessageId(SystemIds.uuid()),
        attempt: 3,
        departs: Stamp(1_700_000_000_000_000),
        validity: Duration::from_secs(600),
        time_out: Duration::from_secs(10),
    }
}

#[tokio::test]
async fn an_accepted_text_is_known_by_the_carriers_id_and_calls_back_by_ours() {
    let carrier = carrier().await;
    let text = text(CONTACT);
    let outcome = sender(&carrier.url(), secrets()).send(text.clone()).await;
    let messages = carrier.messages();
    assert_eq!(outcome, SendOutcome::Accepted { carrier_id: messages[0].sid.clone() });
    assert_eq!((messages[0].body.as_str(), messages[0].to.as_str()), ("hello & welcome + ü", CONTACT));
    let (conversation, message) = (text.conversation, text.message);
    let ids = format!("c={conversation}&m={message}&a=3&t=1700000000000000");
    let expected = format!("{PUBLIC}/webhooks/twilio/demo-line/status?{ids}#rc=5&rp=all");
    assert_eq!(messages[0].callback.as_deref(), Some(&*expected));
}

#[tokio::test]
async fn what_the_carrier_certainly_refused_says_why() {
    let carrier = carrier().await;
    let sender = sender(&carrier.url(), secrets());
    let cases = [
        ("+15005550004", 21_610, ErrorClass::OptOut),
        ("+15005550009", 21_614, ErrorClass::Landline),
        ("+15005550001", 21_211, ErrorClass::Permanent),
    ];
    for (to, code, class) in cases {
        assert_eq!(sender.send(text(to)).await, SendOutcome::Refused(CarrierError { code, class }));
    }
    carrier.script(None, &[Fate::Refuse(21_611)]);
    let paced = SendOutcome::Refused(CarrierError { code: 21_611, class: ErrorClass::Pace });
    assert_eq!(sender.send(text(CONTACT)).await, paced);
    assert!(carrier.messages().is_empty());
}

#[tokio::test]
async fn a_wrong_or_missing_token_is_refused_before_or_at_the_carrier() {
    let carrier = carrier().await;
    let refused = SendOutcome::Refused(CarrierError { code: 20_003, class: ErrorClass::Rejected });
    let wrong: SecretSource = Arc::new(|_| Arc::from([deskwire::channels::Secret::new("wrong")]));
    assert_eq!(sender(&carrier.url(), wrong).send(text(CONTACT)).await, refused);
    let none: SecretSource = Arc::new(|_| Arc::from([]));
    assert_eq!(sender(&carrier.url(), none).send(text(CONTACT)).await, refused);
}

#[tokio::test]
async fn too_many_requests_are_not_sent_and_say_when_to_come_back() {
    let carrier = carrier().await;
    carrier.set_faults(Faults { too_many: 1.0, retry_after_s: 7, ..Faults::default() });
    let outcome = sender(&carrier.url(), secrets()).send(text(CONTACT)).await;
    assert_eq!(outcome, SendOutcome::NotSent { retry_after_s: Some(7) });
}

#[tokio::test]
async fn a_carrier_that_cannot_be_reached_was_sent_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = closed.local_addr().expect("bound");
    drop(closed);
    assert_eq!(sender(&format!("http://{address}"), secrets()).send(text(CONTACT)).await, NOT_SENT);
    let nowhere = sender("http://no-such-host.invalid", secrets()).send(text(CONTACT)).await;
    assert_eq!(nowhere, NOT_SENT);
}

#[tokio::test]
async fn a_carrier_without_tls_where_tls_is_due_was_sent_nothing() {
    let carrier = carrier().await;
    let https = carrier.url().replace("http://", "https://");
    assert_eq!(sender(&https, secrets()).send(text(CONTACT)).await, NOT_SENT);
}

#[tokio::test]
async fn a_text_that_the_carrier_may_have_taken_is_unknown_and_was_sent_once() {
    let carrier = carrier().await;
    let sender = sender(&carrier.url(), secrets());
    let fates = [Fate::LoseResponse, Fate::ErrorAfter, Fate::Garbage, Fate::CloseBefore, Fate::ErrorBefore];
    for (index, fate) in fates.into_iter().enumerate() {
        carrier.script(None, &[fate, Fate::Accept]);
        assert_eq!(sender.send(text(CONTACT)).await, SendOutcome::Unknown, "{fate:?}");
        // The second fate is still there: nobody asked again.
        assert!(matches!(sender.send(text(CONTACT)).await, SendOutcome::Accepted { .. }), "after {fate:?}");
        let taken = carrier.messages().len();
        assert_eq!(taken, (index + 1) + (index + 1).min(3), "{fate:?}");
    }
}

#[tokio::test]
async fn a_call_past_its_deadline_is_dropped_and_its_socket_closed() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("bound"));
    let sender = sender(&url, secrets());
    let slow = OutgoingText { time_out: Duration::from_millis(200), ..text(CONTACT) };
    let (outcome, request) = tokio::join!(sender.send(slow), async {
        let (mut socket, _) = silent.accept().await.expect("somebody calls");
        let mut request = Vec::new();
        let reading = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut request)).await;
        reading.expect("the socket is closed by the caller").expect("in order");
        request
    });
    assert_eq!(outcome, SendOutcome::Unknown);
    assert!(request.starts_with(b"POST /2010-04-01/Accounts/"), "the request had been written");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let carrier = carrier().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", elsewhere.local_addr().expect("bound"));
    let location = format!("{}/2010-04-01/Accounts/{DEMO_ACCOUNT}/Messages.json", carrier.url());
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    tokio::spawn(async move {
        let (mut socket, _) = elsewhere.accept().await.expect("somebody calls");
        let mut request = [0; 4_096];
        let read = socket.read(&mut request).await.expect("a request");
        assert!(read > 0);
        socket.write_all(answer.as_bytes()).await.expect("taken");
    });
    assert_eq!(sender(&url, secrets()).send(text(CONTACT)).await, SendOutcome::Unknown);
    assert!(carrier.messages().is_empty());
}
