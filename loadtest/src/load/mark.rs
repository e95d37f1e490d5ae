//! What tells our texts and calls apart: run, tenant, lane and number, in the carrier's id of what comes in and at the end
//! of a reply. A lane is one sender that waits for each acknowledgement, so that its numbers have an order.

/// One text of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Which run of the harness.
    pub run: u32,
    /// Which tenant, by its place.
    pub tenant: u16,
    /// Which of the tenant's senders.
    pub lane: u16,
    /// From 0, dense in its lane.
    pub number: u64,
}

/// Numbers have 48 bits.
const NUMBER_MAX: u64 = (1 << 48) - 1;
/// Hexadecimal digits.
const DIGITS: usize = 32;

impl Mark {
    /// As the carrier's id of an inbound text: `SM` and 32 hexadecimal digits.
    pub fn sid(&self) -> String {
        format!("SM{}", self.digits())
    }

    /// As the carrier's id of a call: `CA` and the same digits.
    pub fn call_sid(&self) -> String {
        format!("CA{}", self.digits())
    }

    /// Reads a carrier's id, of a text or a call; none: not ours.
    pub fn of_sid(sid: &str) -> Option<Self> {
        Self::of_digits(sid.strip_prefix("SM").or_else(|| sid.strip_prefix("CA"))?)
    }

    /// A reply's text with the mark at its end.
    pub fn sign(&self, text: &str) -> String {
        format!("{text} #{}", self.digits())
    }

    /// Reads a reply's text; none: not ours.
    pub fn of_text(text: &str) -> Option<Self> {
        Self::of_digits(text.rsplit_once('#')?.1)
    }

    fn digits(&self) -> String {
        let Self { run, tenant, lane, number } = self;
        format!("{run:08x}{tenant:04x}{lane:04x}{:012x}{:04x}", number & NUMBER_MAX, self.check())
    }

    fn of_digits(digits: &str) -> Option<Self> {
        if digits.len() != DIGITS || !digits.is_ascii() {
            return None;
        }
        let part = |from: usize, to: usize| u64::from_str_radix(&digits[from..to], 16).ok();
        let mark = Self {
            run: u32::try_from(part(0, 8)?).ok()?,
            tenant: u16::try_from(part(8, 12)?).ok()?,
            lane: u16::try_from(part(12, 16)?).ok()?,
            number: part(16, 28)?,
        };
        (part(28, 32)? == u64::from(mark.check())).then_some(mark)
    }

    /// So that a digit that fell over is not another text of ours.
    fn check(&self) -> u16 {
        let all = (u64::from(self.run) << 32 | u64::from(self.tenant) << 16 | u64::from(self.lane)) ^ self.number << 7;
        (mix(all) >> 48) as u16
    }
}

/// Scrambles a number (the finisher of splitmix64).
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Scrambles a text.
pub fn mix_text(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hasher::write(&mut hasher, text.as_bytes());
    std::hash::Hasher::finish(&hasher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_a_changed_one_is_not() {
        let mark = Mark { run: 0xdead_beef, tenant: 7, lane: 0x8001, number: 123_456_789 };
        assert_eq!(mark.sid().len(), 34);
        assert_eq!(Mark::of_sid(&mark.sid()), Some(mark));
        assert_eq!(Mark::of_sid(&mark.call_sid()), Some(mark));
        assert_eq!(Mark::of_text(&mark.sign("see you # soon")), Some(mark));
        let changed = mark.sid().replace('7', "8");
        assert_eq!(Mark::of_sid(&changed), None);
        for other in ["", "SM", "SM00000000000000000000000000000001é", "hello #", "CA00000000000000000000000000000000"]
        {
            assert_eq!(Mark::of_sid(other).or(Mark::of_text(other)), None, "{other}");
        }
    }
}
