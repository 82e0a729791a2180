//! One keep-alive connection on bare TCP, so that asking takes little of the machine.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection, and room for the answers on it.
pub(crate) struct Wire {
    stream: TcpStream,
    address: String,
    buffer: Vec<u8>,
}

/// An answer, which is overwritten by the next one.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Wire {
    pub(crate) async fn connect(url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap().to_owned();
        let stream = TcpStream::connect(&address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, address, buffer: vec![0; 64 * 1_024] }
    }

    /// Posts JSON, with an access token if there is one.
    pub(crate) async fn post(&mut self, path: &str, token: Option<&str>, body: &str) -> Answer<'_> {
        let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n"));
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{}content-length: {}\r\n\r\n{body}",
            self.address,
            bearer.unwrap_or_default(),
            body.len()
        );
        let (mut read, mut write) = self.stream.split();
        // At the same time: who sends too much is answered before the end of it.
        let sent = write.write_all(request.as_bytes());
        let (_perhaps_refused, answer) = tokio::join!(sent, answer(&mut read, &mut self.buffer));
        answer
    }

    /// Runs a GraphQL operation that must not fail.
    pub(crate) async fn ask(&mut self, token: &str, body: &str) -> &[u8] {
        let Answer { status, body } = self.post("/graphql", Some(token), body).await;
        let is_right = status == 200 && memchr::memmem::find(body, br#""errors":[{"#).is_none();
        assert!(is_right, "{status}: {}", String::from_utf8_lossy(body));
        body
    }
}

/// A GraphQL request.
pub(crate) fn graphql(query: &str, variables: &Value) -> String {
    serde_json::json!({"query": query, "variables": variables}).to_string()
}

/// Reads one whole answer, whose length is said.
async fn answer<'a>(read: &mut (impl AsyncReadExt + Unpin), buffer: &'a mut Vec<u8>) -> Answer<'a> {
    let (mut filled, mut wanted) = (0, None);
    while wanted.is_none_or(|(_, _, end)| filled < end) {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let more = read.read(&mut buffer[filled..]).await.unwrap();
        assert!(more > 0, "the server hung up");
        filled += more;
        wanted = wanted.or_else(|| head(&buffer[..filled]));
    }
    let (status, begin, end) = wanted.unwrap();
    Answer { status, body: &buffer[begin..end] }
}

/// The status, and where the body begins and ends, once the whole head is there.
fn head(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let begin = end + 4;
    Some((status, begin, begin + length.parse::<usize>().unwrap()))
}
