//! The tenant's actor: a bounded mailbox in front of the shell, and its housekeeping.

use std::{rc::Rc, time::Duration};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message};
use schema::ids::{ChannelId, MessageId};

use super::{
    handle::{LineQueue, QueuePlace, Stats},
    shell::Shell,
    ticket::Mail,
};

/// How often timers ring and idle conversations are looked for.
const HOUSEKEEPING: Duration = Duration::from_millis(500);

/// One tenant.
pub(crate) struct TenantActor {
    shell: Rc<Shell>,
}

impl TenantActor {
    pub(crate) fn new(shell: Rc<Shell>) -> Self {
        Self { shell }
    }
}

impl Actor for TenantActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(self.shell.context.limits.mailbox);
        context.run_interval(HOUSEKEEPING, |actor, context| {
            actor.shell.housekeeping();
            if actor.shell.is_over() {
                context.stop();
            }
        });
    }
}

/// One command for this tenant.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Submit(pub(crate) Mail);

impl Handler<Submit> for TenantActor {
    type Result = ();

    fn handle(&mut self, Submit(mail): Submit, _: &mut Self::Context) {
        self.shell.route(mail.open());
    }
}

/// Where does this text stand?
#[derive(Message)]
#[rtype(result = "Option<QueuePlace>")]
pub(crate) struct Place(pub(crate) MessageId);

impl Handler<Place> for TenantActor {
    type Result = Option<QueuePlace>;

    fn handle(&mut self, Place(message): Place, _: &mut Self::Context) -> Option<QueuePlace> {
        self.shell.place(message)
    }
}

/// What waits at this line?
#[derive(Message)]
#[rtype(result = "LineQueue")]
pub(crate) struct Queue(pub(crate) ChannelId);

impl Handler<Queue> for TenantActor {
    type Result = actix::MessageResult<Queue>;

    fn handle(&mut self, Queue(channel): Queue, _: &mut Self::Context) -> Self::Result {
        actix::MessageResult(self.shell.line_queue(&channel))
    }
}

/// What is in memory?
#[derive(Message)]
#[rtype(result = "Stats")]
pub(crate) struct Measure;

impl Handler<Measure> for TenantActor {
    type Result = actix::MessageResult<Measure>;

    fn handle(&mut self, _: Measure, _: &mut Self::Context) -> Self::Result {
        actix::MessageResult(self.shell.stats())
    }
}

/// The tenant ends: an orderly stop.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Stop;

impl Handler<Stop> for TenantActor {
    type Result = actix::ResponseFuture<()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        Box::pin(self.shell.clone().wind_up())
    }
}

/// Whether carrier calls are under way.
#[derive(Message)]
#[rtype(result = "bool")]
pub(crate) struct IsCalling;

impl Handler<IsCalling> for TenantActor {
    type Result = bool;

    fn handle(&mut self, _: IsCalling, _: &mut Self::Context) -> bool {
        self.shell.is_calling()
    }
}
