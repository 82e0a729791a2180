//! Strategies for people: their identities, addresses, devices and sign-ins.

mod commands;

use playhead_domain::devices::DeviceKind;
use playhead_domain::identity::{CodePurpose, ConsentPurpose, Role, Status};
use playhead_domain::sign_in::{EndReason, Method};
use playhead_domain::{
    DeviceCodeKey, DeviceId, EmailKey, Personal, SecretHash, SignInId, SubjectKey, device_code,
    devices, email, identity, sign_in,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::ArbitraryEvent;
use super::values::*;

fn device() -> impl Strategy<Value = DeviceId> {
    (1..=6_u128).prop_map(|id| DeviceId(Uuid::from_u128(id)))
}

fn sign_in_id() -> impl Strategy<Value = SignInId> {
    (1..=3_u128).prop_map(|id| SignInId(Uuid::from_u128(id)))
}

fn bytes() -> impl Strategy<Value = [u8; 32]> {
    prop_oneof![15 => (0..4_u8).prop_map(|byte| [byte; 32]), 1 => any::<[u8; 32]>()]
}

fn email_key() -> impl Strategy<Value = EmailKey> {
    bytes().prop_map(EmailKey)
}

fn subject_key() -> impl Strategy<Value = SubjectKey> {
    bytes().prop_map(SubjectKey)
}

fn secret() -> impl Strategy<Value = SecretHash> {
    bytes().prop_map(SecretHash)
}

fn device_code_key() -> impl Strategy<Value = DeviceCodeKey> {
    bytes().prop_map(DeviceCodeKey)
}

fn device_kind() -> impl Strategy<Value = DeviceKind> {
    select(DeviceKind::ALL)
}

fn code_purpose() -> impl Strategy<Value = CodePurpose> {
    select(CodePurpose::ALL)
}

fn consent_purpose() -> impl Strategy<Value = ConsentPurpose> {
    select(ConsentPurpose::ALL)
}

fn role() -> impl Strategy<Value = Role> {
    select(Role::ALL)
}

fn method() -> impl Strategy<Value = Method> {
    select(Method::ALL)
}

fn end_reason() -> impl Strategy<Value = EndReason> {
    select(EndReason::ALL)
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![9 => Just(Status::Active), 1 => select(Status::ALL)]
}

fn size_32() -> impl Strategy<Value = u32> {
    prop_oneof![15 => 0..4_u32, 1 => any::<u32>(), 1 => Just(u32::MAX)]
}

fn personal_of(value: impl Strategy<Value = String>) -> impl Strategy<Value = Personal<String>> {
    prop_oneof![9 => value.prop_map(Personal::Known), 1 => Just(Personal::Erased)]
}

fn address() -> impl Strategy<Value = Personal<String>> {
    personal_of(prop_oneof![9 => "[ab]@c\\.de", 1 => text()])
}

fn password_hash() -> impl Strategy<Value = Personal<String>> {
    personal_of(prop_oneof![9 => "\\$argon2id\\$[ab]", 1 => text()])
}

impl ArbitraryEvent for identity::Event {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![4 => code_events(), 8 => credential_events(), 11 => right_events()].boxed()
    }
}

/// Events of a new account and of its codes.
fn code_events() -> impl Strategy<Value = identity::Event> {
    use identity::{
        AccountRegistered, CodeRejected, EmailChangeRequested, Event, PasswordResetRequested,
    };
    prop_oneof![
        (
            account_id(),
            personal_of(text()),
            email_key(),
            option::of(personal_of(text())),
            secret(),
            time(),
            time()
        )
            .prop_map(
                |(
                    account_id,
                    email,
                    email_key,
                    password_hash,
                    verification_hash,
                    verification_expires_at_ms,
                    at_ms,
                )| {
                    Event::Registered(AccountRegistered {
                        account_id,
                        email,
                        email_key,
                        password_hash,
                        verification_hash,
                        verification_expires_at_ms,
                        at_ms,
                    })
                }
            ),
        (account_id(), code_purpose(), secret(), time()).prop_map(
            |(account_id, purpose, presented_hash, at_ms)| {
                Event::CodeRejected(CodeRejected { account_id, purpose, presented_hash, at_ms })
            }
        ),
        (account_id(), secret(), time(), time()).prop_map(
            |(account_id, code_hash, expires_at_ms, at_ms)| {
                Event::PasswordResetRequested(PasswordResetRequested {
                    account_id,
                    code_hash,
                    expires_at_ms,
                    at_ms,
                })
            }
        ),
        (account_id(), personal_of(text()), email_key(), secret(), time(), time()).prop_map(
            |(account_id, email, email_key, code_hash, expires_at_ms, at_ms)| {
                Event::EmailChangeRequested(EmailChangeRequested {
                    account_id,
                    email,
                    email_key,
                    code_hash,
                    expires_at_ms,
                    at_ms,
                })
            }
        ),
    ]
}

/// Events of what an account signs in with, and of how it stands.
fn credential_events() -> impl Strategy<Value = identity::Event> {
    use identity::{
        AccountCancelled, AccountReinstated, AccountSuspended, EmailChanged, Event,
        OutsideIdentityLinked, PasswordChanged, PasswordReset, SignedOutEverywhere,
    };
    prop_oneof![
        (account_id(), personal_of(text()), time()).prop_map(
            |(account_id, password_hash, at_ms)| {
                Event::PasswordChanged(PasswordChanged { account_id, password_hash, at_ms })
            }
        ),
        (account_id(), personal_of(text()), time()).prop_map(
            |(account_id, password_hash, at_ms)| {
                Event::PasswordReset(PasswordReset { account_id, password_hash, at_ms })
            }
        ),
        (account_id(), personal_of(text()), time()).prop_map(
            |(account_id, password_hash, at_ms)| {
                let rehashed = identity::PasswordRehashed { account_id, password_hash, at_ms };
                Event::PasswordRehashed(rehashed)
            }
        ),
        (account_id(), personal_of(text()), email_key(), option::of(email_key()), time()).prop_map(
            |(account_id, email, email_key, former_email_key, at_ms)| {
                Event::EmailChanged(EmailChanged {
                    account_id,
                    email,
                    email_key,
                    former_email_key,
                    at_ms,
                })
            }
        ),
        (account_id(), personal_of(text()), time()).prop_map(|(account_id, reason, at_ms)| {
            Event::Suspended(AccountSuspended { account_id, reason, at_ms })
        }),
        (account_id(), time()).prop_map(|(account_id, at_ms)| {
            Event::Reinstated(AccountReinstated { account_id, at_ms })
        }),
        (account_id(), time()).prop_map(|(account_id, at_ms)| {
            Event::Cancelled(AccountCancelled { account_id, at_ms })
        }),
        (account_id(), time()).prop_map(|(account_id, at_ms)| {
            Event::SignedOutEverywhere(SignedOutEverywhere { account_id, at_ms })
        }),
        (account_id(), text(), subject_key(), time()).prop_map(
            |(account_id, issuer, subject_key, at_ms)| {
                Event::OutsideIdentityLinked(OutsideIdentityLinked {
                    account_id,
                    issuer,
                    subject_key,
                    at_ms,
                })
            }
        ),
    ]
}

/// Events of what an account may do, and what may be done with its data.
fn right_events() -> impl Strategy<Value = identity::Event> {
    use identity::{
        AccountErased, ConsentGiven, ConsentWithdrawn, EmailVerified, ErasureRequested,
        ErasureWithdrawn, Event, RoleGranted, RoleRevoked, VerificationRenewed,
    };
    prop_oneof![
        (account_id(), secret(), time(), time()).prop_map(
            |(account_id, verification_hash, verification_expires_at_ms, at_ms)| {
                Event::VerificationRenewed(VerificationRenewed {
                    account_id,
                    verification_hash,
                    verification_expires_at_ms,
                    at_ms,
                })
            }
        ),
        (account_id(), personal_of(text()), secret(), time(), time()).prop_map(
            |(account_id, password_hash, verification_hash, verification_expires_at_ms, at_ms)| {
                Event::RegistrationRepeated(identity::RegistrationRepeated {
                    account_id,
                    password_hash,
                    verification_hash,
                    verification_expires_at_ms,
                    at_ms,
                })
            }
        ),
        (account_id(), option::of(personal_of(text())), time()).prop_map(
            |(account_id, password_hash, at_ms)| {
                let settled = identity::PasswordSettled { account_id, password_hash, at_ms };
                Event::PasswordSettled(settled)
            }
        ),
        (account_id(), time()).prop_map(|(account_id, at_ms)| {
            Event::EmailVerified(EmailVerified { account_id, at_ms })
        }),
        (account_id(), role(), time()).prop_map(|(account_id, role, at_ms)| {
            Event::RoleGranted(RoleGranted { account_id, role, at_ms })
        }),
        (account_id(), role(), time()).prop_map(|(account_id, role, at_ms)| {
            Event::RoleRevoked(RoleRevoked { account_id, role, at_ms })
        }),
        (account_id(), consent_purpose(), size_32(), time()).prop_map(
            |(account_id, purpose, policy_version, at_ms)| {
                Event::ConsentGiven(ConsentGiven { account_id, purpose, policy_version, at_ms })
            }
        ),
        (account_id(), consent_purpose(), size_32(), time()).prop_map(
            |(account_id, purpose, policy_version, at_ms)| {
                Event::ConsentWithdrawn(ConsentWithdrawn {
                    account_id,
                    purpose,
                    policy_version,
                    at_ms,
                })
            }
        ),
        (account_id(), time(), time()).prop_map(|(account_id, due_at_ms, at_ms)| {
            Event::ErasureRequested(ErasureRequested { account_id, due_at_ms, at_ms })
        }),
        (account_id(), time()).prop_map(|(account_id, at_ms)| {
            Event::ErasureWithdrawn(ErasureWithdrawn { account_id, at_ms })
        }),
        (account_id(), time())
            .prop_map(|(account_id, at_ms)| { Event::Erased(AccountErased { account_id, at_ms }) }),
    ]
}

impl ArbitraryEvent for email::Event {
    fn any() -> BoxedStrategy<Self> {
        use email::{EmailClaimed, EmailConfirmed, EmailReleased, Event};
        prop_oneof![
            (email_key(), account_id(), time()).prop_map(|(email_key, account_id, at_ms)| {
                Event::Claimed(EmailClaimed { email_key, account_id, at_ms })
            }),
            (email_key(), account_id(), time()).prop_map(|(email_key, account_id, at_ms)| {
                Event::Confirmed(EmailConfirmed { email_key, account_id, at_ms })
            }),
            (email_key(), account_id(), time()).prop_map(|(email_key, account_id, at_ms)| {
                Event::Released(EmailReleased { email_key, account_id, at_ms })
            }),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for sign_in::Event {
    fn any() -> BoxedStrategy<Self> {
        use sign_in::{Event, SignInBegan, SignInEnded, SignInRefreshed};
        prop_oneof![
            (account_id(), sign_in_id(), device(), method(), secret(), time()).prop_map(
                |(account_id, sign_in_id, device_id, method, refresh_hash, at_ms)| {
                    Event::Began(SignInBegan {
                        account_id,
                        sign_in_id,
                        device_id,
                        method,
                        refresh_hash,
                        at_ms,
                    })
                }
            ),
            (account_id(), sign_in_id(), size_32(), secret(), time()).prop_map(
                |(account_id, sign_in_id, generation, refresh_hash, at_ms)| {
                    Event::Refreshed(SignInRefreshed {
                        account_id,
                        sign_in_id,
                        generation,
                        refresh_hash,
                        at_ms,
                    })
                }
            ),
            (account_id(), sign_in_id(), end_reason(), time()).prop_map(
                |(account_id, sign_in_id, reason, at_ms)| {
                    Event::Ended(SignInEnded { account_id, sign_in_id, reason, at_ms })
                }
            ),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for devices::Event {
    fn any() -> BoxedStrategy<Self> {
        use devices::{DeviceRegistered, DeviceRemoved, DeviceRenamed, Event};
        prop_oneof![
            (account_id(), device(), personal_of(text()), device_kind(), time()).prop_map(
                |(account_id, device_id, name, kind, at_ms)| {
                    Event::Registered(DeviceRegistered { account_id, device_id, name, kind, at_ms })
                }
            ),
            (account_id(), device(), personal_of(text()), time()).prop_map(
                |(account_id, device_id, name, at_ms)| {
                    Event::Renamed(DeviceRenamed { account_id, device_id, name, at_ms })
                }
            ),
            (account_id(), device(), time()).prop_map(|(account_id, device_id, at_ms)| {
                Event::Removed(DeviceRemoved { account_id, device_id, at_ms })
            }),
        ]
        .boxed()
    }
}

impl ArbitraryEvent for device_code::Event {
    fn any() -> BoxedStrategy<Self> {
        use device_code::{
            DeviceCodeApproved, DeviceCodeConsumed, DeviceCodeDenied, DeviceCodeRequested,
            DeviceCodeSlowedDown, Event,
        };
        prop_oneof![
            (
                device_code_key(),
                secret(),
                option::of(device()),
                device_kind(),
                time(),
                size_32(),
                time()
            )
                .prop_map(
                    |(
                        device_code_key,
                        user_code_hash,
                        device_id,
                        kind,
                        expires_at_ms,
                        interval_ms,
                        at_ms,
                    )| {
                        Event::Requested(DeviceCodeRequested {
                            device_code_key,
                            user_code_hash,
                            device_id,
                            kind,
                            expires_at_ms,
                            interval_ms,
                            at_ms,
                        })
                    }
                ),
            (device_code_key(), account_id(), time()).prop_map(
                |(device_code_key, account_id, at_ms)| {
                    Event::Approved(DeviceCodeApproved { device_code_key, account_id, at_ms })
                }
            ),
            (device_code_key(), time()).prop_map(|(device_code_key, at_ms)| {
                Event::Denied(DeviceCodeDenied { device_code_key, at_ms })
            }),
            (device_code_key(), size_32(), time()).prop_map(
                |(device_code_key, interval_ms, at_ms)| {
                    Event::SlowedDown(DeviceCodeSlowedDown { device_code_key, interval_ms, at_ms })
                }
            ),
            (device_code_key(), account_id(), sign_in_id(), time()).prop_map(
                |(device_code_key, account_id, sign_in_id, at_ms)| {
                    Event::Consumed(DeviceCodeConsumed {
                        device_code_key,
                        account_id,
                        sign_in_id,
                        at_ms,
                    })
                }
            ),
        ]
        .boxed()
    }
}
