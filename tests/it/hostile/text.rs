//! UTF-8 as Autobahn tests it (its section 6): what is valid is read, what is not closes with 1007, fragmented or not.

use super::{
    frames::{
        Fate::{Answers, Closes},
        play,
    },
    raw::{CONTINUATION, TEXT, frame, part},
};
use crate::stream::world::World;

/// After Markus Kuhn's stress test, as Autobahn has it: boundaries, and what only looks like a mistake.
const VALID: [&[u8]; 13] = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
    b"\xc2\x80",
    b"\xe0\xa0\x80",
    b"\xf0\x90\x80\x80",
    b"\xdf\xbf",
    b"\xef\xbf\xbf",
    b"\xf4\x8f\xbf\xbf",
    b"\xed\x9f\xbf",
    b"\xee\x80\x80",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbe",
    b"\xef\xb7\x90",
    b"\xf0\x9f\xbf\xbe",
];

/// Continuation bytes alone, sequences cut short, impossible bytes, overlong forms, surrogates, beyond Unicode.
const INVALID: [&[u8]; 27] = [
    b"\x80",
    b"\xbf",
    b"\x80\xbf\x80",
    b"\xc0 ",
    b"\xdf ",
    b"\xe0 ",
    b"\xf0 ",
    b"\xf8 ",
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xfe\xfe\xff\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xf8\x80\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited",
];

/// A command that holds these bytes.
fn command(text: &[u8]) -> Vec<u8> {
    [br#"{"id":9,"ping":{},"x":""#, text, br#""}"#].concat()
}

#[tokio::test]
async fn valid_text_is_read_however_it_is_cut() {
    let world = World::start().await;
    for text in VALID {
        let whole = command(text);
        play(&world, &format!("6 {text:x?}"), &frame(TEXT, &whole), usize::MAX, Answers).await;
        // In fragments of one byte: characters are cut apart.
        let mut bytes = part(TEXT, b"");
        whole.iter().for_each(|byte| bytes.extend(part(CONTINUATION, &[*byte])));
        bytes.extend(frame(CONTINUATION, b""));
        play(&world, &format!("6 {text:x?} in fragments"), &bytes, usize::MAX, Answers).await;
    }
}

#[tokio::test]
async fn invalid_text_closes_with_1007_however_it_is_cut() {
    let world = World::start().await;
    for text in INVALID {
        let whole = command(text);
        play(&world, &format!("6 {text:x?}"), &frame(TEXT, &whole), usize::MAX, Closes(1007)).await;
        let (head, tail) = whole.split_at(24);
        let cut = [part(TEXT, head), frame(CONTINUATION, tail)].concat();
        play(&world, &format!("6 {text:x?} in fragments"), &cut, 1, Closes(1007)).await;
    }
}
