//! The real binary on a TLS port, a certificate authority of the test's own, and clients that trust nobody else.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use futures_util::{SinkExt as _, StreamExt as _};
use loadtest::signature::sign;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

pub use crate::support::authority::Authority;
use crate::support::{
    process::{Server, free_port, run},
    wait::until,
};

/// A server with the demo's line behind a certificate.
pub struct World {
    pub authority: Authority,
    /// What the server shows first.
    pub certificate: Vec<u8>,
    pub server: Server,
    pub directory: TempDir,
    pub client: reqwest::Client,
    port: u16,
}

impl World {
    pub async fn start(environment: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (authority, port) = (Authority::new(), free_port());
        let certificate = authority.issue(directory.path());
        let url = format!("https://localhost:{port}");
        let mut all = environment_of(directory.path());
        all.push(("DESKWIRE__SERVER__PUBLIC_URL".to_owned(), url.clone()));
        all.push(("DESKWIRE__SERVER__TLS_RELOAD_S".to_owned(), "1".to_owned()));
        all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let server = Server::spawn_on(directory.path(), port, &all);
        let client = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(authority.trusted());
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let client = client.resolve("localhost", address).build().unwrap();
        let ready = format!("{url}/readyz");
        until("the server to be ready", async || {
            client.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        Self { authority, certificate, server, directory, client, port }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// A subcommand with the server's own configuration.
    pub fn run(&self, arguments: &[&str]) -> std::process::Output {
        let mut all = environment_of(self.directory.path());
        all.push(("DESKWIRE__SERVER__LISTEN".to_owned(), self.server.address().to_string()));
        all.push(("DESKWIRE__SERVER__PUBLIC_URL".to_owned(), self.url("")));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        run(arguments, &all)
    }

    pub fn token(&self) -> String {
        let output = self.run(&["token", "--tenant", "demo", "--operator", "ana"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The status that a signed text of a contact gets.
    pub async fn webhook(&self, sid: &str) -> u16 {
        let file = fs::read_to_string(self.directory.path().join("data/demo-carrier.toml")).unwrap();
        let value = |name: &str| {
            let line = file.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        let form = [
            ("MessageSid", sid),
            ("AccountSid", &value("sid")),
            ("From", "+14155550100"),
            ("To", "+15005550006"),
            ("Body", "hello"),
            ("NumMedia", "0"),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = self.url("/webhooks/twilio/demo-line/sms");
        let signature = sign(&value("token"), &url, &form);
        let request = self.client.post(&url).header("X-Twilio-Signature", signature).form(&form);
        request.send().await.unwrap().status().as_u16()
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.address()).await.unwrap()
    }

    /// A handshake; `None`: it was refused.
    pub async fn handshake(&self) -> Option<TlsStream<TcpStream>> {
        self.handshake_on(self.connect().await).await
    }

    /// A handshake on a connection that is open already.
    pub async fn handshake_on(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::new(self.authority.trusted()));
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.ok()
    }

    /// The certificate that a new connection is shown.
    pub async fn shown(&self) -> Vec<u8> {
        let mut stream = self.handshake().await.expect("the handshake succeeds");
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        drop(stream.shutdown().await);
        shown
    }

    /// A connected dashboard.
    pub async fn dashboard(&self) -> Dashboard {
        let stream = self.handshake().await.expect("the handshake succeeds");
        let url = format!("wss://localhost:{}/v1/stream", self.port);
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        let mut dashboard = Dashboard { socket };
        let reply = dashboard.ask(1, json!({"connect": {"token": self.token()}})).await;
        assert!(reply.get("connect").is_some(), "{reply}");
        dashboard
    }
}

fn environment_of(directory: &Path) -> Vec<(String, String)> {
    let path = |name: &str| directory.join(name).display().to_string();
    [
        ("DESKWIRE__SERVER__TLS_CERTIFICATE", path("desk.pem")),
        ("DESKWIRE__SERVER__TLS_KEY", path("desk.key")),
        ("DESKWIRE__DATA__DIRECTORY", path("data")),
        ("DESKWIRE__DEMO__ENABLED", "true".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// A session over TLS.
pub struct Dashboard {
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

impl Dashboard {
    /// Sends a command, returns its reply.
    pub async fn ask(&mut self, id: u64, mut command: Value) -> Value {
        command["id"] = json!(id);
        self.socket.send(Message::text(command.to_string())).await.unwrap();
        self.read("a reply", |line| line["id"] == json!(id)).await
    }

    /// Reads up to what is looked for.
    pub async fn read(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let reading = async {
            loop {
                let message = self.socket.next().await.expect("the stream is open").unwrap();
                let Message::Text(text) = message else { continue };
                let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                if let Some(line) = lines.into_iter().find(|line| is_it(line)) {
                    return line;
                }
            }
        };
        let within = crate::support::wait::DEADLINE;
        tokio::time::timeout(within, reading).await.unwrap_or_else(|_| panic!("waited for {what}"))
    }
}
