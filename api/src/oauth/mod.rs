//! Signing in devices without a keyboard (RFC 8628), and refreshing tokens (RFC 6749, section 6).
//!
//! Every installation of an app is a client of its own: its `client_id` is the id that the device
//! chose when it was installed, a UUID. Clients are public; what they prove is that they hold a
//! device code or a refresh token. Both are good for the client alone that they were issued to: a device code
//! needs its `client_id`, and a refresh token is refused with that of another one.
//!
//! Errors are answered as RFC 6749, section 5.2, says: `error` and `error_description`, with
//! `correlation_id` beside them if operators can find more under it.

mod answer;
mod form;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::Response;
use playhead_commands::people::PolledDevice;
use playhead_domain::DeviceId;
use playhead_domain::devices::DeviceKind;
use serde_json::json;

use crate::caller::Caller;
use crate::errors::Fault;
use crate::idempotency::Intention;
use crate::limits::Act;
use crate::routes::{Correlation, Endpoint};
use answer::OauthError;
use form::Form;

/// The grant of RFC 8628, section 3.4.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const REFRESH_TOKEN: &str = "refresh_token";

/// `POST /oauth/device_authorization` (RFC 8628, section 3.1). `device_kind` says what the device
/// is; without it, it is a television. Asking is limited like signing in.
pub(crate) async fn authorize_device(
    State(endpoint): State<Arc<Endpoint>>,
    Extension(Correlation(id)): Extension<Correlation>,
    request: Request,
) -> Response<Body> {
    let answered = match asked(&endpoint, id, request).await {
        Ok((caller, form)) => hand_out(&caller, &form).await,
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(OauthError::into_response)
}

/// `POST /oauth/token` (RFC 6749, section 3.2), with a device code or a refresh token.
pub(crate) async fn token(
    State(endpoint): State<Arc<Endpoint>>,
    Extension(Correlation(id)): Extension<Correlation>,
    request: Request,
) -> Response<Body> {
    let answered = match asked(&endpoint, id, request).await {
        Ok((caller, form)) => grant(&caller, &form).await,
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(OauthError::into_response)
}

/// Who asks, and for what. An access token in the header is not looked at: the client proves itself
/// by what it sends.
async fn asked(
    endpoint: &Endpoint,
    correlation_id: uuid::Uuid,
    request: Request,
) -> Result<(Caller, Form), OauthError> {
    let (parts, body) = request.into_parts();
    let services = &endpoint.services;
    let address = crate::caller::address(services, &parts.extensions, &parts.headers);
    let caller = Caller::new(services, None, address, correlation_id);
    Ok((caller, Form::read(body, &parts.headers).await?))
}

async fn hand_out(caller: &Caller, form: &Form) -> Result<Response<Body>, OauthError> {
    let device_id = device_id(form)?;
    let kind = match form.get("device_kind") {
        None => DeviceKind::Tv,
        Some(name) => kind_named(name).ok_or_else(|| {
            OauthError::invalid_request("device_kind must be a kind of device, such as tv")
        })?,
    };
    caller.count(Act::Login)?;
    let intention = Intention::of_nobody(caller, "device_authorization", "", None)?;
    let codes =
        caller.services.people.request_device_code(device_id, kind, &intention.context).await;
    let codes = codes.map_err(|error| OauthError::of_people(error, caller.correlation_id))?;
    // So that whoever reads the code off the screen finds the device.
    if let Some(position) = codes.position {
        caller.wait_for(position).await;
    }
    let lifetime_ms = codes.expires_at_ms.saturating_sub(caller.now_ms);
    Ok(answer::of_secrets(&json!({
        "device_code": codes.device_code,
        "user_code": codes.user_code,
        "verification_uri": codes.verification_uri,
        "verification_uri_complete": codes.verification_uri_complete,
        "expires_in": lifetime_ms.div_euclid(1_000),
        "interval": codes.interval_ms.div_ceil(1_000),
    })))
}

async fn grant(caller: &Caller, form: &Form) -> Result<Response<Body>, OauthError> {
    let people = &caller.services.people;
    caller.count_token(form.get("refresh_token"))?;
    let granted = match form.required("grant_type")? {
        DEVICE_CODE => {
            let device_id = device_id(form)?;
            let device_code = form.required("device_code")?.to_owned();
            let intention = Intention::of_nobody(caller, "device_code", "", None)?;
            let polled = PolledDevice { device_code, device_id };
            people.poll_device_code(polled, &intention.context).await
        }
        REFRESH_TOKEN => {
            let refresh_token = form.required("refresh_token")?;
            let device_id = form.get("client_id").map(|_| device_id(form)).transpose()?;
            let intention = Intention::of_nobody(caller, "refresh_token", "", None)?;
            people.refresh(refresh_token, device_id, &intention.context).await
        }
        _ => return Err(OauthError::unsupported_grant_type()),
    };
    caller.wait_for_end(&granted).await;
    let tokens = granted.map_err(|error| OauthError::of_people(error, caller.correlation_id))?;
    let lifetime_ms = tokens.access_expires_at_ms.saturating_sub(caller.now_ms);
    Ok(answer::of_secrets(&json!({
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": lifetime_ms.div_euclid(1_000),
        "refresh_token": tokens.refresh_token,
    })))
}

fn kind_named(name: &str) -> Option<DeviceKind> {
    DeviceKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
}

fn device_id(form: &Form) -> Result<DeviceId, OauthError> {
    let client_id = form.required("client_id")?;
    let device_id = client_id.parse().ok().filter(|id: &DeviceId| !id.0.is_nil());
    device_id.ok_or_else(OauthError::invalid_client)
}

impl From<Fault> for OauthError {
    fn from(fault: Fault) -> Self {
        Self::of_fault(&fault)
    }
}
