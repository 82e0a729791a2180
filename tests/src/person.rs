//! A person, as a client app sees them.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use playhead_domain::identity::Role;
use playhead_domain::{AccountId, DeviceId, SignInId};
use playhead_identity::access_token::{AccessTokens, Caller};
use playhead_identity::keys::KeyRing;
use serde_json::{Value, json};

use crate::client::Client;
use crate::mailbox::Mailbox;

const PASSWORD: &str = "a lighthouse keeper's lunch";

const TOKENS: &str = "tokens { accountId signInId accessToken refreshToken } position
                      errors { code message }";

/// Somebody who has registered and verified their address.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account, as a UUID.
    pub account_id: String,
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// What a device carries that somebody signed in on.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Talks with the access token.
    pub client: Client,
    /// The refresh token.
    pub refresh_token: String,
    /// The id that the device chose.
    pub device_id: String,
}

impl Person {
    /// Registers with a server on this data directory and verifies the address.
    pub async fn register(url: &str, data: &Path, email: &str) -> Self {
        let mut client = Client::anonymous(url);
        let mailbox = Mailbox::of(data);
        let earlier = mailbox.mails().len();
        let registered = client.data(REGISTER, registration(email)).await;
        assert_eq!(registered["register"]["errors"], json!([]), "{registered}");
        let code = mailbox.code_behind(earlier, email).await;
        Self::verify(&client, email, &code).await
    }

    /// Verifies an address with the code that was mailed there.
    pub async fn verify(client: &Client, email: &str, code: &str) -> Self {
        let verify = "mutation($code: String!) { verifyEmail(input: {code: $code}) {
            accountId position errors { code message } } }";
        let verified = client.clone().data(verify, json!({"code": code})).await;
        assert_eq!(verified["verifyEmail"]["errors"], json!([]), "{verified}");
        // The code names the account that it is for.
        let account_id = code.split('.').next().unwrap().to_owned();
        Self { account_id, email: email.to_owned(), password: PASSWORD.to_owned() }
    }

    /// Signs in on a device; answers the payload.
    pub async fn try_sign_in(&self, url: &str, device_id: &str) -> Value {
        let sign_in =
            format!("mutation($input: SignInInput!) {{ signIn(input: $input) {{ {TOKENS} }} }}");
        let Self { email, password, .. } = self;
        let input = json!({"email": email, "password": password, "deviceId": device_id});
        let answer = Client::anonymous(url).ask(&sign_in, json!({"input": input})).await;
        answer["data"]["signIn"].clone()
    }

    /// Signs in on a device.
    pub async fn sign_in(&self, url: &str, device_id: &str) -> SignedIn {
        let payload = self.try_sign_in(url, device_id).await;
        SignedIn::of(&payload, url, device_id)
    }
}

impl SignedIn {
    fn of(payload: &Value, url: &str, device_id: &str) -> Self {
        let text = |field: &str| match payload["tokens"][field].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("no {field} in {payload:#}"),
        };
        let mut client = Client::with_token(url, &text("accessToken"));
        client.see(payload);
        Self { client, refresh_token: text("refreshToken"), device_id: device_id.to_owned() }
    }

    /// Exchanges the refresh token; answers the payload.
    pub async fn try_refresh(&self, url: &str) -> Value {
        let refresh = format!(
            "mutation($input: RefreshSignInInput!) {{ refreshSignIn(input: $input) {{ {TOKENS} }} }}"
        );
        let input = json!({"refreshToken": self.refresh_token});
        let answer = Client::anonymous(url).ask(&refresh, json!({"input": input})).await;
        answer["data"]["refreshSignIn"].clone()
    }

    /// Exchanges the refresh token.
    pub async fn refresh(&self, url: &str) -> Self {
        Self::of(&self.try_refresh(url).await, url, &self.device_id)
    }

    /// Whether the access token is refused.
    pub async fn is_out(&self) -> bool {
        let answer = self.client.ask("{ me { id } }", json!({})).await;
        answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    }
}

/// Registers; see [`registration`].
pub const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) {
    email position errors { code message } } }";

/// The variables of [`REGISTER`].
pub fn registration(email: &str) -> Value {
    json!({"input": {"email": email, "password": PASSWORD}})
}

/// An access token for an account, as `playhead admin token --account` makes it, but at once: a
/// process for each of a thousand would take minutes.
pub fn minted(data: &Path, account_id: &str) -> String {
    let ring = fs::read_to_string(data.join("keys/signing.json")).unwrap();
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now_ms = i64::try_from(since_1970.as_millis()).unwrap();
    let nil = "00000000-0000-0000-0000-000000000000";
    let caller = Caller {
        account_id: account_id.parse::<AccountId>().unwrap(),
        sign_in_id: nil.parse::<SignInId>().unwrap(),
        device_id: nil.parse::<DeviceId>().unwrap(),
        authenticated_at_ms: now_ms,
        roles: [Role::Viewer].into(),
    };
    let tokens = AccessTokens::new("playhead", "playhead:api");
    let ring = KeyRing::from_json(&ring).unwrap();
    tokens.issue_for(&ring, &caller, now_ms, 3_600_000).unwrap().text
}
