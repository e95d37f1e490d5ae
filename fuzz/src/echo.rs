//! The stream's WebSocket as an echo server, for Autobahn's fuzzing client: `echo ADDRESS`, until it is ended.
#![allow(clippy::disallowed_methods, reason = "a tool for one test run: its address comes from its command line")]

use std::io::{self, Write as _};

use deskwire::session::{StreamLimits, echo};

/// Autobahn sends messages of 16 MiB.
const MESSAGE_MAX: usize = 17 << 20;

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9002".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    writeln!(io::stdout(), "echo on {}", listener.local_addr()?)?;
    let limits = StreamLimits { frame_bytes: MESSAGE_MAX, ..StreamLimits::default() };
    axum::serve(listener, echo(limits)).await
}
