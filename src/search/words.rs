//! Words: runs of letters and digits, in lower case and without accents, each behind its tenant's name.

use std::ops::Range;

use actors::ports::WORD_MAX;
use schema::ids::TenantId;
use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, PreTokenizedString, RemoveLongFilter, SimpleTokenizer, TextAnalyzer, Token,
};

/// Between a tenant's name and a word: no slug and no word holds it.
const BOUNDARY: char = '\0';

/// The words of a text and where they stand, in bytes.
pub(super) fn of(text: &str) -> Vec<(Range<usize>, String)> {
    let mut words = Vec::new();
    each(text, |token| words.push((token.offset_from..token.offset_to, token.text.clone())));
    words
}

/// The words of a text as the index takes them.
pub(super) fn tokens(tenant: &TenantId, text: &str) -> PreTokenizedString {
    let mut tokens = Vec::new();
    each(text, |token| tokens.push(Token { text: keyed(tenant, &token.text), ..token.clone() }));
    PreTokenizedString { text: String::new(), tokens }
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

fn each(text: &str, mut take: impl FnMut(&Token)) {
    let mut analyzer = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(WORD_MAX))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .build();
    analyzer.token_stream(text).process(&mut |token| take(token));
}
