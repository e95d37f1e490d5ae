//! A WebSocket client of bare bytes: sends what no library would, and takes the server's frames apart itself.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::stream::world::DEADLINE;

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// An upgrade request that is as it should be.
pub fn upgrade(more: &str) -> String {
    format!(
        "GET /v1/stream HTTP/1.1\r\nHost: desk.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// One frame of the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u8,
    pub payload: Vec<u8>,
}

/// A frame as clients must send it: whole, masked.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    made(0x80 | opcode, payload)
}

/// A fragment that is not the last.
pub fn part(opcode: u8, payload: &[u8]) -> Vec<u8> {
    made(opcode, payload)
}

/// With any first byte: FIN, the reserved bits, the opcode.
pub fn made(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | short as u8),
        middle @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A socket after the handshake.
pub struct Raw {
    socket: TcpStream,
    pub answer: String,
}

impl Raw {
    /// Connects, sends these headers, and reads the answer's.
    pub async fn dial(address: SocketAddr, request: &str) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let byte = tokio::time::timeout(DEADLINE, socket.read_u8()).await.expect("an answer in time");
            let Ok(byte) = byte else { break };
            answer.push(byte);
        }
        Self { socket, answer: String::from_utf8(answer).unwrap() }
    }

    /// What cannot be sent any more was refused already.
    pub async fn send(&mut self, bytes: &[u8]) {
        drop(self.socket.write_all(bytes).await);
    }

    /// In pieces, each in a packet of its own if the kernel likes.
    pub async fn send_chopped(&mut self, bytes: &[u8], size: usize) {
        for chop in bytes.chunks(size) {
            self.send(chop).await;
            tokio::task::yield_now().await;
        }
    }

    /// The server's next frame; none: the connection ended.
    pub async fn next(&mut self) -> Option<Frame> {
        tokio::time::timeout(DEADLINE, self.read()).await.expect("a frame or the end in time: the server hangs")
    }

    async fn read(&mut self) -> Option<Frame> {
        let first = self.socket.read_u8().await.ok()?;
        assert_eq!(first & 0xf0, 0x80, "the server sends whole frames without reserved bits");
        let length = match self.socket.read_u8().await.ok()? {
            126 => u64::from(self.socket.read_u16().await.ok()?),
            127 => self.socket.read_u64().await.ok()?,
            short => {
                assert!(short < 126, "a server masks nothing");
                u64::from(short)
            }
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.socket.read_exact(&mut payload).await.ok()?;
        Some(Frame { opcode: first & 0x0f, payload })
    }

    /// Every frame up to the end of the connection.
    pub async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

/// Code and reason of the close frame among these.
pub fn closed(frames: &[Frame]) -> Option<(u16, String)> {
    let close = frames.iter().find(|frame| frame.opcode == CLOSE)?;
    let (code, reason) = close.payload.split_at_checked(2)?;
    Some((u16::from_be_bytes(code.try_into().unwrap()), String::from_utf8(reason.to_vec()).unwrap()))
}
