//! Scenarios: TOML files that say who does what, how often, and what goes wrong when. Those of the project are built in.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde::{Deserialize, Serialize};

use super::schedule::{Rate, Spacing};
use crate::{
    carrier::{Faults, Latency},
    meter::Limits,
};

/// Tenants have 16 bits in a mark, and operators half of the lanes.
const TENANTS_MAX: usize = 10_000;
/// Lanes below it belong to webhooks, from it on to operators.
pub const OPERATORS_FROM: u16 = 0x8000;

/// The project's own, by name.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("steady", include_str!("../../scenarios/steady.toml")),
    ("ramp", include_str!("../../scenarios/ramp.toml")),
    ("burst", include_str!("../../scenarios/burst.toml")),
    ("fan-out", include_str!("../../scenarios/fan-out.toml")),
    ("resume-storm", include_str!("../../scenarios/resume-storm.toml")),
    ("slow-readers", include_str!("../../scenarios/slow-readers.toml")),
    ("noisy-neighbour", include_str!("../../scenarios/noisy-neighbour.toml")),
    ("one-contact", include_str!("../../scenarios/one-contact.toml")),
    ("carrier-trouble", include_str!("../../scenarios/carrier-trouble.toml")),
    ("restart", include_str!("../../scenarios/restart.toml")),
    ("kills", include_str!("../../scenarios/kills.toml")),
    ("soak", include_str!("../../scenarios/soak.toml")),
];

/// Everything that happens in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// As in reports.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// How long load is offered.
    pub duration_s: f64,
    /// Businesses.
    pub tenants: usize,
    /// How unequal they are: the n-th has n^-zipf of the first's traffic and operators.
    #[serde(default = "one")]
    pub zipf: f64,
    /// After the load: longest wait for texts that are on their way to end.
    #[serde(default = "settle")]
    pub settle_s: f64,
    /// After that: longest wait for operators to see everything.
    #[serde(default = "settle")]
    pub catch_up_s: f64,
    /// A run is void if one in a hundred arrivals is released later than this.
    #[serde(default = "lag")]
    pub generator_lag_max_ms: u64,
    /// Keys of the engine's configuration, as `section.key`, when the harness starts it.
    #[serde(default)]
    pub engine: BTreeMap<String, toml_value::Scalar>,
    /// Variables of the engine's process beside those, when the harness starts it: `LD_PRELOAD`, say.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Who watches.
    pub operators: Operators,
    /// Contacts who write.
    #[serde(default)]
    pub texts: Vec<Texts>,
    /// Operators who answer.
    #[serde(default)]
    pub replies: Option<Replies>,
    /// The simulated carrier.
    #[serde(default)]
    pub carrier: Carrier,
    /// What happens when.
    #[serde(default)]
    pub actions: Vec<Timed>,
}

/// Values of the engine's configuration.
pub mod toml_value {
    use serde::{Deserialize, Serialize};

    /// A number, a word or a switch.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    pub enum Scalar {
        /// `true` or `false`.
        Switch(bool),
        /// Whole.
        Number(i64),
        /// Quoted.
        Word(String),
    }

    impl std::fmt::Display for Scalar {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match self {
                Self::Switch(switch) => switch.fmt(f),
                Self::Number(number) => number.fmt(f),
                Self::Word(word) => word.fmt(f),
            }
        }
    }
}

fn one() -> f64 {
    1.0
}

fn settle() -> f64 {
    30.0
}

fn lag() -> u64 {
    100
}

/// Who watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    /// Dashboards, spread over the tenants; every tenant has one at least.
    pub count: usize,
    /// The share of them who may only look.
    #[serde(default)]
    pub viewers: f64,
}

/// Contacts who write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// As in reports.
    pub name: String,
    /// How often.
    pub rate: Rate,
    /// How they follow each other.
    #[serde(default)]
    pub spacing: Spacing,
    /// Connections to the engine; one text at a time on each.
    #[serde(default = "connections")]
    pub connections: u16,
    /// Contacts of each tenant.
    #[serde(default = "contacts")]
    pub contacts: u64,
    /// Only to this tenant, by its place.
    #[serde(default)]
    pub only_tenant: Option<u16>,
    /// To every tenant but this one.
    #[serde(default)]
    pub except_tenant: Option<u16>,
    /// Begins so long after the others …
    #[serde(default)]
    pub after_s: f64,
    /// … and lasts so long; none: to the end.
    #[serde(default)]
    pub for_s: Option<f64>,
    /// How long a text that was not taken is tried again, as carriers do. 0: once.
    #[serde(default)]
    pub retry_s: f64,
    /// Texts that wait for one connection; more are not sent, and counted.
    #[serde(default = "waiting")]
    pub waiting: usize,
    /// Ends when so many could not be sent: the engine is full, and there is nothing more to learn.
    #[serde(default)]
    pub until_shed: Option<u64>,
    /// The share of taken texts that are posted again, as after a lost answer.
    #[serde(default)]
    pub repeat: f64,
    /// The share of arrivals that are missed calls in place of texts.
    #[serde(default)]
    pub calls: f64,
    /// Contacts keep to no connection: few of them can still be many at once, and only connections have an order.
    #[serde(default)]
    pub spread: bool,
}

fn connections() -> u16 {
    64
}

fn waiting() -> usize {
    1_024
}

fn contacts() -> u64 {
    500
}

/// Operators who answer, through the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replies {
    /// How often, all of them together.
    pub rate: Rate,
    /// How they follow each other.
    #[serde(default)]
    pub spacing: Spacing,
    /// How long one is tried again.
    #[serde(default = "settle")]
    pub retry_s: f64,
}

/// The simulated carrier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Carrier {
    /// What every line may send; the engine is told the same.
    pub limits: Limits,
    /// How long things take.
    pub latency: Latency,
    /// What goes wrong from the beginning.
    pub faults: Faults,
    /// What the meter forgives: the network's and this machine's jitter.
    pub tolerance_ms: u64,
}

impl Default for Carrier {
    fn default() -> Self {
        let limits = Limits { number_per_s: Some(20), ..Limits::default() };
        Self { limits, latency: Latency::default(), faults: Faults::default(), tolerance_ms: 50 }
    }
}

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// Since the load began.
    pub at_s: f64,
    /// How often …
    #[serde(default = "once")]
    pub times: u32,
    /// … and so long after each other.
    #[serde(default)]
    pub every_s: f64,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

fn once() -> u32 {
    1
}

impl Timed {
    /// Every time it happens, since the load began.
    pub fn moments(&self) -> impl Iterator<Item = f64> {
        (0..self.times).map(|time| self.at_s + f64::from(time) * self.every_s)
    }
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// kill -9 of the engine, and a start on the same directory.
    Kill,
    /// Dashboards lose their sockets at once, and come back.
    Drop {
        /// How many of them, 0 to 1.
        share: f64,
    },
    /// Dashboards stop reading, their sockets open.
    Stall {
        /// How many of them, 0 to 1.
        share: f64,
        /// For how long.
        for_s: f64,
    },
    /// The carrier goes wrong in this way from now on; what is not named goes well.
    Faults {
        /// How.
        #[serde(default)]
        faults: Box<Faults>,
    },
    /// The carrier does not answer at all, and comes back.
    Away {
        /// For how long.
        for_s: f64,
    },
    /// Whatever else may go wrong: a command of the shell, in the engine's directory. `DESKWIRE_PID` is its process.
    /// What follows waits for its end; a command that fails ends the run.
    Run {
        /// The command.
        command: String,
        /// In a word or two, as charts say it.
        word: String,
    },
}

impl Action {
    /// In a word, as charts say it.
    pub fn word(&self) -> &str {
        match self {
            Self::Kill => "kill -9",
            Self::Drop { .. } => "sockets lost",
            Self::Stall { .. } => "readers stop",
            Self::Faults { faults } if **faults == Faults::default() => "carrier well",
            Self::Faults { .. } => "carrier ill",
            Self::Away { .. } => "carrier away",
            Self::Run { word, .. } => word,
        }
    }
}

impl Scenario {
    /// One of the project's own by its name, or a file.
    pub fn load(name: &str) -> anyhow::Result<Self> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        let scenario: Self = match built_in {
            Some((_, text)) => Figment::from(Toml::string(text)).extract(),
            None => {
                let known = BUILT_IN.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
                ensure!(Path::new(name).is_file(), "{name} is no file and none of {known}");
                Figment::from(Toml::file_exact(name)).extract()
            }
        }
        .with_context(|| format!("the scenario {name}"))?;
        scenario.check().with_context(|| format!("the scenario {name}"))?;
        Ok(scenario)
    }

    /// How long load is offered.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.duration_s)
    }

    /// So many times as fast.
    pub fn speed_up(&mut self, factor: f64) {
        self.texts.iter_mut().for_each(|texts| texts.rate = texts.rate.times(factor));
        self.replies.iter_mut().for_each(|replies| replies.rate = replies.rate.times(factor));
    }

    /// As long as given; what happens at a time happens at the same part of it.
    pub fn stretch(&mut self, seconds: f64) {
        let factor = seconds / self.duration_s;
        self.duration_s = seconds;
        for texts in &mut self.texts {
            texts.after_s *= factor;
            texts.for_s = texts.for_s.map(|for_s| for_s * factor);
        }
        for timed in &mut self.actions {
            timed.at_s *= factor;
            timed.every_s *= factor;
        }
    }

    /// Highest texts a second it offers.
    pub fn peak_per_s(&self) -> f64 {
        let whole = self.duration();
        let steps = (0..=200_u32).map(|step| whole.mul_f64(f64::from(step) / 200.0));
        let at = |since| self.texts.iter().map(|texts| texts.rate.at(since, whole)).sum::<f64>();
        steps.map(at).fold(0.0, f64::max)
    }

    /// Whether it can be played.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(self.duration_s > 0.0 && self.duration_s.is_finite(), "duration_s must be more than 0");
        ensure!((1..=TENANTS_MAX).contains(&self.tenants), "tenants must be 1 to {TENANTS_MAX}");
        ensure!(self.operators.count >= self.tenants, "operators.count must be at least one a tenant");
        ensure!(self.operators.count < usize::from(OPERATORS_FROM), "operators.count must be below {OPERATORS_FROM}");
        ensure!((0.0..=1.0).contains(&self.operators.viewers), "operators.viewers must be 0 to 1");
        let connections: usize = self.texts.iter().map(|texts| usize::from(texts.connections)).sum();
        ensure!(connections < usize::from(OPERATORS_FROM), "there are too many connections");
        for texts in &self.texts {
            let name = &texts.name;
            ensure!(texts.rate.is_sound(), "texts {name}: the rate makes no sense");
            ensure!(
                texts.connections > 0 && texts.contacts > 0,
                "texts {name}: connections and contacts must be 1 or more"
            );
            ensure!((1..=100_000).contains(&texts.waiting), "texts {name}: waiting must be 1 to 100,000");
            ensure!((0.0..=1.0).contains(&texts.calls), "texts {name}: calls must be 0 to 1");
            ensure!(texts.contacts <= 1_000_000, "texts {name}: at most 1,000,000 contacts");
            let exists = |tenant: Option<u16>| tenant.is_none_or(|tenant| usize::from(tenant) < self.tenants);
            ensure!(exists(texts.only_tenant), "texts {name}: only_tenant names none of the tenants");
            ensure!(exists(texts.except_tenant), "texts {name}: except_tenant names none of the tenants");
            let has_tenant = texts.except_tenant.is_none() || self.tenants > 1 && texts.only_tenant.is_none();
            ensure!(has_tenant, "texts {name}: except_tenant leaves no tenant, or stands beside only_tenant");
        }
        for timed in &self.actions {
            ensure!((1..=10_000).contains(&timed.times), "actions: times must be 1 to 10,000");
            ensure!(timed.every_s >= 0.0, "actions: every_s must be 0 or more");
        }
        ensure!(
            self.replies.as_ref().is_none_or(|replies| replies.rate.is_sound()),
            "replies: the rate makes no sense"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_project_can_be_played_and_says_what_it_shows() {
        for (name, _) in BUILT_IN {
            let scenario = Scenario::load(name).unwrap();
            assert_eq!(scenario.name, *name);
            assert!(scenario.about.len() > 20, "{name}");
            let mut moments = scenario.actions.iter().flat_map(Timed::moments);
            assert!(moments.all(|at_s| at_s < scenario.duration_s), "{name}");
        }
    }

    #[test]
    fn a_scenario_that_makes_no_sense_is_refused_by_name() {
        let error = format!("{:#}", Scenario::load("stedy").unwrap_err());
        assert!(error.contains("steady, ramp"), "{error}");
        let mut scenario = Scenario::load("steady").unwrap();
        scenario.operators.count = 1;
        assert!(scenario.check().unwrap_err().to_string().contains("operators.count"));
        let mut scenario = Scenario::load("noisy-neighbour").unwrap();
        scenario.texts[0].except_tenant = Some(17);
        assert!(scenario.check().unwrap_err().to_string().contains("except_tenant"));
        scenario.texts[1].except_tenant = Some(3);
        scenario.texts[0].except_tenant = None;
        assert!(scenario.check().unwrap_err().to_string().contains("beside only_tenant"));
    }

    #[test]
    fn a_shorter_run_keeps_its_shape() {
        let mut restart = Scenario::load("restart").unwrap();
        let before: Vec<f64> = restart.actions.iter().map(|timed| timed.at_s / restart.duration_s).collect();
        restart.stretch(7.0);
        let after: Vec<f64> = restart.actions.iter().map(|timed| timed.at_s / restart.duration_s).collect();
        assert!(before.iter().zip(&after).all(|(before, after)| (before - after).abs() < 1e-9));
    }
}
