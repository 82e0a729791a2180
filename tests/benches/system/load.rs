//! The load: one keep-alive connection a session, each sending a heartbeat as soon as the one
//! before is answered. Written on bare TCP, so that the generator takes little of the machine.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Answered requests per second.
pub(crate) async fn run(url: &str, tokens: &[String], first: u32, time: Duration) -> f64 {
    let address = url.strip_prefix("http://").unwrap();
    let started = Instant::now();
    let connections: Vec<_> = tokens
        .iter()
        .map(|token| tokio::spawn(connection(address.to_owned(), token.clone(), first, time)))
        .collect();
    let mut answered = 0_u32;
    for connection in connections {
        answered += connection.await.unwrap();
    }
    f64::from(answered) / started.elapsed().as_secs_f64()
}

async fn connection(address: String, token: String, first: u32, time: Duration) -> u32 {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answer = vec![0; 4_096];
    let started = Instant::now();
    let mut answered = 0;
    while started.elapsed() < time {
        let sequence = first + answered;
        let body = format!(
            r#"{{"token":"{token}","sequence":{sequence},"positionMs":600000,"playedMs":600000,"durationMs":7200000}}"#
        );
        let request = format!(
            "POST /v1/playback/heartbeat HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream, &mut answer).await;
        answered += 1;
    }
    answered
}

/// Reads one whole response, which must be a success.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut length = 0;
    loop {
        length += stream.read(&mut buffer[length..]).await.unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= wanted.unwrap().parse::<usize>().unwrap() {
            return;
        }
    }
}
