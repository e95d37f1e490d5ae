//! Configuration: any file, any variable. It is used or refused with the key that is wrong.

use deskwire::config::Config;

use crate::input::texts;

/// A file, a variable's name (behind the prefix) and its value, parted by zero bytes.
pub fn run(data: &[u8]) {
    let [file, name, value] = texts::<3>(data);
    let variable = (!name.is_empty()).then(|| (format!("DESKWIRE__{name}"), value));
    match Config::of_text(&file, variable.into_iter()) {
        Ok(config) => assert!(config.rules().len() > 20, "a configuration without rules"),
        Err(error) => {
            assert!(!error.faults.is_empty(), "refused without a reason");
            assert!(!error.to_string().is_empty());
        }
    }
}
