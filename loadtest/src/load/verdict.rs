//! The verdict: each promise, whether it held, and what speaks against it.

use serde::Serialize;

use super::{
    figures::grouped,
    findings::{Findings, Kind},
};

/// One promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// In words.
    pub promise: &'static str,
    /// Whether it held; none: it could not be looked at.
    pub holds: Option<bool>,
    /// How much was looked at, or how often it did not hold.
    pub said: String,
    /// The first of what speaks against it.
    pub against: Vec<String>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Each promise.
    pub checks: Vec<Check>,
    /// Why the figures mean nothing, if so.
    pub void: Vec<String>,
}

/// How much was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// Texts and replies that were acknowledged.
    pub acked: u64,
    /// Texts and replies in the logs.
    pub in_logs: u64,
    /// Events in the logs.
    pub events: u64,
    /// Publications that operators saw.
    pub pushes: u64,
    /// Operators.
    pub operators: u64,
    /// Times that operators came back.
    pub resumes: u64,
    /// Texts that the carrier took.
    pub taken: u64,
    /// Of those, compared with each other.
    pub taken_compared: u64,
    /// Statuses whose predecessor was no longer remembered, while operators looked.
    pub forgotten: u64,
    /// Whether the logs were read: only of an engine of our own.
    pub logs: bool,
}

impl Looked {
    fn there(&self) -> String {
        let acked = grouped(self.acked);
        match self.logs {
            true => format!("{acked} acknowledged, {} in the logs", grouped(self.in_logs)),
            false => format!("{acked} acknowledged; the logs were not read, operators saw it"),
        }
    }

    fn statuses(&self) -> String {
        match self.forgotten {
            0 => "in frames and logs".to_owned(),
            forgotten => format!("in frames and logs; {} attempts were too old to compare", grouped(forgotten)),
        }
    }
}

impl Verdict {
    /// From what was found in what was looked at.
    pub fn new(findings: &Findings, looked: &Looked, void: Vec<String>) -> Self {
        let Looked { acked, events, pushes, operators, resumes, taken, taken_compared, .. } = looked;
        let (there, statuses) = (looked.there(), looked.statuses());
        let check = |promise, looked_at: bool, kinds: &[Kind], said: String| {
            let found = findings.of(kinds);
            let holds = (looked_at || found.count > 0).then_some(found.count == 0);
            let said = if found.count == 0 { said } else { format!("{} times not", grouped(found.count)) };
            Check { promise, holds, said, against: found.first }
        };
        let checks = vec![
            check(
                "everything acknowledged is there, exactly once",
                *acked > 0,
                &[Kind::Lost, Kind::Twice, Kind::Unsent, Kind::OtherReply],
                there,
            ),
            check("… and in the order it was sent", *acked > 0, &[Kind::Disordered], "by sender".to_owned()),
            check(
                "every operator saw all of it, once, in one order, as the log has it",
                *pushes > 0,
                &[Kind::Gap, Kind::Repeated, Kind::Differs, Kind::Behind],
                format!("{} events by {operators} operators, offsets dense", grouped(*pushes)),
            ),
            check("… and nothing of others", *pushes > 0, &[Kind::Foreign], "tenants and roles".to_owned()),
            check(
                "every position was continued, every session let in",
                *operators > 0,
                &[Kind::Refused],
                format!("{} returns", grouped(*resumes)),
            ),
            check("no status moved back", *pushes > 0, &[Kind::StatusBack], statuses),
            check(
                "nobody was texted faster than allowed",
                *taken > 0,
                &[Kind::Pace],
                format!("{} texts taken", grouped(*taken)),
            ),
            check(
                "the carrier took nothing twice",
                *taken > 0,
                &[Kind::SentTwice],
                format!("{} of them compared", grouped(*taken_compared)),
            ),
            check(
                "the engine's own check finds nothing (deskwire verify)",
                looked.logs,
                &[Kind::Store],
                format!("{} events in the logs, offsets dense", grouped(*events)),
            ),
        ];
        Self { checks, void }
    }

    /// Every promise that could be looked at held.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds != Some(false))
    }

    /// The figures mean something.
    pub fn is_void(&self) -> bool {
        !self.void.is_empty()
    }

    /// In a word.
    pub fn word(&self) -> &'static str {
        match (self.holds(), self.is_void()) {
            (false, _) => "BROKEN",
            (true, true) => "VOID",
            (true, false) => "HOLDS",
        }
    }

    /// 0: it holds; 1: a promise is broken; 2: the run is void.
    pub fn exit_code(&self) -> u8 {
        match (self.holds(), self.is_void()) {
            (false, _) => 1,
            (true, true) => 2,
            (true, false) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked() -> Looked {
        Looked { acked: 1_234, in_logs: 1_234, pushes: 5, operators: 1, taken: 1, logs: true, ..Looked::default() }
    }

    #[test]
    fn a_broken_promise_weighs_more_than_a_void_run_and_both_more_than_nothing() {
        let findings = Findings::default();
        let void = || vec!["the generator could not keep up".to_owned()];
        let verdict = |findings: &Findings, void| Verdict::new(findings, &looked(), void);
        assert_eq!((verdict(&findings, vec![]).word(), verdict(&findings, vec![]).exit_code()), ("HOLDS", 0));
        assert_eq!((verdict(&findings, void()).word(), verdict(&findings, void()).exit_code()), ("VOID", 2));
        findings.add(Kind::Pace, || "early".to_owned());
        let broken = verdict(&findings, void());
        assert_eq!((broken.word(), broken.exit_code()), ("BROKEN", 1));
        let check = broken.checks.iter().find(|check| check.holds == Some(false)).unwrap();
        assert_eq!((check.said.as_str(), check.against.as_slice()), ("1 times not", &["early".to_owned()][..]));
    }

    #[test]
    fn every_kind_of_finding_breaks_a_promise() {
        use Kind::*;
        let kinds = [
            Lost, Twice, Disordered, OtherReply, Unsent, Gap, Repeated, Differs, Behind, Foreign, Refused, StatusBack,
            Pace, SentTwice, Store,
        ];
        for kind in kinds {
            let findings = Findings::default();
            findings.add(kind, String::new);
            let verdict = Verdict::new(&findings, &Looked::default(), vec![]);
            assert_eq!(verdict.checks.iter().filter(|check| check.holds == Some(false)).count(), 1, "{kind:?}");
        }
    }

    #[test]
    fn what_was_not_looked_at_is_not_said_to_hold() {
        let verdict = Verdict::new(&Findings::default(), &Looked::default(), vec![]);
        assert!(verdict.checks.iter().all(|check| check.holds.is_none()), "{verdict:?}");
    }
}
