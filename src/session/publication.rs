//! Publications outside the inbox: the same data, with the channel's own previous offset as tag `prev`.

use schema::ids::Offset;
use serde_json::value::RawValue;

/// Publications of one channel, gathered for a reply or for pushes.
#[derive(Default)]
pub(super) struct Publications {
    /// Each `{"data":…,"offset":7,"tags":{"prev":"3"}}`, one after the other.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Publications {
    /// Adds one that is complete already.
    pub(super) fn push_whole(&mut self, publication: &[u8]) {
        self.bytes.extend_from_slice(publication);
        self.ends.push(self.bytes.len());
    }

    /// Adds one that names the channel's previous offset.
    pub(super) fn push(&mut self, data: &[u8], offset: Offset, previous: Offset) {
        self.bytes.extend_from_slice(b"{\"data\":");
        self.bytes.extend_from_slice(data);
        let rest = format!(",\"offset\":{offset},\"tags\":{{\"prev\":\"{previous}\"}}}}");
        self.bytes.extend_from_slice(rest.as_bytes());
        self.ends.push(self.bytes.len());
    }

    /// Adds others behind.
    pub(super) fn append(&mut self, others: Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&others.bytes);
        self.ends.extend(others.ends.iter().map(|end| start + end));
    }

    /// Newest first.
    pub(super) fn reversed(self) -> Self {
        let mut reversed = Self::default();
        for publication in self.iter().rev() {
            reversed.push_whole(publication);
        }
        reversed
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let spans: Vec<(usize, usize)> = starts.zip(self.ends.iter().copied()).collect();
        spans.into_iter().map(|(start, end)| &self.bytes[start..end])
    }

    /// As a reply carries them; none if there are none.
    pub(super) fn into_array(self) -> Option<Box<RawValue>> {
        if self.ends.is_empty() {
            return None;
        }
        let mut array = Vec::with_capacity(self.bytes.len() + self.ends.len() + 2);
        array.push(b'[');
        for publication in self.iter() {
            if array.len() > 1 {
                array.push(b',');
            }
            array.extend_from_slice(publication);
        }
        array.push(b']');
        let array = String::from_utf8(array).expect("publications are JSON, which is UTF-8");
        Some(RawValue::from_string(array).expect("publications are JSON"))
    }

    /// As pushes on a channel, joined by `\n` into messages of about `message_bytes`.
    pub(super) fn into_pushes(self, channel: &str, message_bytes: usize) -> Vec<String> {
        let mut messages: Vec<String> = Vec::new();
        for publication in self.iter() {
            let publication = std::str::from_utf8(publication).expect("publications are JSON, which is UTF-8");
            let room = |message: &&mut String| message.len() + publication.len() < message_bytes;
            match messages.last_mut().filter(room) {
                Some(message) => {
                    message.push('\n');
                    push(message, channel, publication);
                }
                None => {
                    let mut message = String::with_capacity(publication.len() + channel.len() + 32);
                    push(&mut message, channel, publication);
                    messages.push(message);
                }
            }
        }
        messages
    }
}

fn push(message: &mut String, channel: &str, publication: &str) {
    message.push_str("{\"push\":{\"channel\":\"");
    message.push_str(channel);
    message.push_str("\",\"pub\":");
    message.push_str(publication);
    message.push_str("}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Publications {
        let mut publications = Publications::default();
        publications.push(br#"{"a":1}"#, Offset(7), Offset(3));
        publications.push(br#"{"a":2}"#, Offset(9), Offset(7));
        publications.push_whole(br#"{"data":{},"offset":10}"#);
        publications
    }

    #[test]
    fn a_reply_carries_an_array() {
        assert!(Publications::default().into_array().is_none());
        assert_eq!(
            three().into_array().unwrap().get(),
            r#"[{"data":{"a":1},"offset":7,"tags":{"prev":"3"}},{"data":{"a":2},"offset":9,"tags":{"prev":"7"}},{"data":{},"offset":10}]"#
        );
    }

    #[test]
    fn pushes_are_joined_up_to_the_size_of_a_message() {
        let one_each = three().into_pushes("conversation:x", 1);
        assert_eq!(one_each.len(), 3);
        assert_eq!(
            one_each[0],
            r#"{"push":{"channel":"conversation:x","pub":{"data":{"a":1},"offset":7,"tags":{"prev":"3"}}}}"#
        );
        assert_eq!(three().into_pushes("conversation:x", 10_000), [one_each.join("\n")]);
    }
}
