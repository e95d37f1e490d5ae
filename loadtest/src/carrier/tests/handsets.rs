//! The contacts' telephones, the networks between, and hours of absence.

use super::*;

async fn engine() -> (Engine, CarrierConfig) {
    let engine = Engine::default();
    let engine_url = engine.start().await;
    (engine, CarrierConfig { engine_url, ..config() })
}

/// Sends a text with these parameters beside the usual ones, and gives its id.
async fn send(carrier: &CarrierHandle, more: &[(&str, &str)]) -> String {
    let callback = format!("{}/s", carrier.carrier.public_url());
    let pairs = [&GOOD[..], &[("StatusCallback", &*callback)], more].concat();
    let (status, body) = create(carrier, &pairs).await.expect("answered");
    assert_eq!(status, 201, "{body}");
    body["sid"].as_str().expect("a sid").to_owned()
}

fn status(carrier: &CarrierHandle, sid: &str) -> (String, Option<u32>) {
    let message = carrier.messages().into_iter().find(|message| message.sid == sid).expect("kept");
    (message.status, message.error)
}

#[tokio::test]
async fn a_telephone_that_is_off_gets_its_texts_when_it_is_on() {
    let (engine, config) = engine().await;
    let carrier = CarrierServer::start(config).await.expect("starts");
    carrier.set_handset(Handset { on: false, ..Handset::new(CONTACT) });
    let sid = send(&carrier, &[]).await;
    engine.wait_for(1).await;
    assert_eq!((status(&carrier, &sid).0.as_str(), carrier.received(CONTACT).len()), ("sent", 0));
    carrier.set_handset(Handset::new(CONTACT));
    until(|| carrier.received(CONTACT).len() == 1).await;
    let told = engine.wait_for(2).await;
    assert_eq!(told[1].field("MessageStatus"), "delivered");
}

#[tokio::test]
async fn a_text_that_outlives_its_validity_is_undelivered() {
    let (engine, config) = engine().await;
    let carrier = CarrierServer::start(config).await.expect("starts");
    carrier.set_handset(Handset { on: false, ..Handset::new(CONTACT) });
    let sid = send(&carrier, &[("ValidityPeriod", "1")]).await;
    let told = engine.wait_for(2).await;
    assert_eq!((told[1].field("MessageStatus"), told[1].field("ErrorCode")), ("undelivered", "30003"));
    assert_eq!(status(&carrier, &sid), ("undelivered".to_owned(), Some(30_003)));
    carrier.set_handset(Handset::new(CONTACT));
    assert!(carrier.received(CONTACT).is_empty(), "it is gone for good");
}

#[tokio::test]
async fn a_landline_gets_no_text() {
    let (engine, config) = engine().await;
    let carrier = CarrierServer::start(config).await.expect("starts");
    carrier.set_handset(Handset { landline: true, ..Handset::new(CONTACT) });
    send(&carrier, &[]).await;
    let told = engine.wait_for(2).await;
    assert_eq!((told[1].field("MessageStatus"), told[1].field("ErrorCode")), ("undelivered", "30006"));
}

#[tokio::test]
async fn a_network_takes_so_much_of_a_brand_a_day() {
    let (engine, config) = engine().await;
    let network = |name: &str, day_cap| Network { name: name.to_owned(), day_cap, code: 30_027 };
    let networks = vec![network("t-mobile", Some(2)), network("other", None)];
    let config = CarrierConfig { networks, default_network: "other".to_owned(), ..config };
    let carrier = CarrierServer::start(config).await.expect("starts");
    carrier.set_handset(Handset { network: Some("t-mobile".to_owned()), ..Handset::new(CONTACT) });
    for count in 1..=3 {
        send(&carrier, &[]).await;
        engine.wait_for(2 * count).await;
    }
    let ends: Vec<_> = engine.got().iter().filter(|got| got.field("MessageStatus") != "sent").cloned().collect();
    let words: Vec<_> = ends.iter().map(|end| (end.field("MessageStatus"), end.field("ErrorCode"))).collect();
    assert_eq!(words, [("delivered", ""), ("delivered", ""), ("undelivered", "30027")]);
    let (status, _) = create(&carrier, &[("To", "+14155550101"), GOOD[1], GOOD[2]]).await.expect("answered");
    assert_eq!(status, 201);
    until(|| carrier.received("+14155550101").len() == 1).await;
}

#[tokio::test]
async fn while_it_is_away_nobody_is_answered_and_afterwards_everybody() {
    let (engine, config) = engine().await;
    let carrier = CarrierServer::start(config).await.expect("starts");
    assert_eq!(create(&carrier, &GOOD).await.expect("answered").0, 201);
    carrier.set_absence(Absence { rest: Rest::Error, webhooks: false });
    assert_eq!(create(&carrier, &GOOD).await.expect("answered").0, 503);
    carrier.set_absence(Absence { rest: Rest::Refuse, webhooks: true });
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    until_async(async || tokio::net::TcpStream::connect(carrier.addr()).await.as_ref().is_err_and(refused)).await;
    assert!(create(&carrier, &GOOD).await.is_err_and(|error| error.is_connect()), "nothing was sent");
    let texting = Texting { from: CONTACT.to_owned(), body: "hello".to_owned(), ..Texting::default() };
    let delivery = carrier.text(&texting).await;
    assert_eq!((delivery.status, delivery.attempts, engine.got().len()), (0, 0, 0));
    carrier.set_absence(Absence::default());
    until_async(async || create(&carrier, &GOOD).await.is_ok_and(|(status, _)| status == 201)).await;
    let kept = carrier.messages().into_iter().filter(|message| message.inbound).count();
    assert_eq!((kept, carrier.meter().texts), (1, 2), "it is in the records");
    assert!(carrier.redeliver(&delivery.sid).await.is_some_and(|again| again.is_ok()));
}

async fn until_async(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it should hold within ten seconds");
}

#[tokio::test]
async fn an_uploaded_picture_is_served_as_what_it_is() {
    let (engine, config) = engine().await;
    let carrier = CarrierServer::start(config).await.expect("starts");
    let upload = |bytes: &'static [u8]| client().post(format!("{}/control/pictures", carrier.url())).body(bytes).send();
    assert_eq!(upload(b"<svg/>").await.expect("answered").status(), 415);
    let gif = b"GIF89a rest";
    let kept: Value = upload(gif).await.expect("answered").json().await.expect("JSON");
    let media = vec![kept["id"].as_str().expect("an id").to_owned()];
    carrier.text(&Texting { from: CONTACT.to_owned(), media, ..Texting::default() }).await;
    let got = engine.got();
    assert_eq!(got[0].field("MediaContentType0"), "image/gif");
    let picture = client().get(got[0].field("MediaUrl0")).send().await.expect("answered");
    assert_eq!(picture.headers()["content-type"], "image/gif");
    assert_eq!(picture.bytes().await.expect("read").as_ref(), gif);
}

#[tokio::test]
async fn the_control_interface_is_for_this_machine_and_its_own_page() {
    let (_, config) = engine().await;
    let carrier = CarrierServer::start(config).await.expect("starts");
    let post = |header: (&str, &str)| {
        let request = client().post(format!("{}/control/absence", carrier.url()));
        request.header(header.0, header.1).json(&serde_json::json!({})).send()
    };
    assert_eq!(post(("x-nothing", "")).await.expect("answered").status(), 204);
    assert_eq!(post(("host", "evil.example")).await.expect("answered").status(), 403);
    assert_eq!(post(("origin", "http://evil.example")).await.expect("answered").status(), 403);
    let page = client().get(format!("{}/phone", carrier.url())).send().await.expect("answered");
    let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
}
