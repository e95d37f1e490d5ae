//! The codec: what is written is read, and nothing that is read can hurt.

use bytes::Bytes;
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;

use super::*;
use crate::{
    ids::{
        BatchId, BatchNumber, ContactId, ConversationId, DedupeKey, FeedId, KeyId, MessageId, NodeId, RequestId,
        TenantId,
    },
    time::Stamp,
};

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<[u8; 16]>().prop_map(Uuid::from_bytes)
}

fn slug() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}"
}

fn author() -> impl Strategy<Value = Author> {
    prop_oneof![
        Just(Author::Contact),
        Just(Author::Carrier),
        Just(Author::Rule),
        Just(Author::Engine),
        slug().prop_map(|name| Author::Operator(OperatorId::new(&name).unwrap())),
    ]
}

fn accepted() -> impl Strategy<Value = Accepted> {
    (any::<[u8; 16]>(), any::<u64>(), option::of(uuid())).prop_map(|(key, content, message)| Accepted {
        key: DedupeKey(key),
        content,
        message: message.map(MessageId),
    })
}

fn header() -> impl Strategy<Value = Header> {
    let origin =
        (author(), uuid()).prop_map(|(by, request)| Origin { by, via: Via::Webhook, request: RequestId(request) });
    (any::<u64>(), any::<u64>(), option::of(uuid()), any::<u64>(), origin, option::of(accepted())).prop_map(
        |(offset, stamp, conversation, previous, origin, accepted)| Header {
            offset: Offset(offset),
            stamp: Stamp(stamp),
            conversation: conversation.map(ConversationId),
            previous: Offset(previous),
            origin,
            accepted,
        },
    )
}

/// A number that no kind has.
fn unknown_kind() -> impl Strategy<Value = (u16, u8)> {
    any::<(u16, u8)>().prop_filter("known", |(kind, version)| !KINDS.iter().any(|(k, v, _)| (k, v) == (kind, version)))
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        (uuid(), slug(), ".{0,40}", any::<u16>(), any::<u8>()).prop_map(
            |(message, channel, carrier_id, segments, media)| {
                let channel = crate::ids::ChannelId::new(&channel).unwrap();
                let keyword = Some(Keyword::Stop);
                MessageReceived { message: MessageId(message), channel, carrier_id, segments, media, keyword }.into()
            }
        ),
        any::<u32>().prop_map(|episode| ConversationResolved { episode }.into()),
        vec(slug(), 0..5).prop_map(|tags| {
            let tags = tags.iter().map(|tag| crate::ids::Tag::new(tag).unwrap()).collect();
            ConversationTagged { tags }.into()
        }),
        Just(ConversationWoken {}.into()),
        (unknown_kind(), vec(any::<u8>(), 0..50)).prop_map(|((kind, version), bytes)| Fact::Foreign(Foreign {
            kind,
            version,
            bytes
        })),
    ]
}

fn part() -> impl Strategy<Value = SealedPart> {
    (uuid(), uuid(), any::<[u8; 24]>(), vec(any::<u8>(), 0..100)).prop_map(|(subject, key, nonce, sealed)| SealedPart {
        subject: ContactId(subject),
        key: KeyId(key),
        nonce,
        sealed: sealed.into(),
    })
}

fn event() -> impl Strategy<Value = StoredEvent> {
    (header(), fact(), vec(part(), 0..3)).prop_map(|(header, fact, parts)| StoredEvent { header, fact, parts })
}

fn batch_of(events: &[StoredEvent], tenant: &str, wake_at: Option<u64>) -> SealedBatch {
    let mut body = Vec::new();
    for event in events {
        event.encode(&mut body).unwrap();
    }
    let header = BatchHeader {
        feed: FeedId::of(&TenantId::new(tenant).unwrap()),
        number: BatchNumber(3),
        id: BatchId(Uuid::from_u128(4)),
        first: Offset(5),
        count: u32::try_from(events.len()).unwrap(),
        stamp: Stamp(6),
        node: NodeId::new("n1").unwrap(),
        wake_at: wake_at.map(Stamp),
    };
    SealedBatch { header, body: body.into() }
}

proptest! {
    #[test]
    fn a_batch_is_read_as_it_was_written(
        events in vec(event(), 1..6),
        tenant in slug(),
        wake_at in option::of(any::<u64>()),
    ) {
        let batch = batch_of(&events, &tenant, wake_at);
        let bytes = batch.encode().unwrap();
        let read = SealedBatch::decode(&bytes).unwrap();
        prop_assert_eq!(&read, &batch);
        let read: Vec<StoredEvent> = read.events().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&read, &events);
        prop_assert_eq!(read.len() as u64, batch.header.end().0 - batch.header.first.0);
    }

    #[test]
    fn an_event_is_read_as_it_was_written(event in event()) {
        let mut bytes = Vec::new();
        event.encode(&mut bytes).unwrap();
        prop_assert_eq!(StoredEvent::decode(&bytes).unwrap(), event);
        bytes.push(0);
        prop_assert!(StoredEvent::decode(&bytes).is_err(), "one byte too many");
    }

    #[test]
    fn an_unknown_kind_is_carried_byte_for_byte(
        event in event(),
        (kind, version) in unknown_kind(),
        body in vec(any::<u8>(), 0..80),
    ) {
        let foreign = StoredEvent { fact: Fact::Foreign(Foreign { kind, version, bytes: body }), ..event };
        let mut bytes = Vec::new();
        foreign.encode(&mut bytes).unwrap();
        let read = StoredEvent::decode(&bytes).unwrap();
        prop_assert_eq!(read.fact.kind(), (kind, version));
        prop_assert_eq!(read.fact.name(), "hidden");
        prop_assert_eq!(&read.header, &foreign.header);
        let mut again = Vec::new();
        read.encode(&mut again).unwrap();
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn one_flipped_bit_is_found_by_the_checksum(events in vec(event(), 1..4), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let bytes = batch_of(&events, "demo", None).encode().unwrap();
        // The first byte is the format: another format is another error.
        let at = 1 + at.index(bytes.len() - 1);
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1_u8 << bit;
        prop_assert_eq!(SealedBatch::decode(&flipped.into()), Err(CodecError::Checksum));
    }

    #[test]
    fn a_batch_that_is_cut_short_is_an_error(events in vec(event(), 1..4), at in any::<prop::sample::Index>()) {
        let bytes = batch_of(&events, "demo", None).encode().unwrap();
        let cut = bytes.slice(..at.index(bytes.len()));
        prop_assert!(SealedBatch::decode(&cut).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = StoredEvent::decode(&bytes);
        let _ = SealedBatch::decode(&Bytes::from(bytes));
    }

    /// Behind a right checksum, too: damage is not the only way to wrong bytes.
    #[test]
    fn arbitrary_bytes_behind_a_right_checksum_never_panic(
        events in vec(event(), 1..3),
        garbage in vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
    ) {
        let mut batch = batch_of(&events, "demo", None);
        let mut body = batch.body.to_vec();
        let at = at.index(body.len() + 1);
        let end = (at + garbage.len()).min(body.len());
        body.splice(at..end, garbage);
        batch.body = body.into();
        let read = SealedBatch::decode(&batch.encode().unwrap()).unwrap();
        let errors = read.events().filter(Result::is_err).count();
        prop_assert!(errors <= 1, "reading stops after the first error");
    }

    #[test]
    fn a_known_kind_with_an_arbitrary_body_never_panics(
        index in any::<prop::sample::Index>(),
        body in vec(any::<u8>(), 0..100),
        header in header(),
    ) {
        let (kind, version, _) = KINDS[index.index(KINDS.len())];
        let fact = Fact::Foreign(Foreign { kind, version, bytes: body });
        let mut bytes = Vec::new();
        StoredEvent { header, fact, parts: Vec::new() }.encode(&mut bytes).unwrap();
        let _ = StoredEvent::decode(&bytes);
    }
}

#[test]
fn a_format_of_the_future_is_named() {
    let bytes = batch_of(&[], "demo", None).encode().unwrap();
    let mut newer = bytes.to_vec();
    newer[0] = 2;
    assert_eq!(SealedBatch::decode(&newer.into()), Err(CodecError::Format(2)));
}

#[test]
fn a_batch_without_events_is_refused() {
    let bytes = batch_of(&[], "demo", None).encode().unwrap();
    assert_eq!(SealedBatch::decode(&bytes), Err(CodecError::Content("batch header")));
}

#[test]
fn a_batch_whose_offsets_would_overflow_is_refused() {
    let mut batch = batch_of(&[], "demo", None);
    batch.header.count = 2;
    for (first, is_good) in [(u64::MAX - 2, true), (u64::MAX - 1, false), (u64::MAX, false)] {
        batch.header.first = Offset(first);
        let read = SealedBatch::decode(&batch.encode().unwrap());
        assert_eq!(read.is_ok(), is_good, "{first}: {read:?}");
    }
}

#[test]
fn numbers_and_names_of_kinds_are_unique() {
    let mut numbers: Vec<_> = KINDS.iter().map(|(kind, version, _)| (kind, version)).collect();
    let mut names: Vec<_> = KINDS.iter().map(|(_, _, name)| name).collect();
    numbers.sort_unstable();
    names.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Bytes as version 1 of `settings.channel` wrote them: long before lines had kinds.
#[test]
fn a_line_of_version_1_is_read_with_its_old_meaning() {
    let mut fact = Vec::new();
    for text in ["line", "+14155550199", "account"] {
        fact.push(u8::try_from(text.len()).unwrap());
        fact.extend_from_slice(text.as_bytes());
    }
    // coverage, text_back "back", cool_down_s 600, answers: stop "bye", neither start nor help.
    fact.extend_from_slice(b"\x01\x01\x04back\xd8\x04\x01\x03bye\x00\x00");
    let header = Header {
        offset: Offset(1),
        stamp: Stamp(2),
        conversation: None,
        previous: Offset(0),
        origin: Origin { by: Author::Engine, via: Via::Engine, request: RequestId(Uuid::nil()) },
        accepted: None,
    };
    let old = Fact::Foreign(Foreign { kind: 61, version: 1, bytes: fact });
    let mut bytes = Vec::new();
    StoredEvent { header, fact: old, parts: Vec::new() }.encode(&mut bytes).unwrap();
    let read = StoredEvent::decode(&bytes).unwrap();
    let Fact::ChannelConfigured(ChannelConfigured { channel, settings }) = &read.fact else {
        panic!("{:?}", read.fact)
    };
    assert_eq!((channel.as_str(), settings.address.as_str(), settings.cool_down_s), ("line", "+14155550199", 600));
    assert_eq!(settings.text_back.as_ref().map(ToString::to_string).as_deref(), Some("back"));
    let carrier = settings.carrier_answers();
    assert_eq!((carrier.stop, carrier.start, carrier.help), (false, true, true), "a template meant: we answer");
    assert_eq!(read.fact.kind(), (61, 2), "written again, it is of today's version");
}

#[test]
fn limits_from_before_networks_had_caps_are_still_read() {
    let brand_per_day = Some(crate::settings::NamedLimit { name: "brand".to_owned(), limit: 2_000 });
    let limits = crate::settings::LimitSettings1 {
        account_per_s: Some(5),
        brand_per_day: brand_per_day.clone(),
        campaign_per_min: None,
        number_per_s: Some(1),
        pair_interval_s: None,
    };
    let old = LimitConfigured1 { channel: crate::ids::ChannelId::new("line").expect("a slug"), limits };
    let bytes = postcard::to_stdvec(&old).expect("encodes");
    let Ok(Fact::LimitConfigured(read)) = Fact::decode(63, 1, &bytes) else { panic!("it is not read") };
    assert_eq!((read.limits.brand_per_day, read.limits.account_per_s), (brand_per_day, Some(5)));
    assert_eq!((read.limits.number_per_s, read.limits.networks_per_day), (Some(1), Vec::new()));
}

#[test]
fn being_away_from_before_hours_was_said_by_hand_and_lasts() {
    let old = AvailabilityChanged1 { operator: OperatorId::new("jo").expect("a slug"), away: true };
    let bytes = postcard::to_stdvec(&old).expect("encodes");
    let Ok(Fact::AvailabilityChanged(read)) = Fact::decode(70, 1, &bytes) else { panic!("it is not read") };
    assert_eq!((read.operator.as_str(), read.away, read.by_hand, read.until), ("jo", true, true, None));
}
