//! Turns of lanes at a level that several share, so that the fastest asker does not win.
//!
//! A lane that is refused by the level waits here with a tag in virtual time (start-time fair queuing): each tenant's
//! tags are as far apart as its texts cost, so tenants get equal shares however many lanes and texts they have. A lane
//! that asks out of turn is told to come back later. One that does not come when it was told to loses nothing but the
//! slot: it keeps its place, and after a grace others go first.

use std::collections::{BTreeMap, HashMap};

use schema::ids::{ChannelId, TenantId};

/// A waiter that was due so many microseconds ago and never came is forgotten, when room is needed.
const FORGET_AFTER: u64 = 10_000_000;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) lane: &'a ChannelId,
    pub(super) segments: u32,
}

/// A lane's place: tag, then first come first served.
type Place = (u64, u64);

#[derive(Debug)]
struct Waiter {
    lane: ChannelId,
    segments: u32,
    /// When it was told to come.
    due: u64,
    /// Nobody was ahead of it: until then the level is its own, or a costly text would wait for ever.
    first: bool,
}

impl Waiter {
    fn lapsed(&self, now: u64, grace: u64) -> bool {
        self.due.saturating_add(grace) < now
    }
}

/// Those who go before an asker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ahead {
    /// Somebody's turn is now.
    pub(super) blocked: bool,
    /// Segments of all of them.
    pub(super) segments: u64,
}

/// Waiting lanes of one shared level.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: BTreeMap<Place, Waiter>,
    places: HashMap<ChannelId, Place>,
    /// The tag a tenant's next waiter gets.
    next_tags: HashMap<TenantId, u64>,
    /// Tag of the last one served: virtual time.
    served: u64,
    arrivals: u64,
    sweep_at: usize,
}

impl Turns {
    /// Who goes before this one.
    pub(super) fn ahead_of(&self, asker: Asker<'_>, now: u64, grace: u64) -> Ahead {
        let mine = self.places.get(asker.lane).copied().unwrap_or((self.tag(asker.tenant), u64::MAX));
        let mut ahead = Ahead::default();
        for waiter in self.waiting.range(..mine).map(|(_, waiter)| waiter) {
            if waiter.lapsed(now, grace) {
                continue;
            }
            ahead.blocked |= waiter.first || waiter.due <= now;
            ahead.segments += u64::from(waiter.segments);
        }
        ahead
    }

    /// It was refused and told to come back at `due`; `first`: nobody is ahead of it.
    pub(super) fn wait(&mut self, asker: Asker<'_>, due: u64, first: bool, now: u64) {
        let place = match self.places.get(asker.lane) {
            Some(place) => *place,
            None => self.join(asker, now),
        };
        let Asker { lane, segments, .. } = asker;
        self.waiting.insert(place, Waiter { lane: lane.clone(), segments, due, first });
    }

    /// It goes now.
    pub(super) fn serve(&mut self, asker: Asker<'_>) {
        let place = self.places.get(asker.lane).copied();
        let tag = place.map_or_else(|| self.tag(asker.tenant), |(tag, _)| tag);
        self.leave(asker.lane);
        if self.waiting.is_empty() {
            self.next_tags.clear();
            return;
        }
        self.served = self.served.max(tag);
        if place.is_none() {
            self.next_tags.insert(asker.tenant.clone(), tag + u64::from(asker.segments));
        }
    }

    /// It does not want to go any more.
    pub(super) fn leave(&mut self, lane: &ChannelId) {
        if let Some(place) = self.places.remove(lane) {
            self.waiting.remove(&place);
        }
    }

    /// Whether nobody waits.
    pub(super) fn is_idle(&self, now: u64) -> bool {
        self.waiting.values().all(|waiter| waiter.lapsed(now, FORGET_AFTER))
    }

    fn tag(&self, tenant: &TenantId) -> u64 {
        self.next_tags.get(tenant).copied().unwrap_or(0).max(self.served)
    }

    fn join(&mut self, asker: Asker<'_>, now: u64) -> Place {
        if self.waiting.len() >= self.sweep_at.max(1_024) {
            self.sweep(now);
        }
        let tag = self.tag(asker.tenant);
        self.next_tags.insert(asker.tenant.clone(), tag + u64::from(asker.segments));
        self.arrivals += 1;
        let place = (tag, self.arrivals);
        self.places.insert(asker.lane.clone(), place);
        place
    }

    fn sweep(&mut self, now: u64) {
        self.waiting.retain(|_, waiter| !waiter.lapsed(now, FORGET_AFTER));
        self.places = self.waiting.iter().map(|(place, waiter)| (waiter.lane.clone(), *place)).collect();
        let served = self.served;
        self.next_tags.retain(|_, tag| *tag > served);
        self.sweep_at = self.waiting.len() * 2;
    }
}
