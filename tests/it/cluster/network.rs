//! A network of the nodes' own: each stands in a namespace behind a router, which loses what it is told to lose. Carriers,
//! dashboards and both servers reach a node whatever becomes of the others: what is cut is between nodes.

use std::{
    io::{BufRead as _, BufReader},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Namespaces, and what carries connections into them. All of it ends with this process, however that ends: its pipes close.
pub struct Network {
    directory: TempDir,
    router: u32,
    nodes: Vec<u32>,
    ended_with_us: Vec<Child>,
}

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cluster").join(name)
}

/// What a child says first, line by line.
fn first_lines(child: &mut Child, count: usize) -> Vec<String> {
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let lines: Vec<String> = lines.take(count).map_while(Result::ok).collect();
    assert_eq!(lines.len(), count, "network namespaces are needed: scripts/setup-tests.sh says how to allow them");
    lines
}

fn begin(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("scripts/setup-tests.sh installs it")
}

impl Network {
    /// For so many nodes, none of them connected to the world yet.
    pub fn new(count: usize) -> Self {
        let mut command = Command::new("unshare");
        command.arg("-Urn").arg("sh").arg(beside("network.sh")).arg(count.to_string());
        let mut router = begin(command);
        let said = first_lines(&mut router, count + 1);
        let mut processes = said.iter().map(|line| line.parse().expect("a process id"));
        let router_process = processes.next().expect("the router's");
        let nodes = processes.collect();
        let directory = tempfile::tempdir().unwrap();
        Self { directory, router: router_process, nodes, ended_with_us: vec![router] }
    }

    /// Where others reach a node.
    pub fn address(node: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, u8::try_from(node + 1).expect("a few nodes"), 2)
    }

    fn within(process: u32) -> Vec<String> {
        let words = ["nsenter", "--preserve-credentials", "--user", "--net", "--target"];
        words.iter().map(ToString::to_string).chain([process.to_string()]).collect()
    }

    /// The words before a command that is to run at a node's place.
    pub fn at(&self, node: usize) -> Vec<String> {
        Self::within(self.nodes[node])
    }

    /// Its own port of 127.0.0.1 is this machine's too, and these ports of this machine are there as well.
    pub fn connect(&mut self, node: usize, own: u16, servers: &[u16]) {
        let socket = |port: u16| self.directory.path().join(format!("{node}-{port}")).display().to_string();
        let (mut there, mut here) = (vec![socket(own), own.to_string()], vec![own.to_string(), socket(own)]);
        for port in servers {
            there.extend([port.to_string(), socket(*port)]);
            here.extend([socket(*port), port.to_string()]);
        }
        for (place, words) in [(self.at(node), there), (Vec::new(), here)] {
            self.forward(place, &words);
        }
    }

    fn forward(&mut self, place: Vec<String>, words: &[String]) {
        let script = beside("forward.py").display().to_string();
        let mut line = place.into_iter().chain(["python3".to_owned(), script]);
        let mut command = Command::new(line.next().expect("it has words"));
        command.args(line).args(words);
        let mut forward = begin(command);
        assert_eq!(first_lines(&mut forward, 1), ["ready"]);
        self.ended_with_us.push(forward);
    }

    /// From now on nothing gets from one node to another, silently; the other way it still does.
    pub fn cut(&self, from: usize, to: usize) {
        self.rule("add", from, to);
    }

    /// Everything gets there again.
    pub fn heal(&self, from: usize, to: usize) {
        self.rule("del", from, to);
    }

    fn rule(&self, what: &str, from: usize, to: usize) {
        let (from, to) = (Self::address(from).to_string(), Self::address(to).to_string());
        let mut line = Self::within(self.router).into_iter();
        let mut command = Command::new(line.next().expect("it has words"));
        command.args(line).args(["ip", "rule", what, "from", &from, "to", &to, "blackhole"]);
        let status = command.status().expect("nsenter starts");
        assert!(status.success(), "{command:?}: {status}");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for mut child in self.ended_with_us.drain(..) {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}
