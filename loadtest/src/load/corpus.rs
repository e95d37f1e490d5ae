//! What contacts write: the lines of a file of real texts, or sentences put together when there is none.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Longest text, in characters, as carriers take them.
const LONGEST: usize = 1_600;
/// Lines that are read; more would only cost memory.
const LINES_MAX: usize = 1_000_000;
/// Texts made when there is no file.
const MADE: usize = 5_000;

/// Texts to choose from.
#[derive(Debug)]
pub struct Corpus(Vec<Box<str>>);

const OPENINGS: &[&str] =
    &["Hi", "Hello", "Good morning", "Hey there", "Sorry to bother you", "Quick question", "Hi again"];
const SUBJECTS: &[&str] = &[
    "my kitchen sink",
    "the boiler",
    "our appointment",
    "the invoice",
    "the blue hatchback",
    "our table",
    "the delivery",
    "the quote",
];
const MATTERS: &[&str] = &[
    "is leaking again",
    "makes a strange noise",
    "has to be moved",
    "is not what we agreed",
    "should be ready by now",
    "was for four people",
    "has not come yet",
    "looks too high to me",
];
const ENDINGS: &[&str] = &[
    "Can you come today?",
    "Please call me back.",
    "Any time after 3 works.",
    "Thank you so much 🙏",
    "What do you think?",
    "I am at home until five, the bell does not work so please knock.",
    "Merci, à bientôt",
    "ok?",
];

impl Corpus {
    /// One text a line; empty lines are left out, longer ones than carriers take are cut.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("the corpus {}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES_MAX);
        let texts: Vec<Box<str>> = lines.map(|line| line.chars().take(LONGEST).collect::<String>().into()).collect();
        ensure!(!texts.is_empty(), "the corpus {} holds no text", path.display());
        Ok(Self(texts))
    }

    /// Sentences put together.
    pub fn made(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut one = |of: &[&'static str]| of[dice.random_range(0..of.len())];
        let mut text = || format!("{}, {} {}. {}", one(OPENINGS), one(SUBJECTS), one(MATTERS), one(ENDINGS)).into();
        Self((0..MADE).map(|_| text()).collect())
    }

    /// One of them.
    pub fn text(&self, dice: usize) -> &str {
        &self.0[dice % self.0.len()]
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_gives_its_lines_and_an_empty_one_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "one\r\n\n  two \n{}\n\u{fffd}", "x".repeat(2_000)).unwrap();
        let corpus = Corpus::read(file.path()).unwrap();
        assert_eq!((corpus.text(0), corpus.text(1), corpus.text(5)), ("one", "two", "two"));
        assert_eq!(corpus.text(2).len(), 1_600);
        assert!(Corpus::read(tempfile::NamedTempFile::new().unwrap().path()).is_err());
    }

    #[test]
    fn made_texts_differ_and_repeat_with_their_seed() {
        let (made, again) = (Corpus::made(3), Corpus::made(3));
        assert!((0..100).any(|dice| made.text(dice) != made.text(0)));
        assert!((0..100).all(|dice| made.text(dice) == again.text(dice)));
    }
}
