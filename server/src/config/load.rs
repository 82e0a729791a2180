//! Puts the settings together and remembers where each comes from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::error::ConfigError;
use super::keys::{Key, Kind};
use super::people::OutsideProvider;
use super::table::KEYS;
use super::{Config, Flags, Settings};

/// The variables of the process whose names begin with `PLAYHEAD_`.
pub type Environment = BTreeMap<String, String>;

const PREFIX: &str = "PLAYHEAD_";
/// What the source of a setting is called that nobody sets.
pub(super) const DEFAULT: &str = "default";
const FILE_VARIABLE: &str = "PLAYHEAD_CONFIG";

/// The variables of this process that may be settings. Bytes that are not UTF-8 are replaced, and
/// empty ones count as not set.
#[must_use]
pub fn environment() -> Environment {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect()
}

/// The settings that file, environment and flags lead to.
///
/// # Errors
/// See [`ConfigError`].
pub fn load(flags: &Flags, environment: &Environment) -> Result<Settings, ConfigError> {
    let named = flags.file.clone().or_else(|| environment.get(FILE_VARIABLE).map(PathBuf::from));
    let beside_file = Given::from_environment(environment).chain(Given::from_flags(flags));
    let beside_file: Vec<Given> = beside_file.collect();
    let file = match named {
        Some(file) => Some(read(&file)?),
        None => in_data_dir(&beside_file)?,
    };
    let defaults = Serialized::defaults(Config::default());
    let mut figment = Figment::new().merge(Named { name: DEFAULT.to_owned(), inner: defaults });
    if let Some(file) = file {
        figment = figment.merge(file);
    }
    figment = beside_file.into_iter().fold(figment, Figment::merge);
    if let Some(misfit) = misfit(&figment) {
        return Err(misfit);
    }
    let config: Config = figment.extract().map_err(|error| invalid(&error))?;
    let sources: Vec<_> = KEYS.iter().map(|key| (key, source_of(&figment, key.name))).collect();
    for (key, source) in &sources {
        if !key.allows(&config) {
            return Err(ConfigError::Invalid {
                key: key.name.to_owned(),
                rule: key.rule.to_owned(),
                source_name: source.clone(),
                value: shown(key, || key.value(&config).to_string()),
            });
        }
    }
    let known: Vec<_> = KEYS.iter().map(Key::variable).chain([FILE_VARIABLE.to_owned()]).collect();
    let ignored = environment.keys().filter(|name| !known.contains(name)).cloned().collect();
    Ok(Settings { config, sources, ignored })
}

/// The file in the data directory, if there is one.
fn in_data_dir(given: &[Given]) -> Result<Option<FileSettings>, ConfigError> {
    let data = given.iter().rev().find(|given| given.key == "data");
    let data = data.and_then(|given| given.value.as_str().map(PathBuf::from));
    let file = data.unwrap_or_else(|| Config::default().data).join("playhead.toml");
    if !file.is_file() {
        return Ok(None);
    }
    let settings = read(&file)?;
    if settings.values.contains_key("data") {
        return Err(ConfigError::DataInsideData { file });
    }
    Ok(Some(settings))
}

fn read(file: &Path) -> Result<FileSettings, ConfigError> {
    let text = fs::read_to_string(file)
        .map_err(|source| ConfigError::Unreadable { file: file.to_owned(), source })?;
    let mut values: Dict = Toml::from_str(&text).map_err(|error| ConfigError::Syntax {
        file: file.to_owned(),
        reason: error.to_string().trim_end().to_owned(),
    })?;
    if let Some(key) = values.keys().find(|key| Key::named(key).is_none()) {
        return Err(ConfigError::UnknownKey { file: file.to_owned(), key: key.clone() });
    }
    let beside = file.parent().unwrap_or(Path::new(""));
    for key in KEYS.iter().filter(|key| key.kind == Kind::Path) {
        let path = values.get(key.name).and_then(Value::as_str).filter(|path| !path.is_empty());
        if let Some(path) = path {
            let path = beside.join(path).to_string_lossy().into_owned();
            values.insert(key.name.to_owned(), Value::from(path));
        }
    }
    Ok(FileSettings { file: file.to_owned(), values })
}

fn source_of(figment: &Figment, key: &str) -> String {
    figment.find_metadata(key).map_or_else(String::new, |metadata| metadata.name.to_string())
}

/// The first setting whose value has another type.
fn misfit(figment: &Figment) -> Option<ConfigError> {
    KEYS.iter().find_map(|key| {
        let value = figment.find_value(key.name).ok().filter(|value| !fits(key.kind, value))?;
        Some(ConfigError::Invalid {
            key: key.name.to_owned(),
            rule: match key.kind {
                Kind::Text | Kind::Path | Kind::Secret => "a text".to_owned(),
                _ => key.rule.to_owned(),
            },
            source_name: source_of(figment, key.name),
            value: shown(key, || serde_json::to_string(&value).unwrap_or_default()),
        })
    })
}

/// A value in an error.
fn shown(key: &Key, value: impl FnOnce() -> String) -> String {
    if key.kind == Kind::Secret { "something else".to_owned() } else { value() }
}

fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text | Kind::Secret | Kind::Path => value.as_str().is_some(),
        Kind::List => value.deserialize::<Vec<String>>().is_ok(),
        Kind::Issuers => value.deserialize::<Vec<OutsideProvider>>().is_ok(),
        Kind::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
        Kind::Integer(min, max) => {
            let number = value.to_i128().and_then(|number| u64::try_from(number).ok());
            let number = number.or_else(|| value.to_u128().and_then(|it| u64::try_from(it).ok()));
            number.is_some_and(|number| (min..=max).contains(&number))
        }
        Kind::Flag => value.to_bool().is_some(),
    }
}

/// What is still wrong although every value fits its setting.
fn invalid(error: &figment::Error) -> ConfigError {
    ConfigError::Invalid {
        key: error.path.join("."),
        rule: "valid".to_owned(),
        source_name: error.metadata.as_ref().map_or_else(String::new, |from| from.name.to_string()),
        value: error.kind.to_string(),
    }
}

/// A provider under another name.
struct Named<P> {
    name: String,
    inner: P,
}

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.inner.data()
    }
}

/// The settings of a file.
struct FileSettings {
    file: PathBuf,
    values: Dict,
}

impl Provider for FileSettings {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("file {}", self.file.display()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// One setting from the environment or from a flag.
struct Given {
    key: &'static str,
    value: Value,
    source: String,
}

impl Given {
    fn from_environment(environment: &Environment) -> impl Iterator<Item = Self> + '_ {
        KEYS.iter().filter_map(|key| {
            let variable = key.variable();
            let value = typed(key.kind, environment.get(&variable)?);
            Some(Self { key: key.name, value, source: format!("environment {variable}") })
        })
    }

    fn from_flags(flags: &Flags) -> impl Iterator<Item = Self> {
        let verbose = match flags.verbose {
            0 => None,
            1 => Some("debug"),
            _ => Some("trace"),
        };
        let text = |text: &str| Value::from(text);
        [
            ("data", "--data", flags.data.as_ref().map(|dir| text(&dir.to_string_lossy()))),
            ("listen", "--listen", flags.listen.as_deref().map(text)),
            ("log", "-v", verbose.map(text)),
            ("log_format", "--log-format", flags.log_format.map(|format| text(format.as_str()))),
        ]
        .into_iter()
        .filter_map(|(key, flag, value)| {
            Some(Self { key, value: value?, source: format!("flag {flag}") })
        })
    }
}

impl Provider for Given {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = Dict::from([(self.key.to_owned(), self.value.clone())]);
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// Text that does not look like its type stays text, and is refused later with its source.
fn typed(kind: Kind, text: &str) -> Value {
    let parsed = match kind {
        Kind::Text | Kind::Secret | Kind::Path | Kind::Choice(_) => None,
        Kind::List => Some(Value::from(split(text))),
        Kind::Issuers => serde_json::from_str(text).ok(),
        Kind::Integer(..) => text.parse::<u64>().ok().map(Value::from),
        Kind::Flag => text.parse::<bool>().ok().map(Value::from),
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

/// The parts between commas.
fn split(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests;
