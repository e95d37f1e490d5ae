//! A server with the tenants `demo` and `other`, and a client that asks it.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    sync::{Arc, Once},
    time::Duration,
};

use actors::{
    engine::{Engine, Limits, Ports, Setup},
    figures::{Figures, FiguresConfig},
    follower::Advances,
    indexer::{Indexer, IndexerConfig},
    memory::{
        MemoryKeys, MemoryLog, MemorySearch, MemorySnapshots, MemoryViews, RecordingCarrier, SystemClock, SystemIds,
    },
    pace::LocalLimiter,
    ports::{Clock as _, Ids as _, Search},
};
use deskwire::{
    api::{self, ApiLimits, ApiParts, ApiState},
    auth::{
        Authenticator, Claims, Key,
        people::{PeopleLimits, PeopleTable},
    },
};
use reqwest::{Method, StatusCode};
use schema::{
    address::Address,
    command::{Command, ReceiveMessage, Registration, Reply, Request, Setting},
    event::{Author, Origin, Via},
    ids::{AccountId, ChannelId, NodeId, OperatorId, TemplateId, TenantId},
    role::Role,
    settings::{ChannelSettings, TemplateSettings},
};
use serde_json::{Value, json};

/// Longest wait for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A running server.
pub struct World {
    pub engine: Engine,
    pub carrier: Arc<RecordingCarrier>,
    pub address: SocketAddr,
    auth: Arc<Authenticator>,
    client: reqwest::Client,
}

/// An answer: status, body, and the headers that matter.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

pub fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

pub fn limits() -> ApiLimits {
    let plenty = NonZeroU32::new(100_000).unwrap();
    ApiLimits { requests_per_s: plenty, requests_burst: plenty, ..ApiLimits::default() }
}

pub fn people_limits() -> PeopleLimits {
    let plenty = NonZeroU32::new(100_000).unwrap();
    PeopleLimits {
        attempts_per_minute: plenty,
        peer_attempts_per_minute: plenty,
        session: DEADLINE * 100,
        sessions_max: 16,
        invitation: DEADLINE * 100,
        reset: DEADLINE * 100,
    }
}

fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().timeout(DEADLINE).build().unwrap()
}

impl World {
    pub async fn start() -> Self {
        Self::with(limits(), Arc::new(MemorySearch::default())).await
    }

    pub async fn with(limits: ApiLimits, search: Arc<dyn Search>) -> Self {
        let carrier = Arc::new(RecordingCarrier::default());
        let ports = Ports {
            log: Arc::new(MemoryLog::default()),
            views: Arc::new(MemoryViews::default()),
            keys: Arc::new(MemoryKeys::default()),
            limiter: Arc::new(LocalLimiter::default()),
            carrier: carrier.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let advances = Arc::new(Advances::default());
        let engine = engine(ports.clone(), advances.clone()).await;
        let often = IndexerConfig { commit_interval: Duration::from_millis(20), ..IndexerConfig::default() };
        let figures = Figures::new(ports.log.clone(), Arc::new(MemorySnapshots::default()), FiguresConfig::default());
        let indexer = Indexer::new(ports.log, engine.vault().clone(), search.clone(), advances, often);
        tokio::spawn(indexer.run());
        let auth = Arc::new(Authenticator::new(&[Key::Hs256(vec![7; 32])]).unwrap());
        let people = auth.people(PeopleTable::in_memory(), people_limits()).unwrap();
        let state = ApiState::new(ApiParts {
            engine: engine.clone(),
            auth: auth.clone(),
            search,
            figures,
            put_secret: Arc::new(|_, _| Box::pin(std::future::ready(Ok(())))),
            people,
            public_url: "https://desk.example".to_owned(),
            ready: Arc::new(|| Ok(())),
            metrics: Arc::new(|| "deskwire_up 1\n".to_owned()),
            limits,
            origins: vec!["https://desk.example".to_owned()],
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = api::router(state).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let world = Self { engine, carrier, address, auth, client: client() };
        world.found("demo", "+15550100001").await;
        world.found("other", "+15550100002").await;
        world
    }

    /// A tenant with one line and one template.
    async fn found(&self, name: &str, number: &str) {
        let account = AccountId::new(&format!("{name}-account")).unwrap();
        let registrations = [
            Registration::Tenant(tenant(name)),
            Registration::Account { account: account.clone(), tenant: tenant(name), carrier_id: format!("AC{name}") },
            Registration::Channel {
                channel: line(name),
                tenant: tenant(name),
                account: account.clone(),
                address: number.to_owned(),
            },
        ];
        for registration in registrations {
            self.submit(&TenantId::system(), Command::Register(registration)).await;
        }
        let template = TemplateSettings { text: format!("Hello from {name}") };
        let id = TemplateId::new(&format!("{name}-hello")).unwrap();
        self.submit(&tenant(name), Command::Configure(Setting::Template(id, Some(template)))).await;
        let settings = ChannelSettings { cool_down_s: 60, ..ChannelSettings::new(number, account) };
        self.submit(&tenant(name), Command::Configure(Setting::Channel(line(name), settings))).await;
    }

    pub async fn submit(&self, tenant: &TenantId, command: Command) -> Reply {
        let origin = Origin { by: Author::Engine, via: Via::Command, request: SystemIds.request() };
        self.engine.submit(tenant, Request { command, origin, key: None }).await.unwrap()
    }

    /// A contact writes to a tenant; the views hold it when this returns.
    pub async fn receive(&self, to: &str, from: &str, text: &str) -> Reply {
        let message = ReceiveMessage {
            channel: line(to),
            from: Address::from_carrier(from).unwrap(),
            carrier_id: format!("SM{}", SystemIds.uuid()),
            text: text.to_owned(),
            media: vec![],
            segments: 1,
            carrier_keyword: None,
        };
        let reply = self.submit(&tenant(to), Command::Receive(message)).await;
        self.engine.tenant(&tenant(to)).await.unwrap().viewed(reply.offset).await.unwrap();
        reply
    }

    pub fn token(&self, of: &str, operator: &str, role: Role, ttl: Duration) -> String {
        let (operator, expires) = (OperatorId::new(operator).unwrap(), SystemClock.now().plus(ttl));
        self.auth.mint(&Claims { tenant: tenant(of), operator, role, expires }).unwrap()
    }

    /// A token of `demo` that is good for an hour.
    pub fn demo(&self, role: Role) -> String {
        let name = format!("{role:?}").to_lowercase();
        self.token("demo", &name, role, Duration::from_secs(3_600))
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, body, headers }
    }

    pub async fn ask(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.request(method, path).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    /// Reads as `demo`'s admin; it must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(&self.demo(Role::Admin), Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Changes as `demo`'s admin; it must succeed.
    pub async fn change(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.ask(&self.demo(Role::Admin), method, path, Some(&body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.change(Method::POST, path, body).await
    }

    /// Asks until the answer is as wanted; what the views do not hold yet is not found for a moment.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let asked = async {
            loop {
                let answer = self.ask(&self.demo(Role::Admin), Method::GET, path, None).await;
                assert!(answer.status == 200 || answer.status == 404, "{path}: {}", answer.body);
                if answer.status == 200 && wanted(&answer.body) {
                    return answer.body;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, asked).await.unwrap_or_else(|_| panic!("{path} never became as wanted"))
    }
}

pub fn line(tenant: &str) -> ChannelId {
    ChannelId::new(&format!("{tenant}-line")).unwrap()
}

async fn engine(ports: Ports, advances: Arc<Advances>) -> Engine {
    let setup = Setup {
        node: NodeId::new("one").unwrap(),
        ports,
        limits: Limits::default(),
        arbiters: 1,
        advances: vec![advances],
        directory: Arc::default(),
    };
    Engine::start(setup).await.unwrap()
}

/// A body that the route takes.
pub fn body_for(path: &str, method: &str) -> Option<Value> {
    let last = path.rsplit('/').next().unwrap_or_default();
    Some(match (method, last) {
        ("get" | "delete", _) => return None,
        (_, "messages") if path == "/v1/messages" => json!({"to": "+12125550001", "text": "hello"}),
        (_, "messages" | "notes") => json!({"text": "hello"}),
        (_, "assign") => json!({"operator": "ana"}),
        (_, "snooze") => json!({"until": SystemClock.now().plus(Duration::from_secs(60))}),
        (_, "block") => json!({"why": "spam"}),
        (_, "tags") => json!({"add": ["vip"]}),
        (_, "read") => json!({"up_to": 1}),
        (_, "consent") => json!({"how": "phone", "when": 1, "words": "Text me"}),
        (_, "contact") => json!({"name": "Ana"}),
        (_, "tenant") => json!({"business_name": "Demo"}),
        (_, "coverage") => json!({"coverage": true}),
        (_, "filters") => json!({"filters": []}),
        (_, "availability") => json!({"availability": "away"}),
        (_, "hours") => {
            json!({"hours": {"zone": "Europe/Berlin", "spans": [{"day": "monday", "from_min": 540, "until_min": 1020}]}})
        }
        (_, "preferences") => json!({"language": "de"}),
        (_, "pause") => json!({"pause": "none"}),
        (_, "limits") => json!({"number_per_s": 2}),
        _ if path.contains("/templates/") => json!({"text": "Hello"}),
        (_, "reset") => return None,
        (_, "invitations") => json!({"operator": "nora", "email": "nora@desk.example", "role": "operator"}),
        _ if path.contains("/operators/") => json!({"role": "operator"}),
        _ if path.contains("/accounts/") => json!({"carrier_id": "AC9", "auth_token": "secret"}),
        _ if path.ends_with("/tenants") => json!({"tenant": "new", "business_name": "New"}),
        _ if path.contains("/channels/") => json!({"address": "+15550100009", "account": "demo-account",
            "coverage": false, "cool_down_s": 60, "answers": {}}),
        _ => json!({}),
    })
}
