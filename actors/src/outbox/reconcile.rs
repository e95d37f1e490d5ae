//! Which text of the carrier's list is ours, when nobody knows whether it took ours; and when to ask. Pure.
//!
//! A text is found by its time and what it says, leaving out the carrier's ids that other texts of the contact have.
//! Exactly one is a proof. None proves nothing: it may still come. Several prove nothing: either may be ours.

use std::{collections::HashSet, time::Duration};

use schema::time::Stamp;

use crate::ports::ListedText;

/// When the carrier's list is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconcileOptions {
    /// After a claim's deadline and the time that a request may take, the carrier has this long to show the text; and
    /// so far may its clock be from ours.
    pub margin: Duration,
    /// The wait before the second question; it doubles.
    pub again_min: Duration,
    /// The longest wait between two questions.
    pub again_max: Duration,
    /// A question is given up after so long.
    pub time_out: Duration,
    /// Between two questions of one account, whatever they are about.
    pub interval: Duration,
}

impl Default for ReconcileOptions {
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(30),
            again_min: Duration::from_secs(30),
            again_max: Duration::from_secs(600),
            time_out: Duration::from_secs(10),
            interval: Duration::from_millis(500),
        }
    }
}

impl ReconcileOptions {
    /// When the carrier may be asked first: whatever was on its way has arrived by then.
    pub fn first(&self, deadline: Stamp, request: Duration) -> Stamp {
        deadline.plus(request).plus(self.margin)
    }

    /// When it is asked for the last time: at the end of validity, at which the carrier drops it too, or at the first
    /// time if that is later.
    pub fn last(&self, first: Stamp, valid_until: Stamp) -> Stamp {
        first.max(valid_until)
    }

    /// When it is asked after `looks` questions; none: never again.
    pub fn next(&self, looks: u32, now: Stamp, last: Stamp, asked: Option<Duration>, random: u64) -> Option<Stamp> {
        if now >= last {
            return None;
        }
        let doublings = looks.saturating_sub(1).min(16);
        let most = self.again_min.saturating_mul(1 << doublings).min(self.again_max).max(Duration::from_millis(1));
        let half = u64::try_from(most.as_micros() / 2).unwrap_or(u64::MAX).max(1);
        let wait = Duration::from_micros(half + random % half.saturating_add(1));
        Some(now.plus(wait.max(asked.unwrap_or_default())).min(last))
    }
}

/// The text that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// What it says.
    pub text: &'w str,
    /// Pictures and files.
    pub media: usize,
    /// Taken by the carrier no earlier than this.
    pub since: Stamp,
    /// Taken by the carrier no later than this.
    pub until: Stamp,
}

/// What the list says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found<'l> {
    /// This is it.
    One(&'l ListedText),
    /// It is not there, which proves nothing.
    Nothing,
    /// More than one may be it.
    Several,
}

/// Looks for a text in the carrier's list. `known`: the carrier's ids of the contact's other texts and attempts.
pub fn find<'l>(wanted: Wanted<'_>, listed: &'l [ListedText], known: &HashSet<&str>) -> Found<'l> {
    let is_it = |other: &&ListedText| {
        !known.contains(other.carrier_id.as_str())
            && (wanted.since..=wanted.until).contains(&other.taken)
            && other.media == wanted.media
            && same(&other.text, wanted.text)
    };
    let mut matching = listed.iter().filter(is_it);
    match (matching.next(), matching.next()) {
        (Some(one), None) => Found::One(one),
        (None, _) => Found::Nothing,
        (Some(_), Some(_)) => Found::Several,
    }
}

/// Carriers take blanks off the ends, and write ends of lines in their own way.
pub fn same(left: &str, right: &str) -> bool {
    let lines = |text: &str| text.trim().replace("\r\n", "\n");
    lines(left) == lines(right)
}

#[cfg(test)]
mod tests {
    use schema::message::Status;

    use super::*;

    fn listed(id: &str, second: u64, text: &str) -> ListedText {
        let taken = Stamp(second * 1_000_000);
        let (carrier_id, text) = (id.to_owned(), text.to_owned());
        ListedText { carrier_id, taken, text, media: 0, status: Status::Sent, error: None }
    }

    fn wanted(text: &str) -> Wanted<'_> {
        Wanted { text, media: 0, since: Stamp(100_000_000), until: Stamp(200_000_000) }
    }

    fn ids<'a>(found: Found<'a>) -> Option<&'a str> {
        match found {
            Found::One(text) => Some(&text.carrier_id),
            Found::Nothing => None,
            Found::Several => Some("several"),
        }
    }

    type Case<'c> = (&'c str, &'c [ListedText], &'c HashSet<&'c str>, Option<&'c str>);

    #[test]
    fn only_one_text_of_the_time_with_the_words_and_an_unknown_id_is_a_proof() {
        let list = [
            listed("SM1", 150, "hello"),
            listed("SM2", 150, "other"),
            listed("SM3", 99, "hello"),
            listed("SM4", 201, "hello"),
        ];
        let none = HashSet::new();
        let table: [Case<'_>; 6] = [
            ("the one", &list, &none, Some("SM1")),
            ("known as another's", &list, &HashSet::from(["SM1"]), None),
            ("nothing there", &[], &none, None),
            ("twice", &[listed("SM1", 120, "hello"), listed("SM5", 180, "hello")], &none, Some("several")),
            (
                "twice, one known",
                &[listed("SM1", 120, "hello"), listed("SM5", 180, "hello")],
                &HashSet::from(["SM1"]),
                Some("SM5"),
            ),
            ("blanks", &[listed("SM1", 120, " hello\r\n")], &none, Some("SM1")),
        ];
        for (case, list, known, expected) in table {
            assert_eq!(ids(find(wanted("hello"), list, known)), expected, "{case}");
        }
        assert_eq!(find(Wanted { media: 1, ..wanted("hello") }, &list, &none), Found::Nothing, "a picture is missing");
    }

    #[test]
    fn the_carrier_is_asked_late_enough_ever_more_rarely_and_not_after_the_end() {
        let options = ReconcileOptions::default();
        let deadline = Stamp(1_000_000_000);
        let first = options.first(deadline, Duration::from_secs(20));
        assert_eq!(first, deadline.plus(Duration::from_secs(50)));
        let last = options.last(first, deadline.plus(Duration::from_secs(4 * 3_600)));
        let (mut now, mut looks) = (first, 0_u32);
        loop {
            looks += 1;
            let Some(next) = options.next(looks, now, last, None, u64::from(looks) * 7_919_777) else { break };
            let wait = next.since(now);
            assert!(next == last || wait >= options.again_min / 2 && wait <= options.again_max, "{wait:?}");
            now = next;
        }
        assert_eq!(now, last, "the last question is at the end of validity");
        assert!((20..80).contains(&looks), "{looks} questions in four hours");
        let asked = options.next(1, first, last, Some(Duration::from_secs(3_000)), 0).expect("there is time");
        assert!(asked >= first.plus(Duration::from_secs(3_000)), "the carrier said when to come back");
        assert_eq!(options.last(first, deadline), first, "one question at least");
    }
}
