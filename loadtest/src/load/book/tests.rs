//! A book convicts what is wrong, acquits what is right, and does not grow.

use serde_json::json;

use super::*;

const RUN: u32 = 7;

/// A tenant, its log so far, and what was found.
struct World {
    book: Book,
    findings: Findings,
    log: Vec<String>,
}

impl World {
    fn new() -> Self {
        Self { book: Book::new(RUN, 3, "three".to_owned()), findings: Findings::default(), log: Vec::new() }
    }

    fn event(&mut self, kind: &str, data: &serde_json::Value, text: &str) -> u64 {
        let offset = self.log.len() as u64 + 1;
        self.log.push(json!({"offset": offset, "type": kind, "data": data, "text": text}).to_string());
        offset
    }

    /// A text that was sent, and stands in the log.
    fn text(&mut self, lane: u16) -> Mark {
        let mark = self.book.begin(lane, Instant::now());
        self.event("message.received", &json!({"carrier_id": mark.sid()}), "hello");
        self.book.acked(&mark, None, Some(1));
        mark
    }

    /// A reply that was sent, and stands in the log.
    fn reply(&mut self, promised: Option<u64>) -> uuid::Uuid {
        let (mark, message) = (self.book.begin(0x8000, Instant::now()), uuid::Uuid::new_v4());
        let offset = self.event("message.queued", &json!({"message": message}), &mark.sign("hello"));
        let offset = promised.unwrap_or(offset);
        self.book.acked(&mark, Some(Promise { offset, message: message.as_u128() }), None);
        message
    }

    fn status(&mut self, message: uuid::Uuid, status: &str) {
        self.event("message.status", &json!({"message": message, "attempt": 1, "status": status}), "");
    }

    /// Shows events to an operator.
    fn show(&self, follower: &mut Follower, offsets: impl IntoIterator<Item = usize>) {
        for offset in offsets {
            let data = &self.log[offset - 1];
            self.book.seen(follower, (self.book.channel(), offset as u64, data), &self.findings);
        }
    }

    fn end(&self, followers: &[Follower]) {
        self.book.compare(&self.findings);
        let mut walk = self.book.walk(followers);
        self.log.iter().for_each(|line| self.book.line(&mut walk, line, &self.findings));
        self.book.end(&walk, &self.findings);
    }

    #[track_caller]
    fn found(&self, kinds: &[Kind]) {
        let found = self.findings.of(kinds);
        assert_eq!(found.count, self.findings.total(), "{:?}", self.findings);
        assert_eq!(found.count > 0, !kinds.is_empty(), "{:?}", self.findings);
    }
}

fn operator(name: &str) -> Follower {
    Follower::new(Role::Operator, name.to_owned())
}

/// Texts, replies and statuses over some blocks.
fn ordinary() -> World {
    let mut world = World::new();
    for round in 0..300 {
        world.text(round % 3);
        if round % 10 == 0 {
            let message = world.reply(None);
            world.status(message, "sent");
            world.status(message, "delivered");
        }
    }
    world
}

#[test]
fn what_is_right_is_acquitted_whoever_is_first() {
    let world = ordinary();
    let (mut first, mut second) = (operator("first"), operator("second"));
    let end = world.log.len();
    world.show(&mut first, 1..=100);
    world.show(&mut second, 1..=end);
    world.show(&mut first, 101..=end);
    world.end(&[first, second]);
    world.found(&[]);
    assert_eq!(world.book.head(), end as u64);
}

#[test]
fn a_dropped_a_repeated_and_a_swapped_frame_are_found() {
    let world = ordinary();
    world.show(&mut operator("drop"), (1..50).chain(51..60));
    world.found(&[Kind::Gap]);
    let world = ordinary();
    world.show(&mut operator("repeat"), (1..=50).chain(50..60));
    world.found(&[Kind::Repeated]);
    let world = ordinary();
    world.show(&mut operator("swap"), (1..50).chain([51, 50]).chain(52..60));
    world.found(&[Kind::Gap, Kind::Repeated]);
}

#[test]
fn one_changed_letter_is_found_by_the_others_and_by_the_log() {
    for at in [1, 255, 256, 257, 299] {
        let world = ordinary();
        let (mut honest, mut changed) = (operator("honest"), operator("changed"));
        world.show(&mut honest, 1..=300);
        world.show(&mut changed, 1..at);
        let data = world.log[at - 1].replace("hello", "hullo");
        world.book.seen(&mut changed, (world.book.channel(), at as u64, &data), &world.findings);
        world.show(&mut changed, at + 1..=300);
        world.found(&[Kind::Differs]);
    }
    let world = ordinary();
    let mut alone = operator("alone");
    let data = world.log[0].replace("hello", "hullo");
    world.book.seen(&mut alone, (world.book.channel(), 1, &data), &world.findings);
    world.show(&mut alone, 2..=300);
    world.found(&[]);
    world.end(&[alone]);
    assert!(world.findings.of(&[Kind::Differs]).count > 0, "{:?}", world.findings);
}

#[test]
fn what_is_of_others_is_found() {
    let world = ordinary();
    let mut operator = operator("operator");
    world.book.seen(&mut operator, ("inbox:four", 1, &world.log[0]), &world.findings);
    world.found(&[Kind::Foreign]);
    let mut world = World::new();
    let foreign = Mark { run: RUN, tenant: 4, lane: 0, number: 0 };
    world.event("message.received", &json!({"carrier_id": foreign.sid()}), "hello");
    world.show(&mut self::operator("operator"), [1]);
    world.found(&[Kind::Foreign]);
    let mut world = World::new();
    world.event("settings.limit", &json!({}), "");
    world.event("note.added", &json!({}), "hello");
    world.show(&mut self::operator("operator"), [1]);
    world.found(&[Kind::Foreign]);
    let mut viewer = Follower::new(Role::Viewer, "viewer".to_owned());
    world.book.seen(&mut viewer, (world.book.channel(), 1, schema::wire::HIDDEN), &world.findings);
    world.show(&mut viewer, [2]);
    assert_eq!(world.findings.of(&[Kind::Foreign]).count, 2);
}

#[test]
fn what_a_role_may_not_see_is_hidden_in_its_checksum_too() {
    let mut world = World::new();
    world.event("settings.limit", &json!({}), "");
    world.text(0);
    let mut operator = operator("operator");
    world.book.seen(&mut operator, (world.book.channel(), 1, schema::wire::HIDDEN), &world.findings);
    world.show(&mut operator, [2]);
    world.end(&[operator]);
    world.found(&[]);
}

#[test]
fn a_lost_a_doubled_and_a_disordered_text_are_found() {
    let mut world = World::new();
    let mark = world.book.begin(0, Instant::now());
    world.book.acked(&mark, None, None);
    world.text(0);
    world.end(&[]);
    world.found(&[Kind::Lost]);

    let mut world = World::new();
    let mark = world.text(0);
    world.event("message.received", &json!({"carrier_id": mark.sid()}), "hello");
    world.end(&[]);
    world.found(&[Kind::Twice]);

    let mut world = World::new();
    let first = world.book.begin(0, Instant::now());
    world.book.acked(&first, None, None);
    world.text(0);
    world.event("message.received", &json!({"carrier_id": first.sid()}), "hello");
    world.end(&[]);
    world.found(&[Kind::Disordered]);

    let mut world = World::new();
    world.event("message.received", &json!({"carrier_id": "SM1"}), "hello");
    world.end(&[]);
    world.found(&[Kind::Unsent]);
}

#[test]
fn a_text_that_was_given_up_may_be_there_late_or_not_at_all() {
    let mut world = World::new();
    let (late, never) = (world.book.begin(0, Instant::now()), world.book.begin(0, Instant::now()));
    world.book.refused(&late);
    world.book.refused(&never);
    world.text(0);
    world.event("message.received", &json!({"carrier_id": late.sid()}), "hello");
    world.end(&[]);
    world.found(&[]);
}

#[test]
fn a_reply_that_names_another_event_and_a_status_that_moves_back_are_found() {
    let mut world = World::new();
    world.reply(Some(99));
    world.end(&[]);
    world.found(&[Kind::OtherReply]);

    let mut world = World::new();
    let message = world.reply(None);
    world.status(message, "delivered");
    world.status(message, "sent");
    world.end(&[]);
    world.found(&[Kind::StatusBack]);
}

#[test]
fn a_log_with_a_hole_and_one_that_ends_too_early_are_found() {
    let mut world = ordinary();
    let mut operator = operator("operator");
    world.show(&mut operator, 1..=300);
    world.log.truncate(200);
    world.log.remove(150);
    world.end(&[operator]);
    assert!(world.findings.of(&[Kind::Store]).count > 0, "{:?}", world.findings);
    assert!(world.findings.of(&[Kind::Lost]).count > 0, "{:?}", world.findings);
}

/// The bound: for each role 8 bytes for 256 events, some hundred bytes a sender and 48 a run of refusals, and what is
/// remembered of the newest statuses. Ten million texts, one in a thousand refused, stay below two MiB.
#[test]
fn ten_million_texts_do_not_make_it_grow() {
    const TEXTS: u64 = 10_000_000;
    const LANES: u16 = 64;
    let (book, findings) = (Book::new(RUN, 3, "three".to_owned()), Findings::default());
    let mut inner = book.lock();
    let inner = &mut *inner;
    for offset in 1..=TEXTS {
        let lane = u16::try_from(offset % u64::from(LANES)).unwrap();
        let number = inner.ledger.begin(lane);
        // One in a thousand was refused, and is not there.
        if offset % 1_000 == 0 {
            inner.ledger.refused(lane, number);
        } else {
            inner.ledger.acked(lane, number, None);
        }
        let mark = Mark { run: RUN, tenant: 3, lane, number };
        let said = if offset % 1_000 == 0 { Said::Other } else { Said::Received(Some(mark)) };
        let sight = &mut inner.sights[Role::Operator.index()];
        sight.advance(offset, chained(sight.chain, offset));
        sight.reading.event(offset, &said, &inner.ledger, &findings, "test");
    }
    let sight = &inner.sights[Role::Operator.index()];
    sight.reading.compare(&inner.ledger, Kind::Lost, &findings, "test");
    assert_eq!(findings.total(), 0, "{findings:?}");
    assert_eq!(sight.reading.texts(), TEXTS - TEXTS / 1_000);
    let bytes = sight.blocks.capacity() * 8 + sight.reading.bytes() + inner.ledger.bytes();
    assert!(bytes < 2 << 20, "{bytes} bytes");
    assert!(sight.blocks.len() == usize::try_from(TEXTS / BLOCK).unwrap());
}
