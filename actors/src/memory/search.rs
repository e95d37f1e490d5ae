//! The simplest search: keeps every text and looks through all of them.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use schema::ids::{ContactId, Offset, TenantId};

use crate::ports::{
    Search, SearchBatch, SearchCheckpoint, SearchDocument, SearchError, SearchMatch, SearchMatches, SearchQuery,
    WORD_MAX, WORDS_MAX,
};

/// An index in memory.
#[derive(Default)]
pub struct MemorySearch {
    tenants: Mutex<HashMap<TenantId, Indexed>>,
}

#[derive(Default)]
struct Indexed {
    checkpoint: Option<SearchCheckpoint>,
    documents: BTreeMap<Offset, SearchDocument>,
}

impl MemorySearch {
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Indexed>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Search for MemorySearch {
    async fn checkpoint(&self, tenant: &TenantId) -> Result<Option<SearchCheckpoint>, SearchError> {
        Ok(self.lock().get(tenant).and_then(|indexed| indexed.checkpoint))
    }

    async fn index(&self, batch: SearchBatch) -> Result<(), SearchError> {
        let mut tenants = self.lock();
        let indexed = tenants.entry(batch.tenant).or_default();
        indexed.documents.extend(batch.documents.into_iter().map(|document| (document.offset, document)));
        indexed.checkpoint = Some(batch.checkpoint);
        Ok(())
    }

    async fn commit(&self) -> Result<(), SearchError> {
        Ok(())
    }

    async fn find(&self, query: SearchQuery) -> Result<SearchMatches, SearchError> {
        let asked = question(&query.text)?;
        let tenants = self.lock();
        let Some(indexed) = tenants.get(&query.tenant) else {
            return Ok(SearchMatches { checkpoint: None, matches: Vec::new(), more: false });
        };
        let older = indexed.documents.range(..query.before.unwrap_or(Offset(u64::MAX))).rev();
        let mut found = older.map(|(_, document)| document).filter(|document| {
            let words: Vec<String> = words(&document.text).map(|(_, word)| word).collect();
            document.audience <= query.audience
                && asked.iter().all(|(word, whole)| words.iter().any(|known| matches(known, word, *whole)))
        });
        let of =
            |document: &SearchDocument| SearchMatch { offset: document.offset, conversation: document.conversation };
        let found_matches: Vec<SearchMatch> = found.by_ref().take(query.limit).map(of).collect();
        Ok(SearchMatches { checkpoint: indexed.checkpoint, matches: found_matches, more: found.next().is_some() })
    }

    async fn forget(&self, tenant: &TenantId, subject: ContactId) -> Result<(), SearchError> {
        if let Some(indexed) = self.lock().get_mut(tenant) {
            indexed.documents.retain(|_, document| document.subject != subject);
        }
        Ok(())
    }

    async fn clear(&self, tenant: &TenantId) -> Result<(), SearchError> {
        self.lock().remove(tenant);
        Ok(())
    }

    fn highlight(&self, asked: &str, text: &str) -> Vec<Range<usize>> {
        let Ok(asked) = question(asked) else { return Vec::new() };
        let hit = |known: &String| asked.iter().any(|(word, whole)| matches(known, word, *whole));
        words(text).filter(|(_, known)| hit(known)).map(|(range, _)| range).collect()
    }
}

fn matches(known: &str, asked: &str, whole: bool) -> bool {
    if whole { known == asked } else { known.starts_with(asked) }
}

/// The words of a question; all but the last must be whole.
fn question(text: &str) -> Result<Vec<(String, bool)>, SearchError> {
    let mut asked: Vec<(String, bool)> = words(text).map(|(_, word)| (word, true)).collect();
    if asked.is_empty() || asked.len() > WORDS_MAX {
        return Err(SearchError::Query(format!("must hold 1 to {WORDS_MAX} words")));
    }
    if let Some((_, whole)) = asked.last_mut() {
        *whole = false;
    }
    Ok(asked)
}

/// Runs of letters and digits, in lower case.
fn words(text: &str) -> impl Iterator<Item = (Range<usize>, String)> + '_ {
    let start = text.as_ptr() as usize;
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && word.len() < WORD_MAX).map(
        move |word| {
            let at = word.as_ptr() as usize - start;
            (at..at + word.len(), word.to_lowercase())
        },
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn search_in_memory_keeps_the_contract() {
        crate::contracts::search::suite(|| Arc::new(MemorySearch::default())).await;
    }
}
