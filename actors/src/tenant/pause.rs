//! The stop button at a tenant: what its lanes hold back, and telling its operators when everyone was paused.

use schema::{
    command::{Command, Setting},
    ids::{ChannelId, MessageId, TenantId},
    message::Priority,
    pause::{Pause, PauseScope},
};

use super::{
    Settings,
    shell::{Shell, Status},
    ticket::{ReplyTo, Ticket},
};
use crate::ports::Directory as _;

impl Shell {
    /// What a line holds back: the strictest of what is ordered for everyone, for the tenant and for the line.
    ///
    /// What is ordered for everyone is asked where it was ordered, not from the tenant's own settings: those follow.
    pub(crate) fn pause_at(&self, settings: &Settings, channel: &ChannelId) -> Pause {
        self.context.everyone.pause().max(settings.pauses.own(channel))
    }

    /// What holds a text of this priority back at a line.
    pub(crate) fn held_by(&self, channel: &ChannelId, priority: Priority) -> Option<Pause> {
        let pause = self.pause_at(&self.context.shared.settings.load(), channel);
        pause.holds(priority).then_some(pause)
    }

    /// Whether a claimed text must stay.
    pub(crate) fn is_held(&self, message: MessageId) -> bool {
        let lanes = self.lanes.borrow();
        lanes.home(message).is_some_and(|(channel, priority)| self.held_by(channel, priority).is_some())
    }

    /// Puts what was ordered for everyone into the tenant's own feed, where its operators see it.
    pub(crate) fn tell_pause(&self) {
        let everyone = self.context.everyone.pause();
        let known = {
            let core = self.core.borrow();
            let silent = core.status != Status::Running || self.context.feed.tenant == TenantId::system();
            silent || core.settings.pauses.everyone == everyone
        };
        if !known {
            let told = Command::Configure(Setting::Pause(PauseScope::Everyone, everyone));
            self.route(Ticket::own(self.own_request(told), ReplyTo::Nobody));
        }
    }
}
