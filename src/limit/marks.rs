//! What this node was ever granted of days, on disk: one line a level and date, `begins ends had key`, written whole and
//! renamed, fsynced before a part is used. An emptied Redis is told from it, and gives nothing twice.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use actors::pace::DayMark;

/// A day is remembered for so long after its end, microseconds.
const KEEP: u64 = 86_400_000_000;

/// The file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The disk.
    #[error("{path} cannot be used: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A line that nobody wrote.
    #[error(
        "{path}, line {line}, is not one of ours: what was sent today is not known. Remove the file after midnight (Pacific time)"
    )]
    Damaged {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
    },
}

/// The file.
pub struct Marks {
    path: PathBuf,
    known: Mutex<BTreeMap<String, DayMark>>,
}

impl Marks {
    /// Reads it. The marks are none where there never was a file: this node kept no account so far.
    pub fn open(path: &Path) -> Result<(Self, Option<Vec<DayMark>>), MarkError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(MarkError::Io { path: path.display().to_string(), source }),
        };
        let damaged = |at: usize| MarkError::Damaged { path: path.display().to_string(), line: at + 1 };
        let lines = text.as_deref().unwrap_or_default().lines().enumerate();
        let marks: Result<Vec<DayMark>, MarkError> =
            lines.map(|(at, line)| read(line).ok_or_else(|| damaged(at))).collect();
        let marks = marks?;
        let known = marks.iter().map(|mark| (mark.key.clone(), mark.clone())).collect();
        Ok((Self { path: path.to_owned(), known: Mutex::new(known) }, text.map(|_| marks)))
    }

    /// Durable when it returns. A smaller mark than the known one changes nothing.
    pub fn keep(&self, mark: DayMark) -> Result<(), MarkError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(&mark.key).map_or(0, |known| known.had);
        let begins = mark.begins;
        known.insert(mark.key.clone(), DayMark { had: mark.had.max(before), ..mark });
        known.retain(|_, known| known.ends + KEEP > begins);
        self.write(&known).map_err(|source| MarkError::Io { path: self.path.display().to_string(), source })
    }

    fn write(&self, known: &BTreeMap<String, DayMark>) -> io::Result<()> {
        let next = self.path.with_extension("next");
        let mut file = File::create(&next)?;
        for DayMark { key, begins, ends, had } in known.values() {
            writeln!(file, "{begins} {ends} {had} {key}")?;
        }
        file.sync_all()?;
        fs::rename(&next, &self.path)?;
        let directory = self.path.parent().unwrap_or_else(|| Path::new("."));
        File::open(directory)?.sync_all()
    }
}

fn read(line: &str) -> Option<DayMark> {
    let mut words = line.splitn(4, ' ');
    let mut number = || words.next()?.parse().ok();
    let (begins, ends, had) = (number()?, number()?, number()?);
    let key = words.next().filter(|key| !key.is_empty())?.to_owned();
    Some(DayMark { key, begins, ends, had })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(key: &str, had: u64) -> DayMark {
        DayMark { key: key.to_owned(), begins: 1_000 * KEEP, ends: 1_001 * KEEP, had }
    }

    #[test]
    fn what_was_had_of_a_day_is_there_after_a_restart_and_never_less() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pace");
        let (marks, before) = Marks::open(&path).unwrap();
        assert_eq!(before, None, "it kept no account so far");
        marks.keep(mark("day:a", 5)).unwrap();
        marks.keep(mark("day:b", 7)).unwrap();
        marks.keep(mark("day:a", 3)).unwrap();
        let (marks, before) = Marks::open(&path).unwrap();
        assert_eq!(before, Some(vec![mark("day:a", 5), mark("day:b", 7)]));
        let later = DayMark { begins: 1_003 * KEEP, ends: 1_004 * KEEP, ..mark("day:c", 1) };
        marks.keep(later.clone()).unwrap();
        assert_eq!(Marks::open(&path).unwrap().1, Some(vec![later]), "days that are long over are dropped");
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pace");
        fs::write(&path, "1 2 3 day:a\nwhatever\n").unwrap();
        assert!(matches!(Marks::open(&path), Err(MarkError::Damaged { line: 2, .. })));
    }
}
