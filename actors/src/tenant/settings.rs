//! A tenant's settings: a fold over its settings events, shared read-only with edges.

use std::collections::{BTreeMap, BTreeSet};

use schema::{
    event::{AvailabilityChanged, Fact},
    ids::{ChannelId, OperatorId, TemplateId},
    pause::Pauses,
    role::Role,
    settings::{ChannelSettings, LimitSettings, Preferences, SavedFilter, TemplateSettings, TenantSettings, WeekHours},
    time::Stamp,
};
use serde::{Deserialize, Serialize};

/// All settings of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The tenant's own.
    pub tenant: TenantSettings,
    /// Its lines.
    pub channels: BTreeMap<ChannelId, ChannelSettings>,
    /// Limits of its lines; a line without an entry has the default ones.
    pub limits: BTreeMap<ChannelId, LimitSettings>,
    /// Its templates.
    pub templates: BTreeMap<TemplateId, TemplateSettings>,
    /// Operators that were configured; `None`: revoked. One that is missing has the role of its token.
    pub operators: BTreeMap<OperatorId, Option<Role>>,
    /// What stays in its lanes.
    pub pauses: Pauses,
    /// Up to when each line's arrivals were read back from the carrier. One without an entry never was.
    pub caught_up: BTreeMap<ChannelId, Stamp>,
    /// Operators' own filters; one without an entry has none.
    pub filters: BTreeMap<OperatorId, Vec<SavedFilter>>,
    /// Operators who are away.
    pub away: BTreeSet<OperatorId>,
    /// Operators' hours.
    pub hours: BTreeMap<OperatorId, WeekHours>,
    /// When the hours of those who have some decide next.
    pub until: BTreeMap<OperatorId, Until>,
    /// How operators want their desk; one without an entry wants nothing of their own.
    pub preferences: BTreeMap<OperatorId, Preferences>,
}

/// How long it lasts that an operator is available, or away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Until {
    /// When their hours decide again.
    pub at: Stamp,
    /// Whether somebody said so against their hours.
    pub by_hand: bool,
}

impl Settings {
    /// Folds one fact in; others than settings change nothing.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::TenantConfigured(fact) => self.tenant = fact.settings.clone(),
            Fact::ChannelConfigured(fact) => {
                self.channels.insert(fact.channel.clone(), fact.settings.clone());
            }
            Fact::LimitConfigured(fact) => {
                self.limits.insert(fact.channel.clone(), fact.limits.clone());
            }
            Fact::TemplateConfigured(fact) => match &fact.settings {
                Some(settings) => {
                    self.templates.insert(fact.template.clone(), settings.clone());
                }
                None => {
                    self.templates.remove(&fact.template);
                }
            },
            Fact::OperatorConfigured(fact) => {
                self.operators.insert(fact.operator.clone(), fact.role);
                if fact.role.is_none() {
                    self.hours.remove(&fact.operator);
                    self.until.remove(&fact.operator);
                }
            }
            Fact::PauseChanged(fact) => self.pauses.set(&fact.scope, fact.pause),
            Fact::LineCaughtUp(fact) => {
                self.caught_up.insert(fact.channel.clone(), fact.up_to);
            }
            Fact::FiltersSaved(fact) if fact.filters.is_empty() => drop(self.filters.remove(&fact.operator)),
            Fact::FiltersSaved(fact) => drop(self.filters.insert(fact.operator.clone(), fact.filters.clone())),
            Fact::AvailabilityChanged(fact) => self.set_availability(fact),
            Fact::PreferencesSet(fact) if fact.preferences == Preferences::default() => {
                self.preferences.remove(&fact.operator);
            }
            Fact::PreferencesSet(fact) => {
                self.preferences.insert(fact.operator.clone(), fact.preferences.clone());
            }
            Fact::HoursSet(fact) => match &fact.hours {
                Some(hours) => drop(self.hours.insert(fact.operator.clone(), hours.clone())),
                None => drop(self.hours.remove(&fact.operator)),
            },
            _ => {}
        }
    }

    fn set_availability(&mut self, fact: &AvailabilityChanged) {
        let AvailabilityChanged { operator, away, by_hand, until } = fact;
        match away {
            true => drop(self.away.insert(operator.clone())),
            false => drop(self.away.remove(operator)),
        }
        match until {
            Some(at) => drop(self.until.insert(operator.clone(), Until { at: *at, by_hand: *by_hand })),
            None => drop(self.until.remove(operator)),
        }
    }

    /// When somebody's hours decide next.
    pub fn hours_due(&self) -> Option<Stamp> {
        self.until.values().map(|until| until.at).min()
    }

    /// The role an operator acts in: what the tenant configured wins over what the token says. `None`: revoked.
    pub fn role(&self, operator: &OperatorId, token: Role) -> Option<Role> {
        match self.operators.get(operator) {
            Some(configured) => *configured,
            None => Some(token),
        }
    }

    /// Whether the tenant took an operator's role away.
    pub fn is_revoked(&self, operator: &OperatorId) -> bool {
        self.operators.get(operator) == Some(&None)
    }

    /// Whether nobody else is an owner.
    pub fn is_last_owner(&self, operator: &OperatorId) -> bool {
        let is_owner = |role: &Option<Role>| *role == Some(Role::Owner);
        self.operators.get(operator).is_some_and(is_owner)
            && !self.operators.iter().any(|(other, role)| other != operator && is_owner(role))
    }

    /// What a caller of a line hears whom nobody took.
    pub fn greeting(&self, line: &ChannelSettings) -> String {
        let template = line.voice.greeting.as_ref().and_then(|greeting| self.templates.get(greeting));
        template.map_or_else(|| line.greeting(&self.tenant), |template| template.render(&self.tenant))
    }

    /// The limits of a line.
    pub fn limits(&self, channel: &ChannelId) -> LimitSettings {
        self.limits.get(channel).cloned().unwrap_or_default()
    }
}
