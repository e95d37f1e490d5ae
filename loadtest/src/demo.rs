//! Callers of the demo: they call, nobody answers, they get a text, answer its questions, send a picture, sometimes
//! say STOP. Gentle and endless. Each line's callers come from numbers reserved for fiction.

pub mod desk;

use std::{sync::Arc, time::Duration};

use crate::carrier::{CallEnd, Calling, CarrierHandle, Chance, Delivery, Texting};

/// How the demo goes.
#[derive(Debug, Clone)]
pub struct DemoConfig {
    /// The line that is called; empty: the first.
    pub channel: String,
    /// Callers at the same time.
    pub callers: usize,
    /// Between two callers of the same seat.
    pub pause: Duration,
    /// How long a caller waits for a text before giving up.
    pub patience: Duration,
    /// Makes one demo the same as another.
    pub seed: u64,
}

impl Default for DemoConfig {
    fn default() -> Self {
        let (pause, patience) = (Duration::from_secs(12), Duration::from_secs(75));
        Self { channel: String::new(), callers: 2, pause, patience, seed: 0 }
    }
}

/// What callers want; each a first answer and a second.
const WISHES: &[(&str, &str)] = &[
    ("Hi, my kitchen sink is leaking under the cabinet", "Ann. 12 Elm Street, today if you can"),
    ("There is water on the floor and I can't find the valve", "It comes from the pipe by the window"),
    ("I need to move my appointment on Tuesday", "Any time Thursday after 3 works"),
    ("How much is it to replace a kitchen tap?", "It's a single lever one, about ten years old"),
    ("Do you do water heaters too?", "It only gets lukewarm since Sunday"),
    ("The drain in the shower is slow again", "You were here in March about it"),
];
/// Names as the network gives them with a call, and of how many callers one has a name at all.
const FIRST: &[&str] = &["Ann", "Omar", "Grace", "Tomasz", "Mei", "Leila", "Jack", "Sofia", "Noah", "Ines", "Paul"];
const LAST: &[&str] = &["Ruiz", "Haddad", "Lindqvist", "Wilk", "Tanaka", "Aziz", "Moore", "Costa", "Berg"];
const NAMED_OF: usize = 2;
/// Area codes whose 555-0100 to 555-0199 are fiction. The telephone's page invents its callers in others (page.js).
const AREAS: &[u16] = &[202, 206, 303, 312, 404, 503, 512, 617, 702, 808];
/// Numbers that are tried before one is taken that a person uses: all of them would have to be a person's.
const TRIES: usize = 1_000;
/// How often a caller waits to look for a text.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Plays callers until the returned future is dropped.
pub async fn run(carrier: Arc<CarrierHandle>, config: DemoConfig) {
    let seats = (0..config.callers.max(1)).map(|seat| sit(carrier.clone(), config.clone(), seat as u64));
    futures_util::future::join_all(seats).await;
}

async fn sit(carrier: Arc<CarrierHandle>, config: DemoConfig, seat: u64) {
    let chance = Chance::new(config.seed.wrapping_mul(31).wrapping_add(seat));
    tokio::time::sleep(config.pause.mul_f64(chance.uniform())).await;
    loop {
        let number = number(&carrier, &chance);
        let name = name(&number);
        let caller = Caller { carrier: &carrier, config: &config, chance: &chance, number, name };
        caller.live().await;
        tokio::time::sleep(config.pause.mul_f64(0.5 + chance.uniform())).await;
    }
}

/// A number that no person at the telephone's page uses. The page's own come from other area codes.
fn number(carrier: &CarrierHandle, chance: &Chance) -> String {
    let numbers = || format!("+1{}55501{:02}", AREAS[chance.below(AREAS.len())], chance.below(100));
    let free = std::iter::repeat_with(numbers).take(TRIES).find(|number| !carrier.handset(number).held);
    free.unwrap_or_else(numbers)
}

/// Who has a number: always the same, and hardly anybody else.
fn name(number: &str) -> String {
    let digits = number.bytes().filter(u8::is_ascii_digit).map(|digit| usize::from(digit - b'0'));
    let sum = digits.fold(0, |sum: usize, digit| (sum * 31 + digit) % 1_000_003);
    if !sum.is_multiple_of(NAMED_OF) {
        return String::new();
    }
    let sum = sum / NAMED_OF;
    format!("{} {}", FIRST[sum % FIRST.len()], LAST[sum / FIRST.len() % LAST.len()])
}

/// One person with a telephone.
struct Caller<'a> {
    carrier: &'a CarrierHandle,
    config: &'a DemoConfig,
    chance: &'a Chance,
    number: String,
    name: String,
}

impl Caller<'_> {
    async fn live(&self) {
        let before = self.texts();
        self.call().await;
        if !self.waits_for_text(before).await {
            return;
        }
        let (wish, more) = WISHES[self.chance.below(WISHES.len())];
        self.writes(wish, &[]).await;
        self.writes(more, &[]).await;
        if self.chance.hits(0.4) {
            self.writes("This is what it looks like", &["picture"]).await;
        }
        // Somebody at the desk may answer; a polite caller thanks.
        if self.waits_for_text(self.texts()).await {
            self.writes("Thank you", &[]).await;
        }
        if self.chance.hits(0.1) {
            self.writes("STOP", &[]).await;
        }
    }

    async fn call(&self) {
        let end = if self.chance.hits(0.8) { CallEnd::NoAnswer } else { CallEnd::Busy };
        let calling = Calling {
            channel: self.config.channel.clone(),
            from: self.number.clone(),
            end,
            name: self.name.clone(),
            ..Calling::default()
        };
        told("a missed call", &self.carrier.call(&calling).await);
    }

    async fn writes(&self, body: &str, media: &[&str]) {
        tokio::time::sleep(Duration::from_millis(1_500).mul_f64(0.5 + 2.0 * self.chance.uniform())).await;
        let texting = Texting {
            channel: self.config.channel.clone(),
            from: self.number.clone(),
            body: body.to_owned(),
            media: media.iter().map(|url| (*url).to_owned()).collect(),
            ..Texting::default()
        };
        told("a text", &self.carrier.text(&texting).await);
    }

    fn texts(&self) -> usize {
        self.carrier.texts_to(&self.number)
    }

    async fn waits_for_text(&self, before: usize) -> bool {
        let looking = async {
            while self.texts() <= before {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(self.config.patience, looking).await.is_ok()
    }
}

/// Nothing of the caller is logged: only what happened and what the engine said.
fn told(what: &str, delivery: &Delivery) {
    if delivery.is_ok() {
        tracing::info!(sid = %delivery.sid, "{what}");
    } else {
        tracing::warn!(sid = %delivery.sid, status = delivery.status, "{what} was not taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::{CarrierConfig, CarrierServer, Handset};

    #[tokio::test]
    async fn a_number_that_a_person_uses_is_left_alone() {
        let listen = ([127, 0, 0, 1], 0).into();
        let carrier = CarrierServer::start(CarrierConfig { listen, ..CarrierConfig::default() }).await.expect("starts");
        let (last, others) = AREAS.split_last().expect("some");
        for number in others.iter().flat_map(|area| (0..100).map(move |end| format!("+1{area}55501{end:02}"))) {
            assert!(carrier.set_handset(Handset { held: true, ..Handset::new(&number) }));
        }
        let chance = Chance::new(7);
        for _ in 0..50 {
            assert!(number(&carrier, &chance).starts_with(&format!("+1{last}")));
        }
    }
}
