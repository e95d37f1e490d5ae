//! `deskwire tail`: a tenant's events as they come, readable, through the stream like any client.

use std::{io::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::ServerName;
use schema::{message::Status, time::Stamp};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, http::Uri},
};

/// First wait before connecting again; doubles.
const AGAIN_MIN: Duration = Duration::from_millis(200);
/// Longest wait before connecting again.
const AGAIN_MAX: Duration = Duration::from_secs(10);
/// Close codes from here on mean: do not come back.
const TERMINAL: u16 = 3500;

/// Where to go on: `(epoch, offset)` as the stream gives them.
#[derive(Debug, Clone, Default)]
struct Position {
    /// None: the first answer tells; then comes the way back to `offset`.
    epoch: Option<String>,
    offset: u64,
}

/// Follows a tenant's inbox until the stream says not to come back, or the reader of our output goes away.
pub async fn tail(url: &str, trust: rustls::ClientConfig, token: &str, from: Option<u64>) -> anyhow::Result<()> {
    let tls = TlsConnector::from(Arc::new(trust));
    let mut position = from.map(|offset| Position { epoch: None, offset });
    let mut wait = AGAIN_MIN;
    loop {
        match follow(url, &tls, token, &mut position, &mut wait).await {
            Ok(()) => {}
            Err(Lost::Terminal(why)) => return Err(why),
            Err(Lost::Transport(why)) => eprintln!("stream lost ({why}); connecting again in {} ms", wait.as_millis()),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).clamp(AGAIN_MIN, AGAIN_MAX);
    }
}

enum Lost {
    Terminal(anyhow::Error),
    Transport(anyhow::Error),
}

/// Plain or TLS: the stream does not care.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

async fn connect(url: &str, tls: &TlsConnector) -> anyhow::Result<WebSocketStream<Box<dyn Wire>>> {
    let uri: Uri = url.parse()?;
    let host = uri.host().context("no host in the URL")?.trim_matches(['[', ']']);
    let is_secure = uri.scheme_str() == Some("wss");
    let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    let wire: Box<dyn Wire> = if is_secure {
        Box::new(tls.connect(ServerName::try_from(host.to_owned())?, stream).await?)
    } else {
        Box::new(stream)
    };
    Ok(tokio_tungstenite::client_async(url, wire).await?.0)
}

async fn follow(
    url: &str,
    tls: &TlsConnector,
    token: &str,
    position: &mut Option<Position>,
    wait: &mut Duration,
) -> Result<(), Lost> {
    let connected = connect(url, tls).await;
    let mut socket = connected.with_context(|| format!("cannot connect to {url}")).map_err(Lost::Transport)?;
    let connect = json!({"id": 1, "connect": {"token": token, "name": "deskwire tail", "data": resume(position)}});
    socket.send(Message::text(connect.to_string())).await.map_err(|error| Lost::Transport(error.into()))?;
    while let Some(message) = socket.next().await {
        match message.map_err(|error| Lost::Transport(error.into()))? {
            Message::Text(text) => {
                for line in text.lines().filter(|line| !line.is_empty()) {
                    if line == "{}" {
                        socket.send(Message::text("{}")).await.map_err(|error| Lost::Transport(error.into()))?;
                        continue;
                    }
                    *wait = AGAIN_MIN;
                    if take(line, position).map_err(Lost::Terminal)? == Then::ComeBack {
                        *wait = Duration::ZERO;
                        return Ok(());
                    }
                }
            }
            Message::Close(Some(frame)) if u16::from(frame.code) >= TERMINAL => {
                let why = anyhow::anyhow!("the stream closed with {}: {}", frame.code, frame.reason);
                return Err(Lost::Terminal(why));
            }
            _ => {}
        }
    }
    Err(Lost::Transport(anyhow::anyhow!("closed")))
}

fn resume(position: &Option<Position>) -> Value {
    match position {
        Some(Position { epoch: Some(epoch), offset }) => json!({"inbox": {"epoch": epoch, "offset": offset}}),
        _ => json!({}),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    /// The epoch is known now: connect again, with the position that was asked for.
    ComeBack,
}

/// One frame: the answer to connect, or a push.
fn take(line: &str, position: &mut Option<Position>) -> anyhow::Result<Then> {
    let frame: Value = serde_json::from_str(line).context("the stream sent something else than JSON")?;
    if let Some(error) = frame.get("error") {
        bail!("refused: {} ({})", error["message"], error["code"]);
    }
    if let Some(subs) = frame.pointer("/connect/subs").and_then(Value::as_object) {
        for sub in subs.values() {
            let epoch = sub["epoch"].as_str().unwrap_or_default().to_owned();
            let asked = position.as_ref().is_some_and(|position| position.epoch.is_none());
            let known = position.get_or_insert_with(Position::default);
            known.epoch = Some(epoch);
            if asked {
                return Ok(Then::ComeBack);
            }
            known.offset = sub["offset"].as_u64().unwrap_or(known.offset);
            for publication in sub["publications"].as_array().into_iter().flatten() {
                show(publication, known)?;
            }
        }
    }
    let inbox = frame.pointer("/push/channel").and_then(Value::as_str).is_some_and(|name| name.starts_with("inbox:"));
    if let (true, Some(publication)) = (inbox, frame.pointer("/push/pub")) {
        show(publication, position.get_or_insert_with(Position::default))?;
    }
    Ok(Then::GoOn)
}

fn show(publication: &Value, position: &mut Position) -> anyhow::Result<()> {
    position.offset = publication["offset"].as_u64().unwrap_or(position.offset);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", readable(&publication["data"], position.offset)).context("nobody reads the output")
}

/// `#12  10:42:07  message.received  9f3a…  contact: "hello"`.
fn readable(event: &Value, offset: u64) -> String {
    let at = event["at"].as_u64().map_or_else(String::new, |at| clock_time(Stamp(at)));
    let kind = event["type"].as_str().unwrap_or("?");
    let conversation =
        event["conversation"].as_str().map_or("", |id| id.get(id.len().saturating_sub(8)..).unwrap_or(id));
    let by = match &event["by"] {
        Value::String(by) => by.clone(),
        Value::Object(by) => by.values().next().and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let data = &event["data"];
    let mut what: Vec<String> = Vec::new();
    for field in ["status", "reason", "consent", "keyword", "operator", "channel"] {
        if let Some(value) = data[field].as_str() {
            what.push(format!("{field}={value}"));
        }
    }
    if data["status"] == "expired" {
        what.push(format!("({})", Status::Expired.shown()));
    }
    if let Some(text) = event["text"].as_str() {
        what.push(format!("{text:?}"));
    }
    format!("#{offset:<6} {at}  {kind:<22} {conversation:<8}  {by:<10} {}", what.join(" "))
}

fn clock_time(stamp: Stamp) -> String {
    let micros = i64::try_from(stamp.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |at| at.strftime("%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_readable_line() {
        let event = json!({
            "offset": 12, "at": 3_600_000_000_u64, "type": "message.received", "by": "contact",
            "conversation": "01a1fda1-ea36-771f-a187-7a67738f9c5e", "data": {"channel": "line"}, "text": "hi\nthere"
        });
        let line = readable(&event, 12);
        assert!(!line.contains('\n'), "{line}");
        assert!(line.contains("01:00:00") && line.contains("738f9c5e") && line.contains(r#""hi\nthere""#), "{line}");
    }
}
