//! Starting a tenant: log first, views brought up to it, then settings, timers and open texts; only then does it decide.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    rc::Rc,
    sync::{Arc, OnceLock, atomic::AtomicU64},
};

use actix::Actor;
use arc_swap::ArcSwap;
use schema::{
    command::{Command, SendOutcome, SettleSend},
    event::FeedTaken,
    ids::{BatchId, FeedId, MessageId, Offset, TenantId},
    message::Status as MessageStatus,
};

use super::{
    actor::TenantActor,
    handle::{Seat, Shared, TenantHandle},
    recents::Recents,
    recount::recount,
    shell::{Context, Core, Shell, Status},
    ticket::{ReplyTo, Ticket},
};
use crate::{
    cluster,
    conversation::{Draft, State},
    directory::SystemDirectory,
    engine::Node,
    feed::Feed,
    handle::Refusal,
    ports::{Anchor, Checkpoint, Head},
    presence::Presence,
    projector,
    watermark::Watermark,
};

/// Open texts read at once.
const OUTBOX_PAGE: usize = 1_000;

/// What a tenant was to this node before it starts here.
#[derive(Default)]
pub(crate) struct Former {
    /// The log named this node: should it name another by now, that one keeps it.
    pub(crate) is_ours: bool,
    /// What its readers hold on this node, from when it ran elsewhere.
    pub(crate) kept: Option<Arc<Shared>>,
}

/// Starts a tenant on the current arbiter.
pub(crate) async fn start(node: Arc<Node>, tenant: TenantId, former: Former) -> Result<TenantHandle, Refusal> {
    let kept = former.kept;
    let feed = FeedId::of(&tenant);
    let ports = &node.ports;
    let away = |error: &dyn std::fmt::Display| Refusal::unavailable(format!("{feed}: {error}"));
    let anchor = ports.log.anchor(&feed).await.map_err(|error| away(&error))?;
    let checkpoint = projector::catch_up(&*ports.log, &*ports.views, &feed).await.map_err(|error| away(&error))?;
    if let Some(kept) = kept.as_ref().filter(|_| !planted!(TakenOverUnread)) {
        cluster::bring_up(&node, kept).await?;
    }
    let began = ports.clock.monotonic();
    let head = ports.log.head(&feed).await.map_err(|error| away(&error))?;
    let is_ours = head.owner.as_ref() == Some(&node.id);
    if former.is_ours && !is_ours {
        return Err(Refusal::Moved);
    }
    if checkpoint.offset.next() != head.next_offset {
        return Err(match node.together {
            Some(_) => Refusal::Moved,
            None => Refusal::unavailable(format!("{feed}: somebody else writes to it")),
        });
    }
    let settings = projector::load_settings(&*ports.views, &tenant).await.map_err(|error| away(&error))?;
    let shared = match kept {
        Some(kept) => keep(kept, &head, settings.clone(), checkpoint)?,
        None => Arc::new(share(&node, &feed, &anchor, &head, settings.clone(), checkpoint)),
    };
    shared.confirm(began);
    shared.presence.seated(began);
    let is_system = tenant == TenantId::system();
    let directory = is_system.then(|| node.directory.clone());
    let first = BatchId(ports.ids.uuid());
    let core = core(&head, first, settings, directory.as_ref());
    let shell = Shell::new(context(&node, feed, shared.clone(), directory), core);
    if !planted!(TimersLost) {
        shell.load_timers();
    }
    shared.seat.store(Arc::new(Seat::Here(TenantActor::new(shell.clone()).start())));
    if !is_ours {
        take(&shell, &anchor);
    }
    shell.let_go(shell.leavers(), checkpoint.offset);
    actix::spawn(open_lanes(shell));
    Ok(TenantHandle { id: tenant, shared })
}

/// Readers go on where they are: the feed stands where the log does.
fn keep(
    kept: Arc<Shared>,
    head: &Head,
    settings: super::Settings,
    checkpoint: Checkpoint,
) -> Result<Arc<Shared>, Refusal> {
    if kept.feed.position().offset.next() != head.next_offset && !planted!(TakenOverUnread) {
        return Err(Refusal::Moved);
    }
    kept.settings.store(Arc::new(settings));
    kept.viewed.advance(checkpoint.offset);
    Ok(kept)
}

pub(crate) fn share(
    node: &Node,
    feed: &FeedId,
    anchor: &Anchor,
    head: &Head,
    settings: super::Settings,
    checkpoint: Checkpoint,
) -> Shared {
    let durable = Offset(head.next_offset.0 - 1);
    let (log, vault) = (node.ports.log.clone(), node.vault.clone());
    let published = Feed::new(feed.clone(), anchor.epoch, durable, log, vault, node.limits.feed.clone());
    Shared {
        seat: ArcSwap::from_pointee(Seat::Vacant),
        confirmed: AtomicU64::new(0),
        followed: OnceLock::new(),
        settings: ArcSwap::from_pointee(settings),
        viewed: Arc::new(Watermark::at(checkpoint.offset)),
        feed: published.handle(),
        publisher: published,
        presence: Presence::default(),
        views: node.ports.views.clone(),
        vault: node.vault.clone(),
    }
}

fn context(node: &Node, feed: FeedId, shared: Arc<Shared>, directory: Option<Arc<SystemDirectory>>) -> Context {
    Context {
        feed,
        node: node.id.clone(),
        ports: node.ports.clone(),
        vault: node.vault.clone(),
        limits: node.limits.clone(),
        projector: node.projector.clone(),
        advances: node.advances.clone(),
        shared,
        runtime: node.runtime.clone(),
        listings: node.listings.clone(),
        charged: node.charged.clone(),
        directory,
        everyone: node.directory.clone(),
        together: node.together.clone(),
    }
}

fn core(head: &Head, batch: BatchId, settings: super::Settings, directory: Option<&Arc<SystemDirectory>>) -> Core {
    let durable = Offset(head.next_offset.0 - 1);
    Core {
        status: Status::Running,
        generation: 0,
        next_offset: head.next_offset,
        next_batch: head.next_batch,
        stamp: if planted!(ClockTrusted) { schema::time::Stamp(0) } else { head.stamp },
        durable,
        pending: super::batch::Pending::new(batch, head.next_offset),
        riders: Vec::new(),
        ends: false,
        stalled: VecDeque::new(),
        settings,
        directory: directory.map(|directory| directory.copy()),
        recents: Recents::from(durable),
        conversations: HashMap::new(),
        crashes: HashMap::new(),
        routes: HashMap::new(),
        timers: BTreeSet::new(),
        more_timers: false,
    }
}

/// The first batch of a new owner: from here on the log says that this node owns it.
fn take(shell: &Rc<Shell>, anchor: &Anchor) {
    let request = shell.own_request(Command::Wake(schema::command::ConversationRef {
        conversation: schema::ids::ConversationId(uuid::Uuid::nil()),
    }));
    let fact = FeedTaken { node: shell.context.node.clone(), epoch: anchor.epoch };
    let core = &mut *shell.core.borrow_mut();
    shell.accept_own(core, vec![Draft::from(fact)], Ticket::own(request, ReplyTo::Nobody));
}

/// The limiter is told what left before; then the lanes open and open texts go back to them.
async fn open_lanes(shell: Rc<Shell>) {
    let tenant = shell.context.feed.tenant.clone();
    let end = shell.core.borrow().durable;
    let is_taken = shell.context.together.is_some() && planted!(TakenOverWithoutTexts);
    if !is_taken && tenant != TenantId::system() && recount(&shell, end).await {
        shell.open_lanes();
        reopen_lanes(shell).await;
    }
}

/// Open texts go back to their lanes; a claim without a result is unknown: it may have left before the crash.
async fn reopen_lanes(shell: Rc<Shell>) {
    let mut after: Option<MessageId> = None;
    loop {
        let tenant = shell.context.feed.tenant.clone();
        let page = match shell.context.ports.views.outbox(&tenant, after, OUTBOX_PAGE).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "open texts could not be read; trying again");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                continue;
            }
        };
        let Some((last, _)) = page.last() else { return };
        after = Some(*last);
        let mut state: Option<State> = None;
        for (message, conversation) in page {
            if state.as_ref().is_none_or(|state| state.conversation != conversation) {
                state = shell.insist_on_state(conversation).await;
            }
            if let Some(state) = &state {
                reopen(&shell, state, message);
            }
        }
    }
}

fn reopen(shell: &Rc<Shell>, state: &State, message: MessageId) {
    let Some(send) = state.sends.get(&message) else { return };
    let conversation = state.conversation;
    match send.status {
        MessageStatus::Queued => shell.enqueue(conversation, state.contact, message, send),
        MessageStatus::Claimed => {
            let outcome = match planted!(ClaimSentAgain) {
                true => SendOutcome::NotSent { retry_after_s: None },
                false => SendOutcome::Unknown,
            };
            let settle = SettleSend { conversation, message, attempt: send.attempt, outcome };
            let shell = shell.clone();
            actix::spawn(async move { shell.insist(Command::Settle(settle)).await });
        }
        MessageStatus::Unknown => {
            shell.reopen_unknown(conversation, state.contact, message, send);
            shell.reconcile_later(conversation, message, send);
        }
        _ => {}
    }
}
