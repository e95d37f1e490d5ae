//! Until when a certificate is valid: two dates out of its DER (RFC 5280 §4.1), and nothing else of it.

use schema::time::Stamp;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notBefore` and `notAfter`; `None` if these bytes are no certificate.
pub(super) fn validity(certificate: &[u8]) -> Option<(Stamp, Stamp)> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (signed, _) = element(certificate, SEQUENCE)?;
    // version (absent in version 1), serial number, signature algorithm, issuer, then the validity.
    let rest = element(signed, VERSION).map_or(signed, |(_, rest)| rest);
    let (_, rest) = element(rest, INTEGER)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    let (_, rest) = element(rest, SEQUENCE)?;
    let (dates, _) = element(rest, SEQUENCE)?;
    let (from, rest) = date(dates)?;
    let (until, _) = date(rest)?;
    Some((from, until))
}

/// The content of the element at the front, if it has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first != tag {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// `YYMMDDHHMMSSZ` before 2050, `YYYYMMDDHHMMSSZ` from then on (RFC 5280 §4.1.2.5).
fn date(bytes: &[u8]) -> Option<(Stamp, &[u8])> {
    let (year_digits, (text, rest)) = match element(bytes, UTC_TIME) {
        Some(found) => (2, found),
        None => (4, element(bytes, GENERALIZED_TIME)?),
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if text.len() != year_digits + 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, digits: usize| text[from..from + digits].parse::<i16>().ok();
    let year = match (year_digits, number(0, year_digits)?) {
        (2, year) if year < 50 => 2000 + year,
        (2, year) => 1900 + year,
        (_, year) => year,
    };
    let part = |at: usize| number(year_digits + 2 * at, 2).and_then(|part| i8::try_from(part).ok());
    let time = jiff::civil::DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some((Stamp(u64::try_from(time.as_microsecond()).unwrap_or(0)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dates_are_those_the_certificate_was_made_with() {
        for (year, kind) in [(2031, "UTCTime"), (2061, "GeneralizedTime")] {
            let mut made = rcgen::CertificateParams::new(vec!["desk.example.com".to_owned()]).unwrap();
            made.not_before = rcgen::date_time_ymd(2001, 2, 3);
            made.not_after = rcgen::date_time_ymd(year, 12, 31);
            let certificate = made.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            let (from, until) = validity(certificate.der()).unwrap();
            assert_eq!(from.0, 981_158_400_000_000, "2001-02-03");
            let wanted: jiff::Timestamp = format!("{year}-12-31T00:00:00Z").parse().unwrap();
            assert_eq!(until.0, u64::try_from(wanted.as_microsecond()).unwrap(), "{kind}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            validity(&bytes);
            let length = u8::try_from(bytes.len().min(127)).unwrap();
            bytes.splice(0..0, [SEQUENCE, length, SEQUENCE, length.saturating_sub(2)]);
            validity(&bytes);
        }
    }
}
