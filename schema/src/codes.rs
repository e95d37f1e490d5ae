//! The catalogue of the stream's codes: errors in replies, unsubscribe codes, close codes.
//!
//! Numbers, reasons and ranges are those of the Centrifugo client protocol, so that its clients know what to do:
//! unsubscribe codes from 2500 mean "subscribe again"; close codes 3000–3499 mean "reconnect", 3500–3999 "do not".
//! Errors from 400 on are the problems of [`crate::problem`], with their stable code as message.

use serde::Serialize;

use crate::problem::Problem;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $( $(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[$vdoc])* $variant, )* }

        impl $name {
            /// Every one, for documentation and tests.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// Its number on the wire.
            pub fn code(self) -> u16 { match self { $( Self::$variant => $code, )* } }
            /// What the wire says beside the number.
            pub fn reason(self) -> &'static str { match self { $( Self::$variant => $text, )* } }
        }
    };
}

codes! {
    /// Errors in replies to commands, as the protocol numbers them.
    StreamError {
        /// Our own mistake, or something of ours is away.
        Internal = 100 "internal server error",
        /// No token.
        Unauthorized = 101 "unauthorized",
        /// There is no such channel.
        UnknownChannel = 102 "unknown channel",
        /// The role, or the tenant, does not allow it.
        PermissionDenied = 103 "permission denied",
        /// There is no such method.
        MethodNotFound = 104 "method not found",
        /// Already subscribed to that channel.
        AlreadySubscribed = 105 "already subscribed",
        /// A limit of the connection is reached: subscriptions, size.
        LimitExceeded = 106 "limit exceeded",
        /// The command cannot be understood.
        BadRequest = 107 "bad request",
        /// The channel does not offer that.
        NotAvailable = 108 "not available",
        /// The token was good once.
        TokenExpired = 109 "token expired",
        /// The connection's time is over.
        Expired = 110 "expired",
        /// Slower, please.
        TooManyRequests = 111 "too many requests",
        /// The log no longer has what was asked for, or is another log.
        UnrecoverablePosition = 112 "unrecoverable position",
    }
}

codes! {
    /// Why a client-side subscription ended without the client's asking.
    Unsubscribe {
        /// Taken away for good.
        Server = 2000 "server unsubscribe",
        /// Something was missed: subscribe again from the position held.
        InsufficientState = 2500 "insufficient state",
    }
}

codes! {
    /// Why a connection was closed: code and reason of the WebSocket close frame.
    Close {
        /// The frames are no WebSocket (RFC 6455 §7.4.1): reserved bits, unknown opcodes, fragments out of place.
        ProtocolError = 1002 "protocol error",
        /// Text that is not UTF-8 (RFC 6455 §8.1).
        NotUtf8 = 1007 "invalid frame payload data",
        /// A frame was larger than allowed (RFC 6455 §7.4.1); clients do not come back by themselves.
        TooBig = 1009 "message size limit exceeded",
        /// The client said goodbye.
        Normal = 3000 "connection closed",
        /// This node is going down.
        Shutdown = 3001 "shutdown",
        /// Our own mistake, or something of ours is away.
        ServerError = 3004 "internal server error",
        /// The token ran out and was not refreshed.
        Expired = 3005 "connection expired",
        /// The transport took nothing for too long.
        Slow = 3008 "slow",
        /// Writing failed.
        WriteError = 3009 "write error",
        /// What was sent and what the log holds may differ: come back with the position held.
        InsufficientState = 3010 "insufficient state",
        /// Come back, perhaps elsewhere.
        ForceReconnect = 3011 "force reconnect",
        /// A ping stayed unanswered.
        NoPong = 3012 "no pong",
        /// Kept sending too much after being told.
        TooManyRequests = 3013 "too many requests",
        /// What this operator may see has changed: load everything anew.
        StateInvalidated = 3014 "state invalidated",
        /// The token is not one of ours.
        InvalidToken = 3500 "invalid token",
        /// Not the protocol.
        BadRequest = 3501 "bad request",
        /// No connect command in time.
        Stale = 3502 "stale",
        /// Do not come back.
        ForceDisconnect = 3503 "force disconnect",
        /// Too many connections of this operator or this node.
        ConnectionLimit = 3504 "connection limit",
        /// More channels than a connection may have.
        ChannelLimit = 3505 "channel limit",
        /// Binary frames, where text is spoken.
        InappropriateProtocol = 3506 "inappropriate protocol",
        /// The operator was revoked.
        PermissionDenied = 3507 "permission denied",
        /// Kept making errors.
        TooManyErrors = 3509 "too many errors",
    }
}

impl Close {
    /// Whether the protocol's clients come back by themselves.
    pub fn reconnects(self) -> bool {
        (3000..3500).contains(&self.code())
    }
}

/// An error as a reply carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// Below 400 the protocol's, from 400 ours.
    pub code: u32,
    /// The protocol's words, or our problem's stable code.
    pub message: String,
    /// Worth trying again as it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub temporary: bool,
}

impl From<StreamError> for ErrorBody {
    fn from(error: StreamError) -> Self {
        let temporary = matches!(error, StreamError::Internal | StreamError::TooManyRequests);
        Self { code: u32::from(error.code()), message: error.reason().to_owned(), temporary }
    }
}

impl From<&Problem> for ErrorBody {
    /// The stable code, and the field if one is wrong: `invalid: text`.
    fn from(problem: &Problem) -> Self {
        let message = match &problem.field {
            Some(field) => format!("{}: {field}", problem.code.as_str()),
            None => problem.code.as_str().to_owned(),
        };
        Self { code: problem.code.stream(), message, temporary: problem.code.temporary() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::problem::Code;

    #[test]
    fn every_code_stands_in_the_range_that_tells_clients_what_to_do() {
        assert!(StreamError::ALL.iter().all(|error| error.code() < 400));
        assert!(Unsubscribe::ALL.iter().all(|code| (2000..3000).contains(&code.code())));
        assert!(
            Close::ALL
                .iter()
                .all(|code| [1002, 1007, 1009].contains(&code.code()) || (3000..4000).contains(&code.code()))
        );
        let numbers: HashSet<u16> = Close::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(numbers.len(), Close::ALL.len());
    }

    #[test]
    fn a_close_reason_fits_into_a_control_frame() {
        assert!(Close::ALL.iter().all(|code| code.reason().len() <= 123));
    }

    #[test]
    fn a_problem_keeps_its_meaning_on_the_stream() {
        for code in Code::ALL {
            let body = ErrorBody::from(&Problem::new(*code));
            let known = StreamError::ALL.iter().any(|error| u32::from(error.code()) == body.code);
            assert!(body.code >= 400 || known, "{code:?}");
        }
    }
}
