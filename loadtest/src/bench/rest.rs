//! The engine's REST, as far as benches ask it for something in JSON; what is timed goes over plain connections.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::Value;

/// A request is tried again so often when the engine asks for patience.
const TRIES: usize = 100;
const AGAIN: Duration = Duration::from_millis(100);

/// Somebody with a token.
#[derive(Clone)]
pub struct Rest {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Rest {
    /// At an engine.
    pub fn new(url: &str, token: &str) -> anyhow::Result<Self> {
        // The first to come installs it; a provider that is there already will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, url: url.to_owned(), token: token.to_owned() })
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, &Value::Null).await
    }

    /// Replaces.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::PUT, path, body).await
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        for _ in 0..TRIES {
            let request = self.http.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(&self.token);
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = request.send().await.with_context(|| path.to_owned())?;
            match answer.status().as_u16() {
                200..300 => return Ok(answer.json().await?),
                429 | 503 => tokio::time::sleep(AGAIN).await,
                status => bail!("{path}: {status} {}", answer.text().await.unwrap_or_default()),
            }
        }
        bail!("{path}: refused {TRIES} times")
    }
}

/// A request's bytes for a plain connection.
pub fn get_bytes(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// A request with a JSON body, for a plain connection.
pub fn post_bytes(path: &str, token: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
