//! What becomes of a text at the carrier: retries by class, unknown ones, and any order of answers, callbacks and lists.

use proptest::prelude::*;

use super::*;

fn failed(code: u32, class: ErrorClass) -> Option<CarrierError> {
    Some(CarrierError { code, class })
}

#[test]
fn a_failure_after_acceptance_is_tried_again_only_where_it_may_pass_and_within_validity() {
    let table = [
        (30_003, ErrorClass::Transient, 2),
        (30_001, ErrorClass::Pace, 5),
        (30_008, ErrorClass::Ambiguous, 0),
        (30_007, ErrorClass::Policy, 0),
        (30_005, ErrorClass::Permanent, 0),
        (30_006, ErrorClass::Landline, 0),
    ];
    for (code, class, retries) in table {
        let mut desk = Desk::new();
        desk.policy.retry.longest = Duration::from_secs(1);
        let message = desk.claimed();
        for attempt in 1..=retries {
            desk.ask(&settle(message, attempt, SendOutcome::Accepted { carrier_id: format!("SM{attempt}") }))
                .expect("taken");
            let names = desk.names(&receipt(message, attempt, Status::Failed, failed(code, class)));
            assert_eq!(names, ["message.status", "message.requeued"], "{code}, attempt {attempt}");
            assert_eq!((desk.status(message), desk.state.sends[&message].attempt), (Status::Queued, attempt + 1));
            assert_eq!(desk.state.sends[&message].carrier_id, None, "the next attempt has an id of its own");
            desk.pass(Duration::from_secs(2));
            assert_eq!(desk.names(&claim(message, attempt + 1)), ["message.claimed"]);
        }
        if class == ErrorClass::Pace {
            desk.pass(desk.policy.reply_validity);
        }
        let names = desk.names(&receipt(message, retries + 1, Status::Failed, failed(code, class)));
        assert!(!names.contains(&"message.requeued"), "{code}: {names:?}");
        assert_eq!(desk.status(message), Status::Failed, "{code}");
    }
}

#[test]
fn an_attempt_that_failed_late_or_twice_makes_no_further_attempt() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    let error = || failed(30_003, ErrorClass::Transient);
    desk.ask(&receipt(message, 1, Status::Failed, error())).expect("told");
    assert_eq!(desk.state.sends[&message].attempt, 2);
    assert_eq!(desk.names(&receipt(message, 1, Status::Failed, error())), ["message.status"], "of the attempt before");
    assert_eq!((desk.status(message), desk.state.sends[&message].attempt), (Status::Queued, 2));
    let mut desk = Desk::new();
    let message = desk.claimed();
    desk.ask(&receipt(message, 1, Status::Delivered, None)).expect("told");
    assert!(desk.names(&receipt(message, 1, Status::Failed, error())).is_empty(), "it was delivered");
}

#[test]
fn an_unknown_text_is_given_up_by_a_person_and_the_carriers_word_still_counts() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    desk.ask(&settle(message, 1, SendOutcome::Unknown)).expect("settled");
    let reference = MessageRef { conversation: conversation(), message };
    assert_eq!(desk.names(&Command::Cancel(reference)), ["message.status"]);
    assert_eq!(desk.status(message), Status::Failed);
    desk.ask(&receipt(message, 1, Status::Delivered, None)).expect("told");
    assert_eq!(desk.status(message), Status::Delivered);
}

#[test]
fn a_text_after_an_unknown_one_is_marked_whatever_its_lane_remembers() {
    let mut desk = Desk::new();
    let first = desk.claimed();
    desk.ask(&settle(first, 1, SendOutcome::Unknown)).expect("settled");
    let second = desk.ask(&reply("again")).expect("queued").message.expect("a message");
    let marked = |desk: &mut Desk, message, attempt| match &desk.ask(&claim(message, attempt)).expect("claimed").events
        [0]
    .fact
    {
        Fact::MessageClaimed(fact) => fact.after_unknown,
        other => panic!("{other:?}"),
    };
    assert!(marked(&mut desk, second, 1));
    desk.ask(&receipt(first, 1, Status::Sent, None)).expect("settled by the carrier's word");
    let third = desk.ask(&reply("and again")).expect("queued").message.expect("a message");
    assert!(!marked(&mut desk, third, 1));
}

#[test]
fn ids_of_earlier_attempts_are_remembered_so_that_no_other_text_is_taken_for_them() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    desk.ask(&settle(message, 1, SendOutcome::Unknown)).expect("settled");
    desk.ask(&Command::Retry(MessageRef { conversation: conversation(), message })).expect("a person says so");
    desk.ask(&receipt(message, 1, Status::Sent, None)).expect("the first attempt had been taken");
    desk.ask(&claim(message, 2)).expect("claimed");
    desk.ask(&settle(message, 2, SendOutcome::Accepted { carrier_id: "SM2".to_owned() })).expect("taken");
    let ids: Vec<&str> = desk.state.sends[&message].carrier_ids().collect();
    assert_eq!(ids, ["SM2", "SM9"]);
}

#[test]
fn a_text_whose_validity_ended_at_the_carrier_is_expired_and_only_a_person_sends_it_again() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    desk.ask(&settle(message, 1, accepted())).expect("taken");
    let late = || receipt(message, 1, Status::Expired, failed(30_036, ErrorClass::TooLate));
    assert_eq!(desk.names(&late()), ["message.status"], "no further attempt by itself");
    assert_eq!(
        (desk.status(message), desk.state.sends[&message].error.as_ref().unwrap().code),
        (Status::Expired, 30_036)
    );
    assert!(desk.names(&late()).is_empty(), "told again");
    assert!(desk.names(&receipt(message, 1, Status::Sent, None)).is_empty(), "told late");
    let names = desk.names(&Command::Retry(MessageRef { conversation: conversation(), message }));
    assert_eq!(names, ["message.requeued"]);
}

/// What can be told of one attempt that the carrier took, in any order and any number of times.
fn words() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..8, 1..16)
}

fn word(message: MessageId, index: usize) -> Command {
    match index {
        0 => settle(message, 1, accepted()),
        1 => settle(message, 1, SendOutcome::Unknown),
        // By callback and from the list alike.
        2 | 3 => receipt(message, 1, Status::Sent, None),
        4 => receipt(message, 1, Status::Failed, failed(30_008, ErrorClass::Ambiguous)),
        5 => receipt(message, 1, Status::Delivered, None),
        6 => receipt(message, 1, Status::Expired, failed(30_036, ErrorClass::TooLate)),
        _ => receipt(message, 1, Status::Read, None),
    }
}

proptest! {
    #[test]
    fn any_order_of_answer_callbacks_and_listings_settles_once_and_alike(order in words()) {
        let mut desk = Desk::new();
        let message = desk.claimed();
        let mut steps = Vec::new();
        for index in &order {
            let before = desk.status(message).rank();
            let decision = desk.ask(&word(message, *index)).expect("accepted");
            prop_assert!(desk.status(message).rank() >= before);
            for draft in &decision.events {
                let Fact::MessageStatus(fact) = &draft.fact else { panic!("sent again: {:?}", draft.fact) };
                steps.push(fact.status);
            }
        }
        let ranks: Vec<u8> = steps.iter().map(|status| status.rank()).collect();
        prop_assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "each step is told once, upwards: {steps:?}");
        let best = [
            Status::Sent, Status::Unknown, Status::Sent, Status::Sent,
            Status::Failed, Status::Delivered, Status::Expired, Status::Read,
        ];
        let best = order.iter().map(|index| best[*index].rank()).max().expect("at least one");
        // An answer that came too late to say "unknown" is no step down, and none at all.
        prop_assert_eq!(desk.status(message).rank(), best);
        let known = order.iter().any(|index| *index != 1);
        prop_assert_eq!(desk.state.sends[&message].carrier_id.is_some(), known);
    }
}
