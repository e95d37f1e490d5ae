//! Twilio's parameters, decoded once: a form, or the members of a JSON object. Knows no meaning of any of them.

use std::borrow::Cow;

/// Decoded parameters in the order of their signature: by name, then by value, each pair once.
#[derive(Debug, Default)]
pub struct Form<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// Decodes `application/x-www-form-urlencoded`. Bytes that are no UTF-8 become U+FFFD, as at the signer.
    pub fn decode(body: &'a [u8]) -> Self {
        let mut pairs = Vec::with_capacity(32);
        pairs.extend(form_urlencoded::parse(body));
        pairs.sort_unstable();
        pairs.dedup();
        Self { pairs }
    }

    /// The text, number and boolean members of a JSON object; others are left out. `None`: it is no JSON object.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
        let pairs = object
            .into_iter()
            .filter_map(|(name, value)| match value {
                serde_json::Value::String(text) => Some((name.into(), text.into())),
                serde_json::Value::Number(number) => Some((name.into(), number.to_string().into())),
                serde_json::Value::Bool(flag) => Some((name.into(), flag.to_string().into())),
                _ => None,
            })
            .collect();
        Some(Self { pairs })
    }

    /// The first value of a name. An empty value counts as none: Twilio sends both for "not known".
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    /// Every pair, as the signature wants them.
    pub fn signed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }
}
