//! Search as an operator asks it: by text and name through the index, by address through the routes.

use std::ops::Range;

use schema::{
    address::Address,
    ids::{Offset, TenantId},
    page::{PAGE_MAX, Piece, SearchHit, SearchPage},
    role::Role,
    wire,
};

use super::{ReadError, Reader};
use crate::ports::{Audience, Search, SearchMatch, SearchQuery};

/// Characters of a snippet.
const SNIPPET_MAX: usize = 200;
/// Characters of a snippet before its first match.
const SNIPPET_LEAD: usize = 40;
/// Longest question, in characters.
const QUESTION_MAX: usize = 200;

/// What an operator asks.
#[derive(Clone)]
pub struct Question {
    /// As typed.
    pub text: String,
    /// In which role.
    pub role: Role,
    /// Only what is older than this event.
    pub before: Option<Offset>,
    /// How many.
    pub limit: usize,
}

impl Reader {
    /// What matches, newest first; the contact too if an address was typed.
    pub async fn search(
        &self,
        index: &dyn Search,
        tenant: &TenantId,
        question: Question,
    ) -> Result<SearchPage, ReadError> {
        if question.text.chars().count() > QUESTION_MAX {
            return Err(ReadError::Invalid { field: "q", reason: format!("is longer than {QUESTION_MAX} characters") });
        }
        let contact = match (Address::typed(&question.text), question.before) {
            (Some(address), None) => self.by_address(tenant, &address).await?,
            _ => None,
        };
        let audience = if question.role >= Role::Operator { Audience::Operators } else { Audience::Everyone };
        let (text, before, limit) = (question.text.clone(), question.before, question.limit.clamp(1, PAGE_MAX));
        let query = SearchQuery { tenant: tenant.clone(), text, audience, before, limit };
        let found = index.find(query).await?;
        let mut hits = Vec::with_capacity(found.matches.len());
        for found in &found.matches {
            hits.extend(self.hit(index, tenant, &question, found).await?);
        }
        let indexed = found.checkpoint.map_or(Offset(0), |checkpoint| checkpoint.offset);
        let anchor = self.log.anchor(&schema::ids::FeedId::of(tenant)).await?;
        let position = schema::page::Position::new(anchor.epoch, indexed);
        let before = found.matches.last().map(|last| last.offset).filter(|_| found.more);
        Ok(SearchPage { position, contact, hits, before })
    }

    /// The event again, as its reader may see it now: erased or hidden ones are no hits.
    async fn hit(
        &self,
        index: &dyn Search,
        tenant: &TenantId,
        question: &Question,
        found: &SearchMatch,
    ) -> Result<Option<SearchHit>, ReadError> {
        let Some(event) = self.event(tenant, found.conversation, found.offset).await? else { return Ok(None) };
        let Some(personal) = event.personal() else { return Ok(None) };
        if !wire::is_visible(&event.fact, question.role) {
            return Ok(None);
        }
        let text = searchable(personal);
        Ok(Some(SearchHit {
            offset: event.header.offset,
            at: event.header.stamp,
            conversation: found.conversation,
            r#type: event.fact.name(),
            snippet: snippet(&text, &index.highlight(&question.text, &text)),
        }))
    }
}

/// What of an event can be found: name and text.
pub(crate) fn searchable(personal: &schema::event::Personal) -> String {
    match (&personal.name, &personal.text) {
        (Some(name), Some(text)) => format!("{name}\n{text}"),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => String::new(),
    }
}

/// A stretch of `text` around its first match, cut at characters, in pieces.
fn snippet(text: &str, matches: &[Range<usize>]) -> Vec<Piece> {
    let first = matches.first().map_or(0, |range| range.start);
    let start = text[..first].char_indices().rev().nth(SNIPPET_LEAD).map_or(0, |(at, _)| at);
    let end = text[start..].char_indices().nth(SNIPPET_MAX).map_or(text.len(), |(at, _)| start + at);
    let mut pieces = Vec::new();
    let mut at = start;
    for range in matches.iter().filter(|range| range.start >= start && range.end <= end) {
        push(&mut pieces, &text[at..range.start], false);
        push(&mut pieces, &text[range.clone()], true);
        at = range.end;
    }
    push(&mut pieces, &text[at..end], false);
    if start > 0
        && let Some(first) = pieces.first_mut()
    {
        first.text.insert(0, '…');
    }
    if end < text.len() {
        push(&mut pieces, "…", false);
    }
    pieces
}

fn push(pieces: &mut Vec<Piece>, text: &str, hit: bool) {
    if !text.is_empty() {
        pieces.push(Piece { text: text.to_owned(), hit });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_the_match_and_what_is_around_it() {
        let text = format!("{}needle{}", "é ".repeat(100), " x".repeat(300));
        let at = text.find("needle").expect("it is there");
        let pieces = snippet(&text, std::slice::from_ref(&(at..at + 6)));
        assert_eq!(
            pieces.iter().filter(|piece| piece.hit).map(|piece| piece.text.as_str()).collect::<Vec<_>>(),
            ["needle"]
        );
        let whole: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert!(whole.starts_with('…') && whole.ends_with('…') && whole.chars().count() < SNIPPET_MAX + 4);
    }

    #[test]
    fn a_short_text_is_its_own_snippet() {
        let pieces = snippet("see you at five", &[]);
        assert_eq!(pieces, [Piece { text: "see you at five".into(), hit: false }]);
    }
}
