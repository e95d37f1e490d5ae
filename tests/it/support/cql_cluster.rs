//! Three CQL servers of a test's own, on 127.0.0.1, .2 and .3, which keep three copies of everything. Each can be killed,
//! stopped and started again.

use std::{fs, net::TcpStream, path::PathBuf, process::Child, time::Duration};

use deskwire::store::cql::CqlOptions;
use tempfile::TempDir;

use super::{cassandra, process::free_port, wait::wait_for_within};

/// Ends the server when this process has ended, however it ended: its end of the pipe closes.
const GUARD: &str = r#""$@" >>"$DIRECTORY/log" 2>&1 </dev/null & child=$!; cat >/dev/null; kill -9 $child"#;
/// A start beside two others.
const START: Duration = Duration::from_secs(180);
/// For an answer of servers that may be gone.
const REQUEST: Duration = Duration::from_secs(3);
/// Each has a third of the ring.
const TOKENS: [&str; 3] = ["-9223372036854775808", "-3074457345618258603", "3074457345618258602"];

/// The servers.
pub struct Servers {
    directory: TempDir,
    native: u16,
    running: [Option<Child>; 3],
}

impl Servers {
    /// All three, empty.
    pub fn start() -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (native, storage) = (free_port(), free_port());
        let (_, certificate) = cassandra::certify(directory.path());
        let mut servers = Self { directory, native, running: [const { None }; 3] };
        for (number, token) in TOKENS.into_iter().enumerate() {
            let place = servers.place(number);
            fs::create_dir_all(&place).unwrap();
            let filled = [
                ("PasswordAuthenticator", "AllowAllAuthenticator".to_owned()),
                ("@certificate@", certificate.clone()),
                ("@token@", token.to_owned()),
                ("@seed@", format!("127.0.0.1:{storage}")),
                ("@address@", address(number)),
                ("@storage_port@", storage.to_string()),
                ("@native_port@", native.to_string()),
            ];
            cassandra::configure(&place, &filled);
            // One after the other: two that join at once are refused.
            servers.run(number);
        }
        servers
    }

    fn place(&self, number: usize) -> PathBuf {
        self.directory.path().join(number.to_string())
    }

    fn host(&self, number: usize) -> String {
        format!("{}:{}", address(number), self.native)
    }

    fn run(&mut self, number: usize) {
        let place = self.place(number);
        let guard = cassandra::command(GUARD, &place).spawn().unwrap();
        self.running[number] = Some(guard);
        let (host, log) = (self.host(number), place.join("log"));
        wait_for_within(START, "a CQL server", || {
            TcpStream::connect(&host).ok().map(drop).or_else(|| cassandra::ended(&log))
        });
    }

    /// kill -9; what it keeps stays.
    pub fn kill(&mut self, number: usize) {
        end(&mut self.running[number]);
    }

    /// Starts one that was killed, and waits until it takes connections.
    pub fn restart(&mut self, number: usize) {
        self.kill(number);
        self.run(number);
    }

    /// Where all of them are.
    pub fn contact_points(&self) -> Vec<String> {
        (0..TOKENS.len()).map(|number| self.host(number)).collect()
    }

    /// How a keyspace with three copies is opened.
    pub fn options(&self, keyspace: &str) -> CqlOptions {
        CqlOptions {
            contact_points: self.contact_points(),
            replication: "{'class': 'SimpleStrategy', 'replication_factor': 3}".to_owned(),
            replicas_min: 3,
            request_timeout: REQUEST,
            ..cassandra::options(keyspace)
        }
    }
}

fn address(number: usize) -> String {
    format!("127.0.0.{}", number + 1)
}

fn end(running: &mut Option<Child>) {
    if let Some(mut guard) = running.take() {
        drop(guard.stdin.take());
        let _ = guard.wait();
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.running.iter_mut().for_each(end);
    }
}
