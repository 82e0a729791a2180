//! Everything that people are served with, in a directory of its own, and time that only tests move.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use playhead_commands::people::{
    DeviceCodes, MailedCode, NewDevice, NoSignIns, Parts, People, PeopleError, PlaybackWish,
    PortError, Register, Settings, SignInWish, SigningKeys, Tokens,
};
use playhead_commands::{Commands, Context};
use playhead_domain::device_code::{self, DeviceCode};
use playhead_domain::devices::DeviceKind;
use playhead_domain::{
    AccountId, Decider, DeviceCodeKey, DeviceId, ProfileId, SecretHash, SessionId, SignInId,
    StoredEvent, TitleId,
};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{
    Append, AppendError, Appended, Batch, Cursor, EventLog, PartitionCount, ReadError,
    RecordedEvent, StreamName,
};
use playhead_identity::access_token::AccessTokens;
use playhead_identity::keys::KeyRing;
use playhead_identity::mail::{EmlMailer, Sender};
use playhead_identity::oidc::OutsideIssuer;
use playhead_identity::password::{PasswordLimits, Passwords};
use playhead_vault::{MasterKey, SealedLog, Vault};
use tempfile::TempDir;

use crate::{NOW_MS, id};

pub(crate) const PASSWORD: &str = "a plain long sentence";
pub(crate) const ADDRESS: &str = "Ada@Example.org";

/// A log whose disk is full after some appends.
pub(crate) struct Faulty {
    log: MemoryLog,
    appends_left: AtomicI64,
}

impl Faulty {
    pub(crate) fn fail_after(&self, appends: i64) {
        self.appends_left.store(appends, Ordering::SeqCst);
    }
}

#[async_trait]
impl EventLog for Faulty {
    fn partitions(&self) -> PartitionCount {
        self.log.partitions()
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if self.appends_left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(AppendError::DiskFull { reason: "a test".into() });
        }
        self.log.append(append).await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.log.read_stream(stream, from, limit).await
    }

    async fn read(&self, from: &Cursor, limit: usize) -> Result<Batch, ReadError> {
        self.log.read(from, limit).await
    }

    async fn wait(&self, from: &Cursor) {
        self.log.wait(from).await;
    }

    fn head(&self) -> Cursor {
        self.log.head()
    }
}

/// Finds device codes by reading the whole log.
struct Codes(Arc<dyn EventLog>);

#[async_trait]
impl DeviceCodes for Codes {
    async fn find(&self, user_code_hash: SecretHash) -> Result<Option<DeviceCodeKey>, PortError> {
        let all = self.0.read(&Cursor::start(self.0.partitions()), 16_000).await?.events;
        let asked = all.iter().filter(|event| event.stream.category() == DeviceCode::CATEGORY);
        let found = asked.rev().find_map(|recorded| {
            let event = &recorded.event;
            match device_code::Event::from_json(&event.event_type, 1, &event.payload) {
                Ok(device_code::Event::Requested(asked)) => {
                    (asked.user_code_hash == user_code_hash).then_some(asked.device_code_key)
                }
                _ => None,
            }
        });
        Ok(found)
    }
}

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) beneath: Arc<Faulty>,
    pub(crate) vault: Vault,
    pub(crate) people: People,
    pub(crate) commands: Arc<Commands>,
    pub(crate) keys: Arc<SigningKeys>,
    passwords: Passwords,
    now_ms: AtomicI64,
    ids: AtomicU64,
    read: Mutex<BTreeSet<String>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::trusting(vec![]).await
    }

    pub(crate) async fn trusting(issuers: Vec<OutsideIssuer>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = MemoryLog::new(PartitionCount::DEFAULT);
        let beneath = Arc::new(Faulty { log, appends_left: AtomicI64::new(i64::MAX) });
        let limits = PasswordLimits { waiting_max: 200, ..PasswordLimits::default() };
        let passwords = Passwords::new(limits).unwrap();
        let keys = Arc::new(SigningKeys::new(KeyRing::generate(NOW_MS).unwrap()));
        let vault = open(&directory).await;
        let (people, commands) = assemble(&directory, &beneath, &vault, &passwords, &keys, issuers);
        let (now_ms, ids, read) = (AtomicI64::new(NOW_MS), AtomicU64::new(1_000), Mutex::default());
        Self { directory, beneath, vault, people, commands, keys, passwords, now_ms, ids, read }
    }

    /// A new process over the same files, with nothing in memory.
    pub(crate) async fn restart(&mut self) {
        self.vault.close().await;
        self.vault = open(&self.directory).await;
        self.beneath.fail_after(i64::MAX);
        let parts = (&self.directory, &self.beneath, &self.vault, &self.passwords, &self.keys);
        (self.people, self.commands) =
            assemble(parts.0, parts.1, parts.2, parts.3, parts.4, vec![]);
    }

    pub(crate) fn new_id(&self) -> u128 {
        u128::from(self.ids.fetch_add(1, Ordering::SeqCst))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// A new command, now.
    pub(crate) fn context(&self) -> Context {
        let number = id(self.new_id());
        Context {
            command_id: number,
            at_ms: self.now_ms(),
            actor: "test:people".into(),
            correlation_id: number,
        }
    }

    /// The mails that nobody has read: to whom, and the whole text.
    pub(crate) fn mails(&self) -> Vec<(String, String)> {
        let mut read = self.read.lock().unwrap();
        let mut names: Vec<_> = fs::read_dir(self.directory.path().join("mail"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names.retain(|name| read.insert(name.clone()));
        let text = |name: String| {
            let file = self.directory.path().join("mail").join(name);
            // Quoted-printable: what a link needs of it.
            fs::read_to_string(file).unwrap().replace("=\r\n", "").replace("=3D", "=")
        };
        let addressed = |text: String| {
            let to = text.lines().find_map(|line| line.strip_prefix("To: ")).unwrap().to_owned();
            (to, text)
        };
        names.into_iter().map(text).map(addressed).collect()
    }

    /// The one code in the mails that nobody has read.
    pub(crate) fn code(&self) -> String {
        let mails = self.mails();
        let text: String = mails.iter().map(|(_, text)| text.as_str()).collect();
        let codes: Vec<_> = text
            .split_whitespace()
            .filter_map(|word| Some(word.split_once('#')?.1.to_owned()))
            .collect();
        assert_eq!(codes.len(), 1, "{text}");
        assert!(MailedCode::parse(&codes[0]).is_some(), "{text}");
        codes[0].clone()
    }

    pub(crate) fn registration(&self, address: &str) -> Register {
        Register {
            account_id: AccountId(id(self.new_id())),
            email: address.to_owned(),
            password: PASSWORD.to_owned(),
            consents: vec![],
        }
    }

    /// An account with a verified address.
    pub(crate) async fn member(&self, address: &str) -> AccountId {
        let wish = self.registration(address);
        let account_id = wish.account_id;
        self.people.register(wish, &self.context()).await.unwrap();
        self.people.verify_email(&self.code(), &self.context()).await.unwrap();
        account_id
    }

    pub(crate) fn device(&self) -> DeviceId {
        DeviceId(id(self.new_id()))
    }

    pub(crate) fn wish(&self, address: &str, password: &str) -> SignInWish {
        SignInWish {
            email: address.to_owned(),
            password: password.to_owned(),
            sign_in_id: SignInId(id(self.new_id())),
            device_id: self.device(),
        }
    }

    pub(crate) async fn sign_in(&self, password: &str) -> Result<Tokens, PeopleError> {
        self.people.sign_in(self.wish(ADDRESS, password), &self.context()).await
    }

    pub(crate) fn playback(
        &self,
        account_id: AccountId,
        profile_id: ProfileId,
        title_id: TitleId,
    ) -> PlaybackWish {
        let device =
            NewDevice { device_id: self.device(), name: "Attic TV".into(), kind: DeviceKind::Tv };
        PlaybackWish {
            account_id,
            session_id: SessionId(id(self.new_id())),
            profile_id,
            title_id,
            device,
            from_ms: 0,
            pin: None,
            territory: None,
            vpn: false,
            take_over: None,
        }
    }

    /// What is really in the log, by event type.
    pub(crate) async fn recorded(&self) -> BTreeMap<String, Vec<String>> {
        let cursor = Cursor::start(self.beneath.partitions());
        let mut recorded = BTreeMap::<String, Vec<String>>::new();
        for event in self.beneath.read(&cursor, 16_000).await.unwrap().events {
            let payload = String::from_utf8(event.event.payload.to_vec()).unwrap();
            recorded.entry(event.event.event_type.to_string()).or_default().push(payload);
        }
        recorded
    }

    pub(crate) async fn count(&self, event_type: &str) -> usize {
        self.recorded().await.get(event_type).map_or(0, Vec::len)
    }
}

async fn open(directory: &TempDir) -> Vault {
    let file = directory.path().join("keys.sqlite");
    Vault::open(&file, MasterKey::from_bytes([7; 32])).await.unwrap()
}

fn assemble(
    directory: &TempDir,
    beneath: &Arc<Faulty>,
    vault: &Vault,
    passwords: &Passwords,
    keys: &Arc<SigningKeys>,
    outside_issuers: Vec<OutsideIssuer>,
) -> (People, Arc<Commands>) {
    let beneath: Arc<dyn EventLog> = beneath.clone();
    let log: Arc<dyn EventLog> = Arc::new(SealedLog::new(beneath, vault.clone()));
    let commands = Arc::new(Commands::new(log.clone()));
    let sender = Sender::new("Playhead", "no-reply@playhead.example").unwrap();
    let mailer = EmlMailer::new(directory.path().join("mail"), sender).unwrap();
    let people = People::new(Parts {
        log: log.clone(),
        commands: commands.clone(),
        vault: vault.clone(),
        passwords: passwords.clone(),
        mailer: Arc::new(mailer),
        access_tokens: AccessTokens::new("https://playhead.example", "playhead"),
        signing_keys: keys.clone(),
        outside_issuers,
        device_codes: Arc::new(Codes(log)),
        sign_ins: Arc::new(NoSignIns),
        settings: Settings::new("https://play.example"),
    });
    (people, commands)
}
