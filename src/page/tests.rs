//! The page's doors: who is let in unasked, and what files are answered with.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use actors::{
    engine::{Limits, Ports, Setup},
    memory::{MemoryKeys, MemoryLog, MemoryViews, RecordingCarrier, SystemClock, SystemIds},
    ports::{Admission, Clock as _, Ids as _, Limiter, PaceRequest},
};
use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{self, Response, StatusCode},
};
use schema::{
    command::{Command, Registration, Request, Setting},
    event::{Author, Origin, Via},
    ids::{NodeId, OperatorId, TenantId},
    role::Role,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::auth::{
    Key,
    people::{PeopleLimits, PeopleTable},
};

/// Nothing leaves in these tests.
struct Unlimited;

impl Limiter for Unlimited {
    fn admit(&self, _: &PaceRequest<'_>, _: Stamp) -> Admission {
        Admission::Granted
    }
    fn restore(&self, _: &PaceRequest<'_>, _: Stamp) {}
}

async fn engine() -> Engine {
    let ports = Ports {
        log: Arc::new(MemoryLog::default()),
        views: Arc::new(MemoryViews::default()),
        keys: Arc::new(MemoryKeys::default()),
        limiter: Arc::new(Unlimited),
        carrier: Arc::new(RecordingCarrier::default()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    };
    let setup = Setup {
        node: NodeId::new("one").unwrap(),
        ports,
        limits: Limits::default(),
        arbiters: 1,
        advances: vec![],
        directory: Arc::default(),
    };
    Engine::start(setup).await.unwrap()
}

fn demo() -> TenantId {
    TenantId::new("demo").unwrap()
}

fn ana() -> OperatorId {
    OperatorId::new("ana").unwrap()
}

/// A page with whoever signs in.
struct World {
    engine: Engine,
    auth: Arc<Authenticator>,
    people: Arc<People>,
    router: Router,
}

impl World {
    async fn new(is_demo: bool) -> Self {
        let engine = engine().await;
        let auth = Arc::new(Authenticator::new(&[Key::Hs256(vec![7; 32])]).unwrap());
        let many = NonZeroU32::new(1_000).unwrap();
        let hour = Duration::from_secs(3_600);
        let limits = PeopleLimits {
            attempts_per_minute: many,
            peer_attempts_per_minute: many,
            session: hour,
            sessions_max: 4,
            invitation: hour,
            reset: hour,
        };
        let people = auth.people(PeopleTable::in_memory(), limits).unwrap();
        let guest = Guest {
            tenant: demo(),
            operator: OperatorId::new("maria").unwrap(),
            role: Role::Admin,
            phone: String::new(),
        };
        let router = router(PageState::new(PageParts {
            engine: engine.clone(),
            auth: auth.clone(),
            people: people.clone(),
            public_url: "https://desk.example".to_owned(),
            guest: is_demo.then_some(guest),
            pictures: "http://localhost:8090".to_owned(),
        }));
        Self { engine, auth, people, router }
    }

    async fn submit(&self, tenant: &TenantId, command: Command) {
        let origin = Origin { by: Author::Engine, via: Via::Engine, request: SystemIds.request() };
        self.engine.submit(tenant, Request { command, origin, key: None }).await.unwrap();
    }

    async fn role(&self, role: Option<Role>) {
        self.submit(&demo(), Command::Configure(Setting::Operator(ana(), role))).await;
    }

    /// Ana, an operator of the tenant, who was invited: her link.
    async fn invited(&self) -> String {
        self.submit(&TenantId::system(), Command::Register(Registration::Tenant(demo()))).await;
        self.role(Some(Role::Operator)).await;
        self.people.invite((demo(), ana()), "ana@desk.example", SystemClock.now()).await.unwrap().0
    }

    /// As the page itself asks at its public address, with some headers changed (`""`: left out).
    async fn post(&self, path: &str, body: Value, changed: &[(&str, &str)]) -> Response<Body> {
        let mut headers = vec![
            ("host", "desk.example"),
            ("origin", "https://desk.example"),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/json"),
        ];
        for (name, value) in changed {
            headers.retain(|(known, _)| known != name);
            headers.extend((!value.is_empty()).then_some((*name, *value)));
        }
        let request =
            headers.into_iter().fold(http::Request::post(path), |request, (name, value)| request.header(name, value));
        let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 50_000);
        let request = request.extension(ConnectInfo(peer)).body(Body::from(body.to_string())).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Ana sets her password: her cookie.
    async fn joined(&self) -> String {
        let link = self.invited().await;
        let response = self.post("/page/join", json!({"link": link, "password": PASSWORD}), &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        cookie(&response)
    }
}

const PASSWORD: &str = "correct horse battery";

/// The cookie that a response sets, as a browser would send it back.
fn cookie(response: &Response<Body>) -> String {
    response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn told(response: Response<Body>) -> Value {
    serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap()
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
    let mut request = http::Request::post("/page/sign-in");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::from(peer)), 50_000);
    let request = request.extension(ConnectInfo(peer)).body(Body::from("{}")).unwrap();
    World::new(demo).await.router.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_page_itself_is_let_in_in_demo_mode_and_its_token_is_not_kept() {
    let response = sign_in(true, [127, 0, 0, 1], &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    let told: Value = serde_json::from_slice(&body).unwrap();
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
    assert_eq!(sign_in(false, [127, 0, 0, 1], &[]).await.status(), StatusCode::UNAUTHORIZED, "no demo");
}

#[tokio::test]
async fn a_password_opens_a_session_whose_cookie_scripts_and_other_sites_never_have() {
    let world = World::new(false).await;
    world.joined().await;
    let wrong = json!({"email": "ana@desk.example", "password": "something else"});
    let refused = world.post("/page/sign-in", wrong, &[]).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(!refused.headers().contains_key("set-cookie"));
    assert_eq!(told(refused).await["code"], "bad_credentials");
    let right = json!({"email": "Ana@desk.example", "password": PASSWORD});
    let response = world.post("/page/sign-in", right, &[]).await;
    let set = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for wanted in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/page"] {
        assert!(set.contains(wanted), "{set}");
    }
    let kept = cookie(&response);
    let first = told(response).await;
    assert_eq!((first["operator"].as_str(), first["role"].as_str()), (Some("ana"), Some("operator")));
    let again = told(world.post("/page/sign-in", json!({}), &[("cookie", &kept)]).await).await;
    let token = again["token"].as_str().unwrap();
    assert!(world.auth.verify(token, SystemClock.now()).is_ok());
    let end = world.post("/page/sign-out", json!({}), &[("cookie", &kept)]).await;
    assert!(end.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert!(world.auth.verify(token, SystemClock.now()).is_err(), "the token ends with its session");
    assert_eq!(world.post("/page/sign-in", json!({}), &[("cookie", &kept)]).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_other_site_signs_anybody_in_or_out() {
    let world = World::new(false).await;
    let kept = world.joined().await;
    let foreign: &[(&str, &str)] = &[
        ("origin", "https://evil.example"),
        ("origin", ""),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("content-type", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    for path in ["/page/sign-in", "/page/sign-out", "/page/invitation", "/page/join"] {
        for changed in foreign {
            let response = world.post(path, json!({}), &[*changed, ("cookie", &kept)]).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {changed:?}");
        }
    }
    assert_eq!(world.post("/page/sign-in", json!({}), &[("cookie", &kept)]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn whoever_is_revoked_is_not_let_in_by_cookie_password_or_link() {
    let world = World::new(false).await;
    let kept = world.joined().await;
    let (link, _) = world.people.reset((demo(), ana()), SystemClock.now()).await.unwrap();
    world.role(None).await;
    let right = json!({"email": "ana@desk.example", "password": PASSWORD});
    assert_eq!(world.post("/page/sign-in", right, &[]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.post("/page/sign-in", json!({}), &[("cookie", &kept)]).await.status(), StatusCode::FORBIDDEN);
    let join = json!({"link": link, "password": PASSWORD});
    assert_eq!(world.post("/page/join", join, &[]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.post("/page/invitation", json!({"link": link}), &[]).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_link_says_whose_it_is_and_is_spent_once_used() {
    let world = World::new(false).await;
    let link = world.invited().await;
    let about = told(world.post("/page/invitation", json!({"link": link}), &[]).await).await;
    assert_eq!((about["email"].as_str(), about["reset"].as_bool()), (Some("ana@desk.example"), Some(false)));
    let short = world.post("/page/join", json!({"link": link, "password": "short"}), &[]).await;
    assert_eq!(short.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        world.post("/page/join", json!({"link": link, "password": PASSWORD}), &[]).await.status(),
        StatusCode::OK
    );
    let again = world.post("/page/join", json!({"link": link, "password": PASSWORD}), &[]).await;
    assert_eq!(again.status(), StatusCode::GONE);
    assert_eq!(world.post("/page/invitation", json!({"link": "guess"}), &[]).await.status(), StatusCode::GONE);
}

async fn get_with(path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = http::Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    World::new(true).await.router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn every_view_has_a_path_and_a_policy_without_anything_inline() {
    for path in ["/", "/join", "/inbox", "/inbox/mine/0190b2e4-7d1a-7000-8000-000000000000"] {
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
