//! The stop button: which texts may leave, on whose order.
//!
//! Three hands hold it and none undoes another's: whoever runs the engine (everyone), the tenant, the line. The
//! strictest counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ids::ChannelId, message::Priority};

/// What stays in its lane.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Pause {
    /// Nothing: texts leave.
    #[default]
    None,
    /// What a rule wrote: text-backs and their like. What a person wrote leaves, and so does the one confirmation of
    /// a keyword, which the law asks for within minutes.
    Automatic,
    /// Everything, confirmations too.
    All,
}

impl Pause {
    /// Whether a text of this priority stays in its lane.
    pub fn holds(self, priority: Priority) -> bool {
        match self {
            Self::None => false,
            Self::Automatic => priority == Priority::Automatic,
            Self::All => true,
        }
    }

    /// Whether texts leave as ever.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Automatic => "automatic",
            Self::All => "all",
        })
    }
}

/// Whose texts a pause is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseScope {
    /// Every tenant's: on the order of whoever runs the engine, told in each tenant's feed by the engine.
    Everyone,
    /// The tenant's.
    Tenant,
    /// One line's.
    Line(ChannelId),
}

/// All pauses that concern a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Pauses {
    /// Of whoever runs the engine.
    pub everyone: Pause,
    /// Of the tenant as a whole.
    pub tenant: Pause,
    /// Of its lines; one that is missing is not paused by itself.
    pub lines: BTreeMap<ChannelId, Pause>,
}

impl Pauses {
    /// Folds a change in: absolute for its scope.
    pub fn set(&mut self, scope: &PauseScope, pause: Pause) {
        match scope {
            PauseScope::Everyone => self.everyone = pause,
            PauseScope::Tenant => self.tenant = pause,
            PauseScope::Line(channel) if pause.is_none() => drop(self.lines.remove(channel)),
            PauseScope::Line(channel) => drop(self.lines.insert(channel.clone(), pause)),
        }
    }

    /// What this scope alone says.
    pub fn of(&self, scope: &PauseScope) -> Pause {
        match scope {
            PauseScope::Everyone => self.everyone,
            PauseScope::Tenant => self.tenant,
            PauseScope::Line(channel) => self.lines.get(channel).copied().unwrap_or_default(),
        }
    }

    /// What the tenant itself holds back at a line.
    pub fn own(&self, channel: &ChannelId) -> Pause {
        self.tenant.max(self.lines.get(channel).copied().unwrap_or_default())
    }

    /// Whether texts leave everywhere.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str) -> ChannelId {
        ChannelId::new(name).expect("a slug")
    }

    #[test]
    fn an_automatic_pause_holds_rules_and_a_full_one_everybody() {
        let all = [Priority::Automatic, Priority::Interactive, Priority::Confirmation];
        let held = |pause: Pause| all.map(|priority| pause.holds(priority));
        assert_eq!(held(Pause::None), [false, false, false]);
        assert_eq!(held(Pause::Automatic), [true, false, false]);
        assert_eq!(held(Pause::All), [true, true, true]);
    }

    #[test]
    fn everybody_of_a_tenant_sees_its_pauses() {
        use crate::{event::Fact, role::Role, wire::is_visible};
        let told = crate::event::PauseChanged { scope: PauseScope::Everyone, pause: Pause::All };
        let ordered = crate::event::EveryonePaused { pause: Pause::All };
        assert!(is_visible(&Fact::from(told), Role::Viewer));
        assert!(!is_visible(&Fact::from(ordered), Role::Operator), "the directory is not theirs");
    }

    #[test]
    fn scopes_do_not_undo_each_other_and_the_strictest_counts() {
        let mut pauses = Pauses::default();
        pauses.set(&PauseScope::Tenant, Pause::Automatic);
        pauses.set(&PauseScope::Line(line("one")), Pause::All);
        assert_eq!((pauses.own(&line("one")), pauses.own(&line("two"))), (Pause::All, Pause::Automatic));
        pauses.set(&PauseScope::Tenant, Pause::None);
        assert_eq!((pauses.own(&line("one")), pauses.own(&line("two"))), (Pause::All, Pause::None));
        pauses.set(&PauseScope::Everyone, Pause::All);
        assert_eq!(pauses.own(&line("two")), Pause::None, "the engine's own order is not the tenant's");
        assert_eq!(pauses.of(&PauseScope::Everyone), Pause::All);
        pauses.set(&PauseScope::Everyone, Pause::None);
        pauses.set(&PauseScope::Line(line("one")), Pause::None);
        assert!(pauses.is_empty(), "a line that goes on leaves nothing behind");
    }
}
