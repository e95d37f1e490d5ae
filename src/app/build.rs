//! From configuration and stores to a running engine with its edges.

use std::{net::SocketAddr, path::Path, sync::Arc};

use actors::{
    catch_up::CatchUp,
    directory::SystemDirectory,
    engine::{Engine, Ports, Setup},
    figures::{Figures, FiguresConfig},
    follower::Advances,
    indexer::{Indexer, IndexerConfig},
    memory::{SystemClock, SystemIds},
    pace::Keeper,
    ports::{Carrier, Clock, Ids, Limiter, Search},
};
use anyhow::Context as _;
use schema::ids::{NodeId, TenantId};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    Listener, ListenerLimits, Stores, Tls, cluster, demo,
    keys::{self, KeyWatch},
    limits::{api_limits, catch_up, inbound_settings, limits, people_limits, stream_limits, webhook_settings},
    pace,
};
use crate::{
    api::{self, ApiParts, ApiState, Metrics, PutSecret, Ready},
    auth::{Authenticator, people::People},
    channels::twilio::{TwilioCarrier, TwilioInbound, TwilioSettings},
    cluster::Nodes,
    config::Config,
    figures::DiskSnapshots,
    page::{self, PageParts, PageState},
    search::DiskSearch,
    session::{self, StreamState},
    webhook::{self, WebhookState},
};

/// A running engine: where it listens, and how it ends.
pub struct Running {
    engine: Engine,
    stream: StreamState,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    followers: Vec<JoinHandle<()>>,
    drain: std::time::Duration,
    nodes: Option<(Arc<Nodes>, std::time::Duration)>,
}

/// Builds everything and starts serving. Nothing is served before the engine stands.
pub async fn start(config: &Config, stores: Stores, metrics: Metrics) -> anyhow::Result<Running> {
    let data = &config.data.directory;
    let tls = Tls::load(config)?;
    let listener = Listener::bind(config.server.listen, listener_limits(config), tls.clone())
        .await
        .with_context(|| format!("server.listen = \"{}\" cannot be bound", config.server.listen))?;
    let address = listener.address()?;
    let directory: Arc<SystemDirectory> = Arc::default();
    let carrier = carrier(config, &stores, &directory)?;
    let (node, limiter, keeper) = pace(config)?;
    let [grown, counted] = [Arc::new(Advances::default()), Arc::new(Advances::default())];
    let setup = Setup {
        node,
        ports: ports(&stores, limiter, carrier),
        limits: limits(config),
        arbiters: std::thread::available_parallelism().map_or(1, usize::from),
        advances: vec![grown.clone(), counted.clone()],
        directory: directory.clone(),
    };
    let (engine, nodes) = cluster::start(config, setup).await?;
    let search: Arc<dyn Search> = Arc::new(search(config)?);
    let follower = IndexerConfig { commit_interval: config.search.commit_interval_ms.duration(), ..Default::default() };
    let indexer = Indexer::new(stores.log.clone(), engine.vault().clone(), search.clone(), grown, follower);
    let figures = figures(config, &stores)?;
    let mut followers = vec![tokio::spawn(indexer.run()), tokio::spawn(figures.clone().run(counted))];
    followers.extend(keeper.map(|keeper| tokio::spawn(keeper.run())));
    if let Some(tls) = tls {
        followers.push(tokio::spawn(watch_certificate(tls, config.server.tls_reload_s.duration())));
    }
    if config.demo.enabled {
        demo::ensure(&engine, &stores, data, &config.server.public_url).await.context("the demo tenant")?;
    }
    followers.push(tokio::spawn(CatchUp::new(engine.clone(), catch_up(config)).run()));
    let (stop, stopping) = watch::channel(false);
    let auth = Arc::new(keys::authenticator(config)?);
    followers.push(tokio::spawn(KeyWatch::over(config, &auth).run()));
    let people = auth.people(stores.people.clone(), people_limits(config)).context("who signs in")?;
    let origins = config.server.allowed_origins.clone();
    let api = ApiState::new(ApiParts {
        engine: engine.clone(),
        auth: auth.clone(),
        search,
        figures,
        put_secret: put_secret(&stores),
        people: people.clone(),
        public_url: config.server.public_url.clone(),
        ready: ready(&engine),
        metrics,
        limits: api_limits(config),
        origins: origins.clone(),
    });
    if nodes.is_some() {
        followers.push(tokio::spawn(cluster::read_shared(stores.secrets.refresh.clone(), people.clone())));
    }
    let page = PageState::new(page_parts(config, &engine, auth.clone(), people)?);
    let stream = StreamState::new(engine.clone(), auth, stream_limits(config), origins);
    let inbound = TwilioInbound::new(&inbound_settings(config), directory, stores.secrets.get.clone());
    let webhooks = WebhookState::new(engine.clone(), Arc::new(inbound), webhook_settings(config));
    let routes = api::router(api)
        .merge(session::router(stream.clone()))
        .merge(webhook::router(webhooks))
        .merge(page::router(page));
    let drain = config.server.drain_ms.duration();
    let served = tokio::spawn(listener.serve(routes, stopping, drain));
    let nodes = nodes.map(|nodes| (nodes, config.cluster.hand_over_ms.duration()));
    Ok(Running { engine, stream, address, stop, served, followers, drain, nodes })
}

fn ports(stores: &Stores, limiter: Arc<dyn Limiter>, carrier: Arc<dyn Carrier>) -> Ports {
    Ports {
        log: stores.log.clone(),
        views: stores.views.clone(),
        keys: stores.keys.clone(),
        limiter,
        carrier,
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    }
}

fn listener_limits(config: &Config) -> ListenerLimits {
    ListenerLimits {
        connections_max: config.server.connections_max,
        header_timeout: config.server.header_timeout_ms.duration(),
        stall_timeout: config.server.stall_timeout_ms.duration(),
    }
}

/// This node's name and its pace.
fn pace(config: &Config) -> anyhow::Result<(NodeId, Arc<dyn Limiter>, Option<Keeper>)> {
    let node = node_id(&config.data.directory, &SystemIds)?;
    let (limiter, keeper) = pace::limiter(config, &node)?;
    Ok((node, limiter, keeper))
}

async fn watch_certificate(tls: Tls, every: std::time::Duration) {
    if let Err(error) = tls.watch(every).await {
        tracing::error!(%error, "the listener's certificate is no longer watched");
    }
}

fn carrier(config: &Config, stores: &Stores, directory: &Arc<SystemDirectory>) -> anyhow::Result<Arc<dyn Carrier>> {
    let base_url = if config.demo.enabled { &config.demo.carrier_url } else { &config.twilio.base_url };
    let settings = TwilioSettings {
        base_url: base_url.clone(),
        public_url: config.server.public_url.clone(),
        connect_timeout: config.twilio.connect_timeout_ms.duration(),
        idle_connections: config.twilio.idle_connections_max,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Arc::new(TwilioCarrier::new(settings, directory.clone(), stores.secrets.get.clone(), clock)?))
}

fn put_secret(stores: &Stores) -> PutSecret {
    let put = stores.secrets.put.clone();
    Arc::new(move |account, secret| {
        let stored = put(account, secret);
        Box::pin(async move { stored.await.map_err(|error| format!("{error:#}")) })
    })
}

/// The page, and in demo mode its way in.
fn page_parts(
    config: &Config,
    engine: &Engine,
    auth: Arc<Authenticator>,
    people: Arc<People>,
) -> anyhow::Result<PageParts> {
    let demo = &config.demo;
    // The simulated carrier names itself by its address, the configuration by its name.
    let near = demo.carrier_url.replace("//localhost", "//127.0.0.1");
    let pictures = match demo.enabled {
        true => format!("{} {near}", demo.carrier_url),
        false => config.twilio.base_url.clone(),
    };
    let guest = demo.enabled.then(|| demo::guest(&demo.carrier_url)).transpose()?;
    let public_url = config.server.public_url.clone();
    Ok(PageParts { engine: engine.clone(), auth, people, public_url, guest, pictures })
}

/// Fails only for what a restart or another node cures: the directory's own tenant has closed.
fn ready(engine: &Engine) -> Ready {
    let engine = engine.clone();
    Arc::new(move || match engine.running(&TenantId::system()) {
        Some(_) => Ok(()),
        None => Err("the directory's tenant has stopped: the log refuses this node".to_owned()),
    })
}

fn search(config: &Config) -> anyhow::Result<DiskSearch> {
    let directory = config.data.directory.join("search");
    DiskSearch::open(&directory, config.search.writer_bytes).context("the search index")
}

fn figures(config: &Config, stores: &Stores) -> anyhow::Result<Figures> {
    let section = &config.figures;
    let bounds = FiguresConfig {
        keep_hours: section.keep_days * 24,
        tenants_max: section.tenants_max,
        save_every: section.save_s.duration(),
        ..FiguresConfig::default()
    };
    let snapshots = DiskSnapshots::open(&config.data.directory.join("figures")).context("the figures' snapshots")?;
    Ok(Figures::new(stores.log.clone(), Arc::new(snapshots), bounds))
}

/// This node's name: made once, kept in the data directory.
pub(super) fn node_id(directory: &Path, ids: &dyn Ids) -> anyhow::Result<NodeId> {
    let path = directory.join("node");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(NodeId::new(text.trim())?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let id = format!("node-{:08x}", ids.random() & 0xffff_ffff);
            std::fs::create_dir_all(directory)?;
            std::fs::write(&path, &id)?;
            Ok(NodeId::new(&id)?)
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The engine itself.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Ends in order: no new connections, dashboards leave in batches, open requests end,
    /// tenants stop.
    pub async fn drain(self) {
        if let Some((_, within)) = &self.nodes {
            // While everything still comes in: it is passed on.
            self.engine.hand_over(*within).await;
        }
        self.stream.drain().await;
        self.stop.send_replace(true);
        if let Err(error) = self.served.await {
            tracing::error!(%error, "the listener ended badly");
        }
        self.engine.drain(self.drain).await;
        self.followers.iter().for_each(JoinHandle::abort);
        if let Some((nodes, _)) = &self.nodes {
            nodes.leave().await;
        }
    }
}
