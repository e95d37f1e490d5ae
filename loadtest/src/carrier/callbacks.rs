//! Status callbacks: what Twilio tells of a text after it took it, as late, repeated or disordered as configured.
//! There is none for the first status, which the create's answer names.

use std::sync::Arc;

use super::{
    fault::Fate,
    message::{Message, done_date},
    state::{Carrier, now},
    webhook::Hook,
};

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
    let end = match fate {
        Fate::Fail(code) => ("undelivered", Some(code)),
        _ => ("delivered", None),
    };
    tokio::time::sleep(carrier.draw(carrier.latency().sent)).await;
    carrier.store(|store| store.advance(&message.sid, "sent", None, now()));
    if !reordered {
        tell(carrier, &message, ("sent", None)).await;
    }
    tokio::time::sleep(carrier.draw(carrier.latency().delivered)).await;
    carrier.store(|store| store.advance(&message.sid, end.0, end.1, now()));
    tell(carrier, &message, end).await;
    if reordered {
        tell(carrier, &message, ("sent", None)).await;
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
    };
    let delivery = carrier.poster.post(&hook).await;
    if !delivery.is_ok() {
        tracing::warn!(sid = %message.sid, status, answer = delivery.status, "a status callback was not taken");
    }
    if carrier.chance.hits(faults.repeat_callback) {
        carrier.poster.post(&hook).await;
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
