//! Takes an input apart: a few choices from its first bytes, texts parted by a zero byte.

/// The first byte and the rest; an empty input chooses 0.
pub(crate) fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

/// `N` texts, parted by zero bytes; those that are missing are empty, the last takes the rest.
pub(crate) fn texts<const N: usize>(data: &[u8]) -> [String; N] {
    let mut parts = data.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned())
}
