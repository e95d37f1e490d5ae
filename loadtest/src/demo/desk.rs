//! The operator of the demo: looks at the inbox through REST and answers whoever waits for long, as a person would who
//! leaves the rest to whoever sits at the page. What somebody else has taken is left alone.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::carrier::Chance;

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
pub async fn run(engine: &str, token: &str, seed: u64) {
    let chance = Chance::new(seed);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client without TLS options always builds");
    let mut quiet = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match answer_waiting(&client, engine, token, &chance).await {
            Ok(()) => quiet = false,
            Err(error) if !quiet => {
                tracing::warn!("the demo's operator cannot answer: {error:#}");
                quiet = true;
            }
            Err(_) => {}
        }
    }
}

async fn answer_waiting(client: &reqwest::Client, engine: &str, token: &str, chance: &Chance) -> anyhow::Result<()> {
    let inbox = client.get(format!("{engine}/v1/inbox")).bearer_auth(token).send().await?.error_for_status()?;
    let page: Value = inbox.json().await.context("the inbox is not JSON")?;
    let now = u64::try_from(jiff::Timestamp::now().as_microsecond())?;
    for row in page["rows"].as_array().into_iter().flatten() {
        let waits = row["waiting_since"]
            .as_u64()
            .is_some_and(|since| Duration::from_micros(now.saturating_sub(since)) >= PATIENCE);
        let mine = row["assigned"].is_null() || row["assigned"] == "ana";
        let may = mine && row["consent"] != "opted_out" && row["reachable"] == true;
        let (true, true, Some(conversation)) = (waits, may, row["conversation"].as_str()) else { continue };
        let answer = ANSWERS[chance.below(ANSWERS.len())];
        let sent = client
            .post(format!("{engine}/v1/conversations/{conversation}/messages"))
            .bearer_auth(token)
            // The same waiting contact is answered once, also if this request has to be made again.
            .header("Idempotency-Key", format!("demo-{conversation}-{}", row["waiting_since"]))
            .json(&json!({"text": answer}))
            .send()
            .await?;
        if !sent.status().is_success() {
            tracing::info!(status = %sent.status(), "the demo's operator was refused");
        }
    }
    Ok(())
}
