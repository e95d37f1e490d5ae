//! A simulated carrier that is a real HTTP server: Twilio's REST, signed webhooks and status callbacks, faults on
//! request, and a strict meter of what it was sent. It knows nothing of the engine but its public address.

mod call;
mod callbacks;
mod chance;
mod config;
mod control;
mod create;
mod door;
mod fault;
mod files;
mod handset;
mod keywords;
mod lists;
mod message;
mod phone;
mod rest;
mod state;
mod store;
mod traffic;
mod webhook;

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};

pub use call::{Asks, Call, Desk, Heard, Problem, Reading, Recording, Sound, Voicemail, read_twiml};
pub use chance::Chance;
pub use config::{Account, CarrierConfig, DEMO_ACCOUNT, DEMO_ADDRESS, DEMO_TOKEN, Latency, Line, Spread};
pub use door::{Absence, Rest};
pub use fault::{CodeShare, Fate, Faults};
pub use handset::{Handset, Network, Received};
pub use keywords::NumberType;
pub use message::Message;
pub use traffic::{CallEnd, Calling, Texting};
pub use webhook::Delivery;

use crate::meter::Report;
use state::Carrier;

/// Why the carrier does not start.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// Starts carriers.
pub struct CarrierServer;

impl CarrierServer {
    /// Listens and serves until the handle is stopped or dropped.
    pub async fn start(config: CarrierConfig) -> Result<CarrierHandle, CarrierError> {
        let listen = config.listen;
        let carrier = Arc::new(Carrier::new(config)?);
        let listener = TcpListener::bind(listen).await.map_err(|error| CarrierError::Listen(listen, error))?;
        let addr = listener.local_addr().map_err(|error| CarrierError::Listen(listen, error))?;
        carrier.set_own_url(format!("http://{addr}"));
        let own = control::router(carrier.clone()).merge(phone::router(carrier.clone()));
        let own = own.layer(axum::middleware::from_fn(phone::guard));
        let router = rest::router(carrier.clone()).merge(own);
        let service = router.into_make_service_with_connect_info::<door::Peer>();
        let door = door::Door::new(listener, addr, carrier.absences());
        let serving = tokio::spawn(async move { axum::serve(door, service).await });
        Ok(CarrierHandle { addr, carrier, serving })
    }
}

/// A running carrier. Dropping it closes the listener.
pub struct CarrierHandle {
    addr: SocketAddr,
    carrier: Arc<Carrier>,
    serving: JoinHandle<io::Result<()>>,
}

impl CarrierHandle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base of its REST.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What was metered so far.
    pub fn meter(&self) -> Report {
        self.carrier.meter(|meter| meter.report())
    }

    /// What is kept, metered by when its sender let it go, without any tolerance: exact where all senders share a clock.
    pub fn departures(&self) -> Report {
        self.carrier.departures()
    }

    /// Starts the meter anew.
    pub fn reset_meter(&self) {
        self.carrier.meter(|meter| meter.reset());
    }

    /// Every message kept, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.carrier.messages()
    }

    /// How many texts to this number are kept.
    pub fn texts_to(&self, to: &str) -> usize {
        self.carrier.texts_to(to)
    }

    /// What happens to the next create requests, before chance decides again; to one number only, if given.
    pub fn script(&self, to: Option<&str>, fates: &[Fate]) {
        self.carrier.script(to, fates);
    }

    /// Replaces the shares of faults.
    pub fn set_faults(&self, faults: Faults) {
        self.carrier.set_faults(faults);
    }

    /// Where the engine is: really, and as its public base stands in signed URLs.
    pub fn set_engine(&self, engine_url: &str, public_url: &str) {
        self.carrier.set_engine(engine_url, public_url);
    }

    /// A contact texts a line.
    pub async fn text(&self, texting: &Texting) -> Delivery {
        traffic::text(&self.carrier, texting).await
    }

    /// A contact calls a line.
    pub async fn call(&self, calling: &Calling) -> Delivery {
        traffic::call(&self.carrier, calling).await
    }

    /// Every call kept, with the legs that were dialled, newest first.
    pub fn calls(&self) -> Vec<Call> {
        self.carrier.book.list(usize::MAX, |_| true)
    }

    /// One call.
    pub fn call_record(&self, sid: &str) -> Option<Call> {
        self.carrier.book.get(sid)
    }

    /// What a contact's telephone is like.
    pub fn handset(&self, number: &str) -> Handset {
        self.carrier.handsets.get(number)
    }

    /// Switches it off, makes it a landline, moves it to a network. `false`: there are too many.
    pub fn set_handset(&self, handset: Handset) -> bool {
        let set = self.carrier.handsets.set(handset);
        self.carrier.changed();
        set
    }

    /// Every text that arrived at a telephone, oldest first: the lines', and the carrier's own answers to keywords.
    pub fn received(&self, number: &str) -> Vec<Received> {
        self.carrier.received(number)
    }

    /// Goes away, or comes back: see [`Absence`].
    pub fn set_absence(&self, absence: Absence) {
        self.carrier.set_absence(absence);
    }

    /// Posts a webhook again, byte for byte, with a new idempotency token, as after a lost answer.
    pub async fn redeliver(&self, sid: &str) -> Option<Delivery> {
        traffic::redeliver(&self.carrier, sid).await
    }

    /// Closes the listener and ends what is under way.
    pub fn stop(self) {}
}

impl Drop for CarrierHandle {
    fn drop(&mut self) {
        self.serving.abort();
        self.carrier.close();
    }
}

#[cfg(test)]
mod tests;
