//! TwiML both ways: the simulated carrier reads any document, and understands whatever we say in ours.

use std::sync::{Arc, LazyLock};

use actors::{
    directory::SystemDirectory,
    ports::{Inbound, LineScript, Moment},
};
use deskwire::channels::twilio::{TwilioInbound, TwilioInboundSettings};
use schema::{
    ids::{AccountId, ChannelId},
    settings::{ChannelSettings, Voicemail},
};

use crate::input::{choice, texts};

static DOOR: LazyLock<TwilioInbound> = LazyLock::new(|| {
    let settings = TwilioInboundSettings { public_url: "https://desk.example".to_owned(), answered_min_s: 5 };
    TwilioInbound::new(&settings, Arc::new(SystemDirectory::default()), Arc::new(|_: &AccountId| Arc::from([])))
});

/// A choice, then a document; or a greeting and the business's name.
pub fn run(data: &[u8]) {
    let (chosen, rest) = choice(data);
    if chosen % 2 == 0 {
        // Refused or understood, never a panic.
        drop(loadtest::carrier::read_twiml(&String::from_utf8_lossy(rest)));
    } else {
        ours(chosen, rest);
    }
}

fn ours(chosen: u8, data: &[u8]) {
    let [greeting, business] = texts::<2>(data);
    let account = AccountId::new("account").expect("a slug");
    let mut settings = ChannelSettings::new("+15550100001".to_owned(), account);
    settings.voice.voicemail = (chosen & 2 != 0).then_some(Voicemail { max_s: 60 });
    let channel = ChannelId::new("line").expect("a slug");
    let line = LineScript {
        channel: &channel,
        voice: &settings.voice,
        business: &business,
        greeting: &greeting,
        conversation: None,
    };
    for (moment, words) in
        [(Moment::Missed, greeting.clone()), (Moment::Screen, format!("A call for {business}. Press 1 to take it."))]
    {
        let answer = DOOR.script(moment, &line);
        let read = loadtest::carrier::read_twiml(&answer.body);
        let read = read.unwrap_or_else(|problem| panic!("our document is no TwiML: {problem:?}\n{}", answer.body));
        assert!(read.problems.is_empty(), "the carrier does not understand {:?}", read.problems);
        assert_eq!(read.said, [plain(&words)], "something else is said");
    }
}

/// What XML cannot hold is a space, and the carrier makes one of many.
fn plain(words: &str) -> String {
    let shown = |character: char| match character {
        '\u{fffe}' | '\u{ffff}' => ' ',
        character if character.is_control() => ' ',
        character => character,
    };
    let words: String = words.chars().map(shown).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
