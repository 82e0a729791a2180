use uuid::Uuid;

use super::*;
use crate::decider::harness::given;

const KEY: EmailKey = EmailKey([0xE; 32]);
const ANA: AccountId = AccountId(Uuid::from_u128(0xA));
const BEN: AccountId = AccountId(Uuid::from_u128(0xB));
const AT: i64 = 1_000;
const DAY_LATER: i64 = AT + UNCONFIRMED_MAX_MS;

fn claimed(account_id: AccountId, at_ms: i64) -> Event {
    Event::Claimed(EmailClaimed { email_key: KEY, account_id, at_ms })
}

fn confirmed(account_id: AccountId) -> Event {
    Event::Confirmed(EmailConfirmed { email_key: KEY, account_id, at_ms: AT })
}

fn released(account_id: AccountId) -> Event {
    Event::Released(EmailReleased { email_key: KEY, account_id, at_ms: AT })
}

fn claim(account_id: AccountId, at_ms: i64) -> Command {
    Command::Claim { email_key: KEY, account_id, at_ms }
}

fn confirm(account_id: AccountId) -> Command {
    Command::Confirm { email_key: KEY, account_id, at_ms: AT }
}

fn release(account_id: AccountId) -> Command {
    Command::Release { email_key: KEY, account_id, at_ms: AT }
}

#[test]
fn a_free_address_is_claimed() {
    given::<Email>([]).when(&claim(ANA, AT)).then([claimed(ANA, AT)]);
}

#[test]
fn an_account_does_not_claim_an_address_twice_however_late() {
    given::<Email>([claimed(ANA, AT)]).when(&claim(ANA, DAY_LATER)).then_nothing();
}

#[test]
fn an_account_does_not_claim_what_it_confirmed() {
    given::<Email>([claimed(ANA, AT), confirmed(ANA)]).when(&claim(ANA, DAY_LATER)).then_nothing();
}

#[test]
fn an_address_that_was_claimed_within_a_day_is_taken() {
    given::<Email>([claimed(ANA, AT)])
        .when(&claim(BEN, DAY_LATER - 1))
        .then_refused(Refusal::Taken);
}

#[test]
fn an_address_that_was_not_confirmed_for_a_day_is_taken_over() {
    given::<Email>([claimed(ANA, AT)]).when(&claim(BEN, DAY_LATER)).then([claimed(BEN, DAY_LATER)]);
}

#[test]
fn a_confirmed_address_is_never_taken_over() {
    given::<Email>([claimed(ANA, AT), confirmed(ANA)])
        .when(&claim(BEN, i64::MAX))
        .then_refused(Refusal::Taken);
}

#[test]
fn the_day_counts_from_the_claim_of_who_took_over() {
    given::<Email>([claimed(ANA, AT), claimed(BEN, DAY_LATER)])
        .when(&claim(ANA, DAY_LATER + 1))
        .then_refused(Refusal::Taken);
}

#[test]
fn who_claimed_an_address_confirms_it() {
    given::<Email>([claimed(ANA, AT)]).when(&confirm(ANA)).then([confirmed(ANA)]);
}

#[test]
fn an_address_is_not_confirmed_twice() {
    given::<Email>([claimed(ANA, AT), confirmed(ANA)]).when(&confirm(ANA)).then_nothing();
}

#[test]
fn who_lost_an_address_cannot_confirm_it() {
    given::<Email>([claimed(ANA, AT), claimed(BEN, DAY_LATER)])
        .when(&confirm(ANA))
        .then_refused(Refusal::NotHeld);
}

#[test]
fn nobody_confirms_what_another_confirmed() {
    given::<Email>([claimed(ANA, AT), confirmed(ANA)])
        .when(&confirm(BEN))
        .then_refused(Refusal::NotHeld);
}

#[test]
fn a_free_address_cannot_be_confirmed() {
    given::<Email>([]).when(&confirm(ANA)).then_refused(Refusal::NotHeld);
}

#[test]
fn an_address_is_given_up_confirmed_or_not() {
    given::<Email>([claimed(ANA, AT)]).when(&release(ANA)).then([released(ANA)]);
    given::<Email>([claimed(ANA, AT), confirmed(ANA)]).when(&release(ANA)).then([released(ANA)]);
}

#[test]
fn what_another_has_is_not_given_up() {
    given::<Email>([claimed(ANA, AT), confirmed(ANA)]).when(&release(BEN)).then_nothing();
}

#[test]
fn an_address_that_was_given_up_is_free() {
    given::<Email>([claimed(ANA, AT), confirmed(ANA), released(ANA)])
        .when(&claim(BEN, AT))
        .then([claimed(BEN, AT)]);
}

#[test]
fn what_mail_can_be_sent_to_is_an_address() {
    let longest =
        format!("a@{}.{}.{}.{}", "b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(60));
    assert_eq!(longest.len(), ADDRESS_MAX_BYTES);
    let good = [
        "a@b.c",
        "ana@example.org",
        "ana.lovelace+tv@mail.example.co.uk",
        "o'brien_99%x!#$&*/=?^`{|}~-@example.org",
        "zoë@bücher.example",
        "用户@例子.广告",
        "a@1.2",
        &format!("{}@b.c", "a".repeat(64)),
        &longest,
    ];
    for address in good {
        assert!(is_address(address), "{address:?}");
    }
}

#[test]
fn what_only_looks_like_an_address_is_none() {
    let too_long =
        format!("ab@{}.{}.{}.{}", "b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(60));
    let bad = [
        "",
        "@",
        "ana",
        "ana@",
        "@example.org",
        "ana@example",
        "ana@@example.org",
        "ana@b@example.org",
        " ana@example.org",
        "ana@example.org ",
        "an a@example.org",
        "ana\n@example.org",
        "ana@example.org\r\nBcc: ben@example.org",
        "ana\0@example.org",
        ".ana@example.org",
        "ana.@example.org",
        "a..na@example.org",
        "ana@.example.org",
        "ana@example.org.",
        "ana@example..org",
        "ana@-example.org",
        "ana@example-.org",
        "ana@exam_ple.org",
        "ana@[127.0.0.1]",
        "\"ana\"@example.org",
        "Ana <ana@example.org>",
        "ana,ben@example.org",
        &format!("{}@b.c", "a".repeat(65)),
        &format!("a@{}.c", "b".repeat(64)),
        &too_long,
    ];
    for address in bad {
        assert!(!is_address(address), "{address:?}");
    }
}

#[test]
fn spellings_that_differ_by_case_are_one_address() {
    assert_eq!(canonical("Ana@Example.ORG"), canonical("ana@example.org"));
    assert_ne!(canonical("ana@example.org"), canonical("an.a@example.org"));
}

#[test]
fn an_address_has_nothing_that_hides_or_that_mail_does_not_take() {
    for hidden in [
        '\u{202e}', '\u{200b}', '\u{feff}', '\u{ad}', '\u{3164}', '\u{7}', '\u{301}', '\u{a0}', '✉',
    ] {
        for address in [format!("{hidden}x@example.org"), format!("x@ex{hidden}ample.org")] {
            assert!(!is_address(&address), "{}", address.escape_unicode());
        }
    }
    assert!(is_address("zoë.o'brien+tv@bücher.example"));
}

#[test]
fn an_address_is_the_same_however_its_letters_are_composed() {
    let (whole, parts) = ("\u{f3}@example.org", "o\u{301}@Example.org");
    assert!(!is_address(parts) && is_address(&normalized(parts)));
    assert_eq!(canonical(whole), canonical(parts));
}
