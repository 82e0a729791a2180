//! What file, environment and flags lead to.

use super::*;

fn variables(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn source(settings: &Settings, key: &str) -> String {
    let found = settings.sources.iter().find(|(known, _)| known.name == key);
    found.map(|(_, source)| source.clone()).unwrap()
}

fn with_file(text: &str) -> (tempfile::TempDir, Flags) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("playhead.toml"), text).unwrap();
    let flags = Flags { data: Some(dir.path().to_owned()), ..Flags::default() };
    (dir, flags)
}

#[test]
fn flags_go_before_the_environment_before_the_file_before_defaults() {
    let (_dir, mut flags) = with_file("listen = \"f:1\"\npartitions = 8\nlog = \"warn\"");
    flags.listen = Some("g:3".to_owned());
    let environment = variables(&[("PLAYHEAD_LISTEN", "e:2"), ("PLAYHEAD_LOG", "error")]);
    let settings = load(&flags, &environment).unwrap();
    assert_eq!(settings.config.listen, "g:3");
    assert_eq!(settings.config.log, "error");
    assert_eq!(settings.config.partitions, 8);
    assert_eq!(source(&settings, "listen"), "flag --listen");
    assert_eq!(source(&settings, "log"), "environment PLAYHEAD_LOG");
    assert!(source(&settings, "partitions").starts_with("file /"), "{settings:?}");
    assert_eq!(source(&settings, "introspection"), "default");
}

#[test]
fn an_unknown_key_is_refused_with_its_file() {
    let (dir, flags) = with_file("listn = \"f:1\"");
    let error = load(&flags, &Environment::new()).unwrap_err().to_string();
    assert!(error.contains("\"listn\"") && error.contains("playhead.toml"), "{error}");
    drop(dir);
}

#[test]
fn a_value_of_another_type_is_refused_with_its_source_and_rule() {
    let (_dir, flags) = with_file("partitions = \"many\"");
    let error = load(&flags, &Environment::new()).unwrap_err().to_string();
    assert!(error.starts_with("partitions must be a power of two"), "{error}");
    assert!(error.contains("playhead.toml says \"many\""), "{error}");
    let environment = variables(&[("PLAYHEAD_PARTITIONS", "48")]);
    let error = load(&Flags::default(), &environment).unwrap_err().to_string();
    assert!(error.ends_with("environment PLAYHEAD_PARTITIONS says 48"), "{error}");
}

#[test]
fn a_value_of_another_type_is_told_in_plain_words() {
    let told = |text: &str| {
        let (_dir, flags) = with_file(text);
        let told = load(&flags, &Environment::new()).unwrap_err().to_string();
        let (rule, value) = told.split_once(", but file ").unwrap();
        (rule.to_owned(), value.split_once(" says ").unwrap().1.to_owned())
    };
    let pair = |rule: &str, value: &str| (rule.to_owned(), value.to_owned());
    assert_eq!(told("listen = 8480"), pair("listen must be a text", "8480"));
    assert_eq!(told("log = [1]"), pair("log must be a text", "[1]"));
    let rule = "log_format must be text or json";
    assert_eq!(told("log_format = \"xml\""), pair(rule, "\"xml\""));
    assert_eq!(told("introspection = 1"), pair("introspection must be true or false", "1"));
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_the_line() {
    let (_dir, flags) = with_file("listen = \"a:1\"\nlisten");
    let error = load(&flags, &Environment::new()).unwrap_err().to_string();
    assert!(error.contains("not valid TOML") && error.contains("line 2"), "{error}");
}

#[test]
fn a_variable_that_names_no_setting_is_reported() {
    let environment = variables(&[("PLAYHEAD_SERVICE_HOST", "10.0.0.1")]);
    let settings = load(&Flags::default(), &environment).unwrap();
    assert_eq!(settings.ignored, ["PLAYHEAD_SERVICE_HOST"]);
}

#[test]
fn a_text_setting_may_look_like_a_number() {
    let environment = variables(&[("PLAYHEAD_DATA", "2024")]);
    let settings = load(&Flags::default(), &environment).unwrap();
    assert_eq!(settings.config.data, PathBuf::from("2024"));
}

#[test]
fn the_data_directory_of_a_named_file_is_relative_to_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    fs::write(&file, "data = \"store\"").unwrap();
    let flags = Flags { file: Some(file), ..Flags::default() };
    let settings = load(&flags, &Environment::new()).unwrap();
    assert_eq!(settings.config.data, dir.path().join("store"));
}

#[test]
fn the_file_in_the_data_directory_cannot_move_it() {
    let (_dir, flags) = with_file("data = \"elsewhere\"");
    let error = load(&flags, &Environment::new());
    assert!(matches!(error, Err(ConfigError::DataInsideData { .. })), "{error:?}");
}

#[test]
fn paths_in_a_file_are_relative_to_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    fs::write(&file, "vpn_ranges = \"vpn.txt\"\nmail_dir = \"/var/mail\"").unwrap();
    let flags = Flags { file: Some(file), ..Flags::default() };
    let environment = variables(&[("PLAYHEAD_TERRITORY_DATABASE", "geo.mmdb")]);
    let config = load(&flags, &environment).unwrap().config;
    assert_eq!(config.vpn_ranges, dir.path().join("vpn.txt"));
    assert_eq!(config.mail_dir, PathBuf::from("/var/mail"));
    assert_eq!(config.territory_database, PathBuf::from("geo.mmdb"));
    assert_eq!(config.master_key_file, PathBuf::new(), "not set stays not set");
}

#[test]
fn a_list_is_an_array_in_a_file_and_has_commas_in_the_environment() {
    let networks = ["10.0.0.0/8", "fd00::/8"];
    let (_dir, flags) = with_file("trusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\"]");
    assert_eq!(load(&flags, &Environment::new()).unwrap().config.trusted_proxies, networks);
    let environment = variables(&[("PLAYHEAD_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")]);
    let config = load(&Flags::default(), &environment).unwrap().config;
    assert_eq!(config.trusted_proxies, networks);
}

#[test]
fn identity_providers_are_tables_in_a_file_and_json_in_the_environment() {
    let (_dir, flags) =
        with_file("[[outside_issuers]]\nissuer = \"https://id.example\"\nclient_ids = [\"us\"]\n");
    let from_file = load(&flags, &Environment::new()).unwrap().config.outside_issuers;
    let json = r#"[{"issuer": "https://id.example", "client_ids": ["us"]}]"#;
    let environment = variables(&[("PLAYHEAD_OUTSIDE_ISSUERS", json)]);
    let config = load(&Flags::default(), &environment).unwrap().config;
    assert_eq!(config.outside_issuers, from_file);
    assert_eq!(from_file[0].algorithms, ["RS256", "PS256", "ES256", "EdDSA"]);
}

#[test]
fn what_breaks_a_rule_is_told_with_its_key_and_the_rule() {
    let twice = r#"[{"issuer": "https://a", "client_ids": ["x"]},
                    {"issuer": "https://a", "client_ids": ["y"]}]"#;
    let wrong = [
        ("issuer", "two words", "without spaces"),
        ("link_base_url", "play.example", "an http or https URL"),
        ("link_base_url", "https://play.example/?a=b", "without query"),
        ("smtp_url", "mail.example", "smtps://HOST"),
        ("mail_from", "nobody", "an e-mail address"),
        ("outside_issuers", "[{\"issuer\": \"https://id.example\"}]", "client_ids"),
        ("outside_issuers", twice, "no issuer twice"),
        ("master_key", "abc", "64 hexadecimal digits"),
        ("trusted_proxies", "10.0.0.0/8,10.0.0.0/33", "networks such as"),
        ("proxy_header", "via", "x-forwarded-for or forwarded"),
        ("logins_per_address", "many", "from 0 to 1,000,000"),
        ("limit_keys_max", "3", "from 1,024"),
        ("default_territory", "de", "two capital letters"),
        ("erasure_delay_hours", "721", "from 0 to 720"),
        ("passwords_max", "-1", "from 0 to 1,024"),
    ];
    for (key, value, rule) in wrong {
        let variable = format!("PLAYHEAD_{}", key.to_ascii_uppercase());
        let environment = variables(&[(&variable, value)]);
        let error = load(&Flags::default(), &environment).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{key} must be ")), "{error}");
        assert!(error.contains(rule), "{error}");
        assert!(error.contains(&variable), "{error}");
    }
}

#[test]
fn secrets_are_shown_neither_by_errors_nor_by_values_nor_by_debug() {
    let secret = "smtps://user:canary@mail.example";
    let environment = variables(&[("PLAYHEAD_SMTP_URL", secret)]);
    let settings = load(&Flags::default(), &environment).unwrap();
    assert_eq!(settings.config.smtp_url.reveal(), secret);
    let shown = Key::named("smtp_url").unwrap().value(&settings.config);
    assert_eq!(shown, "(set)");
    assert!(!format!("{settings:?}").contains("canary"));
    for file in ["master_key = \"canary\"", "smtp_url = [\"canary\"]"] {
        let (_dir, flags) = with_file(file);
        let error = load(&flags, &Environment::new()).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("canary"), "{error}");
    }
}
