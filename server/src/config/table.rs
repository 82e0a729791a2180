//! Every setting: its name, what it means and what its value must be.

use super::keys::{Key, Kind};

/// Every setting, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    Key {
        name: "data",
        meaning: "Where everything is kept; in a file, relative to that file.",
        kind: Kind::Path,
        rule: "the path of a directory",
    },
    Key {
        name: "listen",
        meaning: "The address to listen on; port 0 means any free one.",
        kind: Kind::Text,
        rule: "an address with a port, such as 127.0.0.1:8480",
    },
    Key {
        name: "partitions",
        meaning: "The partition count of a log that is created now; an existing log keeps its own.",
        kind: Kind::Integer(1, 32_768),
        rule: "a power of two from 1 to 32,768",
    },
    Key {
        name: "segment_kib",
        meaning: "When a segment of the log has this size, in KiB, the next one begins.",
        kind: Kind::Integer(16, 1_048_576),
        rule: "a whole number from 16 to 1,048,576",
    },
    Key {
        name: "compress",
        meaning: "Whether full segments of the log are compressed, which makes them smaller and \
                  reading history slower.",
        kind: Kind::Flag,
        rule: "true or false",
    },
    Key {
        name: "log",
        meaning: "What is logged: a level, or levels by module, such as info,playhead_api=debug.",
        kind: Kind::Text,
        rule: "a level such as info, or levels by module",
    },
    Key {
        name: "log_format",
        meaning: "How log lines look: text for people, json for programs.",
        kind: Kind::Choice(&["text", "json"]),
        rule: "text or json",
    },
    Key {
        name: "introspection",
        meaning: "Whether GraphQL answers introspection queries.",
        kind: Kind::Flag,
        rule: "true or false",
    },
    Key {
        name: "startup_wait_ms",
        meaning: "How long a starting server waits for its read models before it answers, in \
                  milliseconds.",
        kind: Kind::Integer(0, 3_600_000),
        rule: "a whole number from 0 to 3,600,000",
    },
    Key {
        name: "request_timeout_ms",
        meaning: "How long a request may take before it is answered with OVERLOADED, in \
                  milliseconds.",
        kind: Kind::Integer(1, 600_000),
        rule: "a whole number from 1 to 600,000",
    },
    Key {
        name: "requests_max",
        meaning: "How many requests are worked on at once; more are answered with OVERLOADED right \
                  away.",
        kind: Kind::Integer(1, 1_000_000),
        rule: "a whole number from 1 to 1,000,000",
    },
    Key {
        name: "streams_max",
        meaning: "How many WebSockets and event streams are open at once; more are answered with \
                  OVERLOADED.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "shutdown_grace_ms",
        meaning: "How long a stopping server waits for requests that run, in milliseconds.",
        kind: Kind::Integer(0, 600_000),
        rule: "a whole number from 0 to 600,000",
    },
    Key {
        name: "issuer",
        meaning: "Who issues access tokens: the claim iss. Tokens of another issuer are refused.",
        kind: Kind::Text,
        rule: "1 to 200 characters without spaces",
    },
    Key {
        name: "audience",
        meaning: "For whom access tokens are: the claim aud.",
        kind: Kind::Text,
        rule: "1 to 200 characters without spaces",
    },
    Key {
        name: "link_base_url",
        meaning: "What links in mails begin with: the address of the site that people use; the \
                  address that the server listens on unless set.",
        kind: Kind::Text,
        rule: "an http or https URL without query and fragment, such as https://play.example, or \
               empty",
    },
    Key {
        name: "mail_dir",
        meaning: "Where mails are written as .eml files if there is no mail server; the directory \
                  mail in the data directory unless set.",
        kind: Kind::Path,
        rule: "the path of a directory, or empty",
    },
    Key {
        name: "smtp_url",
        meaning: "The mail server: smtps://USER:PASSWORD@HOST, \
                  smtp://USER:PASSWORD@HOST:587?tls=required, or smtp://localhost:PORT. Best set \
                  in the environment.",
        kind: Kind::Secret,
        rule: "smtps://HOST, smtp://HOST?tls=required, smtp://localhost, or empty",
    },
    Key {
        name: "mail_from",
        meaning: "The address that mails are from.",
        kind: Kind::Text,
        rule: "an e-mail address",
    },
    Key {
        name: "outside_issuers",
        meaning: "Identity providers (OpenID Connect) with whose tokens people may sign in; a \
                  table [[outside_issuers]] for each, with issuer, client_ids and, unless all are \
                  accepted, algorithms. In the environment: JSON.",
        kind: Kind::Issuers,
        rule: "a list of tables with issuer (an https URL, or http on this machine), client_ids \
                  (at least one) and algorithms (of RS256, PS256, ES256, EdDSA), no issuer twice",
    },
    Key {
        name: "master_key",
        meaning: "The key that protects the keys of all people: 64 hexadecimal digits. Best set in \
                  the environment; goes before master_key_file.",
        kind: Kind::Secret,
        rule: "64 hexadecimal digits, or empty",
    },
    Key {
        name: "master_key_file",
        meaning: "The file of that key. Unless set, keys/master.key in the data directory, which \
                  is made at the first start.",
        kind: Kind::Path,
        rule: "the path of a file, or empty",
    },
    Key {
        name: "trusted_proxies",
        meaning: "Networks of proxies that may say for whom they forward (Forwarded, X-Forwarded- \
                  For), such as 10.0.0.0/8. In the environment: separated by commas.",
        kind: Kind::List,
        rule: "a list of networks such as 10.0.0.0/8",
    },
    Key {
        name: "proxy_header",
        meaning: "Which header the trusted proxies write; the other one is never looked at.",
        kind: Kind::Choice(&["x-forwarded-for", "forwarded"]),
        rule: "x-forwarded-for or forwarded",
    },
    Key {
        name: "territory_database",
        meaning: "A MaxMind database (.mmdb) with the countries of addresses; read again when it \
                  changes.",
        kind: Kind::Path,
        rule: "the path of a file, or empty",
    },
    Key {
        name: "vpn_ranges",
        meaning: "A file with the address ranges of VPNs, one network a line; read again when it \
                  changes.",
        kind: Kind::Path,
        rule: "the path of a file, or empty",
    },
    Key {
        name: "default_territory",
        meaning: "Where people are taken to be if neither billing address, device nor network \
                  address tells it.",
        kind: Kind::Text,
        rule: "a country of two capital letters such as DE (ISO 3166-1), or empty",
    },
    Key {
        name: "erasure_delay_hours",
        meaning: "How long people can take back that they want to be erased, in hours.",
        kind: Kind::Integer(0, 720),
        rule: "a whole number from 0 to 720",
    },
    Key {
        name: "passwords_max",
        meaning: "How many passwords are hashed at once, each with 19 MiB of memory; 0 means as \
                  many as there are processors.",
        kind: Kind::Integer(0, 1_024),
        rule: "a whole number from 0 to 1,024",
    },
    Key {
        name: "api_calls_per_device",
        meaning: "Requests of one device in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "api_calls_per_user",
        meaning: "Requests of one account in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "playback_starts_per_user",
        meaning: "Starts of playback of one account in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "searches_per_address",
        meaning: "Searches from one network address in a second; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "searches_per_user",
        meaning: "Searches of one account in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "registrations_per_address",
        meaning: "Registrations from one network address in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "logins_per_address",
        meaning: "Tries to sign in from one network address in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "tokens_per_sign_in",
        meaning: "Refreshes of one sign-in in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "tokens_per_address",
        meaning: "Requests for tokens, with refresh tokens or codes of devices, from one network \
                  address in an hour; 0 means without limit.",
        kind: Kind::Integer(0, 1_000_000),
        rule: "a whole number from 0 to 1,000,000",
    },
    Key {
        name: "limit_keys_max",
        meaning: "How many accounts, devices or addresses each of these limits has room for, in \
                  18 bytes each.",
        kind: Kind::Integer(1_024, 16_777_216),
        rule: "a whole number from 1,024 to 16,777,216",
    },
];
