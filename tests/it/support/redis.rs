//! Redis servers of the tests: processes of a test's own on free ports, ended with it, since most tests kill, empty or stop
//! them.

use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{process::free_port, wait::wait_for};

/// Ends the server when this process has ended, however it ended: its end of the pipe closes.
const GUARD: &str = r#""$@" >/dev/null 2>&1 </dev/null & child=$!; echo $child; cat >/dev/null; kill -9 $child"#;

/// One server. Killed when dropped.
pub struct Redis {
    port: u16,
    process: u32,
    guard: Option<Child>,
    directory: TempDir,
}

impl Redis {
    /// An empty one.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With arguments of its own.
    pub fn start_with(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let mut redis = Self { port, process: 0, guard: None, directory };
        redis.run(arguments);
        redis
    }

    /// A Sentinel that watches this server under the name `deskwire`.
    pub fn sentinel(master: &Self, quorum: u32) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("sentinel.conf");
        let text = format!(
            "sentinel monitor deskwire 127.0.0.1 {} {quorum}\nsentinel down-after-milliseconds deskwire 500\n\
             sentinel failover-timeout deskwire 2000\n",
            master.port
        );
        std::fs::write(&file, text).expect("a file of our own");
        let mut redis = Self { port: free_port(), process: 0, guard: None, directory };
        redis.run(&[file.to_str().expect("a path is text"), "--sentinel"]);
        redis
    }

    fn run(&mut self, arguments: &[&str]) {
        let mut command = Command::new("sh");
        command.arg("-c").arg(GUARD).arg("sh").arg("redis-server").stdin(Stdio::piped()).stdout(Stdio::piped());
        let file: Vec<&&str> = arguments.iter().filter(|argument| argument.ends_with(".conf")).collect();
        command.args(&file).args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.arg("--dir").arg(self.directory.path());
        command.args(arguments.iter().filter(|argument| !file.contains(argument)));
        let mut guard = command.spawn().expect("scripts/setup-tests.sh installs redis-server");
        self.process = first_number(&mut guard);
        self.guard = Some(guard);
        wait_for("redis-server", || self.ask(&["PING"]));
    }

    /// `redis://…` of it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `host:port` of it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Killed; what it knew is lost.
    pub fn kill(&mut self) {
        if let Some(guard) = self.guard.take() {
            end(guard);
        }
    }

    /// Started again at its port, empty.
    pub fn restart(&mut self) {
        self.kill();
        self.run(&[]);
    }

    /// Stops it, or lets it go on.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.process.to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -{signal}");
    }

    /// Asks over a connection of its own; none: no answer.
    pub fn ask(&self, words: &[&str]) -> Option<String> {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(std::time::Duration::from_secs(2))).ok()?;
        let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let count = words.matches('$').count();
        stream.write_all(format!("*{count}\r\n{words}").as_bytes()).ok()?;
        let mut answer = vec![0; 65_536];
        let read = stream.read(&mut answer).ok()?;
        answer.truncate(read);
        String::from_utf8(answer).ok().filter(|text| !text.is_empty() && !text.starts_with("-LOADING"))
    }

    /// Where it keeps its files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

fn first_number(guard: &mut Child) -> u32 {
    use std::io::{BufRead as _, BufReader};
    let mut line = String::new();
    BufReader::new(guard.stdout.as_mut().expect("it is piped")).read_line(&mut line).expect("sh says the process");
    line.trim().parse().expect("a process id")
}

fn end(mut guard: Child) {
    drop(guard.stdin.take());
    let _ = guard.wait();
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
