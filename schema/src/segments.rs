//! What a text costs on the air: its encoding, its units and its segments.
//!
//! GSM-7 (3GPP TS 23.038, basic and extension table) when every character is in it, else UCS-2. A text that fits one
//! message has 160 septets or 70 code units; a longer one loses a 6-byte header (UDH) in each segment: 153 or 67.
//! A character of two units may not straddle two segments. Source: carriers.md D.8.

/// How a text is encoded on the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a character; the extension table costs two.
    Gsm7,
    /// UTF-16 code units; what lies beyond the basic plane costs two.
    Ucs2,
}

/// How a text is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The cheapest encoding that holds every character.
    pub encoding: Encoding,
    /// Septets (GSM-7) or UTF-16 code units (UCS-2).
    pub units: u32,
    /// How many segments it costs: at least 1, also for an empty text (a picture alone).
    pub segments: u16,
}

impl Encoding {
    /// Units of a text that fits a single message.
    const fn single(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units of each segment of a longer text.
    const fn part(self) -> u32 {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    fn width(self, character: char) -> u32 {
        match self {
            Self::Gsm7 => gsm7_width(character).unwrap_or(1),
            Self::Ucs2 => character.len_utf16() as u32,
        }
    }
}

/// Counts the segments of a text.
pub fn count(text: &str) -> Count {
    let mut units = 0_u32;
    for character in text.chars() {
        match gsm7_width(character) {
            Some(width) => units = units.saturating_add(width),
            None => return count_as(Encoding::Ucs2, text, text.chars().map(|c| c.len_utf16() as u32).sum()),
        }
    }
    count_as(Encoding::Gsm7, text, units)
}

fn count_as(encoding: Encoding, text: &str, units: u32) -> Count {
    let segments = if units <= encoding.single() { 1 } else { filled(encoding, text) };
    Count { encoding, units, segments }
}

/// Fills segment after segment, as a phone does: a character that does not fit whole opens the next one.
fn filled(encoding: Encoding, text: &str) -> u16 {
    let (mut segments, mut used) = (1_u16, 0);
    for character in text.chars() {
        let width = encoding.width(character);
        if used + width > encoding.part() {
            segments = segments.saturating_add(1);
            used = 0;
        }
        used += width;
    }
    segments
}

/// Septets of a character, or `None` if GSM-7 does not have it.
fn gsm7_width(character: char) -> Option<u32> {
    match character {
        '\n' | '\r' | ' '..='Z' | 'a'..='z' => Some(1),
        '_' | '£' | '¥' | '¤' | '§' | '¡' | '¿' => Some(1),
        'Ä' | 'Å' | 'Æ' | 'Ç' | 'É' | 'Ñ' | 'Ö' | 'Ø' | 'Ü' | 'ß' => Some(1),
        'à' | 'ä' | 'å' | 'æ' | 'è' | 'é' | 'ì' | 'ñ' | 'ò' | 'ö' | 'ø' | 'ù' | 'ü' => Some(1),
        'Γ' | 'Δ' | 'Θ' | 'Λ' | 'Ξ' | 'Π' | 'Σ' | 'Φ' | 'Ψ' | 'Ω' => Some(1),
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
