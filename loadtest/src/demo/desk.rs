//! The operator of the demo: looks at the inbox through REST and answers whoever waits for long, as a person would who
//! leaves the rest to whoever sits at the page. What somebody else has taken is left alone, and so is whoever calls from the
//! telephone's page: they have come to answer themselves.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::carrier::{CarrierHandle, Chance};

/// How often the operator looks.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Nobody is answered before they have waited this long: time enough for a person at the page.
const PATIENCE: Duration = Duration::from_secs(60);
/// Answers that fit most questions.
const ANSWERS: [&str; 4] = [
    "Thanks for writing! Let me look at the calendar, one moment.",
    "Got it. We can be there this afternoon between 2 and 4. Does that work?",
    "Thank you, that helps. I've put you down for tomorrow at 9:30.",
    "Sure, happy to help. What is the best address?",
];

/// Answers until the returned future is dropped.
pub async fn run(carrier: &CarrierHandle, engine: &str, token: &str, seed: u64) {
    let desk = Desk { carrier, engine, token, chance: Chance::new(seed), client: client() };
    let mut quiet = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match desk.answer_waiting().await {
            Ok(()) => quiet = false,
            Err(error) if !quiet => {
                tracing::warn!("the demo's operator cannot answer: {error:#}");
                quiet = true;
            }
            Err(_) => {}
        }
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client without TLS options always builds")
}

struct Desk<'d> {
    carrier: &'d CarrierHandle,
    engine: &'d str,
    token: &'d str,
    chance: Chance,
    client: reqwest::Client,
}

impl Desk<'_> {
    async fn answer_waiting(&self) -> anyhow::Result<()> {
        let inbox = self.client.get(format!("{}/v1/inbox", self.engine)).bearer_auth(self.token);
        let page: Value = inbox.send().await?.error_for_status()?.json().await.context("the inbox is not JSON")?;
        let now = u64::try_from(jiff::Timestamp::now().as_microsecond())?;
        for row in page["rows"].as_array().into_iter().flatten() {
            let is_persons = row["address"].as_str().is_some_and(|number| self.carrier.handset(number).held);
            if let (true, Some(conversation)) = (waits(row, now) && !is_persons, row["conversation"].as_str()) {
                self.answer(conversation, &row["waiting_since"]).await?;
            }
        }
        Ok(())
    }

    async fn answer(&self, conversation: &str, since: &Value) -> anyhow::Result<()> {
        let answer = ANSWERS[self.chance.below(ANSWERS.len())];
        let request = self
            .client
            .post(format!("{}/v1/conversations/{conversation}/messages", self.engine))
            .bearer_auth(self.token)
            // The same waiting contact is answered once, also if this request has to be made again.
            .header("Idempotency-Key", format!("demo-{conversation}-{since}"))
            .json(&json!({"text": answer}));
        let sent = request.send().await?;
        if !sent.status().is_success() {
            tracing::info!(status = %sent.status(), "the demo's operator was refused");
        }
        Ok(())
    }
}

/// Whether somebody has waited for long whom the operator may answer.
fn waits(row: &Value, now: u64) -> bool {
    let waited = row["waiting_since"].as_u64().map(|since| Duration::from_micros(now.saturating_sub(since)));
    let mine = row["assigned"].is_null() || row["assigned"] == "ana";
    mine && row["consent"] != "opted_out" && row["reachable"] == true && waited.is_some_and(|time| time >= PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::{CarrierConfig, CarrierServer, Handset};

    const NOW: u64 = 1_000_000_000;

    #[test]
    fn nobody_is_answered_who_may_not_be_or_whom_somebody_else_has() {
        let since = NOW - 61_000_000;
        let row = json!({"waiting_since": since, "assigned": null, "consent": "implied", "reachable": true});
        assert!(waits(&row, NOW));
        for (key, value) in [
            ("waiting_since", json!(NOW - 59_000_000)),
            ("waiting_since", Value::Null),
            ("assigned", json!("maria")),
            ("consent", json!("opted_out")),
            ("reachable", json!(false)),
        ] {
            let mut other = row.clone();
            other[key] = value;
            assert!(!waits(&other, NOW), "{other}");
        }
    }

    #[tokio::test]
    async fn who_calls_from_the_telephones_page_is_left_to_the_person_at_the_desk() {
        let listen = ([127, 0, 0, 1], 0).into();
        let carrier = CarrierServer::start(CarrierConfig { listen, ..CarrierConfig::default() }).await.expect("starts");
        let (persons, others) = ("+14155550150", "+12025550101");
        assert!(carrier.set_handset(Handset { held: true, ..Handset::new(persons) }));
        let row = |id: &str, number: &str| json!({"conversation": id, "address": number, "waiting_since": 1, "assigned": null, "consent": "implied", "reachable": true});
        let inbox = json!({"rows": [row("one", persons), row("two", others)]});
        let (asked, mut answered) = tokio::sync::mpsc::channel(8);
        let routes = axum::Router::new().route("/v1/inbox", axum::routing::get(async move || axum::Json(inbox))).route(
            "/v1/conversations/{id}/messages",
            axum::routing::post(async move |axum::extract::Path(id): axum::extract::Path<String>| {
                asked.try_send(id).expect("room for all");
            }),
        );
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let engine = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let desk = Desk { carrier: &carrier, engine: &engine, token: "t", chance: Chance::new(1), client: client() };
        desk.answer_waiting().await.unwrap();
        assert_eq!((answered.try_recv().as_deref(), answered.try_recv().is_err()), (Ok("two"), true));
    }
}
