//! Forged tokens, each with the reason for which it is refused.

use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use playhead_identity::access_token::AccessTokenError as E;
use playhead_identity::refresh_token::RefreshToken;
use serde_json::{Value, json};

use crate::forge::{
    NOW_MS, NOW_S, OURS, caller, claims, header, key, part, ring, signed, tokens, with,
};

/// What a forger tries, the token, and why it fails.
type Forgery = (&'static str, String, E);

fn refused(forgeries: Vec<Forgery>, least: usize) {
    assert!(forgeries.len() >= least, "{}", forgeries.len());
    for (name, token, reason) in forgeries {
        assert_eq!(tokens().verify(&ring(OURS), &token, NOW_MS), Err(reason), "{name}: {token}");
    }
}

/// Signed with our key, so that nothing but the header is wrong.
fn with_header(name: &str, value: Value) -> String {
    signed(OURS, with(header(), name, value).to_string(), claims().to_string())
}

/// Signed with our key, so that nothing but the claim is wrong.
fn with_claim(name: &str, value: Value) -> String {
    signed(OURS, header().to_string(), with(claims(), name, value).to_string())
}

/// Signed under a secret that everybody knows.
fn with_secret(alg: &str, algorithm: Algorithm, secret: &[u8]) -> String {
    let header = with(header(), "alg", json!(alg)).to_string();
    let message = format!("{}.{}", part(header), part(claims().to_string()));
    let secret = EncodingKey::from_secret(secret);
    let signature = crypto::sign(message.as_bytes(), &secret, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn genuine() -> String {
    signed(OURS, header().to_string(), claims().to_string())
}

#[test]
fn no_other_algorithm_is_accepted() {
    let public = key(OURS).verifying_key();
    let x = part(public.as_bytes());
    let pem = "-----BEGIN PUBLIC KEY-----\n";
    refused(
        vec![
            ("alg none", with_header("alg", json!("none")), E::Algorithm),
            ("alg None", with_header("alg", json!("None")), E::Algorithm),
            ("alg NONE", with_header("alg", json!("NONE")), E::Algorithm),
            ("alg empty", with_header("alg", json!("")), E::Algorithm),
            ("alg missing", with_header("alg", Value::Null), E::Algorithm),
            ("alg no text", with_header("alg", json!(["EdDSA"])), E::Algorithm),
            ("alg in lower case", with_header("alg", json!("eddsa")), E::Algorithm),
            ("alg with a space", with_header("alg", json!("EdDSA ")), E::Algorithm),
            ("alg ES256", with_header("alg", json!("ES256")), E::Algorithm),
            (
                "HS256 under the public key",
                with_secret("HS256", Algorithm::HS256, public.as_bytes()),
                E::Algorithm,
            ),
            (
                "HS256 under the public key in base64url",
                with_secret("HS256", Algorithm::HS256, x.as_bytes()),
                E::Algorithm,
            ),
            (
                "HS512 under the public key",
                with_secret("HS512", Algorithm::HS512, public.as_bytes()),
                E::Algorithm,
            ),
            (
                "HS256 under a PEM",
                with_secret("HS256", Algorithm::HS256, pem.as_bytes()),
                E::Algorithm,
            ),
            (
                "HS256 said to be EdDSA",
                with_secret("EdDSA", Algorithm::HS256, public.as_bytes()),
                E::Signature,
            ),
            (
                "HS512 said to be EdDSA, as long as a signature",
                with_secret("EdDSA", Algorithm::HS512, public.as_bytes()),
                E::Signature,
            ),
        ],
        15,
    );
}

#[test]
fn no_other_key_is_accepted() {
    let eve = key(2);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": part(eve.verifying_key().as_bytes()) });
    let by_eve = |name: &str, value: Value| {
        signed(2, with(header(), name, value).to_string(), claims().to_string())
    };
    refused(
        vec![
            (
                "another key under our name",
                signed(2, header().to_string(), claims().to_string()),
                E::Signature,
            ),
            ("another key under its own name", by_eve("kid", json!(ring(2).kid())), E::UnknownKey),
            ("kid missing", with_header("kid", Value::Null), E::UnknownKey),
            ("kid empty", with_header("kid", json!("")), E::UnknownKey),
            ("kid no text", with_header("kid", json!(0)), E::UnknownKey),
            ("kid a path", with_header("kid", json!("../../../../dev/null")), E::UnknownKey),
            ("kid a URL", with_header("kid", json!("https://eve.example/key")), E::UnknownKey),
            ("kid a query", with_header("kid", json!("' OR 1=1 --")), E::UnknownKey),
            ("kid cut", with_header("kid", json!(&ring(OURS).kid()[..8])), E::UnknownKey),
            ("jwk", by_eve("jwk", jwk), E::Header),
            ("jku", by_eve("jku", json!("https://eve.example/jwks.json")), E::Header),
            ("x5u", by_eve("x5u", json!("https://eve.example/cert.pem")), E::Header),
            ("x5c", by_eve("x5c", json!(["AAAA"])), E::Header),
            ("jwk, rightly signed", with_header("jwk", json!({})), E::Header),
            ("crit", with_header("crit", json!(["exp"])), E::Header),
            ("crit empty", with_header("crit", json!([])), E::Header),
            ("b64", with_header("b64", json!(false)), E::Header),
        ],
        17,
    );
}

#[test]
fn a_key_that_was_retired_signs_nothing_any_more() {
    let mut ring = ring(OURS);
    ring.rotate(NOW_MS - 3_600_000).unwrap();
    assert_eq!(tokens().verify(&ring, &genuine(), NOW_MS), Err(E::UnknownKey));
    assert!(tokens().verify(&ring, &genuine(), NOW_MS - 1).is_ok(), "it was accepted before");
}

#[test]
fn no_token_of_another_kind_is_an_access_token() {
    let sign_in = caller().sign_in_id;
    let refresh = RefreshToken::generate(caller().account_id, sign_in, 1).unwrap();
    refused(
        vec![
            ("typ JWT", with_header("typ", json!("JWT")), E::Type),
            ("typ missing", with_header("typ", Value::Null), E::Type),
            ("typ no text", with_header("typ", json!(1)), E::Type),
            ("playback token", with_header("typ", json!("playback+jwt")), E::Type),
            ("refresh token by type", with_header("typ", json!("refresh+jwt")), E::Type),
            ("ID token", with_header("typ", json!("id+jwt")), E::Type),
            ("refresh token", refresh.reveal().to_owned(), E::Malformed),
            ("refresh token in three parts", format!("{}.a.b", refresh.reveal()), E::Malformed),
        ],
        8,
    );
    assert_eq!(RefreshToken::parse(&genuine()), None, "nor the other way round");
    assert_eq!(RefreshToken::parse(&genuine()[..96]), None);
}

#[test]
fn every_claim_must_be_there_and_right() {
    let claim = |name: &'static str, value: Value| (name, with_claim(name, value), E::Claim(name));
    let huge = r#"{"exp":1e30,"#;
    let huge = claims().to_string().replacen('{', huge, 1).replacen(r#""exp":1800000600,"#, "", 1);
    let mut forgeries = vec![
        ("wrong iss", with_claim("iss", json!("https://eve.example")), E::Issuer),
        ("iss with a slash", with_claim("iss", json!("https://playhead.example/")), E::Issuer),
        ("wrong aud", with_claim("aud", json!("playhead:playback")), E::Audience),
        ("aud missing", with_claim("aud", Value::Null), E::Audience),
        ("aud a list with ours", with_claim("aud", json!(["playhead:api", "eve"])), E::Audience),
        ("aud a list of ours", with_claim("aud", json!(["playhead:api"])), E::Audience),
        ("expired", with_claim("exp", json!(NOW_S)), E::Expired),
        ("expired long ago", with_claim("exp", json!(0)), E::Expired),
        ("not yet valid", with_claim("nbf", json!(NOW_S + 61)), E::NotYetValid),
        ("issued in the future", with_claim("iat", json!(NOW_S + 61)), E::NotYetValid),
        ("exp huge, no integer", signed(OURS, header().to_string(), huge), E::Claim("exp")),
        ("sub no account", with_claim("sub", json!("ada")), E::Claim("sub")),
        ("auth_time differs", with_claim("auth_time", json!(NOW_S)), E::Claim("auth_time")),
        ("too many roles", with_claim("roles", json!(vec!["viewer"; 17])), E::Claim("roles")),
        claim("iss", json!(["https://playhead.example"])),
        claim("exp", json!("1800000600")),
        claim("exp", json!(1_800_000_600.5)),
        claim("exp", json!(-1)),
        claim("exp", json!(i64::MAX)),
        claim("exp", json!(u64::MAX)),
        claim("exp", json!(NOW_S + 3_601)),
        claim("exp", json!({ "a": 1 })),
        claim("iat", json!("1800000000")),
        claim("iat", json!(i64::MIN)),
        claim("nbf", json!(true)),
        claim("roles", json!("operator")),
        claim("roles", json!(["viewer", 1])),
        claim("sid", json!(8)),
        claim("did", json!("")),
    ];
    for name in [
        "iss",
        "sub",
        "sid",
        "did",
        "auth_time",
        "auth_time_ms",
        "iat",
        "nbf",
        "exp",
        "jti",
        "roles",
    ] {
        forgeries.push(claim(name, Value::Null));
    }
    refused(forgeries, 40);
}

#[test]
fn nothing_may_be_said_twice() {
    let twice = |text: String, more: &str| text.replacen('{', &format!("{{{more},"), 1);
    let claims_twice =
        |more: &str| signed(OURS, header().to_string(), twice(claims().to_string(), more));
    let header_twice =
        |more: &str| signed(OURS, twice(header().to_string(), more), claims().to_string());
    refused(
        vec![
            ("sub twice", claims_twice(r#""sub":"eve""#), E::Malformed),
            ("roles twice", claims_twice(r#""roles":["operator"]"#), E::Malformed),
            ("exp twice, spelled otherwise", claims_twice(r#""e\u0078p":1"#), E::Malformed),
            ("inner names twice", claims_twice(r#""x":{"a":1,"a":2}"#), E::Malformed),
            ("alg twice", header_twice(r#""alg":"none""#), E::Malformed),
            ("kid twice", header_twice(r#""kid":"a""#), E::Malformed),
            ("the same alg twice", header_twice(r#""alg":"EdDSA""#), E::Malformed),
        ],
        7,
    );
}

#[test]
fn an_altered_form_is_no_token() {
    let token = genuine();
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("{token}") };
    let richer = part(with(claims(), "roles", json!(["operator"])).to_string());
    let header = header().to_string();
    let not_utf_8 = [&header.as_bytes()[..header.len() - 1], b",\"a\":\"\xff\"}"].concat();
    let zeros = part([0; 64]);
    refused(
        vec![
            ("claims swapped", format!("{head}.{richer}.{signature}"), E::Signature),
            ("signature all zero", format!("{head}.{body}.{zeros}"), E::Signature),
            ("signature cut", format!("{head}.{body}.{}", part([7; 63])), E::Signature),
            ("signature too long", format!("{head}.{body}.{}", part([7; 65])), E::Signature),
            ("signature empty", format!("{head}.{body}."), E::Malformed),
            ("signature missing", format!("{head}.{body}"), E::Malformed),
            ("claims empty", format!("{head}..{signature}"), E::Signature),
            ("header empty", format!(".{body}.{signature}"), E::Malformed),
            ("four parts", format!("{token}.{signature}"), E::Malformed),
            ("five parts, as if encrypted", format!("{token}.a.b"), E::Malformed),
            ("padded", format!("{token}=="), E::Malformed),
            ("padded within", format!("{head}=.{body}.{signature}"), E::Malformed),
            ("other alphabet", format!("{head}.{body}.{}+/", &signature[2..]), E::Malformed),
            ("space before", format!(" {token}"), E::Malformed),
            ("line end behind", format!("{token}\n"), E::Malformed),
            ("space within", format!("{head}. {body}.{signature}"), E::Signature),
            ("Bearer", format!("Bearer {token}"), E::Malformed),
            ("10 kB of signature", format!("{token}{}", "A".repeat(10_000)), E::Malformed),
            ("10 kB, rightly signed", with_claim("x", json!("x".repeat(10_000))), E::Malformed),
            ("10 kB of dots", ".".repeat(10_000), E::Malformed),
            (
                "header not UTF-8",
                signed(OURS, not_utf_8.as_slice(), claims().to_string()),
                E::Malformed,
            ),
            ("claims not UTF-8", signed(OURS, &header, b"{\"a\":\"\xff\"}"), E::Malformed),
            ("claims no object", signed(OURS, &header, "[]"), E::Malformed),
            ("claims no JSON", signed(OURS, &header, "sub=eve"), E::Malformed),
            (
                "claims two objects",
                signed(OURS, &header, format!("{0}{0}", claims())),
                E::Malformed,
            ),
            ("claims deep", signed(OURS, &header, "[".repeat(1_000)), E::Malformed),
            ("header no object", signed(OURS, "\"EdDSA\"", claims().to_string()), E::Malformed),
            ("nothing", String::new(), E::Malformed),
            ("dots", "..".to_owned(), E::Malformed),
            ("a letter outside ASCII", format!("{head}.{body}.é"), E::Malformed),
        ],
        30,
    );
}

#[test]
fn not_one_bit_may_be_flipped_and_nothing_cut_off() {
    let token = genuine();
    let refuses = |forged: &str| tokens().verify(&ring(OURS), forged, NOW_MS).is_err();
    for end in 0..token.len() {
        assert!(refuses(&token[..end]), "cut at {end}");
    }
    for index in 0..token.len() {
        for bit in 0..7 {
            let mut flipped = token.clone().into_bytes();
            flipped[index] ^= 1 << bit;
            assert!(refuses(std::str::from_utf8(&flipped).unwrap()), "bit {bit} of byte {index}");
        }
    }
}
