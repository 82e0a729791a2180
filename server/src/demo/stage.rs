//! Sets the stage: a server of our own, with a catalogue in it.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use playhead_commands::Context;
use playhead_commands::people::Admission;
use playhead_domain::AccountId;
use playhead_identity::access_token::AccessTokens;
use tempfile::TempDir;

use super::badge::Badge;
use crate::app::App;
use crate::config::Settings;
use crate::import::films::{self, Origin};
use crate::output::Output;
use crate::{clock, people, progress};

/// 250 films, described in our own words.
const FILMS: &str = include_str!("../../assets/films.json");

/// A running server.
pub(super) struct Stage {
    /// Its address, such as `http://127.0.0.1:8480`.
    pub(super) base: String,
    app: App,
    tokens: AccessTokens,
    /// Removed when it is dropped, which is after the server stopped.
    _temporary: Option<TempDir>,
}

impl Stage {
    /// Fills the data directory, an empty temporary one unless the user gave one, and serves it.
    ///
    /// # Errors
    /// A film cannot be read, or the server cannot be started.
    pub(super) async fn set(settings: Settings, films: &[PathBuf]) -> anyhow::Result<Self> {
        let mut out = Output::stdout();
        let temporary = settings.is_default("data").then(TempDir::new).transpose()?;
        let may_move = settings.is_default("listen");
        // Households live so fast that they would run into every limit.
        let mut config = settings.config.unlimited();
        if let Some(dir) = &temporary {
            config.data = dir.path().to_owned();
        }
        if may_move && is_taken(&config.listen) {
            out.line(format_args!("{} is in use: taking a free port", config.listen))?;
            config.listen = "127.0.0.1:0".to_owned();
        }
        let app = App::start(&config, "playhead demo").await?;
        let base = format!("http://{}", app.addr());
        out.line(format_args!("Playhead listens on {base}, data in {}", config.data.display()))?;
        out.flush()?;
        let imported = fill(&app, films).await;
        let tokens = people::access_tokens(&config);
        let stage = Self { base, app, tokens, _temporary: temporary };
        match imported {
            Ok(line) => out.line(line)?,
            Err(error) => {
                stage.clear().await?;
                return Err(error);
            }
        }
        out.flush()?;
        Ok(stage)
    }

    /// A new account, which needs no mail to be verified.
    ///
    /// # Errors
    /// The server's log or keys failed.
    pub(super) async fn admit(&self) -> anyhow::Result<Badge> {
        let account_id = AccountId(clock::new_id());
        let email = format!("{account_id}@demo.example");
        let command_id = clock::new_id();
        let context = Context {
            command_id,
            at_ms: clock::now_ms(),
            actor: "system:demo".into(),
            correlation_id: command_id,
        };
        let admission = Admission { account_id, email, password: None };
        let people = &self.app.services().people;
        people.admit(admission, &context).await.context("admitting a household failed")?;
        let keys = Arc::clone(self.app.signing_keys());
        Ok(Badge { account_id, tokens: self.tokens.clone(), keys })
    }

    /// Stops the server and removes what was temporary.
    pub(super) async fn clear(self) -> anyhow::Result<()> {
        self.app.shutdown().await
    }
}

/// Whether somebody listens there. Every other reason not to listen is the server's to tell.
fn is_taken(address: &str) -> bool {
    TcpListener::bind(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// Imports the films, and says what came of it.
async fn fill(app: &App, films: &[PathBuf]) -> anyhow::Result<String> {
    let (origins, bytes) = match films {
        [] => (vec![Origin::Text { name: "the bundled films", text: FILMS }], 0),
        paths => films::origins(paths)?,
    };
    let bar = progress::bar(bytes, "bytes");
    let (log, commands) = (&app.services().log, &app.services().commands);
    let imported = films::import(Arc::clone(log), Arc::clone(commands), origins, bar.clone()).await;
    bar.finish_and_clear();
    Ok(format!("films: {}", imported?.line()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_while_somebody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert!(is_taken(&address));
        drop(listener);
        assert!(!is_taken(&address));
    }
}
