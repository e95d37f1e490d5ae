//! Who may use the control interface: a program or a page on this machine, and no page from elsewhere.
//!
//! A page of any site may send requests to localhost, and with a name of its own that points to 127.0.0.1 (DNS rebinding)
//! may even read the answers. So the peer is this machine, the host is a name that only this machine has, and a request
//! that a browser makes comes from our own page.

use std::net::IpAddr;

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::carrier::door::Peer;

/// Lets through what comes from this machine.
pub(in crate::carrier) async fn guard(
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    match refusal(peer.ip(), request.method(), request.headers()) {
        None => next.run(request).await,
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
    }
}

fn refusal(peer: IpAddr, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"));
    let Some(host) = text(header::HOST) else { return Some("no host") };
    if !peer.to_canonical().is_loopback() {
        return Some("only from this machine");
    }
    if !is_local(host) {
        return Some("the host is not this machine");
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let ours = |origin: &str| origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host));
    if text(header::ORIGIN).is_some_and(|origin| !ours(origin)) {
        return Some("from another page");
    }
    match headers.get("sec-fetch-site").map(|value| value.as_bytes()) {
        None | Some(b"same-origin" | b"none") => None,
        Some(_) => Some("from another page"),
    }
}

/// `localhost`, a name under it, or a loopback address; with any port.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(peer: &str, method: Method, pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| {
            (name.parse::<header::HeaderName>().expect("a name"), value.parse().expect("a value"))
        });
        refusal(peer.parse().expect("an address"), &method, &headers.collect()).is_some()
    }

    #[test]
    fn a_program_or_our_own_page_on_this_machine_may() {
        for host in ["localhost:8090", "127.0.0.1:8090", "[::1]:8090", "LOCALHOST"] {
            assert!(!refused("127.0.0.1", Method::POST, &[("host", host)]), "{host}");
        }
        let page = [("host", "localhost:8090"), ("origin", "http://localhost:8090"), ("sec-fetch-site", "same-origin")];
        assert!(!refused("::1", Method::POST, &page));
    }

    #[test]
    fn nobody_else_may() {
        let post = |pairs: &[_]| refused("127.0.0.1", Method::POST, pairs);
        assert!(refused("192.0.2.7", Method::GET, &[("host", "localhost:8090")]), "another machine");
        assert!(refused("127.0.0.1", Method::GET, &[("host", "rebound.example:8090")]), "a name that was pointed here");
        assert!(refused("127.0.0.1", Method::GET, &[("host", "127.0.0.1.example:8090")]));
        assert!(refused("127.0.0.1", Method::GET, &[]), "no host");
        assert!(post(&[("host", "localhost:8090"), ("origin", "https://example.com")]));
        assert!(post(&[("host", "localhost:8090"), ("origin", "null")]));
        assert!(post(&[("host", "localhost:8090"), ("origin", "http://localhost:3000")]), "another server here");
        assert!(post(&[("host", "localhost:8090"), ("sec-fetch-site", "cross-site")]));
    }
}
