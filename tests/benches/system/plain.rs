//! The peer: an axum handler that parses the same body, answers as much, and stores nothing.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves until it is killed; prints its address.
pub(crate) async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let answer = async |Json(body): Json<Value>| {
        let token = body["token"].as_str().map_or(0, str::len);
        Json(json!({"accepted": 1, "position": format!("{token:020}")}))
    };
    axum::serve(listener, Router::new().route("/v1/playback/heartbeat", post(answer)))
        .await
        .unwrap();
}

/// The handler in a process of its own, killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg("--plain-handler").stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
