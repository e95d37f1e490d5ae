//! Search on disk: one tantivy index for all tenants, kept by the indexer from the log.
//!
//! Every word is indexed behind its tenant's name, so that no question can reach a neighbour's words. No text is kept
//! beside the words: snippets are made from the event, which an erased person's key no longer opens.
//! The checkpoints are documents of the index itself: a commit holds both or neither.

mod fields;
#[cfg(test)]
mod tests;
mod words;

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actors::ports::{
    Audience, Search, SearchBatch, SearchCheckpoint, SearchError, SearchMatch, SearchMatches, SearchQuery, WORDS_MAX,
};
use async_trait::async_trait;
use schema::ids::{ContactId, Epoch, Offset, TenantId};
use tantivy::{
    DocAddress, Index, IndexReader, IndexWriter, Order, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term,
    collector::TopDocs,
    directory::MmapDirectory,
    query::{BooleanQuery, InvertedIndexRangeQuery, Occur, Query, RangeQuery, TermQuery},
    schema::IndexRecordOption,
};
use tokio::sync::Semaphore;

use fields::Fields;

/// Questions answered at the same time; more wait.
const QUESTIONS_TOGETHER: usize = 4;
/// Least memory that tantivy takes for its writer.
pub const WRITER_BYTES_MIN: usize = 15_000_000;

/// A tantivy index in a directory of its own. Cheap to clone.
#[derive(Clone)]
pub struct DiskSearch {
    inner: Arc<Inner>,
}

struct Inner {
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<Writer>,
    questions: Semaphore,
}

struct Writer {
    index: IndexWriter,
    /// Checkpoints that the next commit holds.
    moved: HashMap<TenantId, SearchCheckpoint>,
}

impl DiskSearch {
    /// Opens the index, or makes it. One that cannot be read is thrown away: the log has all that was in it.
    pub fn open(directory: &Path, writer_bytes: usize) -> Result<Self, SearchError> {
        Self::try_open(directory, writer_bytes).or_else(|error| {
            tracing::warn!(%error, "the search index cannot be read and is made anew");
            let anew = std::fs::remove_dir_all(directory);
            anew.map_err(|error| SearchError::Unavailable(format!("search directory: {error}")))?;
            Self::try_open(directory, writer_bytes).map_err(unavailable)
        })
    }

    fn try_open(directory: &Path, writer_bytes: usize) -> tantivy::Result<Self> {
        let missing = |error| TantivyError::OpenDirectoryError(open_error(error, directory.to_owned()));
        std::fs::create_dir_all(directory).map_err(missing)?;
        let (fields, schema) = Fields::new();
        let index = Index::open_or_create(MmapDirectory::open(directory)?, schema)?;
        index.tokenizers().register(words::TOKENIZER, words::KeyedWords::new());
        let writer = index.writer_with_num_threads(1, writer_bytes.max(WRITER_BYTES_MIN))?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let writer = Mutex::new(Writer { index: writer, moved: HashMap::new() });
        let questions = Semaphore::new(QUESTIONS_TOGETHER);
        Ok(Self { inner: Arc::new(Inner { fields, reader, writer, questions }) })
    }

    /// Runs on a thread where waiting for a disk is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> tantivy::Result<T> + Send + 'static,
    ) -> Result<T, SearchError> {
        let inner = self.inner.clone();
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result.map_err(unavailable),
            Err(_) => Err(SearchError::Unavailable("the index's thread has failed".to_owned())),
        }
    }
}

fn open_error(error: std::io::Error, directory: PathBuf) -> tantivy::directory::error::OpenDirectoryError {
    tantivy::directory::error::OpenDirectoryError::wrap_io_error(error, directory)
}

fn unavailable(error: impl std::fmt::Display) -> SearchError {
    SearchError::Unavailable(error.to_string())
}

impl Inner {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After an error the index is where its last commit was.
    fn write<T>(&self, change: impl FnOnce(&Self, &mut Writer) -> tantivy::Result<T>) -> tantivy::Result<T> {
        let writer = &mut *self.writer();
        let result = change(self, writer);
        if result.is_err() {
            writer.moved.clear();
            writer.index.rollback()?;
        }
        result
    }

    fn add(&self, writer: &mut Writer, batch: SearchBatch) -> tantivy::Result<()> {
        for document in &batch.documents {
            writer.index.add_document(self.fields.document(&batch.tenant, document))?;
        }
        writer.moved.insert(batch.tenant, batch.checkpoint);
        Ok(())
    }

    fn commit(&self, writer: &mut Writer) -> tantivy::Result<()> {
        for (tenant, checkpoint) in std::mem::take(&mut writer.moved) {
            writer.index.delete_term(self.fields.checkpoint_of(&tenant));
            writer.index.add_document(self.fields.checkpoint(&tenant, checkpoint))?;
        }
        writer.index.commit()?;
        self.reader.reload()
    }

    /// Deleted words stay in their segment until it is written anew: do that now.
    fn purge(&self, writer: &mut Writer) -> tantivy::Result<()> {
        for segment in writer.index.index().searchable_segment_metas()? {
            if segment.has_deletes() {
                writer.index.merge(&[segment.id()]).wait()?;
            }
        }
        writer.index.garbage_collect_files().wait()?;
        self.reader.reload()
    }

    fn committed(&self, searcher: &Searcher, tenant: &TenantId) -> tantivy::Result<Option<SearchCheckpoint>> {
        let query = TermQuery::new(self.fields.checkpoint_of(tenant), IndexRecordOption::Basic);
        let found = searcher.search(&query, &TopDocs::with_limit(1).order_by_score())?;
        let Some((_, at)) = found.first() else { return Ok(None) };
        let (epoch, offset) = (number(searcher, "epoch", *at)?, number(searcher, "offset", *at)?);
        Ok(Some(SearchCheckpoint { epoch: Epoch(epoch), offset: Offset(offset) }))
    }

    fn find(&self, asked: &[String], query: &SearchQuery) -> tantivy::Result<SearchMatches> {
        let searcher = self.reader.searcher();
        let checkpoint = self.committed(&searcher, &query.tenant)?;
        let newest = TopDocs::with_limit(query.limit + 1).order_by_fast_field::<u64>("offset", Order::Desc);
        let found = searcher.search(&self.query(asked, query), &newest)?;
        let mut matches = Vec::with_capacity(query.limit);
        for (_, at) in found.iter().take(query.limit) {
            let high = number(&searcher, "conversation_high", *at)?;
            let low = number(&searcher, "conversation_low", *at)?;
            let offset = Offset(number(&searcher, "offset", *at)?);
            matches.push(SearchMatch { offset, conversation: fields::conversation(high, low) });
        }
        Ok(SearchMatches { checkpoint, matches, more: found.len() > query.limit })
    }

    /// All words, the last as a beginning.
    fn query(&self, asked: &[String], query: &SearchQuery) -> BooleanQuery {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::with_capacity(asked.len() + 2);
        let (last, whole) = asked.split_last().expect("a question holds at least one word");
        for word in whole {
            let term = Term::from_field_text(self.fields.words, &words::keyed(&query.tenant, word));
            clauses.push((Occur::Must, Box::new(TermQuery::new(term, IndexRecordOption::Basic))));
        }
        let (from, to) = words::beginning(&query.tenant, last);
        let bound = |text: &str| Term::from_field_text(self.fields.words, text);
        let beginning = InvertedIndexRangeQuery::new(
            std::ops::Bound::Included(bound(&from)),
            std::ops::Bound::Excluded(bound(&to)),
        );
        clauses.push((Occur::Must, Box::new(beginning)));
        if query.audience < Audience::Operators {
            let hidden = TermQuery::new(self.fields.operators_only(), IndexRecordOption::Basic);
            clauses.push((Occur::MustNot, Box::new(hidden)));
        }
        if let Some(before) = query.before {
            let older = Term::from_field_u64(self.fields.offset, before.0);
            let range = RangeQuery::new(std::ops::Bound::Unbounded, std::ops::Bound::Excluded(older));
            clauses.push((Occur::Must, Box::new(range)));
        }
        BooleanQuery::new(clauses)
    }
}

/// A number of a document, from its column.
fn number(searcher: &Searcher, field: &str, at: DocAddress) -> tantivy::Result<u64> {
    let column = searcher.segment_reader(at.segment_ord).fast_fields().u64(field)?;
    Ok(column.first(at.doc_id).unwrap_or_default())
}

#[async_trait]
impl Search for DiskSearch {
    async fn checkpoint(&self, tenant: &TenantId) -> Result<Option<SearchCheckpoint>, SearchError> {
        let tenant = tenant.clone();
        self.blocking(move |inner| {
            let moved = inner.writer().moved.get(&tenant).copied();
            moved.map_or_else(|| inner.committed(&inner.reader.searcher(), &tenant), |moved| Ok(Some(moved)))
        })
        .await
    }

    async fn index(&self, batch: SearchBatch) -> Result<(), SearchError> {
        self.blocking(move |inner| inner.write(|inner, writer| inner.add(writer, batch))).await
    }

    async fn commit(&self) -> Result<(), SearchError> {
        self.blocking(|inner| inner.write(Inner::commit)).await
    }

    async fn find(&self, query: SearchQuery) -> Result<SearchMatches, SearchError> {
        let asked: Vec<String> = words::of(&query.text).into_iter().map(|(_, word)| word).collect();
        if asked.is_empty() || asked.len() > WORDS_MAX {
            return Err(SearchError::Query(format!("must hold 1 to {WORDS_MAX} words")));
        }
        let _turn = self.inner.questions.acquire().await.map_err(unavailable)?;
        self.blocking(move |inner| inner.find(&asked, &query)).await
    }

    async fn forget(&self, tenant: &TenantId, subject: ContactId) -> Result<(), SearchError> {
        let tenant = tenant.clone();
        self.blocking(move |inner| {
            inner.write(|inner, writer| {
                writer.index.delete_term(inner.fields.subject_of(&tenant, subject));
                inner.commit(writer)?;
                inner.purge(writer)
            })
        })
        .await
    }

    async fn clear(&self, tenant: &TenantId) -> Result<(), SearchError> {
        let tenant = tenant.clone();
        self.blocking(move |inner| {
            inner.write(|inner, writer| {
                writer.moved.remove(&tenant);
                writer.index.delete_term(inner.fields.tenant_of(&tenant));
                writer.index.delete_term(inner.fields.checkpoint_of(&tenant));
                inner.commit(writer)
            })
        })
        .await
    }

    fn highlight(&self, question: &str, text: &str) -> Vec<Range<usize>> {
        let mut asked = words::of(question);
        let Some((_, last)) = asked.pop() else { return Vec::new() };
        let hit = |word: &str| word.starts_with(&last) || asked.iter().any(|(_, whole)| whole == word);
        words::of(text).into_iter().filter(|(_, word)| hit(word)).map(|(range, _)| range).collect()
    }
}

/// A document as tantivy takes it.
type Document = TantivyDocument;
