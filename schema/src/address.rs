//! Addresses of contacts: E.164 numbers, checked by the `phonenumber` crate, and what carriers send when there is none.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An address a contact can be reached at, or the fact that there is none.
///
/// Its `Debug` hides the number: addresses must not reach a log line.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// `+` and 1 to 15 digits.
    Phone(E164),
    /// The caller hid it.
    Anonymous,
}

/// A number in E.164: `+`, country code, national number; at most 15 digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct E164(Box<str>);

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an E.164 number (a plus sign and up to 15 digits)")]
pub struct InvalidAddress;

impl E164 {
    /// Parses a number that carries its country code. Short codes (3 to 8 digits) are taken as they are.
    pub fn new(text: &str) -> Result<Self, InvalidAddress> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidAddress);
        }
        if !text.starts_with('+') {
            return if (3..=8).contains(&digits.len()) { Ok(Self(text.into())) } else { Err(InvalidAddress) };
        }
        if digits.len() < 7 || digits.starts_with('0') {
            return Err(InvalidAddress);
        }
        Ok(Self(text.into()))
    }

    /// Parses what a person typed (spaces, brackets, dashes), with a default country; needs libphonenumber's data.
    pub fn from_typed(text: &str, country: phonenumber::country::Id) -> Result<Self, InvalidAddress> {
        let number = phonenumber::parse(Some(country), text).map_err(|_| InvalidAddress)?;
        Self::new(&number.format().mode(phonenumber::Mode::E164).to_string())
    }

    /// As carriers want it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it belongs; `None`: a short code, or nothing that the numbering plans know.
    pub fn region(&self) -> Option<Region> {
        let number = phonenumber::parse(None, self.0.strip_prefix('+').map(|_| &*self.0)?).ok()?;
        let country = number.country().id().map(|id| match id.as_ref() {
            // Numbers of the territories are domestic ones: the same carriers, prices and law.
            "PR" | "VI" | "GU" | "AS" | "MP" => "US".to_owned(),
            country => country.to_owned(),
        });
        Some(Region { code: number.country().code(), country })
    }
}

/// Where a number belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The country's calling code, for example 1.
    pub code: u16,
    /// The country, in two letters, if the number tells.
    pub country: Option<String>,
}

impl Address {
    /// Parses a carrier's `From` of a call or a text. Hidden numbers come as words (`anonymous`, `restricted`,
    /// `+266696687` = "anonymous" on a keypad; Twilio, "Receive calls from anonymous callers").
    pub fn from_carrier(text: &str) -> Result<Self, InvalidAddress> {
        const HIDDEN: [&str; 7] =
            ["anonymous", "restricted", "unavailable", "unknown", "blocked", "+266696687", "+86282452253"];
        let text = text.trim();
        if text.is_empty() || HIDDEN.iter().any(|hidden| text.eq_ignore_ascii_case(hidden)) {
            return Ok(Self::Anonymous);
        }
        E164::new(text).map(Self::Phone)
    }

    /// A number as a person types it into a search: with its country code, or as in the United States. Anything that
    /// is not mostly digits is no number.
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let known = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-(). /".contains(&byte));
        if !known || !(7..=15).contains(&digits) {
            return None;
        }
        let bare: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        if bare.starts_with('+') {
            return E164::new(&bare).ok().map(Self::Phone);
        }
        E164::from_typed(&bare, phonenumber::country::Id::US).ok().map(Self::Phone)
    }

    /// The number, if there is one.
    pub fn phone(&self) -> Option<&E164> {
        match self {
            Self::Phone(number) => Some(number),
            Self::Anonymous => None,
        }
    }

    /// As text: the number, or `anonymous`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(number) => number.as_str(),
            Self::Anonymous => "anonymous",
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("E164(…)")
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        Self::from_carrier(text)
    }
}

impl Serialize for E164 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for E164 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_carrier(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_carriers_send_them() {
        assert_eq!(Address::from_carrier("+14155550100").expect("valid").as_str(), "+14155550100");
        assert_eq!(Address::from_carrier("72975").expect("short code").as_str(), "72975");
        assert_eq!(Address::from_carrier("Anonymous"), Ok(Address::Anonymous));
        assert_eq!(Address::from_carrier("+266696687"), Ok(Address::Anonymous));
        for bad in ["hello", "+1415555010x", "14155550100", "+1234567890123456", "+", "+0123456789"] {
            assert!(Address::from_carrier(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_person_types_becomes_e164() {
        let typed = E164::from_typed("(415) 555-0100", phonenumber::country::Id::US).expect("valid");
        assert_eq!(typed.as_str(), "+14155550100");
    }

    #[test]
    fn what_is_typed_into_a_search_is_a_number_only_if_it_looks_like_one() {
        for typed in ["+1 415 555 0100", "(415) 555-0100", "415.555.0100", "1-415-555-0100"] {
            assert_eq!(Address::typed(typed).expect(typed).as_str(), "+14155550100");
        }
        for text in ["hello", "call 415 555 0100", "12", "", "+", "anonymous", "é"] {
            assert_eq!(Address::typed(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_holds_no_number() {
        let address = Address::from_carrier("+14155550100").expect("valid");
        assert!(!format!("{address:?}").contains("4155"));
    }
}
