//! Who asks: what a request says of where it comes from, and whether it is our own page that asks.
//!
//! Another site's page must not act in an operator's name (CSRF). It could ask from the operator's browser, or make its own
//! name point to this machine (DNS rebinding). So each request that changes something must say `Origin`, ours; the browser
//! itself must say `same-origin` where it says anything; and its body's type makes a foreign page ask first (CORS), which is
//! never granted here. The cookie beside it is `SameSite=Strict`.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, Request},
    http::{HeaderMap, header},
};
use schema::problem::{Code, Problem};
use serde::de::DeserializeOwned;

use super::PageState;

/// The session's cookie. Sent to the page's own doors only, so that REST never sees it.
const COOKIE: &str = "deskwire";

/// A request of the page, or of somebody who would like to be it.
pub(super) struct Visit {
    pub(super) peer: Option<IpAddr>,
    headers: HeaderMap,
    body: Bytes,
}

impl FromRequest<PageState> for Visit {
    type Rejection = axum::response::Response;

    async fn from_request(request: Request, state: &PageState) -> Result<Self, Self::Rejection> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(axum::response::IntoResponse::into_response)?;
        Ok(Self { peer, headers, body })
    }
}

impl Visit {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What the body says.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Box<Problem>> {
        serde_json::from_slice(&self.body).map_err(|_| Box::new(Problem::new(Code::Malformed)))
    }

    /// What the browser calls itself.
    pub(super) fn agent(&self) -> &str {
        self.header("user-agent").unwrap_or_default()
    }

    /// The session's cookie, if it came along (RFC 6265 §4.2.1).
    pub(super) fn cookie(&self) -> Option<&str> {
        let mut cookies = self.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .find_map(|line| {
                line.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE)
            })
            .map(|(_, value)| value)
    }

    /// From this machine, without a proxy between.
    pub(super) fn is_near(&self) -> bool {
        let proxied = ["forwarded", "x-forwarded-for"].iter().any(|name| self.headers.contains_key(*name));
        self.peer.is_some_and(|peer| peer.to_canonical().is_loopback()) && !proxied
    }

    /// It is our page on one of this machine's own names, which nobody else can make theirs.
    pub(super) fn is_our_page_here(&self) -> bool {
        let Some(host) = self.header("host") else { return false };
        self.is_one_of_ours() && is_this_machine(host) && self.header("origin") == Some(&format!("http://{host}"))
    }

    /// It is our page: at the address that configuration says, or at the name that the request was made to.
    pub(super) fn is_our_page(&self, public_url: &str) -> bool {
        let Some(origin) = self.header("origin") else { return false };
        let host = origin.split_once("://").map(|(_, host)| host);
        self.is_one_of_ours()
            && (origin == public_url.trim_end_matches('/') || (host.is_some() && host == self.header("host")))
    }

    fn is_one_of_ours(&self) -> bool {
        let told = self.header("sec-fetch-site").is_none_or(|site| site == "same-origin");
        told && self.header("content-type").is_some_and(|kind| kind == "application/json")
    }
}

/// What makes the browser keep, or with an empty value forget, the cookie: out of scripts' reach, never for another site.
pub(super) fn set_cookie(value: &str, lasts_s: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/page; Max-Age={lasts_s}; HttpOnly; SameSite=Strict{secure}")
}

/// `localhost:8080`, `127.0.0.1:8080`, `[::1]:8080`: names that nobody else can make their own.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
