//! Sets the stage: a server of our own, with a catalogue in it.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use playhead_api::access::{AccessClaims, AccessKey, Role};
use playhead_domain::AccountId;
use tempfile::TempDir;

use crate::app::App;
use crate::config::Settings;
use crate::import::films::{self, Origin};
use crate::output::Output;
use crate::{clock, keys, progress};

/// 250 films, described in our own words.
const FILMS: &str = include_str!("../../assets/films.json");

/// How long a household's access token is valid: longer than anybody watches a demo.
const TOKEN_LIFETIME_MS: i64 = 30 * 86_400_000;

/// A running server.
pub(super) struct Stage {
    /// Its address, such as `http://127.0.0.1:8480`.
    pub(super) base: String,
    app: App,
    key: AccessKey,
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
        let mut config = settings.config;
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
        let stage = Self { base, app, key: keys::access(&config.data)?, _temporary: temporary };
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

    /// A token for a new account, which has yet to be opened.
    pub(super) fn new_token(&self) -> anyhow::Result<String> {
        let account_id = AccountId(clock::new_id());
        let now_ms = clock::now_ms();
        let claims = AccessClaims::new(account_id, vec![Role::Viewer], now_ms, TOKEN_LIFETIME_MS);
        Ok(self.key.sign(&claims)?)
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
    let commands = Arc::clone(&app.services().commands);
    let imported = films::import(commands, origins, false, bar.clone()).await;
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
