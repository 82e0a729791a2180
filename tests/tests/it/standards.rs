//! What others say a server must be: the public audit of GraphQL over HTTP, and our own demo.

use std::path::Path;
use std::process::Command;

use playhead_tests::{Server, run};
use tempfile::TempDir;

/// `make test` installs the audit; it needs Node.js.
#[test]
fn the_graphql_over_http_audit_passes_whole() {
    let server = Server::start();
    let audit = Path::new(env!("CARGO_MANIFEST_DIR")).join("audit");
    assert!(audit.join("node_modules").is_dir(), "run `make test`, which installs the audit");
    let mut node = Command::new("node");
    node.arg("audit.mjs").arg(format!("{}/graphql", server.url)).current_dir(audit);
    let output = node.output().expect("node runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("61/61"), "{told}");
}

#[test]
fn the_demo_checks_itself_and_goes_on_with_old_data() {
    let dir = TempDir::new().unwrap();
    let args = ["demo", "--duration", "5", "--listen", "127.0.0.1:0", "--households", "4"];
    for _ in 0..2 {
        run(dir.path(), &args).ok();
    }
    run(dir.path(), &["log", "verify"]).ok();
}
