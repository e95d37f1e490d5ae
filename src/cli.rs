//! The command line: subcommands, each a thin caller of app.

pub mod tail;
