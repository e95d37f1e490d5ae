//! What requests bring: path, query and body, each with the name of the field that is wrong. What a field held is
//! never repeated: it could be a contact's.

use std::{fmt::Display, str::FromStr};

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Path, Query as AxumQuery, Request},
    http::{HeaderMap, header, request::Parts},
};
use schema::{
    command::KEY_MAX,
    ids::Offset,
    problem::{Code, Problem},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};

use super::{ApiState, answer::Failure};

/// The id in the path.
pub(super) struct Id<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr<Err: Display> + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = path.map_err(|_| Failure::invalid("id", "cannot be read"))?;
        text.parse().map(Self).map_err(|_| Failure::invalid("id", "is not an id of this kind"))
    }
}

/// The query string.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = AxumQuery::try_from_uri(&parts.uri);
        query.map(|AxumQuery(query)| Self(query)).map_err(|rejection| {
            let words = rejection.body_text();
            let words = words.strip_prefix("Failed to deserialize query string: ").unwrap_or(&words);
            wrong_field(words.split_once(": ").map_or("", |(path, _)| path), words)
        })
    }
}

/// An offset in a query: one that JavaScript can count to (RFC 8259 §6).
#[derive(Debug, Clone, Copy)]
pub(super) struct At(pub(super) Offset);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            offset if offset < 1 << 53 => Ok(Self(Offset(offset))),
            _ => Err(de::Error::custom("is beyond every offset")),
        }
    }
}

/// A JSON body. One that is left out, or `null`, counts as `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Code::Malformed).detail("the body must be application/json").into());
        }
        let limits = &state.parts().limits;
        let read = to_bytes(request.into_body(), limits.body_bytes);
        let bytes = match tokio::time::timeout(limits.body_within, read).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(unreadable(&error)),
            Err(_) => return Err(Failure::new(Code::RequestTimeout)),
        };
        let text: &[u8] = if bytes.is_empty() || *bytes == *b"null" { b"{}" } else { &bytes };
        // The library would take an array for a struct, field by field.
        if text.trim_ascii_start().first() == Some(&b'[') {
            return Err(Failure::invalid("body", "must be a JSON object"));
        }
        let mut json = serde_json::Deserializer::from_slice(text);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let inner = error.inner();
            if inner.is_data() {
                wrong_field(&error.path().to_string(), &inner.to_string())
            } else {
                Problem::new(Code::Malformed).detail("the body is not JSON").into()
            }
        })?;
        json.end().map_err(|_| Problem::new(Code::Malformed).detail("the body is more than one JSON value"))?;
        Ok(Self(value))
    }
}

/// A type that is not given is taken for JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return true };
    let essence = given.to_str().ok().and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn unreadable(error: &axum::Error) -> Failure {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        // The limit's own type is in a crate that axum does not name.
        if error.to_string() == "length limit exceeded" {
            return Failure::new(Code::TooLarge);
        }
        source = error.source();
    }
    Problem::new(Code::Malformed).detail("the body did not arrive whole").into()
}

/// The library names a field that is missing or unknown only in words, and the others by their path.
fn wrong_field(path: &str, words: &str) -> Failure {
    let quoted = |prefix: &str| {
        let at = words.find(prefix)? + prefix.len();
        words[at..].split('`').next().map(str::to_owned)
    };
    let path = path.trim_matches('.');
    let inside = |field: String| if path.is_empty() { field } else { format!("{path}.{field}") };
    if let Some(field) = quoted("missing field `") {
        return Failure::invalid(inside(field), "is missing");
    }
    if words.contains("unknown field `") {
        // serde_path_to_error ends the path with the unknown field itself.
        let field = if path.is_empty() { quoted("unknown field `").unwrap_or_default() } else { path.to_owned() };
        return Failure::invalid(field, "is not known here");
    }
    Failure::invalid(if path.is_empty() { "body" } else { path }, "is not valid")
}

/// The header, for the document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "`Key` reads it; this describes it")]
pub(super) struct KeyHeader {
    /// Makes a retry harmless: the same key with the same content gives the same reply and is done once.
    #[param(rename = "idempotency-key", min_length = 1, max_length = 128, pattern = "^[!-~]+$")]
    key: Option<String>,
}

/// What makes a retry harmless: the header, else the body's field.
pub(super) struct Key(Option<String>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(given) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let text = given.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
        Ok(Self(Some(text.ok_or_else(bad_key)?.to_owned())))
    }
}

impl Key {
    /// The header wins.
    pub(super) fn or(self, field: Option<String>) -> Result<Option<String>, Failure> {
        let fits = |key: &String| (1..=KEY_MAX).contains(&key.len());
        if !field.iter().chain(&self.0).all(fits) {
            return Err(bad_key());
        }
        Ok(self.0.or(field))
    }
}

fn bad_key() -> Failure {
    Failure::invalid("idempotency_key", format!("must be 1 to {KEY_MAX} bytes of plain text"))
}
