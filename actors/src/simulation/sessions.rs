//! Dashboards: each follows one tenant, is cut off now and then, and comes back with its position.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use schema::{ids::Offset, role::Role};

use super::{
    dice::Dice,
    plan::{TENANTS, tenant},
    world::World,
};
use crate::{
    engine::Engine,
    feed::{Cursor, FeedHandle, Position, Slice, Unrecoverable},
};

/// Dashboards of each tenant. The first waits for news, the others look every so often.
const DASHBOARDS: usize = 2;

/// What a dashboard remembers, also while no engine lives.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Seat {
    position: Option<Position>,
}

/// The engines that take requests now, by the life that each is in.
#[derive(Default, Clone)]
pub(super) struct Doors(Rc<RefCell<BTreeMap<u32, Engine>>>);

impl FromIterator<(u32, Engine)> for Doors {
    fn from_iter<I: IntoIterator<Item = (u32, Engine)>>(doors: I) -> Self {
        Self(Rc::new(RefCell::new(doors.into_iter().collect())))
    }
}

impl Doors {
    pub(super) fn open(&self, life: u32, engine: Engine) {
        self.0.borrow_mut().insert(life, engine);
    }

    pub(super) fn close(&self, life: u32) {
        self.0.borrow_mut().remove(&life);
    }

    /// One of them; none: nobody is there.
    pub(super) fn any(&self, dice: &mut Dice) -> Option<(u32, Engine)> {
        let doors = self.0.borrow();
        let number = if doors.len() > 1 { dice.index(doors.len()) } else { 0 };
        doors.iter().nth(number).map(|(life, engine)| (*life, engine.clone()))
    }

    pub(super) fn all(&self) -> Vec<(u32, Engine)> {
        self.0.borrow().iter().map(|(life, engine)| (*life, engine.clone())).collect()
    }
}

/// Starts all dashboards.
pub(super) fn start(world: &Arc<World>, doors: &Doors) {
    for tenant in 0..TENANTS {
        for seat in 0..DASHBOARDS {
            let (world, doors) = (world.clone(), doors.clone());
            tokio::task::spawn_local(come_and_go(world, doors, (tenant, seat)));
        }
    }
}

async fn come_and_go(world: Arc<World>, doors: Doors, (tenant, seat): (usize, usize)) {
    loop {
        let door = doors.any(&mut world.state().dice);
        if let Some((life, engine)) = door {
            let dashboard = Dashboard { world: world.clone(), life, engine, tenant, seat, waits: seat == 0 };
            tokio::select! {
                biased;
                () = world.is_over(life) => {}
                () = dashboard.visit() => {}
            }
        }
        // Without anybody who looks, a tenant may leave memory.
        let away = world.state().dice.between(Duration::from_millis(50), Duration::from_secs(6));
        tokio::time::sleep(away).await;
    }
}

struct Dashboard {
    world: Arc<World>,
    life: u32,
    engine: Engine,
    tenant: usize,
    seat: usize,
    waits: bool,
}

impl Dashboard {
    async fn visit(&self) {
        self.world.step(self.life, "dashboard connects", 400).await;
        if let Ok(handle) = self.engine.tenant(&tenant(self.tenant)).await {
            let feed = handle.feed();
            if let Some(cursor) = self.resume(&feed).await {
                self.follow(cursor, &feed).await;
            }
        }
    }

    fn seat(&self) -> Seat {
        self.world.state().model.seat(self.tenant, self.seat)
    }

    fn sit(&self, position: Position) {
        *self.world.state().model.seat_mut(self.tenant, self.seat) = Seat { position: Some(position) };
    }

    /// Goes on from where it was; `None`: not now, or never again from there.
    async fn resume(&self, feed: &FeedHandle) -> Option<Cursor> {
        let Some(position) = self.seat().position else {
            let cursor = feed.tail();
            self.sit(Position { epoch: feed.position().epoch, offset: cursor.position() });
            return Some(cursor);
        };
        let resumed = feed.cursor(position).await;
        self.world.step(self.life, "dashboard resumes", 5).await;
        let place = format!("dashboard {} of tenant {} at {}", self.seat, self.tenant, position.offset);
        self.world.with(|state| match &resumed {
            Ok(_) | Err(Unrecoverable::Feed(_)) => Ok(()),
            Err(Unrecoverable::Trimmed { .. }) if state.model.is_trimmed(self.tenant, position.offset.next()) => Ok(()),
            Err(refused) => Err(format!("P4: {place} was told: {refused}")),
        })?;
        if matches!(resumed, Err(Unrecoverable::Trimmed { .. })) {
            *self.world.state().model.seat_mut(self.tenant, self.seat) = Seat::default();
        }
        resumed.ok()
    }

    async fn follow(&self, mut cursor: Cursor, feed: &FeedHandle) {
        let slices = 1 + self.world.state().dice.below(12);
        for _ in 0..slices {
            let Some(slice) = self.next(&mut cursor).await else { return };
            let Some(slice) = slice else { continue };
            self.world.step(self.life, "frame is under way", 5).await;
            if self.show(&slice, feed).is_none() {
                return;
            }
        }
    }

    /// `None`: it is cut off. Only one waits: tokio wakes several in an order of its own.
    async fn next(&self, cursor: &mut Cursor) -> Option<Option<Slice>> {
        if self.waits {
            let next = tokio::time::timeout(Duration::from_secs(10), cursor.next()).await;
            return next.ok()?.ok().map(Some);
        }
        let pause = self.world.state().dice.delay(800);
        tokio::time::sleep(pause).await;
        cursor.ready().await.ok()
    }

    /// A frame arrives.
    fn show(&self, slice: &Slice, feed: &FeedHandle) -> Option<()> {
        let role = Role::ALL[Role::ALL.len() - 1];
        let (bytes, frames) = slice.frames(role, 0, usize::MAX);
        let text = String::from_utf8(bytes.to_vec()).expect("frames are text");
        let epoch = feed.position().epoch;
        self.world.with(|state| {
            let mut at = state.model.seat(self.tenant, self.seat).position.map_or(Offset(0), |seat| seat.offset);
            assert_eq!(frames, slice.entries().len(), "no limit was given");
            for (entry, frame) in slice.entries().iter().zip(text.split('\n')) {
                if entry.offset != at.next() {
                    return Err(format!("P4: tenant {} was shown {} after {at}", self.tenant, entry.offset));
                }
                at = entry.offset;
                state.model.shown(self.tenant, entry.offset, frame)?;
            }
            state.note(format_args!("dashboard {} of tenant {} is at {at}", self.seat, self.tenant));
            *state.model.seat_mut(self.tenant, self.seat) = Seat { position: Some(Position { epoch, offset: at }) };
            Ok(())
        })
    }
}

impl Seat {
    pub(super) fn offset(&self) -> Option<Offset> {
        self.position.map(|position| position.offset)
    }
}
