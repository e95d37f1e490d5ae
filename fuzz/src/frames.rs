//! A frame of the operators' stream: lines of commands, and the arguments of an operator's RPC.

use deskwire::session::rpc_command;
use schema::frame::Command;

/// A WebSocket message as it comes.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for line in text.split('\n') {
        let command = match Command::parse(line) {
            Ok(command) => command,
            Err(bad) => {
                // An id that can be read is told again, so that the client knows which of its commands it was.
                let value = serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
                let given = value.get("id").and_then(serde_json::Value::as_u64);
                assert!(bad.id == 0 || given == Some(u64::from(bad.id)), "an id that was not sent");
                continue;
            }
        };
        if let Some(rpc) = command.rpc {
            let data = rpc.data.as_deref().map_or("{}", serde_json::value::RawValue::get);
            if let Err(error) = rpc_command(&rpc.method, data) {
                assert!(error.code > 0 && error.message.len() < 256, "an error repeats what it was sent");
            }
        }
    }
}
