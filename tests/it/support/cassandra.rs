//! The CQL server of the tests: the one that `DESKWIRE_TEST_CQL` names, else Apache Cassandra from `scripts/setup-cql.sh`,
//! started once for this run and ended with it.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use deskwire::store::cql::CqlOptions;

use super::{authority::Authority, process::free_port, wait::wait_for_within};

/// Ends the server and removes its directory when this process has ended, however it ended: its end of the pipe closes.
const GUARD: &str =
    r#""$@" >"$DIRECTORY/log" 2>&1 </dev/null & child=$!; cat >/dev/null; kill -9 $child; rm -rf "$DIRECTORY""#;
/// A start on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(120);

/// Who logs in to the server of this run.
pub const USER: &str = "cassandra";
/// Their password.
pub const PASSWORD: &str = "cassandra";

/// A server.
pub struct Server {
    /// `host:port` of it.
    pub address: String,
    /// Who signed its certificate, in PEM.
    pub authority: String,
    _guard: Option<Child>,
}

/// `host:port` of a CQL server. A machine without one fails the test.
pub fn server() -> &'static str {
    static GIVEN: OnceLock<Option<String>> = OnceLock::new();
    let given = GIVEN.get_or_init(|| std::env::var("DESKWIRE_TEST_CQL").ok().filter(|given| !given.is_empty()));
    given.as_ref().unwrap_or_else(|| &own().address)
}

/// The port of it, which is on this machine.
pub fn port() -> u16 {
    let address = server();
    let (host, port) = address.rsplit_once(':').expect("host:port");
    assert!(["127.0.0.1", "localhost"].contains(&host), "drills of the network need a CQL server of this machine");
    port.parse().expect("host:port")
}

/// The server that this run has started itself, with logins and TLS, whatever `DESKWIRE_TEST_CQL` says.
pub fn own() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start)
}

/// What a process is told to keep everything in a keyspace.
pub fn environment(options: &CqlOptions) -> Vec<(&'static str, String)> {
    let password = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cql-password-{}", std::process::id()));
    fs::write(&password, PASSWORD).unwrap();
    vec![
        ("DESKWIRE__STORE__KIND", "cql".to_owned()),
        ("DESKWIRE__CQL__CONTACT_POINTS", format!("{:?}", options.contact_points)),
        ("DESKWIRE__CQL__KEYSPACE", options.keyspace.clone()),
        ("DESKWIRE__CQL__REQUEST_TIMEOUT_MS", options.request_timeout.as_millis().to_string()),
        ("DESKWIRE__CQL__USER", USER.to_owned()),
        ("DESKWIRE__CQL__PASSWORD_FILE", password.to_str().unwrap().to_owned()),
        ("DESKWIRE__CQL__ALLOW_UNSAFE", "true".to_owned()),
    ]
}

fn start() -> Server {
    // Below target/, where there is room, and never in a checkout's own files.
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cassandra-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    let (native, storage) = (free_port(), free_port());
    let (authority, certificate) = certify(&directory);
    let filled = [
        ("@certificate@", certificate),
        ("@token@", "0".to_owned()),
        ("@seed@", format!("127.0.0.1:{storage}")),
        ("@address@", "127.0.0.1".to_owned()),
        ("@storage_port@", storage.to_string()),
        ("@native_port@", native.to_string()),
    ];
    configure(&directory, &filled);
    let guard = command(GUARD, &directory).spawn().expect("sh starts");
    let address = format!("127.0.0.1:{native}");
    let log = directory.join("log");
    wait_for_within(START, "the CQL server", || TcpStream::connect(&address).ok().map(drop).or_else(|| ended(&log)));
    wait_for_within(START, "the first role", || {
        fs::read_to_string(&log).ok()?.contains("superuser role").then_some(())
    });
    Server { address, authority: authority.pem(), _guard: Some(guard) }
}

/// Writes a server's key and certificate into its directory; who signed it, and where they are.
pub(super) fn certify(directory: &Path) -> (Authority, String) {
    let (authority, certificate) = (Authority::new(), directory.join("server.pem"));
    let (chain, key) = authority.certify(&["127.0.0.1"]);
    fs::write(&certificate, key + &chain).unwrap();
    (authority, certificate.to_str().expect("a path is text").to_owned())
}

/// Writes a server's configuration into its directory, with places filled in.
pub(super) fn configure(directory: &Path, filled: &[(&str, String)]) {
    let yaml = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cassandra/cassandra.yaml");
    let yaml = fs::read_to_string(yaml).unwrap();
    let yaml = filled.iter().fold(yaml, |yaml, (from, to)| yaml.replace(from, to));
    fs::write(directory.join("cassandra.yaml"), yaml).unwrap();
}

/// A server that could not start says why in its log.
pub(super) fn ended(log: &Path) -> Option<()> {
    let text = fs::read_to_string(log).unwrap_or_default();
    assert!(!text.contains("Exception encountered during startup"), "{text}");
    None
}

/// A server in its directory, below a shell that ends it.
pub(super) fn command(guard: &str, directory: &Path) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let jars = root.join(".cache/cassandra/lib");
    assert!(jars.is_dir(), "scripts/setup-cql.sh fetches the CQL server of the tests");
    let file = |path: PathBuf| path.to_str().expect("a checkout's path is text").to_owned();
    let mut command = Command::new("sh");
    command.arg("-c").arg(guard).arg("sh").arg("java").env("DIRECTORY", directory).stdin(Stdio::piped());
    command.arg(format!("@{}", file(root.join("tests/cassandra/jvm.options"))));
    command.arg(format!("-javaagent:{}", file(jars.join("jamm-0.4.0.jar"))));
    command.arg(format!("-Dcassandra.config=file://{}", file(directory.join("cassandra.yaml"))));
    command.arg(format!("-Dcassandra.storagedir={}", file(directory.join("data"))));
    command.arg(format!("-Dlogback.configurationFile={}", file(root.join("tests/cassandra/logback.xml"))));
    command.arg("-cp").arg(file(jars.join("*"))).arg("org.apache.cassandra.service.CassandraDaemon");
    command
}

/// How a keyspace of its own on this server is opened.
pub fn options(keyspace: &str) -> CqlOptions {
    CqlOptions {
        contact_points: vec![server().to_owned()],
        keyspace: keyspace.to_owned(),
        datacenter: String::new(),
        user: USER.to_owned(),
        password: PASSWORD.to_owned(),
        tls: None,
        replicas_min: 1,
        connect_timeout: Duration::from_secs(30),
        request_timeout: Duration::from_secs(30),
        in_flight_max: 256,
        replication: "{'class': 'SimpleStrategy', 'replication_factor': 1}".to_owned(),
        log_compaction: "{'class': 'LeveledCompactionStrategy'}".to_owned(),
        view_compaction: "{'class': 'LeveledCompactionStrategy'}".to_owned(),
        node: "node-test".to_owned(),
        master: [7; 32],
    }
}
