//! What is wrong with a configuration, for whoever has to mend it: the key, the value, what is allowed.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `section.key`, or the file that cannot be read.
    pub key: String,
    /// As it was given; `None`: it is missing or has no value of its own.
    pub value: Option<String>,
    /// What is allowed, or what is wrong.
    pub allowed: String,
    /// Which file or variable said so.
    pub source: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if let Some(source) = &self.source {
            write!(f, " (in {source})")?;
        }
        write!(f, ": {}", self.allowed)
    }
}

/// The configuration cannot be used. Nothing was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("configuration is not valid\n{}", lines(.faults))]
pub struct ConfigError {
    /// Everything that is wrong, as far as it could be read.
    pub faults: Vec<Fault>,
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("  {fault}")).collect::<Vec<_>>().join("\n")
}
