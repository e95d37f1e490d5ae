//! What Twilio's error codes ask of us. Source: twilio.com/docs/api/errors and carriers.md B.1, D.9.

use schema::message::{CarrierError, ErrorClass, Status};

/// A code with its class.
pub fn carrier_error(code: u32) -> CarrierError {
    CarrierError { code, class: classify(code) }
}

/// A text that the carrier took and did not bring: where that leaves it, and why.
///
/// 30036: its `ValidityPeriod` ended in Twilio's own queue, and Twilio did not send it. That is not a delivery that failed.
pub fn failure(code: u32) -> (Status, CarrierError) {
    let error = carrier_error(code);
    let status = if error.class == ErrorClass::TooLate { Status::Expired } else { Status::Failed };
    (status, error)
}

/// Codes below 30000 refuse a request; those of 30000 and above tell of a text that had been accepted.
fn classify(code: u32) -> ErrorClass {
    match code {
        21_610 => ErrorClass::OptOut,
        // Not a mobile number; landline or unreachable carrier.
        21_614 | 21_635 | 30_006 => ErrorClass::Landline,
        // Invalid `To`; unknown handset; blocked by the recipient's side for good.
        21_211 | 21_217 | 21_612 | 30_004 | 30_005 => ErrorClass::Permanent,
        // Too many requests; queue of the number, of the account.
        20_429 | 21_611 | 30_001 => ErrorClass::Pace,
        // Region not enabled; filtered; unregistered or over the registered volume.
        21_408 | 30_007 | 30_022 | 30_023 | 30_027 | 30_032 | 30_034 => ErrorClass::Policy,
        // Handset off or out of reach; congestion at the network.
        30_003 | 30_017 => ErrorClass::Transient,
        // Never sent: its validity was over before its turn came.
        30_036 => ErrorClass::TooLate,
        // No cause given, or one that we do not know, after acceptance.
        0 | 30_008 => ErrorClass::Ambiguous,
        code if code >= 30_000 => ErrorClass::Ambiguous,
        _ => ErrorClass::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_named_by_the_carrier_facts_is_kept() {
        let table = [
            (ErrorClass::OptOut, &[21_610][..]),
            (ErrorClass::Permanent, &[21_211, 30_005]),
            (ErrorClass::Landline, &[21_614, 30_006]),
            (ErrorClass::Pace, &[20_429, 21_611, 30_001]),
            (ErrorClass::Policy, &[30_007, 30_034]),
            (ErrorClass::Transient, &[30_003]),
            (ErrorClass::TooLate, &[30_036]),
            (ErrorClass::Ambiguous, &[30_008, 39_999]),
            (ErrorClass::Rejected, &[20_003, 21_606, 21_608]),
        ];
        for (class, codes) in table {
            for code in codes {
                assert_eq!(classify(*code), class, "{code}");
            }
        }
    }

    #[test]
    fn a_text_whose_validity_ended_at_the_carrier_is_too_late_and_not_failed() {
        assert_eq!(failure(30_036), (Status::Expired, CarrierError { code: 30_036, class: ErrorClass::TooLate }));
        assert_eq!(failure(30_003).0, Status::Failed);
    }
}
