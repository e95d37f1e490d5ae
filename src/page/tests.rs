//! The page's doors: who is let in unasked, and what files are answered with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actors::memory::SystemClock;
use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Request, Response, StatusCode},
};
use schema::{
    ids::{OperatorId, TenantId},
    role::Role,
};
use tower::ServiceExt as _;

use super::*;
use crate::auth::Key;

fn page(demo: bool) -> Router {
    let guest = Guest {
        tenant: TenantId::new("demo").unwrap(),
        operator: OperatorId::new("maria").unwrap(),
        role: Role::Admin,
    };
    router(PageState::new(PageParts {
        auth: Arc::new(Authenticator::new(&[Key::Hs256(vec![7; 32])]).unwrap()),
        clock: Arc::new(SystemClock),
        guest: demo.then_some(guest),
        pictures: "http://localhost:8090".to_owned(),
    }))
}

/// The request of the page itself, with some headers changed (`""`: left out).
async fn sign_in(demo: bool, peer: [u8; 4], changed: &[(&str, &str)]) -> Response<Body> {
    let mut headers = vec![
        ("host", "localhost:8080"),
        ("origin", "http://localhost:8080"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/json"),
    ];
    for (name, value) in changed {
        headers.retain(|(known, _)| known != name);
        headers.extend((!value.is_empty()).then_some((*name, *value)));
    }
    let mut request = Request::post("/page/sign-in");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::from(peer)), 50_000);
    let request = request.extension(ConnectInfo(peer)).body(Body::from("{}")).unwrap();
    page(demo).oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_page_itself_is_let_in_in_demo_mode_and_its_token_is_not_kept() {
    let response = sign_in(true, [127, 0, 0, 1], &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((told["operator"].as_str(), told["valid_s"].as_u64()), (Some("maria"), Some(600)));
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let foreign: &[&[(&str, &str)]] = &[
        &[("origin", "https://evil.example")],
        &[("origin", "")],
        &[("origin", "null")],
        &[("origin", "http://localhost:9999")],
        &[("host", "evil.example:8080"), ("origin", "http://evil.example:8080")],
        &[("host", "localhost.evil.example"), ("origin", "http://localhost.evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("content-type", "text/plain")],
        &[("x-forwarded-for", "127.0.0.1")],
    ];
    for changed in foreign {
        let response = sign_in(true, [127, 0, 0, 1], changed).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{changed:?}");
    }
    assert_eq!(sign_in(true, [192, 0, 2, 7], &[]).await.status(), StatusCode::FORBIDDEN, "another machine");
    assert_eq!(sign_in(false, [127, 0, 0, 1], &[]).await.status(), StatusCode::FORBIDDEN, "no demo");
}

async fn get_with(path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    page(true).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn every_view_has_a_path_and_a_policy_without_anything_inline() {
    for path in ["/", "/inbox", "/inbox/mine/0190b2e4-7d1a-7000-8000-000000000000"] {
        let response = get_with(path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && policy.contains("default-src 'none'"), "{policy}");
        assert!(
            !policy.contains("unsafe") && policy.contains("img-src 'self' http://localhost:8090 blob:"),
            "{policy}"
        );
        assert_eq!(response.headers()["cache-control"], "no-cache");
    }
    assert_eq!(get_with("/assets/nothing.js", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_has_the_file_already_gets_it_not_again() {
    let first = get_with("/", &[("accept-encoding", "gzip, br;q=0")]).await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let again = get_with("/", &[("accept-encoding", "gzip, br;q=0"), ("if-none-match", &tag)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.headers()["etag"], tag.as_str());
    let other = get_with("/", &[("if-none-match", "\"older\"")]).await;
    assert_eq!(other.status(), StatusCode::OK);
}
