//! What every search index promises.

use std::sync::Arc;

use schema::ids::{ContactId, ConversationId, Epoch, Offset, TenantId};
use uuid::Uuid;

use crate::ports::{
    Audience, Search, SearchBatch, SearchCheckpoint, SearchDocument, SearchError, SearchMatches, SearchQuery,
};

/// Runs every promise on a fresh index.
pub async fn suite<S: Search + ?Sized>(fresh: impl Fn() -> Arc<S>) {
    what_was_written_is_found_newest_first_page_by_page(&*fresh()).await;
    every_word_must_occur_and_the_last_may_be_a_beginning(&*fresh()).await;
    nobody_finds_what_is_another_tenants(&*fresh()).await;
    notes_are_found_only_by_who_may_see_them(&*fresh()).await;
    an_erased_person_is_not_found(&*fresh()).await;
    the_checkpoint_moves_with_what_is_indexed(&*fresh()).await;
    a_cleared_tenant_begins_anew_and_its_neighbour_stays(&*fresh()).await;
    a_question_without_words_is_refused(&*fresh()).await;
    the_words_of_a_question_are_marked_where_they_stand(&*fresh()).await;
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a slug")
}

fn document(offset: u64, contact: u128, text: &str) -> SearchDocument {
    SearchDocument {
        offset: Offset(offset),
        conversation: ConversationId(Uuid::from_u128(contact << 64 | 7)),
        subject: ContactId(Uuid::from_u128(contact)),
        audience: Audience::Everyone,
        text: text.to_owned(),
    }
}

async fn index<S: Search + ?Sized>(search: &S, name: &str, documents: Vec<SearchDocument>) {
    let offset = documents.iter().map(|document| document.offset).max().unwrap_or_default();
    let checkpoint = SearchCheckpoint { epoch: Epoch(1), offset };
    search.index(SearchBatch { tenant: tenant(name), documents, checkpoint }).await.expect("index");
    search.commit().await.expect("commit");
}

async fn ask<S: Search + ?Sized>(
    search: &S,
    name: &str,
    text: &str,
    before: Option<u64>,
    limit: usize,
) -> SearchMatches {
    let query = SearchQuery {
        tenant: tenant(name),
        text: text.to_owned(),
        audience: Audience::Operators,
        before: before.map(Offset),
        limit,
    };
    search.find(query).await.expect("find")
}

async fn offsets<S: Search + ?Sized>(search: &S, name: &str, text: &str) -> Vec<u64> {
    ask(search, name, text, None, 100).await.matches.iter().map(|found| found.offset.0).collect()
}

async fn what_was_written_is_found_newest_first_page_by_page<S: Search + ?Sized>(search: &S) {
    let documents = (1..=5).map(|offset| document(offset, 1, "the boiler leaks")).collect();
    index(search, "a", documents).await;
    let first = ask(search, "a", "boiler", None, 2).await;
    assert_eq!(first.matches.iter().map(|found| found.offset.0).collect::<Vec<_>>(), [5, 4]);
    assert!(first.more);
    assert_eq!(first.matches[0].conversation, ConversationId(Uuid::from_u128(1 << 64 | 7)));
    let rest = ask(search, "a", "boiler", Some(4), 10).await;
    assert_eq!(rest.matches.iter().map(|found| found.offset.0).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(!rest.more);
}

async fn every_word_must_occur_and_the_last_may_be_a_beginning<S: Search + ?Sized>(search: &S) {
    let documents = vec![
        document(1, 1, "Can you come on Tuesday?"),
        document(2, 1, "Tuesday is full, Wednesday then."),
        document(3, 2, "My name is Túy"),
    ];
    index(search, "a", documents).await;
    assert_eq!(offsets(search, "a", "tuesday").await, [2, 1]);
    assert_eq!(offsets(search, "a", "WEDNESDAY tuesday").await, [2]);
    assert_eq!(offsets(search, "a", "tuesday wed").await, [2]);
    assert_eq!(offsets(search, "a", "wed tuesday").await, [0; 0], "only the last word may be a beginning");
    assert_eq!(offsets(search, "a", "monday").await, [0; 0]);
}

async fn nobody_finds_what_is_another_tenants<S: Search + ?Sized>(search: &S) {
    index(search, "a", vec![document(1, 1, "secret of a")]).await;
    index(search, "ab", vec![document(1, 1, "secret of ab")]).await;
    assert_eq!(offsets(search, "a", "secret").await, [1]);
    assert_eq!(offsets(search, "a", "ab").await, [0; 0]);
    assert_eq!(offsets(search, "b", "secret").await, [0; 0]);
    assert_eq!(ask(search, "b", "secret", None, 1).await.checkpoint, None);
}

async fn notes_are_found_only_by_who_may_see_them<S: Search + ?Sized>(search: &S) {
    let note = SearchDocument { audience: Audience::Operators, ..document(2, 1, "difficult customer") };
    index(search, "a", vec![document(1, 1, "a customer wrote"), note]).await;
    assert_eq!(offsets(search, "a", "customer").await, [2, 1]);
    let query = SearchQuery {
        tenant: tenant("a"),
        text: "customer".to_owned(),
        audience: Audience::Everyone,
        before: None,
        limit: 10,
    };
    let found = search.find(query).await.expect("find");
    assert_eq!(found.matches.iter().map(|found| found.offset.0).collect::<Vec<_>>(), [1]);
}

async fn an_erased_person_is_not_found<S: Search + ?Sized>(search: &S) {
    index(search, "a", vec![document(1, 1, "plumber"), document(2, 2, "plumber")]).await;
    search.forget(&tenant("a"), ContactId(Uuid::from_u128(1))).await.expect("forget");
    assert_eq!(offsets(search, "a", "plumber").await, [2]);
    let checkpoint = search.checkpoint(&tenant("a")).await.expect("checkpoint").expect("indexed");
    assert_eq!(checkpoint.offset, Offset(2), "forgetting a person does not set the index back");
}

async fn the_checkpoint_moves_with_what_is_indexed<S: Search + ?Sized>(search: &S) {
    assert_eq!(search.checkpoint(&tenant("a")).await.expect("checkpoint"), None);
    for offset in 1..=3 {
        let checkpoint = SearchCheckpoint { epoch: Epoch(9), offset: Offset(offset * 10) };
        let batch = SearchBatch { tenant: tenant("a"), documents: Vec::new(), checkpoint };
        search.index(batch).await.expect("index");
        assert_eq!(search.checkpoint(&tenant("a")).await.expect("checkpoint"), Some(checkpoint));
        search.commit().await.expect("commit");
        assert_eq!(search.checkpoint(&tenant("a")).await.expect("checkpoint"), Some(checkpoint));
    }
    assert_eq!(ask(search, "a", "word", None, 1).await.checkpoint.expect("indexed").offset, Offset(30));
}

async fn a_cleared_tenant_begins_anew_and_its_neighbour_stays<S: Search + ?Sized>(search: &S) {
    index(search, "a", vec![document(1, 1, "old log")]).await;
    index(search, "b", vec![document(1, 2, "old log")]).await;
    search.clear(&tenant("a")).await.expect("clear");
    assert_eq!(search.checkpoint(&tenant("a")).await.expect("checkpoint"), None);
    search.commit().await.expect("commit");
    assert_eq!(offsets(search, "a", "old").await, [0; 0]);
    assert_eq!(offsets(search, "b", "old").await, [1]);
    index(search, "a", vec![document(1, 1, "new log")]).await;
    assert_eq!(offsets(search, "a", "new").await, [1]);
}

async fn a_question_without_words_is_refused<S: Search + ?Sized>(search: &S) {
    let many = "word ".repeat(crate::ports::WORDS_MAX + 1);
    for text in ["", " ", "?!", &many] {
        let query = SearchQuery {
            tenant: tenant("a"),
            text: text.to_owned(),
            audience: Audience::Everyone,
            before: None,
            limit: 1,
        };
        assert!(matches!(search.find(query).await, Err(SearchError::Query(_))), "{text}");
    }
}

async fn the_words_of_a_question_are_marked_where_they_stand<S: Search + ?Sized>(search: &S) {
    let text = "Où est the Boiler? boilers!";
    let marked: Vec<&str> = search.highlight("the boil", text).into_iter().map(|range| &text[range]).collect();
    assert_eq!(marked, ["the", "Boiler", "boilers"]);
    assert!(search.highlight("?", text).is_empty());
}
