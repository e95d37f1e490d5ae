//! Files of the page as they were built: each in the smallest form that the visitor reads, with a tag of its content.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

/// A file in the binary. Made by build.rs.
pub(super) struct File {
    path: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// A file with the tag of its content.
pub(super) struct Served {
    file: &'static File,
    hash: String,
}

/// Every file of the page.
pub(super) fn all() -> Vec<Served> {
    let tag = |file: &File| hex::encode(&Sha256::digest(file.plain)[..12]);
    FILES.iter().map(|file| Served { file, hash: tag(file) }).collect()
}

impl Served {
    /// From the page's root, without a leading slash.
    pub(super) fn path(&self) -> &'static str {
        self.file.path
    }

    /// The file, or 304 if the visitor has it.
    pub(super) fn answer(&self, asked: &HeaderMap) -> Response {
        let (encoding, bytes) = self.form(asked);
        // Each form has a tag of its own (RFC 9110 §8.8.3.3).
        let tag = format!("\"{}{}\"", self.hash, encoding.map_or("", |name| if name == "br" { "-b" } else { "-g" }));
        let mut response = match is_known(asked, &tag) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => Body::from(bytes).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        if response.status() == StatusCode::OK {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(self.file.path)));
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
        }
        response
    }

    fn form(&self, asked: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let takes = |name| accepted.split(',').any(|one| accepts(one, name));
        match (self.file.brotli, self.file.gzip) {
            (Some(bytes), _) if takes("br") => (Some("br"), bytes),
            (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
            _ => (None, self.file.plain),
        }
    }
}

/// `br`, `br;q=0.8`; not `br;q=0`.
fn accepts(one: &str, name: &str) -> bool {
    let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
    let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).unwrap_or(1.0);
    coding.trim().eq_ignore_ascii_case(name) && weight > 0.0
}

fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
