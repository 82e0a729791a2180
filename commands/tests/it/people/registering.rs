//! Registering, and verifying the address.

use playhead_commands::people::{Admission, PeopleError, Promise};
use playhead_domain::identity::{
    CODE_PAUSE_MS, ConsentPurpose, REGISTRATIONS_MAX, Refusal, Status, VERIFICATION_MAX_MS,
};
use playhead_domain::{AccountId, email};

use super::refusal;
use super::world::{ADDRESS, PASSWORD, World};
use crate::id;

#[tokio::test]
async fn a_person_registers_verifies_the_address_and_has_an_open_household() {
    let world = World::new().await;
    let mut wish = world.registration(ADDRESS);
    wish.consents = vec![(ConsentPurpose::Analytics, 3)];
    let account_id = wish.account_id;
    world.people.register(wish, &world.context()).await.unwrap();
    let identity = world.people.identity(account_id).await.unwrap();
    assert_eq!(identity.status(), Some(Status::PendingVerification));
    assert_eq!(identity.consents.get(&ConsentPurpose::Analytics), Some(&3));
    assert!(!world.commands.accounts.state(&account_id).await.unwrap().opened);

    let code = world.code();
    let verified = world.people.verify_email(&code, &world.context()).await.unwrap();
    assert_eq!(verified.account_id, account_id);
    assert!(world.commands.accounts.state(&account_id).await.unwrap().opened);
    let identity = world.people.identity(account_id).await.unwrap();
    assert_eq!(identity.status(), Some(Status::Active));
    let held = world.commands.emails.state(&world.people.email_key("ADA@example.org")).await;
    assert_eq!(*held.unwrap(), email::State::Confirmed { account_id });
    let before = world.recorded().await;
    world.people.verify_email(&code, &world.context()).await.unwrap();
    assert_eq!(world.recorded().await, before, "a second click changes nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_racing_registrations_of_one_address_one_gets_the_account() {
    let world = World::new().await;
    let races: Vec<_> = (0..100)
        .map(|number| {
            let people = world.people.clone();
            let address = if number % 2 == 0 { ADDRESS } else { "aDA@eXAMPLE.oRG" };
            let (wish, context) = (world.registration(address), world.context());
            tokio::spawn(async move { people.register(wish, &context).await })
        })
        .collect();
    for race in races {
        race.await.unwrap().unwrap();
    }
    let recorded = world.recorded().await;
    assert_eq!((recorded["EmailClaimed"].len(), recorded["AccountRegistered"].len()), (1, 1));
    let mails = world.mails();
    let with_code = mails.iter().filter(|(_, text)| text.contains("/verify-email#")).count();
    assert_eq!(with_code, mails.len());
    assert!((1..=REGISTRATIONS_MAX).contains(&with_code), "no flood of mails: {with_code}");
}

#[tokio::test]
async fn the_answer_does_not_tell_whether_an_address_is_taken_but_the_mail_does() {
    let world = World::new().await;
    let account_id = world.member(ADDRESS).await;
    let before = world.recorded().await;
    let wish = world.registration(ADDRESS);
    world.people.register(wish, &world.context()).await.unwrap();
    assert_eq!(world.recorded().await, before);
    let mails = world.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].1.contains("/forgot-password") && !mails[0].1.contains('#'), "{mails:?}");
    world.people.register(world.registration(ADDRESS), &world.context()).await.unwrap();
    assert_eq!(world.mails(), [], "no flood of mails");
    world.people.resend_verification(ADDRESS, &world.context()).await.unwrap();
    world.people.resend_verification("nobody@example.org", &world.context()).await.unwrap();
    assert_eq!(world.mails(), []);
    let identity = world.people.identity(account_id).await.unwrap();
    assert_eq!(identity.status(), Some(Status::Active));
}

/// A stranger's password, who registers the address of somebody else.
const STRANGE: &str = "what a stranger chose";

impl World {
    async fn register(&self, password: &str) -> AccountId {
        let mut wish = self.registration(ADDRESS);
        wish.password = password.to_owned();
        wish.consents = vec![(ConsentPurpose::Analytics, 1)];
        let account_id = wish.account_id;
        self.people.register(wish, &self.context()).await.unwrap();
        account_id
    }
}

#[tokio::test]
async fn a_stranger_who_registers_an_address_first_has_no_part_in_its_account() {
    let world = World::new().await;
    let account_id = world.register(STRANGE).await;
    let strange = world.code();
    let mut wish = world.registration("ADA@example.org");
    wish.consents = vec![(ConsentPurpose::Analytics, 1)];
    world.people.register(wish, &world.context()).await.unwrap();
    let (to, text) = world.mails().remove(0);
    assert_eq!(to, ADDRESS, "as the account has it");
    let own = text.split_whitespace().find_map(|word| word.split_once('#')).unwrap().1;
    assert_ne!(strange, own);
    world.register(PASSWORD).await;
    assert_eq!(world.mails(), [], "the same password needs no other mail at once");
    let verified = world.people.verify_email(own, &world.context()).await.unwrap();
    assert_eq!(verified.account_id, account_id);
    let refused = world.sign_in(STRANGE).await;
    assert!(matches!(refused, Err(PeopleError::WrongCredentials)), "{refused:?}");
    world.sign_in(PASSWORD).await.unwrap();
    let identity = world.people.identity(account_id).await.unwrap();
    assert!(identity.consents.is_empty(), "nobody knows whose they were");
    world.people.verify_email(&strange, &world.context()).await.unwrap();
    world.sign_in(PASSWORD).await.unwrap();
    let text: String = world.recorded().await.into_values().flatten().collect();
    assert!(!text.contains("argon2"), "hashes are sealed");
}

#[tokio::test]
async fn the_code_of_the_first_registration_is_for_its_own_password_too() {
    let world = World::new().await;
    world.register(PASSWORD).await;
    let own = world.code();
    world.register(STRANGE).await;
    world.people.verify_email(&own, &world.context()).await.unwrap();
    assert!(matches!(world.sign_in(STRANGE).await, Err(PeopleError::WrongCredentials)));
    world.sign_in(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_code_that_is_mailed_again_after_several_registrations_is_for_no_password() {
    let world = World::new().await;
    world.register(PASSWORD).await;
    world.register(STRANGE).await;
    world.mails();
    world.pass(CODE_PAUSE_MS);
    world.people.resend_verification(ADDRESS, &world.context()).await.unwrap();
    let mails = world.mails();
    assert!(mails[0].1.contains("/forgot-password"), "{mails:?}");
    let code = mails[0].1.split_whitespace().find_map(|word| word.split_once('#')).unwrap().1;
    world.people.verify_email(code, &world.context()).await.unwrap();
    for password in [PASSWORD, STRANGE] {
        assert!(matches!(world.sign_in(password).await, Err(PeopleError::WrongCredentials)));
    }
    world.people.request_password_reset(ADDRESS, &world.context()).await.unwrap();
    world.people.reset_password(&world.code(), PASSWORD, &world.context()).await.unwrap();
    world.sign_in(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn registering_an_address_again_and_again_floods_no_mailbox_and_loses_nothing() {
    let world = World::new().await;
    for number in 0..REGISTRATIONS_MAX + 3 {
        world.register(&format!("a guess of number {number}")).await;
    }
    let mails = world.mails();
    assert_eq!(mails.len(), REGISTRATIONS_MAX);
    let last = mails.iter().find(|(_, text)| text.contains("/forgot-password")).unwrap();
    let code = last.1.split_whitespace().find_map(|word| word.split_once('#')).unwrap().1;
    world.people.verify_email(code, &world.context()).await.unwrap();
    let refused = world.sign_in("a guess of number 0").await;
    assert!(matches!(refused, Err(PeopleError::WrongCredentials)));
}

#[tokio::test]
async fn a_second_registration_that_is_kept_again_mails_the_same_link() {
    let mut world = World::new().await;
    world.register(STRANGE).await;
    world.mails();
    let (promise, context) = (Promise::Register(world.registration(ADDRESS)), world.context());
    world.people.keep(promise.clone(), &context).await.unwrap();
    let (before, code) = (world.recorded().await, world.code());
    world.people.keep(promise.clone(), &context).await.unwrap();
    assert_eq!(world.mails(), []);
    world.restart().await;
    world.people.keep(promise, &context).await.unwrap();
    assert_eq!((world.code(), world.recorded().await), (code, before));
}

#[tokio::test]
async fn a_password_that_is_chosen_with_a_mailed_code_verifies_the_address() {
    let mut world = World::new().await;
    let account_id = world.register(STRANGE).await;
    world.mails();
    world.people.request_password_reset(ADDRESS, &world.context()).await.unwrap();
    let (code, context) = (world.code(), world.context());
    for appends in [0, 1, 1] {
        world.beneath.fail_after(appends);
        world.people.reset_password(&code, PASSWORD, &context).await.unwrap_err();
        world.restart().await;
    }
    world.people.reset_password(&code, PASSWORD, &context).await.unwrap();
    assert!(world.commands.accounts.state(&account_id).await.unwrap().opened);
    world.sign_in(PASSWORD).await.unwrap();
    let identity = world.people.identity(account_id).await.unwrap();
    assert!(identity.consents.is_empty());
}

#[tokio::test]
async fn a_promise_that_is_kept_again_records_nothing_and_mails_the_same_link() {
    let mut world = World::new().await;
    let context = world.context();
    let promise = Promise::Register(world.registration(ADDRESS));
    world.people.keep(promise.clone(), &context).await.unwrap();
    let (before, code) = (world.recorded().await, world.code());
    world.people.keep(promise.clone(), &context).await.unwrap();
    assert_eq!(world.mails(), [], "no flood of mails");
    // Another process remembers no mail.
    world.restart().await;
    world.people.keep(promise, &context).await.unwrap();
    assert_eq!(world.code(), code);
    assert_eq!(world.recorded().await, before);

    world.pass(CODE_PAUSE_MS);
    let context = world.context();
    let promise = Promise::ResendVerification(ADDRESS.to_owned());
    world.people.keep(promise.clone(), &context).await.unwrap();
    let renewed = world.code();
    assert_ne!(renewed, code);
    world.people.keep(promise, &context).await.unwrap();
    assert_eq!(world.code(), renewed);
    world.people.verify_email(&renewed, &world.context()).await.unwrap();

    world.pass(CODE_PAUSE_MS);
    let context = world.context();
    let promise = Promise::RequestPasswordReset(ADDRESS.to_owned());
    world.people.keep(promise.clone(), &context).await.unwrap();
    let reset = world.code();
    world.people.keep(promise, &context).await.unwrap();
    assert_eq!(world.code(), reset);
}

#[tokio::test]
async fn bad_addresses_and_passwords_are_refused_before_anything_is_recorded() {
    let world = World::new().await;
    for (email, password) in [("ada", PASSWORD), (ADDRESS, "short"), (ADDRESS, "password1")] {
        let mut wish = world.registration(email);
        wish.password = password.to_owned();
        let refused = world.people.register(wish, &world.context()).await;
        assert!(matches!(refused, Err(PeopleError::Invalid(_))), "{email} {password}");
    }
    assert!(world.recorded().await.is_empty());
}

#[tokio::test]
async fn wrong_codes_are_counted_and_prove_nothing() {
    let world = World::new().await;
    let wish = world.registration(ADDRESS);
    let account_id = wish.account_id;
    world.people.register(wish, &world.context()).await.unwrap();
    let right = world.code();
    for text in ["", "x.y", &format!("{account_id}.short")] {
        let refused = world.people.verify_email(text, &world.context()).await;
        assert!(matches!(refused, Err(PeopleError::InvalidCode)), "{text}");
    }
    for tries_left in [4, 3, 2, 1, 0] {
        let wrong =
            format!("{account_id}.{}", char::from(b'C' + tries_left).to_string().repeat(43));
        let wrong = wrong[..wrong.len() - 1].to_owned() + "A";
        let refused = refusal(world.people.verify_email(&wrong, &world.context()).await);
        let expected = match tries_left {
            0 => Refusal::CodeVoid,
            tries_left => Refusal::WrongCode { tries_left: tries_left.into() },
        };
        assert_eq!(refused, expected);
    }
    let refused = refusal(world.people.verify_email(&right, &world.context()).await);
    assert_eq!(refused, Refusal::CodeVoid);
    assert_eq!(world.count("EmailConfirmed").await, 0);

    world.pass(CODE_PAUSE_MS);
    world.people.resend_verification(ADDRESS, &world.context()).await.unwrap();
    world.people.verify_email(&world.code(), &world.context()).await.unwrap();
}

#[tokio::test]
async fn a_code_expires_and_another_account_may_take_the_address_over() {
    let world = World::new().await;
    world.people.register(world.registration(ADDRESS), &world.context()).await.unwrap();
    let late = world.code();
    world.pass(VERIFICATION_MAX_MS);
    let refused = refusal(world.people.verify_email(&late, &world.context()).await);
    assert_eq!(refused, Refusal::CodeExpired);
    let second = world.member(ADDRESS).await;
    let held = world.commands.emails.state(&world.people.email_key(ADDRESS)).await.unwrap();
    assert_eq!(*held, email::State::Confirmed { account_id: second });
}

#[tokio::test]
async fn a_registration_that_died_anywhere_goes_on_when_it_is_repeated() {
    for appends in 0..4 {
        let mut world = World::new().await;
        let mut wish = world.registration(ADDRESS);
        wish.consents = vec![(ConsentPurpose::Analytics, 1), (ConsentPurpose::MarketingEmail, 1)];
        let context = world.context();
        world.beneath.fail_after(appends);
        world.people.register(wish.clone(), &context).await.unwrap_err();
        world.restart().await;
        world.people.register(wish.clone(), &context).await.unwrap();
        let code = world.code();
        world.pass(CODE_PAUSE_MS);
        let later = playhead_commands::Context { at_ms: world.now_ms(), ..world.context() };
        world
            .people
            .register(wish, &playhead_commands::Context { command_id: context.command_id, ..later })
            .await
            .unwrap();
        assert_eq!(world.code(), code, "{appends}");
        world.people.verify_email(&code, &world.context()).await.unwrap();
        let recorded = world.recorded().await;
        assert_eq!((recorded["AccountRegistered"].len(), recorded["ConsentGiven"].len()), (1, 2));
    }
}

#[tokio::test]
async fn an_account_that_somebody_vouches_for_is_active_at_once() {
    let mut world = World::new().await;
    let account_id = AccountId(id(7));
    let admission =
        || Admission { account_id, email: ADDRESS.to_owned(), password: Some(PASSWORD.to_owned()) };
    let context = world.context();
    for appends in 0..5 {
        world.beneath.fail_after(1);
        let died = world.people.admit(admission(), &context).await;
        assert_eq!(died.is_err(), appends < 4, "{appends}: {died:?}");
        world.restart().await;
        world.pass(CODE_PAUSE_MS);
    }
    world.people.admit(admission(), &world.context()).await.unwrap();
    assert_eq!(world.mails(), []);
    world.sign_in(PASSWORD).await.unwrap();
    let other = Admission { account_id: AccountId(id(8)), ..admission() };
    let refused = world.people.admit(other, &world.context()).await;
    assert!(matches!(refused, Err(PeopleError::EmailTaken)));
}
