//! Status callbacks: what Twilio tells of a text after it took it, as late, repeated or disordered as configured.
//! There is none for the first status, which the create's answer names.

use std::{sync::Arc, time::Duration};

use super::{
    fault::Fate,
    message::{Message, done_date},
    state::{Carrier, now},
    webhook::Hook,
};

/// How long a text is tried without a `ValidityPeriod`: Twilio's ten hours.
const VALIDITY_S: u32 = 36_000;

/// Starts the rest of a text's life.
pub(super) fn start(carrier: Arc<Carrier>, message: Message, fate: Fate) {
    let mut closing = carrier.closing();
    tokio::spawn(async move {
        tokio::select! {
            _ = closing.wait_for(|closed| *closed) => {}
            () = live(&carrier, message, fate) => {}
        }
    });
}

async fn live(carrier: &Arc<Carrier>, message: Message, fate: Fate) {
    let reordered = carrier.chance.hits(carrier.faults().reorder_callback);
    tokio::time::sleep(carrier.draw(carrier.latency().sent)).await;
    carrier.advance(&message.sid, "sent", None);
    if !reordered {
        tell(carrier, &message, ("sent", None)).await;
    }
    tokio::time::sleep(carrier.draw(carrier.latency().delivered)).await;
    let end = match fate {
        Fate::Fail(code) => ("undelivered", Some(code)),
        _ => arrives(carrier, &message).await,
    };
    carrier.advance(&message.sid, end.0, end.1);
    tell(carrier, &message, end).await;
    if reordered {
        tell(carrier, &message, ("sent", None)).await;
    }
}

/// At the contact's telephone, when it is on; or why not.
async fn arrives(carrier: &Carrier, message: &Message) -> (&'static str, Option<u32>) {
    let handset = carrier.handsets.get(&message.to);
    if handset.landline {
        return ("undelivered", Some(30_006));
    }
    if let Err(code) = carrier.charge(message, &handset) {
        return ("undelivered", Some(code));
    }
    let validity = Duration::from_secs(u64::from(message.validity_s.unwrap_or(VALIDITY_S)));
    let used = Duration::from_micros(now().saturating_sub(message.created_us));
    let mut changes = carrier.changes();
    let on = async {
        while !carrier.handsets.get(&message.to).on {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    match tokio::time::timeout(validity.saturating_sub(used), on).await {
        Ok(()) => ("delivered", None),
        Err(_) => ("undelivered", Some(30_003)),
    }
}

async fn tell(carrier: &Carrier, message: &Message, (status, error): (&str, Option<u32>)) {
    let faults = carrier.faults();
    let (Some(callback), Some(account)) = (&message.callback, carrier.account(&message.account)) else { return };
    if carrier.chance.hits(faults.lose_callback) {
        return;
    }
    let hook = Hook {
        public_url: callback.clone(),
        reached_at: carrier.reached_at(callback),
        token: account.token.clone(),
        sid: message.sid.clone(),
        form: form(message, status, error),
        get: false,
    };
    let delivery = carrier.post(&hook).await.delivery;
    if !delivery.is_ok() {
        tracing::warn!(sid = %message.sid, status, answer = delivery.status, "a status callback was not taken");
    }
    if carrier.chance.hits(faults.repeat_callback) {
        carrier.post(&hook).await;
    }
}

fn form(message: &Message, status: &str, error: Option<u32>) -> Vec<(String, String)> {
    let mut form: Vec<(&str, String)> = vec![
        ("AccountSid", message.account.clone()),
        ("ApiVersion", super::message::API.to_owned()),
        ("From", message.from.clone()),
        ("MessageSid", message.sid.clone()),
        ("MessageStatus", status.to_owned()),
        ("SmsSid", message.sid.clone()),
        ("SmsStatus", status.to_owned()),
        ("To", message.to.clone()),
    ];
    if let Some(code) = error {
        form.push(("ErrorCode", code.to_string()));
    }
    if status != "sent" {
        form.push(("RawDlrDoneDate", done_date(now())));
    }
    form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
