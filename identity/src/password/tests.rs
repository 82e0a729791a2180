use std::pin::pin;

use futures::FutureExt;

use super::*;

const PASSWORD: &str = "correct horse battery staple";

fn passwords(running: usize, waiting_max: usize) -> Passwords {
    let running_max = NonZeroUsize::new(running).unwrap();
    Passwords::new(PasswordLimits { running_max, waiting_max }).unwrap()
}

#[tokio::test]
async fn a_password_verifies_against_its_hash_alone() {
    let passwords = Passwords::new(PasswordLimits::default()).unwrap();
    let stored = passwords.hash(PASSWORD).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_ne!(stored, passwords.hash(PASSWORD).await.unwrap(), "each has a salt of its own");
    assert!(passwords.verify(Some(&stored), PASSWORD).await.unwrap());
    for wrong in ["", "Correct horse battery staple", "correct horse battery staple "] {
        assert!(!passwords.verify(Some(&stored), wrong).await.unwrap(), "{wrong}");
    }
}

#[tokio::test]
async fn a_hash_of_another_program_verifies() {
    let passwords = passwords(1, 0);
    // Made with the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536.
    let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$\
                  CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert!(passwords.verify(Some(stored), "password").await.unwrap());
    assert!(!passwords.verify(Some(stored), "Password").await.unwrap());
    assert!(needs_rehash(stored));
}

#[tokio::test]
async fn without_an_account_the_same_work_is_done_and_the_answer_is_no() {
    let passwords = passwords(1, 0);
    assert!(!needs_rehash(&passwords.nobody), "the work is that of a current hash");
    assert!(!passwords.verify(None, PASSWORD).await.unwrap());
    // Even the password that is compared with belongs to nobody.
    let found = Passwords { nobody: hash_now(PASSWORD.as_bytes()).unwrap().into(), ..passwords };
    assert!(!found.verify(None, PASSWORD).await.unwrap());
}

#[tokio::test]
async fn an_endless_text_is_no_password() {
    let passwords = passwords(1, 0);
    let endless = "x".repeat(BYTES_MAX + 1);
    assert!(matches!(passwords.hash(&endless).await, Err(PasswordError::TooLong)));
    let empty = hash_now(b"").unwrap();
    assert!(!passwords.verify(Some(&empty), &endless).await.unwrap());
    assert!(!passwords.verify(None, &endless).await.unwrap());
}

#[tokio::test]
async fn who_comes_when_the_queue_is_full_is_told_so_at_once() {
    let passwords = passwords(1, 1);
    let busy = [
        Arc::clone(&passwords.admitted).try_acquire_owned().unwrap(),
        Arc::clone(&passwords.running).try_acquire_owned().unwrap(),
    ];
    let mut waiting = pin!(passwords.hash(PASSWORD));
    assert!(waiting.as_mut().now_or_never().is_none(), "it waits");
    let refused = passwords.verify(None, PASSWORD).await.unwrap_err();
    assert!(matches!(refused, PasswordError::Overloaded) && refused.retryable());
    drop(busy);
    assert!(waiting.await.is_ok());
    assert!(!passwords.verify(None, PASSWORD).await.unwrap(), "there is room again");
}

#[tokio::test]
async fn what_was_given_up_gives_its_place_back_when_it_is_done() {
    let passwords = passwords(1, 0);
    assert!(passwords.hash(PASSWORD).now_or_never().is_none());
    let place = Arc::clone(&passwords.admitted).acquire_owned().await.unwrap();
    assert!(Arc::clone(&passwords.running).try_acquire_owned().is_ok(), "they come back together");
    drop(place);
    assert!(!passwords.verify(None, PASSWORD).await.unwrap());
}

#[tokio::test]
async fn what_is_no_hash_is_an_error_and_never_a_no() {
    let passwords = passwords(1, 0);
    for stored in ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$", "$1$abc$def"] {
        let answer = passwords.verify(Some(stored), PASSWORD).await;
        assert!(!matches!(answer, Ok(true)), "{stored}");
        assert!(needs_rehash(stored), "{stored}");
    }
}

#[test]
fn hashes_with_other_parameters_are_to_be_made_anew() {
    let current = hash_now(b"x").unwrap();
    assert!(!needs_rehash(&current));
    for (from, to) in
        [("m=19456", "m=12288"), ("t=2", "t=3"), ("p=1", "p=2"), ("v=19", "v=16"), ("2id", "2i")]
    {
        assert!(needs_rehash(&current.replace(from, to)), "{to}");
    }
}
