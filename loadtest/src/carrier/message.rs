//! One message as Twilio keeps and shows it: numbers as strings, dates in RFC 2822.

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::meter::Micros;

/// The API's version, part of every path.
pub const API: &str = "2010-04-01";

/// A message in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// SM or MM and 32 hexadecimal digits.
    pub sid: String,
    /// AccountSid.
    pub account: String,
    /// Who it is from.
    pub from: String,
    /// Who it is to.
    pub to: String,
    /// What it says.
    pub body: String,
    /// Pictures and files.
    pub media: Vec<String>,
    /// Its cost.
    pub segments: u16,
    /// Twilio's word for where it is.
    pub status: String,
    /// Why it failed.
    pub error: Option<u32>,
    /// From the contact.
    pub inbound: bool,
    /// When it was taken.
    pub created_us: Micros,
    /// When it was sent.
    pub sent_us: Option<Micros>,
    /// When it last changed.
    pub updated_us: Micros,
    /// Where its statuses go.
    pub callback: Option<String>,
    /// Seconds after which it is given up; none: the carrier's own ten hours.
    pub validity_s: Option<u32>,
}

impl Message {
    /// When its sender let it go by its own clock: `t` of its callback's URL, microseconds.
    pub fn departed_us(&self) -> Option<Micros> {
        let (_, query) = self.callback.as_deref()?.split('#').next()?.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "t")?.1.parse().ok()
    }

    /// As the API shows it.
    pub fn to_json(&self) -> Value {
        let uri = format!("/{API}/Accounts/{}/Messages/{}", self.account, self.sid);
        json!({
            "account_sid": self.account,
            "api_version": API,
            "body": self.body,
            "date_created": date(self.created_us),
            "date_sent": self.sent_us.map(date),
            "date_updated": date(self.updated_us),
            "direction": if self.inbound { "inbound" } else { "outbound-api" },
            "error_code": self.error,
            "error_message": self.error.map(|_| "the text was not delivered"),
            "from": self.from,
            "messaging_service_sid": null,
            "num_media": self.media.len().to_string(),
            "num_segments": self.segments.to_string(),
            "price": null,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": { "media": format!("{uri}/Media.json") },
            "to": self.to,
            "uri": format!("{uri}.json"),
        })
    }
}

/// As in `Thu, 24 Aug 2023 05:01:45 +0000`.
pub fn date(at: Micros) -> String {
    let at = timestamp(at).to_zoned(TimeZone::UTC);
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// As in `RawDlrDoneDate`: YYMMDDhhmm.
pub fn done_date(at: Micros) -> String {
    timestamp(at).to_zoned(TimeZone::UTC).strftime("%y%m%d%H%M").to_string()
}

fn timestamp(at: Micros) -> Timestamp {
    i64::try_from(at).ok().and_then(|at| Timestamp::from_microsecond(at).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}
