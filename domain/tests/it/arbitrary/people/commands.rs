//! Strategies for what is asked of people's identities, addresses, devices and sign-ins.

use playhead_domain::{device_code, devices, email, identity, sign_in};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::ArbitraryCommand;
use super::super::values::*;
use super::*;

fn registration() -> impl Strategy<Value = (identity::Registration, i64)> {
    let hash = option::weighted(0.9, password_hash());
    (address(), email_key(), hash, secret(), time(), 0..100_000_000_i64).prop_map(
        |(email, email_key, password_hash, verification_hash, at_ms, lasts_ms)| {
            let verification_expires_at_ms = at_ms.saturating_add(lasts_ms);
            let registration = identity::Registration {
                email,
                email_key,
                password_hash,
                verification_hash,
                verification_expires_at_ms,
            };
            (registration, at_ms)
        },
    )
}

/// What is asked of an identity, and when.
fn ask() -> impl Strategy<Value = (identity::Ask, i64)> {
    use identity::Ask;
    prop_oneof![
        1 => registration().prop_map(|(registration, at_ms)| (Ask::Register(registration), at_ms)),
        1 => (secret(), time(), 0..100_000_000_i64).prop_map(
            |(verification_hash, at_ms, lasts_ms)| {
                let verification_expires_at_ms = at_ms.saturating_add(lasts_ms);
                (Ask::ResendVerification { verification_hash, verification_expires_at_ms }, at_ms)
            }
        ),
        1 => (time(), 0..3_000_000_000_i64).prop_map(|(at_ms, later_ms)| {
            (Ask::RequestErasure { due_at_ms: at_ms.saturating_add(later_ms) }, at_ms)
        }),
        6 => (ask_any_time(), time()),
        6 => (ask_by_mail(), time()),
    ]
}

fn ask_any_time() -> impl Strategy<Value = identity::Ask> {
    use identity::Ask;
    prop_oneof![
        personal_of(text()).prop_map(|reason| Ask::Suspend { reason }),
        select(vec![
            Ask::Reinstate,
            Ask::Cancel,
            Ask::SignOutEverywhere,
            Ask::WithdrawErasure,
            Ask::Erase,
        ]),
        role().prop_map(|role| Ask::GrantRole { role }),
        role().prop_map(|role| Ask::RevokeRole { role }),
        (select(vec!["https://a", "https://b", ""]), subject_key()).prop_map(
            |(issuer, subject_key)| {
                Ask::LinkOutsideIdentity { issuer: issuer.to_owned(), subject_key }
            }
        ),
        (consent_purpose(), size_32())
            .prop_map(|(purpose, policy_version)| Ask::GiveConsent { purpose, policy_version }),
        consent_purpose().prop_map(|purpose| Ask::WithdrawConsent { purpose }),
    ]
}

fn ask_by_mail() -> impl Strategy<Value = identity::Ask> {
    use identity::Ask;
    prop_oneof![
        secret().prop_map(|code_hash| Ask::VerifyEmail { code_hash }),
        Just(Ask::Vouch),
        (password_hash(), mostly()).prop_map(|(password_hash, current_correct)| {
            Ask::ChangePassword { password_hash, current_correct }
        }),
        (password_hash(), password_hash()).prop_map(|(former_hash, password_hash)| {
            Ask::RehashPassword { former_hash, password_hash }
        }),
        secret().prop_map(|code_hash| Ask::RequestPasswordReset { code_hash }),
        (secret(), password_hash())
            .prop_map(|(code_hash, password_hash)| Ask::ResetPassword { code_hash, password_hash }),
        (address(), email_key(), secret()).prop_map(|(email, email_key, code_hash)| {
            Ask::RequestEmailChange { email, email_key, code_hash }
        }),
        secret().prop_map(|code_hash| Ask::ConfirmEmailChange { code_hash }),
    ]
}

impl ArbitraryCommand for identity::Identity {
    fn any() -> BoxedStrategy<identity::Command> {
        (account_id(), ask())
            .prop_map(|(account_id, (ask, at_ms))| identity::Command { account_id, at_ms, ask })
            .boxed()
    }
}

impl ArbitraryCommand for email::Email {
    fn any() -> BoxedStrategy<email::Command> {
        use email::Command;
        (0..3, email_key(), account_id(), time())
            .prop_map(|(which, email_key, account_id, at_ms)| match which {
                0 => Command::Claim { email_key, account_id, at_ms },
                1 => Command::Confirm { email_key, account_id, at_ms },
                _ => Command::Release { email_key, account_id, at_ms },
            })
            .boxed()
    }
}

impl ArbitraryCommand for sign_in::SignIn {
    fn any() -> BoxedStrategy<sign_in::Command> {
        use sign_in::{Begin, Command, Refresh};
        let ids = || (account_id(), sign_in_id());
        let facts = || (status(), time(), mostly());
        prop_oneof![
            1 => (ids(), device(), method(), secret(), facts(), time()).prop_map(
                |((account_id, sign_in_id), device_id, method, refresh_hash, facts, at_ms)| {
                    let (status, _, device_known) = facts;
                    Command::Begin(Begin {
                        account_id,
                        sign_in_id,
                        device_id,
                        method,
                        refresh_hash,
                        status,
                        device_known,
                        at_ms,
                    })
                }
            ),
            3 => (ids(), option::of(device()), size_32(), (secret(), secret()), facts(), time()).prop_map(
                |((account_id, sign_in_id), device_id, generation, hashes, facts, at_ms)| {
                    let (presented_hash, new_hash) = hashes;
                    let (status, signed_in_from_ms, device_known) = facts;
                    Command::Refresh(Refresh {
                        account_id,
                        sign_in_id,
                        device_id,
                        generation,
                        presented_hash,
                        new_hash,
                        status,
                        signed_in_from_ms,
                        device_known,
                        at_ms,
                    })
                }
            ),
            1 => (ids(), end_reason(), time()).prop_map(|((account_id, sign_in_id), reason, at_ms)| {
                Command::End { account_id, sign_in_id, reason, at_ms }
            }),
        ]
        .boxed()
    }
}

impl ArbitraryCommand for devices::Devices {
    fn any() -> BoxedStrategy<devices::Command> {
        use devices::Command;
        let whose = || (account_id(), device(), personal_of(text()));
        prop_oneof![
            (whose(), device_kind(), plan(), time()).prop_map(
                |((account_id, device_id, name), kind, plan, at_ms)| {
                    let devices_max = plan.devices_max();
                    Command::Register { account_id, device_id, name, kind, devices_max, at_ms }
                }
            ),
            (whose(), time()).prop_map(|((account_id, device_id, name), at_ms)| {
                Command::Rename { account_id, device_id, name, at_ms }
            }),
            (account_id(), device(), time()).prop_map(|(account_id, device_id, at_ms)| {
                Command::Remove { account_id, device_id, at_ms }
            }),
        ]
        .boxed()
    }
}

impl ArbitraryCommand for device_code::DeviceCode {
    fn any() -> BoxedStrategy<device_code::Command> {
        use device_code::{Command, Poll};
        prop_oneof![
            1 => (device_code_key(), secret(), device(), device_kind(), time()).prop_map(
                |(device_code_key, user_code_hash, device_id, kind, at_ms)| {
                    Command::Request { device_code_key, user_code_hash, device_id, kind, at_ms }
                }
            ),
            1 => (device_code_key(), account_id(), time()).prop_map(
                |(device_code_key, account_id, at_ms)| {
                    Command::Approve { device_code_key, account_id, at_ms }
                }
            ),
            1 => (device_code_key(), time())
                .prop_map(|(device_code_key, at_ms)| Command::Deny { device_code_key, at_ms }),
            3 => (device_code_key(), device(), sign_in_id(), option::of(time()), time()).prop_map(
                |(device_code_key, device_id, sign_in_id, last_polled_at_ms, at_ms)| {
                    Command::Poll(Poll {
                        device_code_key,
                        device_id,
                        sign_in_id,
                        last_polled_at_ms,
                        at_ms,
                    })
                }
            ),
        ]
        .boxed()
    }
}
