//! Traces: the way of one request, in spans. A request's id is its trace's id, so that the `request` in an event, a
//! problem or a log line is the trace to look up.
//!
//! A span's id is computed from the request and the stage. So every stage knows its parent's without being told, also
//! behind a queue, a batch or an actor. Nothing is carried along, and nothing is kept while traces are off: then each
//! stage costs one load of a pointer. Spans hold ids and counts, nothing of a contact, and no tenant (P9).

mod stages;

use std::sync::OnceLock;

use schema::{ids::RequestId, time::Stamp};
use tokio::sync::mpsc::{Receiver, Sender, channel};

pub use stages::{Batch, edge, parent_of, pushed, submitted};
pub(crate) use stages::{claimed, sent, status};

/// What a span's value may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An id, or one of few words.
    Text(String),
    /// A count, an offset.
    Number(u64),
}

/// Another span that has to do with this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its trace.
    pub trace: u128,
    /// Itself.
    pub span: u64,
}

/// One stage of a request's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Whose way; the trace's id.
    pub request: RequestId,
    /// Never 0.
    pub id: u64,
    /// The stage before; none: the first.
    pub parent: Option<u64>,
    /// Which stage.
    pub name: &'static str,
    /// When it began.
    pub from: Stamp,
    /// When it ended.
    pub to: Stamp,
    /// Ids, counts and words of a small set.
    pub attributes: Vec<(&'static str, Value)>,
    /// Spans of other traces.
    pub links: Vec<Link>,
}

/// Where spans go.
struct Sink {
    queue: Sender<Span>,
    /// A trace is kept if its hash is at most this.
    up_to: u64,
}

static SINK: OnceLock<Sink> = OnceLock::new();

/// From now on spans are kept: of this share of all requests (0 to 1), and so many until they are taken. What does not
/// fit is dropped and counted. Once per process; `None`: it was done before.
pub fn start(ratio: f64, queue_max: usize) -> Option<Receiver<Span>> {
    let (queue, spans) = channel(queue_max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
    let up_to = (ratio.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
    SINK.set(Sink { queue, up_to }).ok().map(|()| spans)
}

/// Whether anything is traced at all.
pub fn is_on() -> bool {
    SINK.get().is_some()
}

/// Whether this request is traced. Every node decides alike.
pub fn traces(request: RequestId) -> bool {
    SINK.get().is_some_and(|sink| hash(request, "sample", 0) <= sink.up_to)
}

/// Keeps a span, if its request is traced.
pub fn record(span: Span) {
    let Some(sink) = SINK.get() else { return };
    if traces(span.request) && sink.queue.try_send(span).is_err() {
        metrics::counter!("deskwire_trace_spans_dropped_total", "reason" => "queue").increment(1);
    }
}

/// The id of a stage's span. `which`: apart from others of the same stage.
pub fn span_id(request: RequestId, name: &str, which: u64) -> u64 {
    hash(request, name, which).max(1)
}

/// The caller's span in a W3C `traceparent` header: linked, never trusted.
pub fn traceparent(header: &str) -> Option<Link> {
    let mut parts = header.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !is_known || !is_hex(trace, 32) || !is_hex(span, 16) || !is_hex(flags, 2) {
        return None;
    }
    let link = Link { trace: u128::from_str_radix(trace, 16).ok()?, span: u64::from_str_radix(span, 16).ok()? };
    (link.trace != 0 && link.span != 0).then_some(link)
}

/// FNV-1a over everything, then SplitMix64's finish: the same on every node and in every version.
fn hash(request: RequestId, name: &str, which: u64) -> u64 {
    let bytes = request.0.as_bytes().iter().chain(name.as_bytes()).copied().chain(which.to_be_bytes());
    let sum = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let sum = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let sum = (sum ^ (sum >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    sum ^ (sum >> 31)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_callers_span_is_read_and_nonsense_is_not() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let link = Link { trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, span: 0x00f0_67aa_0ba9_02b7 };
        assert_eq!(traceparent(good), Some(link));
        assert_eq!(traceparent(&format!("{}-more", good.replacen("00", "01", 1))), Some(link), "a later version");
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(traceparent(bad), None, "{bad}");
        }
    }

    #[test]
    fn hashes_are_spread_so_that_a_share_is_a_share() {
        let below = (0..10_000_u128).filter(|id| hash(RequestId(Uuid::from_u128(*id)), "sample", 0) <= u64::MAX / 10);
        let share = below.count();
        assert!((800..1_200).contains(&share), "{share} of 10,000 for a tenth");
    }
}
