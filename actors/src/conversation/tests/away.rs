//! A contact who writes to somebody away is not left waiting.

use schema::command::{Assign, LetGo};

use super::*;

const N: Duration = Duration::from_secs(300);

fn jo() -> OperatorId {
    OperatorId::new("jo").expect("a slug")
}

fn wake(desk: &Desk) -> Command {
    Command::Wake(ConversationRef { conversation: desk.state.conversation })
}

/// Jo is on it, and away.
fn left() -> Desk {
    let mut desk = Desk::new();
    let conversation = desk.state.conversation;
    desk.ask(&Command::Assign(Assign { conversation, operator: Some(jo()) })).expect("assigned");
    desk.settings.away.insert(jo());
    desk
}

#[test]
fn what_is_written_to_somebody_away_goes_back_to_nobody_when_its_time_comes_and_not_before() {
    let mut desk = left();
    assert_eq!(desk.names(&text("hello")), ["message.received", "conversation.return_set"]);
    assert_eq!(desk.state.timer(), desk.state.return_at);
    desk.pass(N - Duration::from_secs(10));
    assert_eq!(desk.names(&text("are you there")), ["message.received"], "the first word counts");
    assert!(desk.names(&wake(&desk)).is_empty());
    desk.pass(Duration::from_secs(11));
    assert_eq!(desk.names(&wake(&desk)), ["conversation.assigned"]);
    assert_eq!((desk.state.assigned.clone(), desk.state.timer()), (None, None));
}

#[test]
fn whoever_answers_or_takes_it_or_comes_back_in_time_keeps_it() {
    let mut answered = left();
    answered.ask(&text("hello")).expect("stored");
    answered.ask(&reply("on my way")).expect("queued");
    assert_eq!((answered.state.assigned.clone(), answered.state.timer()), (Some(jo()), None));

    let mut taken = left();
    taken.ask(&text("hello")).expect("stored");
    let (conversation, ben) = (taken.state.conversation, OperatorId::new("ben").expect("a slug"));
    taken.ask(&Command::Assign(Assign { conversation, operator: Some(ben) })).expect("assigned");
    assert_eq!(taken.state.timer(), None);

    let mut back = left();
    back.ask(&text("hello")).expect("stored");
    back.settings.away.clear();
    back.pass(N);
    assert_eq!(back.names(&wake(&back)), ["conversation.return_set"]);
    assert_eq!((back.state.assigned.clone(), back.state.timer()), (Some(jo()), None));
}

#[test]
fn who_waits_already_when_somebody_goes_is_not_forgotten_and_who_does_not_wait_is_left_alone() {
    let mut desk = left();
    let letting = Command::LetGo(LetGo { conversation: desk.state.conversation, operator: jo() });
    assert!(desk.names(&letting).is_empty(), "nobody waits");
    desk.settings.away.clear();
    desk.ask(&text("hello")).expect("stored");
    assert!(desk.names(&letting).is_empty(), "jo is there");
    desk.settings.away.insert(jo());
    assert_eq!(desk.names(&letting), ["conversation.return_set"]);
    assert!(desk.names(&letting).is_empty(), "once");
}
