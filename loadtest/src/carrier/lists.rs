//! Twilio's lists: messages, calls and media, newest first, filtered and in pages. A page's token names the last row of
//! the page before, so that what comes in meanwhile shifts nothing.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    call::Call,
    message::{API, Message, date},
    rest::{ApiError, authenticate},
    state::Carrier,
    store::{Filter, Span},
};
use crate::meter::Micros;

/// Rows of a page when the client does not say, and at most.
const PAGE: (usize, usize) = (50, 1_000);
const SECOND: Micros = 1_000_000;
const DAY: Micros = 86_400 * SECOND;

type Pairs = Vec<(String, String)>;
type Answer = Result<axum::Json<Value>, ApiError>;

pub(super) async fn messages(
    State(carrier): State<Arc<Carrier>>,
    Path(account): Path<String>,
    Query(query): Query<Pairs>,
    headers: HeaderMap,
) -> Answer {
    authenticate(&carrier, &account, &headers)?;
    let asked = Asked::read(&query, "DateSent")?;
    let filter =
        Filter { account: Some(account.clone()), to: asked.get("To"), from: asked.get("From"), sent: asked.span };
    let rows = carrier.store(|store| {
        let rows = store.list(&filter).map(|message| (message.sid.clone(), message));
        asked.page(rows, Message::to_json)
    });
    Ok(axum::Json(asked.json(&account, "Messages.json", "messages", rows)))
}

pub(super) async fn calls(
    State(carrier): State<Arc<Carrier>>,
    Path(account): Path<String>,
    Query(query): Query<Pairs>,
    headers: HeaderMap,
) -> Answer {
    authenticate(&carrier, &account, &headers)?;
    let asked = Asked::read(&query, "StartTime")?;
    let is = |wanted: Option<String>, actual: &str| wanted.is_none_or(|wanted| wanted == actual);
    let wanted = |call: &Call| {
        call.account == account
            && is(asked.get("To"), &call.to)
            && is(asked.get("From"), &call.from)
            && is(asked.get("Status"), &call.status)
            && asked.span.holds(Some(call.created_us))
    };
    let calls = carrier.book.list(usize::MAX, wanted);
    let rows = asked.page(calls.iter().map(|call| (call.sid.clone(), call)), Call::to_json);
    Ok(axum::Json(asked.json(&account, "Calls.json", "calls", rows)))
}

pub(super) async fn media(
    State(carrier): State<Arc<Carrier>>,
    Path((account, sid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    authenticate(&carrier, &account, &headers)?;
    let missing = ApiError::new(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found");
    let message = carrier.store(|store| store.get(&sid).filter(|message| message.account == account).cloned());
    let message = message.ok_or(missing)?;
    let uri = format!("/{API}/Accounts/{account}/Messages/{sid}/Media");
    let rows: Vec<Value> = message
        .media
        .iter()
        .map(|url| {
            let id = url.rsplit('/').next().unwrap_or_default();
            json!({
                "account_sid": account,
                "content_type": "image/png",
                "date_created": date(message.created_us),
                "date_updated": date(message.created_us),
                "parent_sid": sid,
                "sid": id,
                "uri": format!("{uri}/{id}.json"),
            })
        })
        .collect();
    Ok(axum::Json(json!({
        "end": rows.len().saturating_sub(1),
        "first_page_uri": format!("{uri}.json?PageSize=50&Page=0"),
        "media_list": rows,
        "next_page_uri": null,
        "page": 0,
        "page_size": 50,
        "previous_page_uri": null,
        "start": 0,
        "uri": format!("{uri}.json"),
    })))
}

/// What a client asks of a list.
struct Asked<'q> {
    query: &'q Pairs,
    span: Span,
    page: usize,
    size: usize,
    after: Option<String>,
}

/// A page: its rows, and the last row's id if there are more.
struct Rows {
    rows: Vec<Value>,
    next: Option<String>,
}

impl<'q> Asked<'q> {
    /// `date` is the name of the list's filter by time.
    fn read(query: &'q Pairs, date: &str) -> Result<Self, ApiError> {
        let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let number = |name: &str, default: usize| get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
        let bad = ApiError::new(StatusCode::BAD_REQUEST, 20_001, "Invalid date");
        let time = |name: &str| get(name).map(|text| moment(text).ok_or(bad)).transpose();
        let (on, before, after) = (time(date)?, time(&format!("{date}<"))?, time(&format!("{date}>"))?);
        let span = Span {
            first: [on, after].into_iter().flatten().map(|(first, _)| first).max(),
            last: [on, before].into_iter().flatten().map(|(_, last)| last).min(),
        };
        let size = number("PageSize", PAGE.0).clamp(1, PAGE.1);
        let after = get("PageToken").map(|token| token.trim_start_matches("PA").to_owned());
        Ok(Self { query, span, page: number("Page", 0), size, after })
    }

    fn get(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn page<T>(&self, rows: impl Iterator<Item = (String, T)>, show: impl Fn(T) -> Value) -> Rows {
        let (mut passed, mut skipped) = (self.after.is_none(), 0);
        let (mut shown, mut last, mut more) = (Vec::new(), None, false);
        for (sid, row) in rows {
            if !passed {
                passed = self.after.as_deref() == Some(&sid);
                continue;
            }
            if self.after.is_none() && skipped < self.page.saturating_mul(self.size) {
                skipped += 1;
                continue;
            }
            if shown.len() == self.size {
                more = true;
                break;
            }
            shown.push(show(row));
            last = Some(sid);
        }
        Rows { rows: shown, next: last.filter(|_| more) }
    }

    fn json(&self, account: &str, resource: &str, name: &str, Rows { rows, next }: Rows) -> Value {
        let Self { page, size, .. } = *self;
        let kept = self.query.iter().filter(|(name, _)| !matches!(name.as_str(), "Page" | "PageSize" | "PageToken"));
        let filters = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        let uri = |page: usize, token: &str| {
            let and = if filters.is_empty() { "" } else { "&" };
            format!("/{API}/Accounts/{account}/{resource}?{filters}{and}PageSize={size}&Page={page}{token}")
        };
        let mut answer = json!({
            "end": page * size + rows.len().saturating_sub(1),
            "first_page_uri": uri(0, ""),
            "next_page_uri": next.map(|sid| uri(page + 1, &format!("&PageToken=PA{sid}"))),
            "page": page,
            "page_size": size,
            "previous_page_uri": page.checked_sub(1).map(|page| uri(page, "")),
            "start": page * size,
            "uri": uri(page, ""),
        });
        answer[name] = Value::Array(rows);
        answer
    }
}

/// First and last microsecond of what a filter names: a day (YYYY-MM-DD, UTC) or a second (RFC 3339).
fn moment(text: &str) -> Option<(Micros, Micros)> {
    let micros = |at: Timestamp| u64::try_from(at.as_microsecond()).ok();
    if let Ok(at) = text.parse::<Timestamp>() {
        let first = micros(at)? / SECOND * SECOND;
        return Some((first, first + SECOND - 1));
    }
    let day: Date = text.parse().ok()?;
    let first = micros(day.to_zoned(TimeZone::UTC).ok()?.timestamp())?;
    Some((first, first + DAY - 1))
}
