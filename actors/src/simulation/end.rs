//! The last look: the judge's, then the views against the log, then the search index.

use std::time::Duration;

use schema::{command::Command, ids::FeedId};

use super::{
    life::{Machine, play},
    plan::{TENANTS, tenant},
    world::{Happening, World},
};
use crate::{
    conversation::State,
    engine::Engine,
    ports::{Audience, Search as _, SearchQuery, Views as _},
    projector,
};

/// How often it is looked again, a second apart, before it is too late.
const LOOKS: u32 = 240;
/// Words that are looked for.
const WORDS: usize = 4;

pub(super) async fn final_look(machine: &Machine, engine: &Engine, happens: impl Fn(Happening)) {
    let world = machine.world.clone();
    everything_ends(&world, happens).await;
    engine.drain(Duration::from_secs(30)).await;
    for number in 0..TENANTS {
        let looked = match views_hold_what_the_log_says(machine, number).await {
            Ok(()) => found_by_its_words(machine, number).await,
            broken => broken,
        };
        world.with(|_| looked);
    }
}

/// What is due ends, and is seen; dashboards look only now and then.
pub(super) async fn everything_ends(world: &World, happens: impl Fn(Happening)) {
    for looks in 0.. {
        let ended = {
            let state = world.state();
            state.model.ended(state.net.arrivals.iter(), state.wall())
        };
        if ended.is_ok() || looks > LOOKS {
            world.with(|_| ended);
            break;
        }
        world.state().prolong(Duration::from_secs(1));
        play(world, &happens).await;
    }
}

pub(super) async fn views_hold_what_the_log_says(machine: &Machine, number: usize) -> Result<(), String> {
    let feed = FeedId::of(&tenant(number));
    let head = machine.world.state().model.head(number);
    let mut looks = 0;
    while machine.live.checkpoint(&feed).await.map_err(|error| error.to_string())?.offset < head {
        looks += 1;
        if looks > 300 {
            return Err(format!("P8: the views of tenant {number} never reach {head}"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let anew = machine.live.fork();
    anew.clear(&feed).await.map_err(|error| error.to_string())?;
    projector::catch_up(&*machine.log, &anew, &feed).await.map_err(|error| error.to_string())?;
    let (anew, live) = (anew.dump(&tenant(number)), machine.live.dump(&tenant(number)));
    if anew != live {
        let differ = anew.lines().zip(live.lines()).find(|(anew, live)| anew != live).unwrap_or_default();
        return Err(format!("P8: the views of tenant {number} are not what its log says: {differ:?}"));
    }
    let sends = machine.live.states(&tenant(number)).into_iter().filter_map(|stored| State::load(&stored).ok());
    for (message, send) in sends.flat_map(|state| state.sends) {
        let is = machine.world.state().model.text(number, message);
        if is != Some((send.attempt, send.status)) {
            let said = (send.attempt, send.status);
            return Err(format!("P3: the views say {said:?} of text {message}, the log {is:?}"));
        }
    }
    Ok(())
}

async fn found_by_its_words(machine: &Machine, number: usize) -> Result<(), String> {
    let wanted: Vec<_> = {
        let state = machine.world.state();
        let text = |id: &str| {
            state.net.arrivals.iter().find_map(|arrival| match &arrival.command {
                Command::Receive(message) if message.carrier_id == id => Some(message.text.clone()),
                _ => None,
            })
        };
        let received = state.model.received(number).into_iter();
        let received = received.filter_map(|(id, _, offset)| Some((text(&id)?, offset)));
        received.filter(|(text, _)| text.ends_with("hello")).take(WORDS).collect()
    };
    for (text, offset) in wanted {
        for other in 0..TENANTS {
            let query = SearchQuery {
                tenant: tenant(other),
                text: text.clone(),
                audience: Audience::Everyone,
                before: None,
                limit: 10,
            };
            let found = machine.search.find(query).await.map_err(|error| error.to_string())?.matches;
            let found: Vec<_> = found.iter().map(|found| found.offset).collect();
            let right = if other == number { found == [offset] } else { found.is_empty() };
            if !right && !machine.world.state().model.is_trimmed(number, offset) {
                return Err(format!(
                    "P9: {text} of tenant {number} at {offset} is found by tenant {other} at {found:?}"
                ));
            }
        }
    }
    Ok(())
}
