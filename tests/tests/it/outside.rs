//! Signing in with a real OpenID provider.

use std::fs;

use playhead_tests::{Node, Server};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn people_of_an_openid_provider_sign_in_and_forged_tokens_do_not() {
    let dir = TempDir::new().unwrap();
    let mut provider = Node::run("outside.mjs", &[]);
    let issuer = provider.line();
    let settings = format!(
        "logins_per_address = 0\n\n[[outside_issuers]]\nissuer = \"{issuer}\"\n\
         client_ids = [\"playhead\", \"shared\", \"elliptic\"]\nalgorithms = [\"RS256\"]\n"
    );
    fs::write(dir.path().join("playhead.toml"), settings).unwrap();
    let server = Server::serve(dir.path());
    provider.tell(&server.url);
    let told = tokio::task::spawn_blocking(|| provider.end()).await.unwrap();
    assert!(told.ends_with("done\n"), "{told}");
}
