//! Twilio's memory of what came in: `Messages.json` and `Calls.json` of one number, as the commands that their webhooks
//! make, with the same ids.
//!
//! Of calls those that ended missed by their own status are proof. `completed` also stands for a forwarded call that
//! nobody took (carriers.md B.1, Voice): it is told as a call that is over, and the line's mode says what that means.

use actors::ports::{History, HistoryQuery, ListError, PastArrival};
use schema::{
    address::Address,
    command::{CallOutcome, CallReport, Command, ReceiveMessage},
    event::MediaRef,
    ids::ChannelId,
    segments,
    time::Stamp,
};
use serde::Deserialize;

use super::{
    list::{Listing, Page, filter_time, stamp},
    send::TwilioCarrier,
};

/// Most media of one message (Twilio's own limit).
const MEDIA_MAX: usize = 10;

#[derive(Deserialize)]
struct Messages {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Calls {
    calls: Vec<Call>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct MediaList {
    media_list: Vec<Medium>,
}

impl Page for Messages {
    fn next(&self) -> Option<&str> {
        self.next_page_uri.as_deref()
    }
}

impl Page for Calls {
    fn next(&self) -> Option<&str> {
        self.next_page_uri.as_deref()
    }
}

#[derive(Deserialize)]
struct Message {
    sid: String,
    from: Option<String>,
    body: Option<String>,
    direction: Option<String>,
    num_media: Option<String>,
    num_segments: Option<String>,
    date_created: Option<String>,
    date_sent: Option<String>,
}

#[derive(Deserialize)]
struct Call {
    sid: String,
    from: Option<String>,
    status: String,
    direction: Option<String>,
    parent_call_sid: Option<String>,
    caller_name: Option<String>,
    duration: Option<String>,
    start_time: Option<String>,
    date_created: Option<String>,
}

#[derive(Deserialize)]
struct Medium {
    uri: String,
    content_type: Option<String>,
}

impl TwilioCarrier {
    pub(super) async fn read_history(&self, query: &HistoryQuery) -> Result<History, ListError> {
        let mut reading = Reading { carrier: self, query, left: query.requests_max.max(2), complete: true };
        let calls = reading.calls().await?;
        let mut arrivals = reading.messages().await?;
        arrivals.extend(calls);
        // The sort keeps the order of rows of one second.
        arrivals.sort_by_key(|arrival| arrival.at);
        let requests = query.requests_max.max(2) - reading.left;
        Ok(History { arrivals, complete: reading.complete, requests })
    }
}

struct Reading<'r> {
    carrier: &'r TwilioCarrier,
    query: &'r HistoryQuery,
    /// Requests that may still be made.
    left: usize,
    complete: bool,
}

impl Reading<'_> {
    /// Every page that the requests left allow, but for those that are put by; oldest rows last.
    async fn pages<P: Page>(
        &mut self,
        resource: &'static str,
        dates: [&'static str; 2],
        put_by: usize,
    ) -> Result<Vec<P>, ListError> {
        let HistoryQuery { account, address, since, until, time_out, .. } = self.query;
        let [after, before] = dates;
        let filters = vec![("To", address.clone()), (after, filter_time(*since)), (before, filter_time(*until))];
        let pages_max = self.left.saturating_sub(put_by).max(1);
        let listing = Listing { account, resource, filters, pages_max, time_out: *time_out };
        let (pages, complete) = self.carrier.pages::<P>(&listing).await?;
        self.left = self.left.saturating_sub(pages.len());
        self.complete &= complete;
        Ok(pages)
    }

    async fn calls(&mut self) -> Result<Vec<PastArrival>, ListError> {
        let half = self.left / 2;
        let pages: Vec<Calls> = self.pages("Calls.json", ["StartTime>", "StartTime<"], half).await?;
        let rows = pages.into_iter().flat_map(|page| page.calls).rev();
        Ok(rows.filter_map(|call| call.arrival(&self.query.channel)).collect())
    }

    async fn messages(&mut self) -> Result<Vec<PastArrival>, ListError> {
        let pages: Vec<Messages> = self.pages("Messages.json", ["DateSent>", "DateSent<"], 0).await?;
        let mut arrivals = Vec::new();
        for row in pages.into_iter().flat_map(|page| page.messages).rev() {
            let media = match row.media() {
                0 => Vec::new(),
                count => match self.media(&row.sid, count).await? {
                    Some(media) => media,
                    None => continue,
                },
            };
            arrivals.extend(row.arrival(&self.query.channel, media));
        }
        Ok(arrivals)
    }

    /// `None`: no request is left for it; the row comes with a shorter stretch of time.
    async fn media(&mut self, sid: &str, count: usize) -> Result<Option<Vec<MediaRef>>, ListError> {
        if self.left == 0 || !is_sid(sid) {
            self.complete = false;
            return Ok(None);
        }
        self.left -= 1;
        let HistoryQuery { account, time_out, .. } = self.query;
        let Some((own, _)) = self.carrier.credentials(account) else { return Ok(None) };
        let target = format!("/2010-04-01/Accounts/{own}/Messages/{sid}/Media.json");
        let list: MediaList = self.carrier.get(account, &target, *time_out).await?;
        // A path, or it could begin with another host.
        let media = list.media_list.into_iter().filter(|medium| medium.uri.starts_with('/')).take(count);
        let media = media.map(|medium| MediaRef {
            // As webhooks name it.
            url: format!("{}{}", self.carrier.base(), medium.uri.trim_end_matches(".json")),
            content_type: medium.content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
        });
        Ok(Some(media.collect()))
    }
}

/// Only letters and digits go into a path.
fn is_sid(sid: &str) -> bool {
    (1..=64).contains(&sid.len()) && sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn date(texts: [Option<String>; 2]) -> Option<Stamp> {
    texts.into_iter().flatten().find_map(|text| stamp(&text))
}

impl Message {
    fn media(&self) -> usize {
        let count: usize = self.num_media.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
        count.min(MEDIA_MAX)
    }

    /// `None`: not one that came in, or a row that cannot be read.
    fn arrival(self, channel: &ChannelId, media: Vec<MediaRef>) -> Option<PastArrival> {
        if self.direction.as_deref() != Some("inbound") || !is_sid(&self.sid) {
            return None;
        }
        let at = date([self.date_sent, self.date_created])?;
        let text = self.body.unwrap_or_default();
        let counted = self.num_segments.and_then(|text| text.parse().ok()).filter(|count| *count > 0);
        let command = Command::Receive(ReceiveMessage {
            channel: channel.clone(),
            from: Address::from_carrier(&self.from.unwrap_or_default()).ok()?,
            carrier_id: self.sid,
            segments: counted.unwrap_or_else(|| segments::count(&text).segments),
            text,
            media,
            // The list does not tell what Twilio made of the words; we read them ourselves.
            carrier_keyword: None,
        });
        Some(PastArrival { at, command })
    }
}

impl Call {
    /// `None`: not a call that came in and is over, or a row that cannot be read.
    fn arrival(self, channel: &ChannelId) -> Option<PastArrival> {
        let outcome = match self.status.as_str() {
            "no-answer" | "busy" | "failed" | "canceled" => CallOutcome::Missed,
            "completed" => CallOutcome::Ended { duration_s: self.duration.and_then(|text| text.parse().ok()) },
            _ => return None,
        };
        let leg = self.parent_call_sid.is_some_and(|parent| !parent.is_empty());
        if leg || self.direction.as_deref() != Some("inbound") || !is_sid(&self.sid) {
            return None;
        }
        let at = date([self.start_time, self.date_created])?;
        let command = Command::Call(CallReport {
            channel: channel.clone(),
            from: Address::from_carrier(&self.from.unwrap_or_default()).ok()?,
            carrier_id: self.sid,
            outcome,
            name: self.caller_name.filter(|name| !name.is_empty()),
        });
        Some(PastArrival { at, command })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line() -> ChannelId {
        ChannelId::new("line").expect("a slug")
    }

    #[test]
    fn only_calls_that_came_in_and_are_over_are_told() {
        let row = json!({"sid": "CA1", "from": "+14155550100", "status": "no-answer", "direction": "inbound", "parent_call_sid": null,
            "caller_name": "", "start_time": "Thu, 24 Aug 2023 05:01:45 +0000"});
        let read = |row: Value| serde_json::from_value::<Call>(row).expect("a call").arrival(&line());
        let told = read(row.clone()).expect("missed");
        let Command::Call(call) = told.command else { panic!("a call") };
        assert_eq!((told.at, &*call.carrier_id, call.name), (Stamp(1_692_853_305_000_000), "CA1", None));
        for (field, value) in [
            ("status", json!("ringing")),
            ("status", json!("in-progress")),
            ("direction", json!("outbound-dial")),
            ("parent_call_sid", json!("CA0")),
            ("from", json!("+12")),
            ("sid", json!("CA1/../..")),
            ("start_time", json!("yesterday")),
        ] {
            let mut other = row.clone();
            other[field] = value.clone();
            assert_eq!(read(other), None, "{field} = {value}");
        }
        for status in ["busy", "failed", "canceled"] {
            let mut other = row.clone();
            other["status"] = json!(status);
            assert!(read(other).is_some(), "{status}");
        }
        let mut over = row;
        (over["status"], over["duration"]) = (json!("completed"), json!("17"));
        let Some(PastArrival { command: Command::Call(call), .. }) = read(over) else { panic!("a call") };
        assert_eq!(call.outcome, CallOutcome::Ended { duration_s: Some(17) });
    }

    #[test]
    fn only_texts_that_came_in_are_told() {
        let row = json!({"sid": "SM1", "from": "+14155550100", "body": "hello", "direction": "inbound", "num_media": "0",
            "num_segments": "1", "date_created": "Thu, 24 Aug 2023 05:01:45 +0000", "date_sent": null});
        let read = |row: Value| serde_json::from_value::<Message>(row).expect("a message").arrival(&line(), Vec::new());
        let Command::Receive(text) = read(row.clone()).expect("came in").command else { panic!("a text") };
        assert_eq!((&*text.text, &*text.carrier_id, text.segments), ("hello", "SM1", 1));
        for (field, value) in
            [("direction", json!("outbound-api")), ("from", json!("bob")), ("date_created", json!(""))]
        {
            let mut other = row.clone();
            other[field] = value.clone();
            assert_eq!(read(other), None, "{field} = {value}");
        }
    }
}
