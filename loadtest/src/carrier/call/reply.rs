//! Texts in answer: `<Message>` in the answer to a text, `<Sms>` in a call. They pass the same blocks as those of REST.

use std::{collections::VecDeque, sync::Arc};

use schema::segments;

use super::{
    fetch::{document, hook, resolve},
    new_sid,
    twiml::{Problem, Reply, Target, Verb},
};
use crate::carrier::{
    callbacks,
    config::Line,
    fault::Fate,
    message::Message,
    state::{Carrier, now},
    webhook::{Answered, Hook},
};

/// Documents in answer to one text.
const DOCUMENTS_MAX: usize = 10;

/// A text from a line, as a document says. One that the contact blocked is dropped, as the carrier does.
pub(super) fn send(carrier: &Arc<Carrier>, line: &Line, contact: &str, reply: &Reply) {
    let to = reply.to.clone().unwrap_or_else(|| contact.to_owned());
    if carrier.blocks(line, &to) {
        tracing::info!(code = 21_610, "a text in answer was not sent: the contact opted out");
        return;
    }
    let at = now();
    let message = Message {
        sid: new_sid(if reply.media.is_empty() { "SM" } else { "MM" }),
        account: line.account.clone(),
        from: line.address.clone(),
        to,
        body: reply.body.clone(),
        media: reply.media.clone(),
        segments: segments::count(&reply.body).segments,
        status: "queued".to_owned(),
        error: None,
        inbound: false,
        created_us: at,
        sent_us: None,
        updated_us: at,
        callback: reply.status.clone(),
        validity_s: None,
    };
    carrier.take(&message);
    callbacks::start(carrier.clone(), message, Fate::Accept);
}

/// Does what the engine answered to a text. Each problem is noted in the log: a text has no other place for it.
pub(in crate::carrier) async fn obey(carrier: &Arc<Carrier>, line: &Line, posted: &Hook, answered: Answered) {
    let contact = posted.form.iter().find(|(name, _)| name == "From").map_or("", |(_, value)| value.as_str());
    let mut queue = VecDeque::from([(posted.public_url.clone(), answered)]);
    for _ in 0..DOCUMENTS_MAX {
        let Some((url, answered)) = queue.pop_front() else { return };
        if !answered.delivery.is_ok() {
            return;
        }
        let document = match document(&answered) {
            Ok(document) => document,
            Err(problem) => return told(&posted.sid, &problem),
        };
        for problem in &document.problems {
            told(&posted.sid, problem);
        }
        for verb in &document.verbs {
            match verb {
                Verb::Message(reply) => send(carrier, line, contact, &whole(&url, reply)),
                // A plain text in answer to a text is its answer.
                Verb::Say(text) => send(carrier, line, contact, &Reply { body: text.clone(), ..Reply::default() }),
                Verb::Redirect(target) => {
                    let Some(next) = resolve(&url, &target.url) else { return };
                    let target = Target { url: next.clone(), get: target.get };
                    let hook = hook(carrier, &line.account, &posted.sid, &target, posted.form.clone());
                    queue.push_back((next, carrier.post(&hook).await));
                    break;
                }
                other => told(&posted.sid, &Problem::new(12_200, format!("{other:?} is no verb for texts"))),
            }
        }
    }
}

/// With its callback made whole.
fn whole(base: &str, reply: &Reply) -> Reply {
    let status = reply.status.as_ref().and_then(|url| resolve(base, url));
    Reply { status, ..reply.clone() }
}

fn told(sid: &str, problem: &Problem) {
    tracing::warn!(%sid, code = problem.code, "the answer to a text was not understood");
}
