//! Twilio's memory of our texts: `GET Messages.json`, page by page, newest first.
//!
//! Filters and fields: twilio-oai `twilio_api_v2010.json` (ListMessage). Dates are RFC 2822, in whole seconds. A text that
//! still waits at Twilio has no date of sending and may be missing from a list by that date.

use std::time::Duration;

use actors::ports::{ListError, ListedText, LookUp};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{StatusCode, header};
use schema::{ids::AccountId, message::Status, time::Stamp};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    errors::failure,
    send::{TwilioCarrier, retry_after},
};

/// Rows of a page (Twilio gives at most 1,000).
const PAGE_SIZE: usize = 200;
/// Pages of one look-up: a contact gets no more texts in the minutes around a claim.
const LOOK_UP_PAGES: usize = 3;
/// Most bytes of a page that are read.
const PAGE_BYTES: usize = 4 << 20;

/// One page of a list of Twilio's.
pub(super) trait Page: DeserializeOwned + Send {
    /// Path and query of the next page.
    fn next(&self) -> Option<&str>;
}

#[derive(Deserialize)]
struct Messages {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

impl Page for Messages {
    fn next(&self) -> Option<&str> {
        self.next_page_uri.as_deref()
    }
}

/// What we need of a listed message.
#[derive(Deserialize)]
struct Message {
    sid: String,
    body: Option<String>,
    direction: Option<String>,
    num_media: Option<String>,
    status: String,
    error_code: Option<u32>,
    date_created: Option<String>,
    date_sent: Option<String>,
}

impl Message {
    /// `None`: not one that we sent through REST, or a row that cannot be read.
    fn listed(self) -> Option<ListedText> {
        if self.direction.as_deref().is_some_and(|direction| direction != "outbound-api") {
            return None;
        }
        let taken = self.date_created.or(self.date_sent).and_then(|text| stamp(&text))?;
        let (status, error) = match self.status.as_str() {
            "delivered" => (Status::Delivered, None),
            "read" => (Status::Read, None),
            "failed" | "undelivered" | "canceled" => {
                let (status, error) = failure(self.error_code.unwrap_or(0));
                (status, Some(error))
            }
            // Twilio has it: `queued`, `accepted`, `scheduled`, `sending`, `sent`, and what may be added.
            _ => (Status::Sent, None),
        };
        let media = self.num_media.and_then(|text| text.parse().ok()).unwrap_or(0);
        Some(ListedText { carrier_id: self.sid, taken, text: self.body.unwrap_or_default(), media, status, error })
    }
}

/// A date of Twilio's.
pub(super) fn stamp(text: &str) -> Option<Stamp> {
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(at.as_microsecond()).ok().map(Stamp)
}

/// A time as the filters want it.
pub(super) fn filter_time(at: Stamp) -> String {
    let at = i64::try_from(at.0).ok().and_then(|at| Timestamp::from_microsecond(at).ok()).unwrap_or(Timestamp::MAX);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One list to be read, page by page.
pub(super) struct Listing<'l> {
    pub(super) account: &'l AccountId,
    /// `Messages.json`, `Calls.json`.
    pub(super) resource: &'static str,
    pub(super) filters: Vec<(&'static str, String)>,
    /// Most pages.
    pub(super) pages_max: usize,
    /// For each page.
    pub(super) time_out: Duration,
}

impl TwilioCarrier {
    pub(super) async fn look_up_texts(&self, query: &LookUp) -> Result<Vec<ListedText>, ListError> {
        let filters = vec![
            ("To", query.to.as_str().to_owned()),
            ("From", query.from.clone()),
            ("DateSent>", filter_time(query.since)),
        ];
        let (account, resource, time_out) = (&query.account, "Messages.json", query.time_out);
        let listing = Listing { account, resource, filters, pages_max: LOOK_UP_PAGES, time_out };
        let (pages, complete) = self.pages::<Messages>(&listing).await?;
        if !complete {
            return Err(ListError::unavailable("more texts to one contact than are read"));
        }
        Ok(pages.into_iter().flat_map(|page| page.messages).filter_map(Message::listed).collect())
    }

    /// Every page, newest rows first, and whether they are all.
    pub(super) async fn pages<P: Page>(&self, listing: &Listing<'_>) -> Result<(Vec<P>, bool), ListError> {
        let Some((account, _)) = self.credentials(listing.account) else {
            return Err(ListError::unavailable("the account has no carrier id or no auth token"));
        };
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&listing.filters)
            .append_pair("PageSize", &PAGE_SIZE.to_string())
            .finish();
        let mut next = Some(format!("/2010-04-01/Accounts/{account}/{}?{query}", listing.resource));
        let mut pages: Vec<P> = Vec::new();
        while let Some(target) = next.take() {
            if pages.len() >= listing.pages_max {
                return Ok((pages, false));
            }
            let page: P = self.get(listing.account, &target, listing.time_out).await?;
            next = page.next().map(str::to_owned);
            pages.push(page);
        }
        Ok((pages, true))
    }

    /// One document. `target` is a path of Twilio's own: nothing else is ever asked with the account's token.
    pub(super) async fn get<D: DeserializeOwned>(
        &self,
        account: &AccountId,
        target: &str,
        time_out: Duration,
    ) -> Result<D, ListError> {
        let Some((sid, token)) = self.credentials(account) else {
            return Err(ListError::unavailable("the account has no carrier id or no auth token"));
        };
        if !target.starts_with("/2010-04-01/Accounts/") {
            return Err(ListError::unavailable("a page leads away from the carrier's own paths"));
        }
        let url = format!("{}{target}", self.base());
        let request =
            self.client.get(url).basic_auth(sid, Some(token.expose())).header(header::ACCEPT, "application/json");
        let answer = tokio::time::timeout(time_out, read(request)).await;
        answer.unwrap_or_else(|_| Err(ListError::unavailable("no answer in time")))
    }
}

async fn read<D: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<D, ListError> {
    // An error's own words hold the URL, and that the contact's number.
    let gone = |error: reqwest::Error| ListError::unavailable(error.without_url().to_string());
    let mut response = request.send().await.map_err(gone)?;
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        let retry_after = retry_after(&response).map(|seconds| Duration::from_secs(u64::from(seconds)));
        return Err(ListError::Unavailable { retry_after, reason: format!("HTTP {status}") });
    }
    if !status.is_success() {
        return Err(ListError::unavailable(format!("HTTP {status}")));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(gone)? {
        if body.len() + chunk.len() > PAGE_BYTES {
            return Err(ListError::unavailable("a page is larger than what is read"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| {
        ListError::unavailable(format!("a page cannot be read: line {}, column {}", error.line(), error.column()))
    })
}

#[cfg(test)]
mod tests {
    use schema::message::ErrorClass;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_listed_message_is_read_as_the_vendor_documents_it() {
        let row = json!({"sid": "SM1", "body": "hello", "direction": "outbound-api", "num_media": "0", "status": "undelivered",
            "error_code": 30_003, "date_created": "Thu, 24 Aug 2023 05:01:45 +0000", "date_sent": null, "price": null});
        let message: Message = serde_json::from_value(row.clone()).expect("a message");
        let listed = message.listed().expect("one of ours");
        assert_eq!(listed.taken, Stamp(1_692_853_305_000_000));
        assert_eq!((listed.status, listed.error.expect("why").class), (Status::Failed, ErrorClass::Transient));
        let mut late = row.clone();
        (late["status"], late["error_code"]) = (json!("failed"), json!(30_036));
        let late: Message = serde_json::from_value(late).expect("a message");
        assert_eq!(late.listed().expect("one of ours").status, Status::Expired);
        for (field, value) in
            [("direction", json!("outbound-reply")), ("direction", json!("inbound")), ("date_created", json!("soon"))]
        {
            let mut other = row.clone();
            other[field] = value;
            let message: Message = serde_json::from_value(other).expect("a message");
            assert_eq!(message.listed(), None, "{field}");
        }
    }

    #[test]
    fn times_are_written_as_the_filters_want_them() {
        assert_eq!(filter_time(Stamp(1_692_853_305_999_999)), "2023-08-24T05:01:45Z");
    }
}
