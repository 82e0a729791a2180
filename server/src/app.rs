//! The running server: everything wired together, started and stopped in order.

use std::collections::hash_map::RandomState;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::serve::ListenerExt;
use axum::{Router, middleware};
use playhead_api::limits::Limits;
use playhead_api::{AccessCheck, ApiOptions, Background, Services, SharedLists, router};
use playhead_commands::Commands;
use playhead_commands::people::SigningKeys;
use playhead_eventlog::EventLog;
use playhead_projections::{ProgressFeed, Projection};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::failure::Advise;
use crate::keys::signing;
use crate::lookups::AccessLookups;
use crate::people::{self, Lookups};
use crate::places::Whereabouts;
use crate::processes::promises::Promised;
use crate::processes::{self, Processes};
use crate::read_models::ReadModels;
use crate::store::Store;
use crate::{keys, requests};

/// A server that answers. Stop it with [`App::shutdown`]; dropped, it stops without order.
pub struct App {
    addr: SocketAddr,
    services: Arc<Services>,
    signing_keys: Arc<SigningKeys>,
    store: Store,
    read_models: ReadModels,
    processes: Processes,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    grace: Duration,
}

impl App {
    /// Opens everything in the data directory and begins to answer. `holder` is what others are
    /// told who want to write to the same directory.
    ///
    /// # Errors
    /// The log, a key or a read model cannot be opened, or the address is taken.
    pub async fn start(config: &Config, holder: &str) -> anyhow::Result<Self> {
        let listener = listen(&config.listen).await?;
        let addr = listener.local_addr().context("asking for the own address failed")?;
        let config = &with_links_to(addr, config);
        // Whatever can be wrong with the settings is found before anything is made.
        let whereabouts = Arc::new(Whereabouts::open(config).await?);
        people::check(config)?;
        let store = Store::open(config, holder).await?;
        let opened = Self::open(config, addr, listener, whereabouts, &store).await;
        if opened.is_err() {
            store.close().await;
        }
        opened
    }

    async fn open(
        config: &Config,
        addr: SocketAddr,
        listener: TcpListener,
        whereabouts: Arc<Whereabouts>,
        store: &Store,
    ) -> anyhow::Result<Self> {
        let ring = signing::open(&config.data)?;
        let watch = signing::Watch::begin(&config.data, &ring);
        let signing_keys = Arc::new(SigningKeys::new(ring));
        let read_models = ReadModels::open(&store.log, &config.data).await?;
        let promised = Promised::of(&config.data, store.vault.clone());
        let background = Background::new(Arc::new(promised.clone()));
        let services =
            services(config, store, &read_models, &signing_keys, &whereabouts, background)?;
        let services = Arc::new(services);
        let limit = Duration::from_millis(config.startup_wait_ms);
        if !caught_up(services.log.as_ref(), &services.projections, limit).await {
            tracing::warn!(?limit, "answering although the read models are behind; see /readyz");
        }
        prepare_suggestions(&read_models, limit).await;
        let stop = CancellationToken::new();
        let server = serve(listener, router(Arc::clone(&services)), stop.clone());
        let grace = Duration::from_millis(config.shutdown_grace_ms);
        let mut processes = Processes::default();
        processes::wiring::follow_keys(&mut processes, watch, &signing_keys);
        processes::wiring::follow_territories(&mut processes, whereabouts.territories());
        processes::wiring::forget(
            &mut processes,
            &services,
            &read_models,
            &store.vault,
            &config.data,
        );
        processes::wiring::make_up(&mut processes, &services, promised);
        processes::wiring::end_silent(&mut processes, &services, &read_models);
        processes::wiring::serve_searches(&mut processes, &read_models);
        Ok(Self {
            addr,
            services,
            signing_keys,
            store: store.clone(),
            read_models,
            processes,
            stop,
            server,
            grace,
        })
    }

    /// The address that it answers on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it answers with.
    #[must_use]
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The keys that sign its access tokens.
    #[must_use]
    pub fn signing_keys(&self) -> &Arc<SigningKeys> {
        &self.signing_keys
    }

    /// Stops: accepts no more connections, finishes the requests that run, within the grace, then
    /// stops what goes on beside them and the read models, and closes the log.
    ///
    /// # Errors
    /// The server had failed before.
    pub async fn shutdown(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        // Subscriptions have no end of their own; this is theirs.
        self.services.progress.stop().await;
        let served = match tokio::time::timeout(self.grace, &mut self.server).await {
            Ok(served) => served.context("the server ended unexpectedly")?,
            Err(_) => {
                tracing::warn!(grace = ?self.grace, "cutting off requests that still run");
                self.server.abort();
                Ok(())
            }
        };
        let settled = self.services.background.settled();
        if tokio::time::timeout(self.grace, settled).await.is_err() {
            tracing::warn!(grace = ?self.grace, "giving up what still went on behind answers");
        }
        self.processes.shutdown().await;
        for projection in &self.services.projections {
            projection.stop().await;
        }
        self.read_models.close().await;
        self.store.close().await;
        served.context("answering requests failed")
    }
}

/// Links in mails lead to this server, unless the settings name a site. A server that listens on every
/// address is reached on its own machine by the loopback address.
fn with_links_to(addr: SocketAddr, config: &Config) -> Config {
    let mut config = config.clone();
    if config.link_base_url.is_empty() {
        let reached = match addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        config.link_base_url = format!("http://{}", SocketAddr::new(reached, addr.port()));
    }
    config
}

async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address} failed"))
        .advise(|| "give another address with --listen; port 0 takes any free port".to_owned())
}

/// Waits until the read models show what the log holds, so that the first query after a restart sees
/// all of it. Clients that connect meanwhile wait, too. After `limit` the answer is no, and the server
/// answers all the same: writes need no read model, and `/readyz` says how far they are.
pub(crate) async fn caught_up(
    log: &dyn EventLog,
    projections: &[Projection],
    limit: Duration,
) -> bool {
    let head = log.head();
    let all_passed = async {
        for projection in projections {
            for (partition, next) in head.iter() {
                if let Some(last) = next.checked_sub(1) {
                    projection.passed(partition, last).await;
                }
            }
        }
    };
    tokio::time::timeout(limit, all_passed).await.is_ok()
}

/// Prepares suggestions, so that the first client gets some. After `limit`, clients get none until
/// they are prepared behind the answers.
async fn prepare_suggestions(read_models: &ReadModels, limit: Duration) {
    match tokio::time::timeout(limit, read_models.search.prepare()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(%error, "there are no suggestions yet"),
        Err(_) => tracing::warn!(?limit, "answering although there are no suggestions yet"),
    }
}

fn services(
    config: &Config,
    store: &Store,
    read_models: &ReadModels,
    signing_keys: &Arc<SigningKeys>,
    whereabouts: &Arc<Whereabouts>,
    background: Background,
) -> anyhow::Result<Services> {
    let log = &store.log;
    let commands = Arc::new(Commands::new(Arc::clone(log)));
    let access = Arc::new(AccessLookups(read_models.access.clone()));
    let lookups = Lookups { device_codes: access.clone(), sign_ins: access.clone() };
    let keys = Arc::clone(signing_keys);
    let people = people::people(config, store, Arc::clone(&commands), keys, lookups)?;
    let tokens = people::access_tokens(config);
    Ok(Services {
        log: Arc::clone(log),
        commands,
        playback_tokens: Arc::new(keys::playback(&config.data)?),
        access: AccessCheck::new(tokens, Arc::clone(signing_keys), access.clone()),
        people,
        sign_ins: access,
        background,
        limits: Arc::new(Limits::new(&config.limits(), RandomState::new())),
        catalog: Arc::new(read_models.catalog.clone()),
        continue_watching: Arc::new(read_models.continue_watching.clone()),
        trending: Arc::new(read_models.trending.clone()),
        search: read_models.search.clone(),
        shared: SharedLists::default(),
        cursors: keys::cursors(&config.data)?,
        projections: read_models.follow(log),
        progress: ProgressFeed::spawn(Arc::clone(log)),
        places: whereabouts.clone(),
        proxies: config.proxies()?,
        clock: Arc::new(SystemClock),
        options: ApiOptions {
            introspection: config.introspection,
            request_timeout: Duration::from_millis(config.request_timeout_ms),
            requests_max: config.requests_max,
            streams_max: config.streams_max,
            ..ApiOptions::default()
        },
    })
}

fn serve(
    listener: TcpListener,
    routes: Router,
    stop: CancellationToken,
) -> JoinHandle<std::io::Result<()>> {
    let routes = routes.layer(middleware::from_fn(requests::log));
    let listener = listener.tap_io(|connection| {
        // Answers are written whole, so waiting for more to send only costs time.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
    });
    tokio::spawn(async move {
        // Limits and territories need the address of whoever calls.
        let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
    })
}

#[cfg(test)]
mod tests {
    use playhead_commands::people::Admission;
    use playhead_domain::AccountId;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_starts_on_a_free_port_and_lets_go_of_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            data: dir.path().to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            ..Config::default()
        };
        for _ in 0..2 {
            let app = App::start(&config, "test").await.unwrap();
            assert_ne!(app.addr().port(), 0);
            app.shutdown().await.unwrap();
        }
    }

    #[test]
    fn links_lead_to_the_address_that_is_listened_on_unless_a_site_is_named() {
        let base = |addr: &str, config: &Config| {
            with_links_to(addr.parse().unwrap(), config).link_base_url
        };
        let unnamed = Config::default();
        assert_eq!(base("127.0.0.1:9000", &unnamed), "http://127.0.0.1:9000");
        assert_eq!(base("192.0.2.7:80", &unnamed), "http://192.0.2.7:80");
        assert_eq!(base("0.0.0.0:9000", &unnamed), "http://127.0.0.1:9000");
        assert_eq!(base("[::]:9000", &unnamed), "http://[::1]:9000");
        let site = "https://play.example".to_owned();
        let named = Config { link_base_url: site.clone(), ..unnamed };
        assert_eq!(base("127.0.0.1:9000", &named), site);
    }

    /// What a start that fails leaves behind.
    async fn left_by_a_failed_start(config: Config) -> Vec<std::ffi::OsString> {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let listen = match config.listen == Config::default().listen {
            true => "127.0.0.1:0".to_owned(),
            false => config.listen.clone(),
        };
        let config = Config { data: data.clone(), listen, ..config };
        assert!(App::start(&config, "test").await.is_err());
        let found = std::fs::read_dir(dir.path()).unwrap();
        found.map(|entry| entry.unwrap().file_name()).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_start_that_fails_leaves_nothing() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let usual = Config::default;
        let outside = crate::config::OutsideProvider {
            issuer: "http://id.example".to_owned(),
            client_ids: vec!["us".to_owned()],
            algorithms: vec!["RS256".to_owned()],
        };
        for (what, config) in [
            ("port", Config { listen: taken.local_addr().unwrap().to_string(), ..usual() }),
            ("mail server", Config { smtp_url: "smtp://mail.example".into(), ..usual() }),
            ("sender", Config { mail_from: "nobody".to_owned(), ..usual() }),
            ("provider", Config { outside_issuers: vec![outside], ..usual() }),
            ("proxies", Config { trusted_proxies: vec!["nowhere".to_owned()], ..usual() }),
            ("master key", Config { master_key: "short".into(), ..usual() }),
            ("master key file", Config { master_key_file: "/nowhere/key".into(), ..usual() }),
            ("territories", Config { territory_database: "/nowhere.mmdb".into(), ..usual() }),
            ("mail directory", Config { mail_dir: "/dev/null/mail".into(), ..usual() }),
        ] {
            let left = left_by_a_failed_start(config).await;
            assert!(left.is_empty(), "{what}: {left:?}");
        }
    }

    /// Whether any file below a directory holds these bytes.
    fn holds(dir: &std::path::Path, bytes: &[u8]) -> bool {
        std::fs::read_dir(dir).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                return holds(&path, bytes);
            }
            let found = std::fs::read(&path).unwrap();
            found.windows(bytes.len()).any(|window| window == bytes)
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_backup_holds_neither_keys_nor_anything_personal_in_clear() {
        let (dir, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let config = Config {
            data: dir.path().to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            ..Config::default()
        };
        let app = App::start(&config, "test").await.unwrap();
        let admission = Admission {
            account_id: AccountId(crate::clock::new_id()),
            email: "canary@example.org".to_owned(),
            password: None,
        };
        let command_id = crate::clock::new_id();
        let context = playhead_commands::Context {
            command_id,
            at_ms: crate::clock::now_ms(),
            actor: "system:test".into(),
            correlation_id: command_id,
        };
        app.services().people.admit(admission, &context).await.unwrap();
        app.shutdown().await.unwrap();
        let backup = target.path().join("backup");
        playhead_eventlog::embedded::backup(dir.path(), &backup, |_, _| ()).unwrap();
        assert!(holds(&backup, b"EmailVerified") && holds(&backup, b"$sealed"));
        assert!(!holds(&backup, b"canary@example.org"));
        let master = std::fs::read(dir.path().join("keys/master.key")).unwrap();
        assert!(!holds(&backup, master.trim_ascii()));
        let names: Vec<_> = std::fs::read_dir(&backup)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(!names.iter().any(|name| name == "keys"), "{names:?}");
    }
}
