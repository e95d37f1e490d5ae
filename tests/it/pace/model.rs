//! The script in Redis and its model in Rust, asked the same questions at the same times: every answer is the same.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actors::{
    memory::GrantTable,
    ports::{Ask, Call, DayAsk, Grants as _, RateAsk},
};

use super::world::grants;
use crate::support::redis::Redis;

const SECOND: u64 = 1_000_000;

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn call(dice: &mut Dice, now: u64, generation: u64) -> Call {
    let node = dice.below(4);
    let between = match dice.below(6) {
        0 => None,
        1 => Some((now + 1, now + SECOND)),
        2 => Some((now - SECOND, now - 1)),
        _ => Some((now - SECOND, now + SECOND)),
    };
    Call {
        node: format!("node-{node}"),
        holder: format!("process-{node}-{}", dice.below(2)),
        between,
        generation: [generation, generation, 0, 1][dice.below(4) as usize],
        promise: [0, 6 * SECOND, 6 * SECOND, 6 * SECOND][dice.below(4) as usize],
        settle: 7 * SECOND,
        members: 3 + dice.below(2) as u32,
    }
}

fn ask(dice: &mut Dice, sequence: u64, day: u64, generation: u64) -> Ask {
    match dice.below(12) {
        0 | 1 => Ask::Beat { marked: [0, generation][dice.below(2) as usize], reset: dice.below(60) == 0 },
        2 | 3 => Ask::Day(DayAsk {
            key: format!("day:{}", dice.below(2)),
            begins: day,
            ends: day + 300 * SECOND,
            limit: 500,
            open: 400,
            want: dice.below(60) as u32,
            need: [0, 0, 3, 600][dice.below(4) as usize],
            open_only: dice.below(2) == 1,
            had: dice.below(20),
        }),
        _ => Ask::Rate(RateAsk {
            key: format!("account:{}", dice.below(3)),
            window: SECOND,
            limit: [20, 20, 7, 1][dice.below(4) as usize],
            want: dice.below(25) as u32,
            need: [0, 0, 0, 12][dice.below(4) as usize],
            keep: dice.below(9) as u32,
            slice_max: 4 * SECOND,
            sequence: sequence - dice.below(2),
            live_from: sequence.saturating_sub(dice.below(8)),
            used: (0..dice.below(4)).map(|_| (1 + dice.below(5) as u32, dice.below(SECOND))).collect(),
        }),
    }
}

#[tokio::test]
async fn the_script_answers_as_its_model_does() {
    let redis = Redis::start();
    for seed in 0..4 {
        redis.ask(&["FLUSHALL"]).unwrap();
        let clock = Arc::new(AtomicU64::new(1_780_340_400 * SECOND));
        let time = clock.clone();
        let grants = grants(&redis).timed_by(Arc::new(move || (time.load(Ordering::Relaxed), "one".to_owned())));
        let (mut table, mut dice, mut generation) = (GrantTable::default(), Dice(seed), 0);
        let day = clock.load(Ordering::Relaxed) - 30 * SECOND;
        for sequence in 1..2_500 {
            let passed = [0, 1_000, 40_000, 400_000, 2 * SECOND][dice.below(5) as usize];
            let now = clock.fetch_add(passed, Ordering::Relaxed) + passed;
            let (call, ask) = (call(&mut dice, now, generation), ask(&mut dice, sequence, day, generation));
            let expected = table.ask(&call, &ask, now);
            let answered = grants.ask(&call, &ask).await.unwrap();
            assert_eq!(answered, expected, "seed {seed}, question {sequence}: {call:?} {ask:?}");
            generation = expected.generation;
        }
    }
}
