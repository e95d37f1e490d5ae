//! The three layers and their order: the compiled-in defaults, one file, the environment. Later ones win.

use std::path::Path;

use figment::{
    Error, Figment, Metadata, Profile, Provider,
    error::Kind,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};
use serde::Deserialize;

use super::{Config, ConfigError, Fault};

/// Variables that are ours start with this; `__` parts section and key.
const PREFIX: &str = "DESKWIRE__";

/// Values below are never shown.
const SECRETS: &str = "auth.shared_secrets";

/// The first layer.
pub(super) fn first(defaults: &str) -> Figment {
    Figment::from(Toml::string(defaults))
}

/// Reads all layers. Bounds are not checked yet.
pub(super) fn read(
    defaults: &Figment,
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| unreadable(path, &error));
    let file = file.map(|path| Ok((path.display().to_string(), text(path)?))).transpose()?;
    of_texts(defaults, file, environment)
}

/// As [`read`], from a file's name and what it holds.
pub(super) fn of_texts(
    defaults: &Figment,
    file: Option<(String, String)>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut layers = defaults.clone();
    if let Some((name, text)) = file {
        layers = layers.merge(Named { name, inner: Toml::string(&text) });
    }
    let mut variables: Vec<_> = environment.filter_map(|(name, value)| Variable::of(name, &value)).collect();
    variables.sort_by(|left, right| left.name.cmp(&right.name));
    for variable in variables {
        layers = layers.merge(variable);
    }
    layers
        .extract()
        .map_err(|error| ConfigError { faults: error.into_iter().map(|error| fault(&layers, &error)).collect() })
}

fn unreadable(path: &Path, error: &std::io::Error) -> ConfigError {
    let fault = Fault {
        key: path.display().to_string(),
        value: None,
        allowed: format!("cannot be read: {error}"),
        source: None,
    };
    ConfigError { faults: vec![fault] }
}

/// A provider under the name that people know it by.
struct Named<P> {
    name: String,
    inner: P,
}

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        self.inner.data()
    }
}

/// One environment variable: `DESKWIRE__SERVER__LISTEN` is `server.listen`.
struct Variable {
    name: String,
    key: String,
    value: Value,
}

impl Variable {
    fn of(name: String, text: &str) -> Option<Self> {
        let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase().replace("__", ".");
        Some(Self { name, key, value: value(text) })
    }
}

/// What a variable holds: a list, a table or a quoted text as in a file, `true`, `false` or a number, else the text as
/// it stands.
///
/// The first three are not left to figment: its own reading of a quoted text counts letters and cuts at bytes, so that
/// an escape behind any letter but ASCII loses text or panics.
fn value(text: &str) -> Value {
    let text = text.trim();
    if text.starts_with(['"', '\'', '[', '{']) {
        let read: Result<Value, _> = Deserialize::deserialize(toml::de::ValueDeserializer::new(text));
        return read.unwrap_or_else(|_| Value::from(text));
    }
    text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        match figment::util::nest(&self.key, self.value.clone()) {
            Value::Dict(_, dict) => Ok(Map::from([(Profile::Default, dict)])),
            _ => Err(Error::from(format!("{}: a variable is {PREFIX}SECTION__KEY", self.name))),
        }
    }
}

fn fault(layers: &Figment, error: &Error) -> Fault {
    let source = error.metadata.as_ref().map(|metadata| metadata.name.to_string());
    let path = error.path.join(".");
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let key = if path.is_empty() || path == *name || path.ends_with(&format!(".{name}")) {
                if path.is_empty() { name.clone() } else { path }
            } else {
                format!("{path}.{name}")
            };
            let source = layers.find_metadata(&key).map(|metadata| metadata.name.to_string()).or(source);
            Fault { key, value: None, allowed: format!("unknown key; there are {}", known.join(", ")), source }
        }
        Kind::MissingField(name) => {
            let key = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            Fault { key, value: None, allowed: "is missing".to_owned(), source }
        }
        kind => {
            let allowed =
                Config::allowed(&path).map_or_else(|| kind.to_string(), |allowed| format!("must be {allowed}"));
            let value = layers.find_value(&path).ok().filter(|_| !path.starts_with(SECRETS));
            Fault { value: value.map(|value| show(&value)), key: path, allowed, source }
        }
    }
}

/// A value as people write it.
fn show(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Char(_, letter) => format!("\"{letter}\""),
        Value::Bool(_, truth) => truth.to_string(),
        Value::Num(_, number) => number
            .to_u128()
            .map(|number| number.to_string())
            .or_else(|| number.to_i128().map(|number| number.to_string()))
            .or_else(|| number.to_f64().map(|number| number.to_string()))
            .unwrap_or_default(),
        Value::Array(_, values) => format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Dict(..) => "a table".to_owned(),
        Value::Empty(..) => "nothing".to_owned(),
    }
}
