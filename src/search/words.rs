//! Words: runs of letters and digits, in lower case and without accents, each behind its tenant's name.

use std::ops::Range;

use actors::ports::WORD_MAX;
use schema::ids::TenantId;
use tantivy::tokenizer::{
    AsciiFoldingFilter, BoxTokenStream, LowerCaser, RemoveLongFilter, SimpleTokenizer, TextAnalyzer, Token,
    TokenStream, Tokenizer,
};

/// What the index calls [`KeyedWords`].
pub(super) const TOKENIZER: &str = "words-of-a-tenant";
/// Between a tenant's name and a word: no slug and no word holds it.
const BOUNDARY: char = '\0';

/// The words of a text and where they stand, in bytes.
pub(super) fn of(text: &str) -> Vec<(Range<usize>, String)> {
    let mut words = Vec::new();
    let mut take = |token: &Token| words.push((token.offset_from..token.offset_to, token.text.clone()));
    analyzer().token_stream(text).process(&mut take);
    words
}

/// A text as [`KeyedWords`] takes it.
pub(super) fn owned(tenant: &TenantId, text: &str) -> String {
    keyed(tenant, text)
}

/// Splits [`owned`] texts on the index's own thread: every word behind the text's tenant.
#[derive(Clone)]
pub(super) struct KeyedWords(TextAnalyzer);

impl KeyedWords {
    pub(super) fn new() -> Self {
        Self(analyzer())
    }
}

impl Tokenizer for KeyedWords {
    type TokenStream<'a> = KeyedStream<'a>;

    fn token_stream<'a>(&'a mut self, owned: &'a str) -> KeyedStream<'a> {
        let start = owned.find(BOUNDARY).map_or(0, |at| at + BOUNDARY.len_utf8());
        let (owner, text) = owned.split_at(start);
        KeyedStream { owner, words: self.0.token_stream(text) }
    }
}

/// The words of one text.
pub(super) struct KeyedStream<'a> {
    /// The tenant's name with its boundary.
    owner: &'a str,
    words: BoxTokenStream<'a>,
}

impl TokenStream for KeyedStream<'_> {
    fn advance(&mut self) -> bool {
        if !self.words.advance() {
            return false;
        }
        self.words.token_mut().text.insert_str(0, self.owner);
        true
    }

    fn token(&self) -> &Token {
        self.words.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.words.token_mut()
    }
}

/// A word as it stands in the index.
pub(super) fn keyed(tenant: &TenantId, word: &str) -> String {
    format!("{tenant}{BOUNDARY}{word}")
}

/// The range of a tenant's words that begin so: from, and before.
pub(super) fn beginning(tenant: &TenantId, word: &str) -> (String, String) {
    let from = keyed(tenant, word);
    let before = format!("{from}{}", char::MAX);
    (from, before)
}

fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What the index takes is what questions and highlights see, behind the tenant's name.
        #[test]
        fn the_index_takes_every_word_of_a_text_behind_its_tenant(text in "(\\PC| |[a-zÀ-ÿ]){0,80}") {
            let tenant = TenantId::new("a-tenant").expect("a slug");
            let mut taken = Vec::new();
            KeyedWords::new().token_stream(&owned(&tenant, &text)).process(&mut |token| taken.push(token.text.clone()));
            let wanted: Vec<String> = of(&text).iter().map(|(_, word)| keyed(&tenant, word)).collect();
            prop_assert_eq!(taken, wanted);
        }
    }
}
