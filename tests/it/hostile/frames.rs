//! RFC 6455 by bare bytes, on Autobahn's case list: framing, pings, reserved bits, opcodes, fragments, closing, limits.
//!
//! The stream is no echo server: where Autobahn expects its message back, a command expects its reply.

use super::raw::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, Raw, TEXT, closed, frame, made, part, upgrade};
use crate::stream::world::{World, limits};
use schema::role::Role;

/// A command whose reply shows that the connection lives.
const ALIVE: &str = r#"{"id":9,"ping":{}}"#;

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It lives, and so many pongs came.
    Lives(usize),
    /// The command was answered; then it lives.
    Answers,
    /// It is closed with this code.
    Closes(u16),
}

use Fate::{Answers, Closes, Lives};

async fn connected(world: &World) -> Raw {
    let mut raw = Raw::dial(world.address, &upgrade("")).await;
    assert!(raw.answer.starts_with("HTTP/1.1 101"), "{}", raw.answer);
    let connect = format!(r#"{{"id":1,"connect":{{"token":"{}"}}}}"#, world.token("ana", Role::Operator));
    raw.send(&frame(TEXT, connect.as_bytes())).await;
    let reply = raw.next().await.expect("a reply");
    assert!(String::from_utf8(reply.payload).unwrap().contains(r#""id":1,"connect""#));
    raw
}

/// Plays one case, whole or in chops, and sees what becomes of it.
pub async fn play(world: &World, name: &str, bytes: &[u8], chop: usize, fate: Fate) {
    let mut raw = connected(world).await;
    raw.send_chopped(bytes, chop).await;
    match fate {
        Lives(pongs) => {
            raw.send(&frame(TEXT, ALIVE.as_bytes())).await;
            let got = until_reply(&mut raw, name).await;
            assert_eq!(got.iter().filter(|frame| frame.opcode == PONG).count(), pongs, "{name}: {got:?}");
        }
        Answers => drop(until_reply(&mut raw, name).await),
        Closes(code) => {
            let frames = raw.rest().await;
            assert_eq!(closed(&frames).map(|(code, _)| code), Some(code), "{name}: {frames:?}");
        }
    }
}

async fn until_reply(raw: &mut Raw, name: &str) -> Vec<Frame> {
    let mut got = Vec::new();
    loop {
        let frame = raw.next().await.unwrap_or_else(|| panic!("{name}: the connection ended after {got:?}"));
        if frame.opcode == TEXT && frame.payload.starts_with(br#"{"id":9"#) {
            return got;
        }
        assert_ne!(frame.opcode, CLOSE, "{name}: closed with {:?}", closed(std::slice::from_ref(&frame)));
        got.push(frame);
    }
}

fn joined(frames: &[Vec<u8>]) -> Vec<u8> {
    frames.concat()
}

/// The command, made longer by spaces.
fn padded(length: usize) -> Vec<u8> {
    let mut text = ALIVE.as_bytes().to_vec();
    text.resize(length, b' ');
    text
}

const WHOLE: usize = usize::MAX;

#[tokio::test]
async fn texts_of_every_length_are_read_whole_or_in_chops() {
    let world = World::start().await;
    for length in [18, 125, 126, 127, 128, 65_535, 65_536] {
        play(&world, &format!("1.1 text of {length}"), &frame(TEXT, &padded(length)), WHOLE, Answers).await;
    }
    play(&world, "1.1.8 in chops of 997", &frame(TEXT, &padded(65_536)), 997, Answers).await;
    play(&world, "5.5 octet by octet", &frame(TEXT, &padded(200)), 1, Answers).await;
    for length in [0, 125, 126, 65_536] {
        play(&world, "1.2 binary", &frame(BINARY, &vec![0xfe; length]), WHOLE, Closes(3506)).await;
    }
}

#[tokio::test]
async fn pings_are_answered_and_pongs_that_nobody_asked_for_are_taken() {
    let world = World::start().await;
    let ping = |payload: &[u8]| frame(PING, payload);
    let ten: Vec<_> = (0..10_u8).map(|number| ping(&[b'a' + number])).collect();
    let cases = [
        ("2.1 empty ping", ping(b""), WHOLE, Lives(1)),
        ("2.2 ping with text", ping(b"Hello, world!"), WHOLE, Lives(1)),
        ("2.3 ping with bytes", ping(&[0, 255, 254, 253, 252, 251, 0, 255]), WHOLE, Lives(1)),
        ("2.4 ping of 125", ping(&[0xfe; 125]), WHOLE, Lives(1)),
        ("2.5 ping of 126", ping(&[0xfe; 126]), WHOLE, Closes(1002)),
        ("2.6 ping of 125 in chops", ping(&[0xfe; 125]), 1, Lives(1)),
        ("2.7 pong", frame(PONG, b""), WHOLE, Lives(0)),
        ("2.8 pong with payload", frame(PONG, b"unsolicited"), WHOLE, Lives(0)),
        ("2.9 pong, then ping", joined(&[frame(PONG, b"x"), ping(b"y")]), WHOLE, Lives(1)),
        ("2.11 ten pings in chops", joined(&ten), 1, Lives(10)),
    ];
    for (name, bytes, chop, fate) in cases {
        play(&world, name, &bytes, chop, fate).await;
    }
    let mut raw = connected(&world).await;
    raw.send(&joined(&ten)).await;
    for number in 0..10_u8 {
        let pong = raw.next().await.expect("a pong");
        assert_eq!(pong, Frame { opcode: PONG, payload: vec![b'a' + number] }, "2.10: in order, each with its payload");
    }
}

#[tokio::test]
async fn reserved_bits_and_opcodes_close_with_1002() {
    let world = World::start().await;
    for bits in 1..8_u8 {
        for opcode in [TEXT, PING, CLOSE] {
            let bytes = made(0x80 | bits << 4 | opcode, b"");
            play(&world, &format!("3 bits {bits} of {opcode}"), &bytes, WHOLE, Closes(1002)).await;
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for chop in [WHOLE, 1] {
            play(&world, &format!("4 opcode {opcode}"), &frame(opcode, b"x"), chop, Closes(1002)).await;
        }
    }
    // A compressed message, as permessage-deflate would mark it: it was not agreed on.
    play(&world, "12 deflate", &made(0xc1, &[0xaa, 0x56, 0xca]), WHOLE, Closes(1002)).await;
    let unmasked = [&[0x81, 18][..], ALIVE.as_bytes()].concat();
    play(&world, "unmasked", &unmasked, WHOLE, Closes(1002)).await;
}

#[tokio::test]
async fn fragments_are_joined_and_those_out_of_place_close_with_1002() {
    let world = World::start().await;
    let (head, tail) = ALIVE.as_bytes().split_at(7);
    let end = |payload: &[u8]| frame(CONTINUATION, payload);
    let middle = |payload: &[u8]| part(CONTINUATION, payload);
    let ping = frame(PING, b"p");
    let many: Vec<_> = ALIVE.bytes().skip(1).map(|byte| joined(&[ping.clone(), middle(&[byte])])).collect();
    let cases = [
        ("5.1 fragmented ping", joined(&[part(PING, b"a"), end(b"b")]), Closes(1002)),
        ("5.2 fragmented pong", joined(&[part(PONG, b"a"), end(b"b")]), Closes(1002)),
        ("fragmented close", joined(&[part(CLOSE, b""), end(b"")]), Closes(1002)),
        ("5.3 text in two", joined(&[part(TEXT, head), end(tail)]), Answers),
        ("5.6 a ping between", joined(&[part(TEXT, head), ping.clone(), end(tail)]), Answers),
        ("5.9 continuation of nothing", end(ALIVE.as_bytes()), Closes(1002)),
        ("5.11 the same, open", middle(ALIVE.as_bytes()), Closes(1002)),
        ("5.12 then text", joined(&[middle(b"x"), frame(TEXT, ALIVE.as_bytes())]), Closes(1002)),
        ("5.15 after the end", joined(&[part(TEXT, head), end(tail), middle(b"x")]), Closes(1002)),
        ("5.18 text in text", joined(&[part(TEXT, head), frame(TEXT, tail)]), Closes(1002)),
        ("5.19 many with pings", joined(&[part(TEXT, b"{"), joined(&many), end(b"")]), Answers),
        ("6.1.2 empty fragments", joined(&[part(TEXT, b""), middle(b""), end(b"")]), Lives(0)),
        ("6.1.3 one that is not", joined(&[part(TEXT, b""), middle(ALIVE.as_bytes()), end(b"")]), Answers),
    ];
    for (name, bytes, fate) in cases {
        for chop in [WHOLE, 3] {
            play(&world, name, &bytes, chop, fate).await;
        }
    }
}

#[tokio::test]
async fn a_goodbye_is_answered_in_kind_and_nothing_after_it_is() {
    let world = World::start().await;
    let goodbye = |code: u16, reason: &[u8]| frame(CLOSE, &[&code.to_be_bytes()[..], reason].concat());
    let answered = async |name: &str, bytes: Vec<u8>| {
        let mut raw = connected(&world).await;
        raw.send(&bytes).await;
        let frames = raw.rest().await;
        let last = frames.last().unwrap_or_else(|| panic!("{name}: the connection ended without a goodbye"));
        assert_eq!(last.opcode, CLOSE, "{name}: {frames:?}");
        (closed(&frames).map(|(code, _)| code), frames.len())
    };
    assert_eq!(answered("7.3.1 empty", frame(CLOSE, b"")).await, (None, 1));
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        assert_eq!(answered("7.7", goodbye(code, b"")).await, (Some(code), 1), "7.7 {code}");
    }
    assert_eq!(answered("7.3.5 reason of 123", goodbye(1000, &[b'*'; 123])).await, (Some(1000), 1));
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535] {
        assert_eq!(answered("7.9", goodbye(code, b"")).await, (Some(1002), 1), "7.9 {code}");
    }
    assert_eq!(answered("7.3.2 one byte", frame(CLOSE, b"x")).await.0, Some(1002));
    assert_eq!(answered("7.3.6 reason of 124", goodbye(1000, &[b'*'; 124])).await.0, Some(1002));
    assert_eq!(answered("7.5.1 reason that is no UTF-8", goodbye(1000, b"\xce\xba\xed\xa0\x80")).await.0, Some(1007));
    for (name, after) in [
        ("7.1.2 another", goodbye(1000, b"")),
        ("7.1.3 ping", frame(PING, b"x")),
        ("7.1.4 text", frame(TEXT, ALIVE.as_bytes())),
    ] {
        assert_eq!(answered(name, joined(&[goodbye(1000, b""), after])).await, (Some(1000), 1), "{name}");
    }
    let amid = joined(&[part(TEXT, b"{"), goodbye(1000, b""), frame(CONTINUATION, b"}")]);
    assert_eq!(answered("7.1.5 amid fragments", amid).await, (Some(1000), 1));
}

#[tokio::test]
async fn what_is_too_large_closes_with_1009_before_it_is_there() {
    let world = World::start().await;
    let most = limits().frame_bytes;
    play(&world, "9.1 one byte more", &frame(TEXT, &vec![b' '; most + 1]), WHOLE, Closes(1009)).await;
    let half = vec![b' '; most / 2 + 1];
    let fragments = joined(&[part(TEXT, &half), frame(CONTINUATION, &half)]);
    play(&world, "9.3 in fragments", &fragments, WHOLE, Closes(1009)).await;
    for claimed in [most as u64 + 1, 1 << 40, (1 << 63) - 1] {
        // The head alone: whoever made room for what it claims would be dead.
        let head = [&[0x81, 0xff][..], &claimed.to_be_bytes(), &[0; 4]].concat();
        play(&world, &format!("9 claims {claimed}"), &head, WHOLE, Closes(1009)).await;
    }
}

#[tokio::test]
async fn a_flood_of_what_asks_for_nothing_ends_the_connection() {
    let one = std::num::NonZeroU32::MIN;
    let slow = deskwire::session::StreamLimits { commands_per_s: one, excess: 3, ..limits() };
    let world = World::with(slow, actors::engine::Limits::default()).await;
    for (name, unasked) in [
        ("pings", frame(PING, b"")),
        ("pongs", frame(PONG, b"")),
        ("empty texts", frame(TEXT, b"")),
        ("answers to no ping", frame(TEXT, b"{}")),
        ("many in one frame", frame(TEXT, "{}\n".repeat(20).as_bytes())),
    ] {
        play(&world, name, &unasked.repeat(20), WHOLE, Closes(3013)).await;
    }
}
