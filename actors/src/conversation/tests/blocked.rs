//! A contact of whom nobody wants to hear more: kept, answered by nobody, and like any other once unblocked.

use std::borrow::Cow;

use schema::{
    command::{BlockContact, OptOutBecause},
    event::{BlockReason, TextBackSkipped},
};

use super::*;

fn block(desk: &Desk, why: BlockReason) -> Command {
    Command::Block(BlockContact { conversation: desk.state.conversation, why })
}

fn unblock(desk: &Desk) -> Command {
    Command::Unblock(ConversationRef { conversation: desk.state.conversation })
}

/// Blocked as spam while open.
fn blocked() -> Desk {
    let mut desk = Desk::new();
    desk.ask(&text("buy my pills")).expect("stored");
    assert_eq!(desk.names(&block(&desk, BlockReason::Spam)), ["contact.blocked", "conversation.resolved"]);
    desk
}

#[test]
fn what_a_blocked_contact_sends_is_kept_and_bothers_nobody() {
    let mut desk = blocked();
    assert_eq!((desk.state.unread, desk.state.waiting_since, desk.state.open), (0, None, false));
    assert_eq!(desk.names(&text("buy more pills")), ["message.received"]);
    let call = desk.ask(&missed()).expect("stored");
    let names: Vec<_> = call.events.iter().map(|draft| draft.fact.name()).collect();
    assert_eq!(names, ["call.missed", "textback.skipped"]);
    let why = call.events.iter().find_map(|draft| match &draft.fact {
        Fact::TextBackSkipped(TextBackSkipped { reason, .. }) => Some(*reason),
        _ => None,
    });
    assert_eq!(why, Some(SkipReason::Blocked));
    let state = &desk.state;
    assert_eq!((state.unread, state.waiting_since, state.missed_call, state.open), (0, None, None, false));
}

#[test]
fn nothing_leaves_for_a_blocked_contact_but_its_stop_and_start_count() {
    let mut desk = Desk::new();
    desk.ask(&text("hello")).expect("stored");
    let waiting = desk.ask(&reply("on my way")).expect("queued").message.expect("a message");
    let names = desk.names(&block(&desk, BlockReason::Unwanted));
    assert_eq!(names, ["contact.blocked", "message.status", "conversation.resolved"]);
    assert_eq!(desk.status(waiting), Status::Canceled);
    for command in [reply("sorry"), Command::Reopen(ConversationRef { conversation: desk.state.conversation })] {
        assert_eq!(code(desk.ask(&command)), Some(Code::Blocked), "nobody writes to somebody blocked");
    }
    assert_eq!(desk.names(&text("STOP")), ["message.received", "consent.changed"], "no confirmation");
    assert_eq!(desk.state.consent, Consent::OptedOut);
    assert_eq!(desk.names(&text("please stop texting me")), ["message.received"], "nobody is asked what was meant");
}

#[test]
fn a_text_that_was_with_the_carrier_when_its_contact_was_blocked_is_not_tried_again() {
    let mut desk = Desk::new();
    desk.ask(&text("hello")).expect("stored");
    let message = desk.claimed();
    desk.ask(&block(&desk, BlockReason::Unwanted)).expect("blocked");
    desk.ask(&settle(message, 1, SendOutcome::NotSent { retry_after_s: None })).expect("settled");
    desk.pass(Duration::from_secs(60));
    assert_eq!(desk.names(&claim(message, 2)), ["message.status"]);
    assert_eq!(desk.status(message), Status::Canceled);
}

#[test]
fn unblocking_opens_again_what_blocking_ended_and_nothing_else() {
    let mut desk = blocked();
    assert!(desk.names(&block(&desk, BlockReason::Spam)).is_empty(), "it is");
    assert_eq!(desk.names(&block(&desk, BlockReason::Unwanted)), ["contact.blocked"], "for another reason");
    assert_eq!(desk.names(&unblock(&desk)), ["contact.unblocked", "conversation.reopened"]);
    assert!(desk.names(&unblock(&desk)).is_empty(), "it is not");
    assert_eq!(desk.names(&text("hello again")), ["message.received"]);
    assert_eq!(desk.state.unread, 1);

    let conversation = desk.state.conversation;
    desk.ask(&Command::Resolve(ConversationRef { conversation })).expect("resolved");
    assert_eq!(desk.names(&block(&desk, BlockReason::Spam)), ["contact.blocked"]);
    assert_eq!(desk.names(&unblock(&desk)), ["contact.unblocked"]);
}

#[test]
fn why_an_operator_recorded_an_opt_out_is_kept_beside_it() {
    let mut desk = Desk::new();
    let conversation = desk.state.conversation;
    let out = |reason: &str| Command::OptOutBecause(OptOutBecause { conversation, reason: reason.to_owned() });
    for wrong in ["", "  ", &"x".repeat(1_601)] {
        let refused = desk.ask(&out(wrong)).expect_err("says nothing, or too much");
        assert!(
            matches!(refused, Refusal::Rejected { code: Code::Invalid, field: Some(Cow::Borrowed("reason")), .. }),
            "{refused:?}"
        );
    }
    let decision = desk.ask(&out("asked on the phone")).expect("recorded");
    let words: Vec<_> = decision.events.iter().filter_map(|draft| draft.personal.as_ref()?.text.as_deref()).collect();
    assert_eq!((words, desk.state.consent), (vec!["asked on the phone"], Consent::OptedOut));
    assert!(desk.names(&out("again")).is_empty(), "once");
}
