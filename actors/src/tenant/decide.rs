//! Decisions of the tenant itself: settings and, for tenant `system`, the directory. Pure.

use schema::{
    address::E164,
    command::{CaughtUp, Command, HOLD_MAX_S, Setting},
    event::{
        ChannelConfigured, CredentialChanged, FiltersSaved, LimitConfigured, LineCaughtUp, OperatorConfigured,
        PauseChanged, PreferencesSet, SecretChanged, TemplateConfigured, TenantConfigured,
    },
    ids::{OperatorId, TemplateId},
    pause::PauseScope,
    problem::Code,
    role::Role,
    settings::{ChannelSettings, LimitSettings, NetworkLimit, Preferences, SavedFilter, TemplateSettings, VoiceMode},
    time::Stamp,
};

mod presence;

use super::Settings;
use crate::{conversation::Draft, directory::SystemDirectory, handle::Refusal};

/// Longest name of a business, in characters.
const BUSINESS_MAX: usize = 100;
/// Longest name of a brand or network, in characters.
const NAME_MAX: usize = 100;
/// Most lines, templates or operators of a tenant.
const ENTRIES_MAX: usize = 10_000;

/// The events that follow; none: nothing had to change.
pub(crate) fn decide(
    settings: &Settings,
    directory: Option<&SystemDirectory>,
    command: &Command,
    now: Stamp,
) -> Result<Vec<Draft>, Refusal> {
    match (command, directory) {
        (Command::Configure(setting), None) => configure(settings, setting, now),
        (Command::CancelQueue(confirm), None) => Ok(vec![Draft::from(confirm.ordered())]),
        (Command::CaughtUp(caught), None) => Ok(caught_up(settings, caught)),
        (Command::Register(registration), Some(directory)) => {
            Ok(directory.decide(registration)?.map(Draft::from).into_iter().collect())
        }
        (Command::Register(_), None) => Err(Refusal::rejected(Code::Invalid, "only the tenant `system` registers")),
        _ => Err(Refusal::rejected(Code::Invalid, "the tenant `system` has no settings")),
    }
}

/// Never back: what was read stays read.
fn caught_up(settings: &Settings, caught: &CaughtUp) -> Vec<Draft> {
    let CaughtUp { channel, up_to, found } = caught.clone();
    let newer = settings.caught_up.get(&channel).is_none_or(|known| *known < up_to);
    changed(newer && settings.channels.contains_key(&channel), LineCaughtUp { channel, up_to, found })
}

fn configure(settings: &Settings, setting: &Setting, now: Stamp) -> Result<Vec<Draft>, Refusal> {
    Ok(match setting {
        Setting::Tenant(tenant) => {
            if tenant.business_name.chars().count() > BUSINESS_MAX {
                return Err(Refusal::invalid("business_name", format!("is longer than {BUSINESS_MAX} characters")));
            }
            changed(settings.tenant != *tenant, TenantConfigured { settings: tenant.clone() })
        }
        Setting::Channel(channel, new) => {
            check_channel(settings, new)?;
            bounded(settings.channels.len(), settings.channels.contains_key(channel))?;
            let fact = ChannelConfigured { channel: channel.clone(), settings: new.clone() };
            changed(settings.channels.get(channel) != Some(new), fact)
        }
        Setting::Template(template, new) => configure_template(settings, template, new.as_ref())?,
        Setting::Limits(channel, limits) => {
            if !settings.channels.contains_key(channel) {
                return Err(Refusal::rejected(Code::NotFound, format!("channel {channel}")));
            }
            check_limits(limits)?;
            let fact = LimitConfigured { channel: channel.clone(), limits: limits.clone() };
            changed(settings.limits.get(channel) != Some(limits), fact)
        }
        Setting::Operator(operator, role) => {
            if *role != Some(Role::Owner) && settings.is_last_owner(operator) {
                return Err(Refusal::rejected(Code::LastOwner, format!("make somebody else owner before {operator}")));
            }
            bounded(settings.operators.len(), settings.operators.contains_key(operator))?;
            let fact = OperatorConfigured { operator: operator.clone(), role: *role };
            changed(settings.operators.get(operator) != Some(role), fact)
        }
        Setting::Secret(account) => changed(true, SecretChanged { account: account.clone() }),
        Setting::Credential(operator, change) => {
            changed(true, CredentialChanged { operator: operator.clone(), change: *change })
        }
        Setting::Filters(operator, filters) => configure_filters(settings, operator, filters)?,
        Setting::Availability(operator, availability) => {
            bounded(settings.away.len(), settings.away.contains(operator))?;
            presence::by_hand(settings, operator, *availability, now)
        }
        Setting::Hours(operator, hours) => {
            bounded(settings.hours.len(), settings.hours.contains_key(operator))?;
            presence::set_hours(settings, operator, hours.as_ref(), now)?
        }
        Setting::Preferences(operator, preferences) => configure_preferences(settings, operator, preferences)?,
        Setting::HoursDue(operator) => presence::due(settings, operator, now),
        Setting::Pause(scope, pause) => {
            if let PauseScope::Line(channel) = scope
                && !settings.channels.contains_key(channel)
            {
                return Err(Refusal::rejected(Code::NotFound, format!("channel {channel}")));
            }
            changed(settings.pauses.of(scope) != *pause, PauseChanged { scope: scope.clone(), pause: *pause })
        }
    })
}

fn changed(change: bool, fact: impl Into<schema::event::Fact>) -> Vec<Draft> {
    if change { vec![Draft::from(fact)] } else { Vec::new() }
}

fn bounded(entries: usize, known: bool) -> Result<(), Refusal> {
    if known || entries < ENTRIES_MAX {
        Ok(())
    } else {
        Err(Refusal::rejected(Code::Invalid, format!("a tenant has at most {ENTRIES_MAX} of these")))
    }
}

fn check_limits(limits: &LimitSettings) -> Result<(), Refusal> {
    let caps = &limits.networks_per_day;
    let named = |name: &str| (1..=NAME_MAX).contains(&name.chars().count());
    if caps.len() > NetworkLimit::MOST || !caps.iter().all(|cap| named(&cap.network) && named(&cap.brand)) {
        let most = NetworkLimit::MOST;
        return Err(Refusal::invalid("networks_per_day", format!("at most {most}, each with the names of both")));
    }
    Ok(())
}

fn check_channel(settings: &Settings, channel: &ChannelSettings) -> Result<(), Refusal> {
    E164::new(&channel.address).map_err(|error| Refusal::invalid("address", error.to_string()))?;
    let named = [
        ("text_back", &channel.text_back),
        ("voice.greeting", &channel.voice.greeting),
        ("answers.stop", &channel.answers.stop),
        ("answers.start", &channel.answers.start),
        ("answers.help", &channel.answers.help),
    ];
    for (field, template) in named {
        if let Some(template) = template
            && !settings.templates.contains_key(template)
        {
            return Err(Refusal::invalid(field, format!("there is no template {template}")));
        }
    }
    if channel.staff.len() > ChannelSettings::STAFF_MAX {
        return Err(Refusal::invalid("staff", format!("holds more than {} numbers", ChannelSettings::STAFF_MAX)));
    }
    check_voice(channel)
}

fn check_voice(channel: &ChannelSettings) -> Result<(), Refusal> {
    let must = |holds: bool, field: &'static str, what: &str| {
        if holds { Ok(()) } else { Err(Refusal::invalid(field, what.to_owned())) }
    };
    if let VoiceMode::Ring(ring) = &channel.voice.mode {
        let phone = ring.phone.as_str();
        must(phone.starts_with('+'), "voice.mode.ring.phone", "must be an E.164 number")?;
        must(phone != channel.address, "voice.mode.ring.phone", "is the line itself: it would ring for ever")?;
        must((5..=120).contains(&ring.ring_s), "voice.mode.ring.ring_s", "must be 5 to 120 seconds")?;
    }
    if let Some(voicemail) = &channel.voice.voicemail {
        must((5..=600).contains(&voicemail.max_s), "voice.voicemail.max_s", "must be 5 to 600 seconds")?;
    }
    Ok(())
}

fn configure_filters(
    settings: &Settings,
    operator: &OperatorId,
    filters: &[SavedFilter],
) -> Result<Vec<Draft>, Refusal> {
    if filters.len() > SavedFilter::MOST {
        return Err(Refusal::invalid("filters", format!("holds more than {}", SavedFilter::MOST)));
    }
    for (place, filter) in filters.iter().enumerate() {
        if filter.name.trim().is_empty() || filter.name.chars().count() > SavedFilter::NAME_MAX {
            return Err(Refusal::invalid("name", format!("must be 1 to {} characters", SavedFilter::NAME_MAX)));
        }
        if filter.tags.len() > SavedFilter::TAGS_MAX {
            return Err(Refusal::invalid("tags", format!("holds more than {}", SavedFilter::TAGS_MAX)));
        }
        if filters[..place].iter().any(|before| before.name == filter.name) {
            return Err(Refusal::invalid("name", "is the name of two"));
        }
    }
    bounded(settings.filters.len(), settings.filters.contains_key(operator))?;
    let known = settings.filters.get(operator).map_or(&[][..], Vec::as_slice);
    let fact = FiltersSaved { operator: operator.clone(), filters: filters.to_vec() };
    Ok(changed(known != filters, fact))
}

fn configure_preferences(
    settings: &Settings,
    operator: &OperatorId,
    preferences: &Preferences,
) -> Result<Vec<Draft>, Refusal> {
    if !preferences.names_a_language() {
        return Err(Refusal::invalid("language", "is no language tag, such as de or en-GB"));
    }
    if preferences.hold_s.is_some_and(|hold_s| hold_s > HOLD_MAX_S) {
        return Err(Refusal::invalid("hold_s", format!("must be 0 to {HOLD_MAX_S}")));
    }
    bounded(settings.preferences.len(), settings.preferences.contains_key(operator))?;
    let known = settings.preferences.get(operator).cloned().unwrap_or_default();
    let fact = PreferencesSet { operator: operator.clone(), preferences: preferences.clone() };
    Ok(changed(known != *preferences, fact))
}

fn configure_template(
    settings: &Settings,
    template: &TemplateId,
    new: Option<&TemplateSettings>,
) -> Result<Vec<Draft>, Refusal> {
    match new {
        Some(new) => {
            let length = new.text.chars().count();
            if new.text.trim().is_empty() || length > TemplateSettings::TEXT_MAX {
                let most = TemplateSettings::TEXT_MAX;
                return Err(Refusal::invalid("text", format!("must be 1 to {most} characters")));
            }
            bounded(settings.templates.len(), settings.templates.contains_key(template))?;
        }
        None => {
            let used = settings.channels.values().any(|channel| uses(channel, template));
            if used {
                return Err(Refusal::rejected(Code::WrongState, format!("template {template} is in use by a line")));
            }
        }
    }
    let fact = TemplateConfigured { template: template.clone(), settings: new.cloned() };
    Ok(changed(settings.templates.get(template) != new, fact))
}

fn uses(channel: &ChannelSettings, template: &TemplateId) -> bool {
    let answers = &channel.answers;
    [&channel.text_back, &channel.voice.greeting, &answers.stop, &answers.start, &answers.help]
        .into_iter()
        .any(|used| used.as_ref() == Some(template))
}
