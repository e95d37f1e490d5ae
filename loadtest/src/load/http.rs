//! A keep-alive connection that posts prepared bytes and reads the answer: little work a request, so that the generator
//! is not what is measured.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Twilio gives up after this.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
}

/// One connection, opened when needed.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// To an address; nothing is opened yet.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::with_capacity(4_096) }
    }

    /// Writes a whole request and reads its answer. After an error the next one opens a new connection.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.try_exchange(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    async fn try_exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request).await?;
        let (answer, closes) = read_answer(&mut stream, &mut self.buffer).await?;
        if !closes {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// Reads one answer with a `Content-Length`, and whether the server closes after it.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<(Answer, bool)> {
    buffer.clear();
    let head = loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break head;
        }
    };
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_| bad("an answer that is not HTTP"))?;
    let status =
        text.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(|| bad("an answer without a status"))?;
    let length = header(text, "content-length").and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
    let retry_after_s = header(text, "retry-after").and_then(|value| value.parse().ok());
    let closes = header(text, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    while buffer.len() < head + 4 + length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((Answer { status, retry_after_s }, closes))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
