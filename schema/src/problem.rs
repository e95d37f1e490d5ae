//! The catalogue of problems: one stable code each, the HTTP status, the stream's error number, the title.
//!
//! Served as RFC 9457 `application/problem+json` by REST and webhooks, and as `{code, message}` by the stream.

use serde::{Deserialize, Serialize};

macro_rules! problems {
    ($( $(#[$doc:meta])* $variant:ident = $code:tt $status:literal $stream:literal $temporary:literal $title:literal ),* $(,)?) => {
        /// Stable codes. Clients may match on them; titles may change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum Code { $( $(#[$doc])* #[serde(rename = $code)] $variant, )* }

        impl Code {
            /// Every code, for documentation and tests.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// The stable code.
            pub fn as_str(self) -> &'static str { match self { $( Self::$variant => $code, )* } }
            /// HTTP status.
            pub fn status(self) -> u16 { match self { $( Self::$variant => $status, )* } }
            /// Error number on the operators' stream: the protocol's own below 400, ours from 400.
            pub fn stream(self) -> u32 { match self { $( Self::$variant => $stream, )* } }
            /// Whether the same request may succeed later.
            pub fn temporary(self) -> bool { match self { $( Self::$variant => $temporary, )* } }
            /// For people.
            pub fn title(self) -> &'static str { match self { $( Self::$variant => $title, )* } }
        }
    };
}

problems! {
    /// A field is missing or wrong; `field` names it.
    Invalid = "invalid" 400 400 false "The request is not valid",
    /// The body or the frame cannot be read at all.
    Malformed = "malformed" 400 107 false "The request cannot be read",
    /// No token, or one that does not verify.
    Unauthorized = "unauthorized" 401 101 false "A valid token is needed",
    /// The token has expired.
    TokenExpired = "token_expired" 401 109 false "The token has expired",
    /// A webhook whose signature does not verify.
    BadSignature = "bad_signature" 403 403 false "The signature does not verify",
    /// The role does not allow it.
    Forbidden = "forbidden" 403 103 false "This role may not do that",
    /// No such thing, or it is another tenant's.
    NotFound = "not_found" 404 404 false "There is no such thing",
    /// The route does not take this method.
    MethodNotAllowed = "method_not_allowed" 405 405 false "This route does not take this method",
    /// Took too long to arrive.
    RequestTimeout = "request_timeout" 408 408 true "The request took too long to arrive",
    /// The same idempotency key with other content.
    KeyReused = "key_reused" 409 409 false "This idempotency key was used with other content",
    /// The thing's state does not allow it (cancel after claim, reopen of an open one).
    WrongState = "wrong_state" 409 410 false "Its state does not allow that",
    /// The contact opted out.
    OptedOut = "opted_out" 409 411 false "The contact has opted out",
    /// The contact's address cannot receive texts.
    Unreachable = "unreachable" 409 412 false "The contact's address cannot receive texts",
    /// The contact was erased or hid the number: there is nothing to send to.
    NoAddress = "no_address" 409 414 false "The contact has no address to send to",
    /// An operator blocked the contact.
    Blocked = "blocked" 409 420 false "The contact is blocked",
    /// An address or id that somebody else has.
    Taken = "taken" 409 415 false "Somebody else has that",
    /// A tenant keeps an owner.
    LastOwner = "last_owner" 409 417 false "The last owner stays owner",
    /// E-mail and password do not belong together.
    BadCredentials = "bad_credentials" 401 418 false "E-mail or password is wrong",
    /// A one-time link that was used, replaced, or is too old.
    LinkSpent = "link_spent" 410 419 false "This link is no longer good",
    /// Larger than allowed.
    TooLarge = "too_large" 413 413 false "The request is larger than allowed",
    /// A limit of requests was reached.
    TooManyRequests = "too_many_requests" 429 111 true "Too many requests",
    /// A queue of the tenant is full.
    Full = "full" 429 429 true "The tenant's queue is full",
    /// The conversation is parked after repeated crashes.
    Parked = "parked" 503 416 true "The conversation is parked",
    /// The store cannot take it now. Nothing was acknowledged.
    Unavailable = "unavailable" 503 503 true "The store cannot take this now",
    /// Shutting down.
    Draining = "draining" 503 504 true "This node is shutting down",
    /// Our own mistake.
    Internal = "internal" 500 100 true "Something went wrong on our side",
}

/// RFC 9457 body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `https://deskwire.dev/problems/<code>`; a name, not a page to fetch.
    pub r#type: String,
    /// For people; may change.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable.
    pub code: Code,
    /// What exactly, with the ids needed to act. Never a contact's text or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which field is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds after which to try again; also in `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// The request's id, the same as in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<crate::ids::RequestId>,
}

impl Problem {
    /// A problem with nothing but its code.
    pub fn new(code: Code) -> Self {
        Self {
            r#type: format!("https://deskwire.dev/problems/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: None,
            field: None,
            retry_after_s: None,
            request: None,
        }
    }

    /// With what exactly is wrong.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// With the seconds to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: std::time::Duration) -> Self {
        self.retry_after_s = Some(wait.as_secs().max(1));
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_on_both_wires() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let numbers: HashSet<_> = Code::ALL.iter().map(|code| code.stream()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert_eq!(numbers.len(), Code::ALL.len());
    }
}
