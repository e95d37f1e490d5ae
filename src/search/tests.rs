//! The index on disk keeps the contract, its place over a crash, and nothing of a person who was erased.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use actors::ports::SearchDocument;
use schema::ids::ConversationId;
use uuid::Uuid;

use super::*;

fn open(directory: &Path) -> DiskSearch {
    DiskSearch::open(directory, WRITER_BYTES_MIN).expect("open")
}

fn batch(offset: u64, contact: u128, text: &str) -> SearchBatch {
    SearchBatch {
        tenant: TenantId::new("a").expect("a slug"),
        documents: vec![SearchDocument {
            offset: Offset(offset),
            conversation: ConversationId(Uuid::from_u128(contact)),
            subject: ContactId(Uuid::from_u128(contact)),
            audience: Audience::Everyone,
            text: text.to_owned(),
        }],
        checkpoint: SearchCheckpoint { epoch: Epoch(1), offset: Offset(offset) },
    }
}

async fn offsets(search: &DiskSearch, text: &str) -> Vec<u64> {
    let query = SearchQuery {
        tenant: TenantId::new("a").expect("a slug"),
        text: text.to_owned(),
        audience: Audience::Operators,
        before: None,
        limit: 100,
    };
    let found = search.find(query).await.expect("find");
    found.matches.iter().map(|found| found.offset.0).collect()
}

#[tokio::test]
async fn search_on_disk_keeps_the_contract() {
    let directories = Mutex::new(Vec::new());
    actors::contracts::search::suite(|| {
        let directory = tempfile::tempdir().expect("tempdir");
        let search = open(directory.path());
        directories.lock().expect("no panic").push(directory);
        Arc::new(search)
    })
    .await;
}

#[tokio::test]
async fn after_a_crash_the_index_is_where_its_last_commit_was() {
    let directory = tempfile::tempdir().expect("tempdir");
    let search = open(directory.path());
    search.index(batch(1, 1, "kept")).await.expect("index");
    search.commit().await.expect("commit");
    search.index(batch(2, 1, "lost")).await.expect("index");
    drop(search);

    let search = open(directory.path());
    let tenant = TenantId::new("a").expect("a slug");
    let checkpoint = search.checkpoint(&tenant).await.expect("checkpoint").expect("indexed");
    assert_eq!(checkpoint, SearchCheckpoint { epoch: Epoch(1), offset: Offset(1) });
    assert_eq!(offsets(&search, "lost").await, [0; 0]);
    search.index(batch(2, 1, "lost")).await.expect("index");
    search.commit().await.expect("commit");
    assert_eq!(offsets(&search, "lost").await, [2], "once, not twice");
    assert_eq!(offsets(&search, "kept").await, [1]);
}

#[tokio::test]
async fn words_are_found_without_their_accents() {
    let directory = tempfile::tempdir().expect("tempdir");
    let search = open(directory.path());
    search.index(batch(1, 1, "José kommt um fünf")).await.expect("index");
    search.commit().await.expect("commit");
    assert_eq!(offsets(&search, "jose").await, [1]);
    assert_eq!(offsets(&search, "FÜNF").await, [1]);
    let marked = search.highlight("jose", "¡José!");
    assert_eq!(marked.into_iter().map(|range| &"¡José!"[range]).collect::<Vec<_>>(), ["José"]);
}

#[tokio::test]
async fn no_segment_of_the_index_holds_a_word_of_an_erased_person() {
    let directory = tempfile::tempdir().expect("tempdir");
    let search = open(directory.path());
    search.index(batch(1, 1, "xylophonist")).await.expect("index");
    search.index(batch(2, 2, "neighbour")).await.expect("index");
    search.commit().await.expect("commit");
    assert_eq!(words_on_disk(directory.path()), ["a\0neighbour", "a\0xylophonist"]);
    search.forget(&TenantId::new("a").expect("a slug"), ContactId(Uuid::from_u128(1))).await.expect("forget");
    assert_eq!(words_on_disk(directory.path()), ["a\0neighbour"]);
    assert_eq!(offsets(&search, "neighbour").await, [2]);
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_made_anew() {
    let directory = tempfile::tempdir().expect("tempdir");
    drop(open(directory.path()));
    std::fs::write(directory.path().join("meta.json"), b"{").expect("write");
    let search = open(directory.path());
    search.index(batch(1, 1, "again")).await.expect("index");
    search.commit().await.expect("commit");
    assert_eq!(offsets(&search, "again").await, [1]);
}

fn words_on_disk(directory: &Path) -> Vec<String> {
    let index = Index::open_in_dir(directory).expect("open");
    let field = index.schema().get_field("words").expect("a field");
    let mut words = Vec::new();
    for segment in index.reader().expect("reader").searcher().segment_readers() {
        let inverted = segment.inverted_index(field).expect("inverted index");
        let mut terms = inverted.terms().stream().expect("stream");
        while terms.advance() {
            words.push(String::from_utf8(terms.key().to_vec()).expect("words are text"));
        }
    }
    words.sort();
    words
}
