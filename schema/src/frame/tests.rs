//! Frames: what the protocol's clients really send is read, and what they cannot send never panics.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::codes::StreamError;

#[test]
fn commands_of_the_protocols_clients_are_read() {
    let connect = r#"{"connect":{"token":"t","name":"js","data":{"inbox":{"epoch":"7","offset":12}},"flag":0,
        "subs":{"inbox:demo":{"recover":true,"offset":4,"epoch":"7"}}},"id":1}"#;
    let connect = Command::parse(connect).unwrap();
    let request = connect.connect.unwrap();
    assert_eq!((connect.id, request.token.as_str()), (1, "t"));
    assert_eq!(request.data.unwrap().inbox, Some(PositionBody { epoch: "7".into(), offset: 12 }));
    assert_eq!(request.subs["inbox:demo"].offset, 4);

    let subscribe = Command::parse(r#"{"id":2,"subscribe":{"channel":"x","flag":3,"recover":true}}"#).unwrap();
    assert_eq!(subscribe.subscribe.unwrap().flag & FLAG_REJECT_UNRECOVERED, FLAG_REJECT_UNRECOVERED);
    let rpc = Command::parse(r#"{"id":3,"rpc":{"method":"note.add","data":{"a": [1]}}}"#).unwrap().rpc.unwrap();
    assert_eq!(rpc.data.unwrap().get(), r#"{"a": [1]}"#);
    assert!(Command::parse("{}").unwrap().is_pong());
    assert!(!Command::parse(r#"{"send":{"data":{}}}"#).unwrap().is_pong());
}

#[test]
fn a_bad_command_keeps_its_id_if_that_can_be_read() {
    assert_eq!(Command::parse(r#"{"id":9,"subscribe":5}"#).unwrap_err().id, 9);
    assert_eq!(Command::parse("{").unwrap_err().id, 0);
    assert_eq!(Command::parse(r#"{"id":-1}"#).unwrap_err().id, 0);
}

#[test]
fn replies_and_pushes_have_the_protocols_shape() {
    let error = Reply::error(3, StreamError::TooManyRequests).encode();
    assert_eq!(error, r#"{"id":3,"error":{"code":111,"message":"too many requests","temporary":true}}"#);
    let publications = RawValue::from_string("[]".into()).unwrap();
    let result = SubscribeResult {
        recoverable: true,
        positioned: true,
        epoch: "7".into(),
        offset: 3,
        was_recovering: true,
        recovered: true,
        publications: Some(publications),
    };
    let reply = Reply { id: 4, subscribe: Some(result), ..Reply::default() }.encode();
    assert_eq!(
        reply,
        r#"{"id":4,"subscribe":{"recoverable":true,"positioned":true,"epoch":"7","offset":3,"was_recovering":true,"recovered":true,"publications":[]}}"#
    );
    let info = ClientInfo { user: OperatorId::new("ana").unwrap(), client: "c".into(), chan_info: Doing::default() };
    let join = Push::new("presence:demo", What::Join { info }).encode();
    assert_eq!(
        join,
        r#"{"push":{"channel":"presence:demo","join":{"info":{"user":"ana","client":"c","chan_info":{}}}}}"#
    );
    let typing = Activity::Typing {
        operator: OperatorId::new("ana").unwrap(),
        client: "c".into(),
        conversation: ConversationId(Uuid::nil()),
        until: None,
    };
    let typing = Push::new("presence:demo", What::Pub { data: typing }).encode();
    assert!(typing.starts_with(r#"{"push":{"channel":"presence:demo","pub":{"data":{"type":"typing""#), "{typing}");
    let end = Push::unsubscribe("presence:demo", Unsubscribe::InsufficientState).encode();
    assert_eq!(
        end,
        r#"{"push":{"channel":"presence:demo","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#
    );
}

proptest! {
    #[test]
    fn arbitrary_lines_never_panic(line in "\\PC{0,200}") {
        let _ = Command::parse(&line);
    }

    #[test]
    fn arbitrary_json_never_panics(line in r#"\{("(id|connect|subs|rpc|data|subscribe)":(\{|\[|1|"a"|null|,|\}){0,5}){0,6}"#) {
        let _ = Command::parse(&line);
    }
}
