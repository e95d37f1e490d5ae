//! The telephone: one page, its state, and a stream that says when there is something new. No build, no framework.

mod guard;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Redirect, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::Stream;
use serde::{Deserialize, Serialize};

pub(super) use guard::guard;

use super::{
    call::Call,
    handset::{Handset, Received},
    keywords::NumberType,
    message::Message,
    state::Carrier,
    store::Filter,
};
use crate::meter::Micros;

/// Scripts and styles are files of their own, and nothing comes from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Texts of a thread that are shown.
const SHOWN_MAX: usize = 200;
/// Calls of one caller that are shown.
const CALLS_MAX: usize = 5;
/// Changes that come closer than this are told together.
const QUIET: Duration = Duration::from_millis(50);

pub(super) fn router(carrier: Arc<Carrier>) -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary("/phone")))
        .route("/phone", get(async || asset(include_str!("page.html"), "text/html; charset=utf-8")))
        .route("/phone/page.js", get(async || asset(include_str!("page.js"), "text/javascript; charset=utf-8")))
        .route("/phone/page.css", get(async || asset(include_str!("page.css"), "text/css; charset=utf-8")))
        .route("/phone/icon.svg", get(async || asset(include_str!("icon.svg"), "image/svg+xml")))
        .route("/control/phone", get(state))
        .route("/control/phone/lines", get(lines))
        .route("/control/phone/changes", get(changes))
        .with_state(carrier)
}

fn asset(text: &'static str, content_type: &'static str) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    let mut response = ([(header::CONTENT_TYPE, content_type)], text).into_response();
    response.headers_mut().extend(HEADERS);
    response
}

#[derive(Serialize)]
struct Lines {
    lines: Vec<LineShown>,
    networks: Vec<String>,
}

#[derive(Serialize)]
struct LineShown {
    channel: String,
    address: String,
    number_type: NumberType,
}

async fn lines(State(carrier): State<Arc<Carrier>>) -> Json<Lines> {
    let lines = carrier.lines().iter().map(|line| LineShown {
        channel: line.channel.clone(),
        address: line.address.clone(),
        number_type: line.number_type,
    });
    let networks = carrier.networks().iter().map(|network| network.name.clone()).collect();
    Json(Lines { lines: lines.collect(), networks })
}

#[derive(Deserialize)]
struct Whose {
    number: String,
    line: String,
}

/// What a telephone shows.
#[derive(Serialize)]
struct Shown {
    handset: Handset,
    texts: Vec<Text>,
    /// Texts that the network holds, because the telephone is off.
    waiting: usize,
    calls: Vec<Call>,
    /// The business's telephone: legs that ring or are talked on at the page.
    desk: Vec<Call>,
}

#[derive(Serialize)]
struct Text {
    at_us: Micros,
    mine: bool,
    by_carrier: bool,
    body: String,
    media: Vec<String>,
}

impl From<Received> for Text {
    fn from(text: Received) -> Self {
        let Received { at_us, body, media, by_carrier, .. } = text;
        Self { at_us, mine: false, by_carrier, body, media }
    }
}

async fn state(State(carrier): State<Arc<Carrier>>, Query(whose): Query<Whose>) -> Json<Shown> {
    let mine = Filter { from: Some(whose.number.clone()), to: Some(whose.line.clone()), ..Filter::default() };
    let to_me = Filter { from: Some(whose.line.clone()), to: Some(whose.number.clone()), ..Filter::default() };
    let own = |message: &Message| Text {
        at_us: message.created_us,
        mine: true,
        by_carrier: false,
        body: message.body.clone(),
        media: message.media.clone(),
    };
    let (mut texts, waiting) = carrier.store(|store| {
        let texts: Vec<Text> = store.list(&mine).take(SHOWN_MAX).map(own).collect();
        (texts, store.list(&to_me).take(SHOWN_MAX).filter(|message| message.status == "sent").count())
    });
    let received = carrier.received(&whose.number).into_iter().filter(|received| received.from == whose.line);
    texts.extend(received.map(Text::from));
    texts.sort_by_key(|text| text.at_us);
    let extra = texts.len().saturating_sub(SHOWN_MAX);
    texts.drain(..extra);
    let is_mine = |call: &Call| call.parent.is_none() && call.live && call.from == whose.number;
    let is_desk = |call: &Call| call.parent.is_some() && call.live && !call.is_over();
    Json(Shown {
        handset: carrier.handsets.get(&whose.number),
        texts,
        waiting,
        calls: carrier.book.list(CALLS_MAX, is_mine),
        desk: carrier.book.list(CALLS_MAX, is_desk),
    })
}

/// One event at first and one for each change; what changed, the page asks.
async fn changes(State(carrier): State<Arc<Carrier>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = carrier.changes();
    changes.mark_changed();
    let stream = futures_util::stream::unfold((changes, carrier.closing()), |(mut changes, mut closing)| async move {
        tokio::select! {
            changed = changes.changed() => changed.ok()?,
            _ = closing.wait_for(|closed| *closed) => return None,
        }
        tokio::time::sleep(QUIET).await;
        let revision = *changes.borrow_and_update();
        Some((Ok(Event::default().data(revision.to_string())), (changes, closing)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
