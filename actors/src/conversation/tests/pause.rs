//! What a pause and a mass cancellation ask of a conversation.

use super::*;

fn cancel_queued(message: MessageId) -> Command {
    Command::CancelQueued(MessageRef { conversation: conversation(), message })
}

#[test]
fn a_text_held_at_the_door_goes_back_at_once_as_a_further_attempt_within_its_validity() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    let valid_until = desk.state.sends[&message].valid_until;
    assert_eq!(desk.names(&settle(message, 1, SendOutcome::Held)), ["message.requeued"]);
    let send = &desk.state.sends[&message];
    assert_eq!((send.status, send.attempt, send.valid_until), (Status::Queued, 2, valid_until));
    assert!(send.not_before <= desk.now, "it waits for the pause to end and for nothing else");
    assert!(desk.names(&settle(message, 1, SendOutcome::Held)).is_empty(), "told twice");
    assert_eq!(desk.names(&claim(message, 2)), ["message.claimed"]);
}

#[test]
fn one_of_many_is_canceled_only_while_it_is_queued() {
    let mut desk = Desk::new();
    let message = desk.ask(&reply("hello")).expect("accepted").message.expect("a message");
    assert_eq!(desk.names(&cancel_queued(message)), ["message.status"]);
    assert_eq!(desk.status(message), Status::Canceled);
    assert_eq!(code(desk.ask(&cancel_queued(message))), Some(Code::WrongState), "taken back before");
    for outcome in [SendOutcome::Unknown, accepted()] {
        let mut desk = Desk::new();
        let message = desk.claimed();
        assert_eq!(code(desk.ask(&cancel_queued(message))), Some(Code::WrongState), "on its way");
        desk.ask(&settle(message, 1, outcome.clone())).expect("accepted");
        assert_eq!(code(desk.ask(&cancel_queued(message))), Some(Code::WrongState), "{outcome:?}");
    }
}
