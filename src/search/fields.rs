//! The fields of the index, and what documents and terms are made of.

use actors::ports::{Audience, SearchCheckpoint, SearchDocument};
use schema::ids::{ContactId, ConversationId, TenantId};
use tantivy::{
    Term,
    schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions},
};
use uuid::Uuid;

use super::{Document, words};

/// Every field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// The tenant's name and a word, for every word.
    pub(super) words: Field,
    /// The event; in a checkpoint, how far the index is.
    pub(super) offset: Field,
    tenant: Field,
    subject: Field,
    audience: Field,
    conversation_high: Field,
    conversation_low: Field,
    checkpoint: Field,
    epoch: Field,
}

const EVERYONE: u64 = 0;
const OPERATORS: u64 = 1;

impl Fields {
    pub(super) fn new() -> (Self, Schema) {
        let mut schema = Schema::builder();
        let plain = TextFieldIndexing::default()
            .set_tokenizer(words::TOKENIZER)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let fields = Self {
            words: schema.add_text_field("words", TextOptions::default().set_indexing_options(plain)),
            offset: schema.add_u64_field("offset", FAST),
            tenant: schema.add_text_field("tenant", STRING),
            subject: schema.add_text_field("subject", STRING),
            audience: schema.add_u64_field("audience", INDEXED),
            conversation_high: schema.add_u64_field("conversation_high", FAST),
            conversation_low: schema.add_u64_field("conversation_low", FAST),
            checkpoint: schema.add_text_field("checkpoint", STRING),
            epoch: schema.add_u64_field("epoch", FAST),
        };
        (fields, schema.build())
    }

    pub(super) fn document(&self, tenant: &TenantId, from: &SearchDocument) -> Document {
        let (high, low) = from.conversation.0.as_u64_pair();
        let mut document = Document::new();
        document.add_text(self.words, words::owned(tenant, &from.text));
        document.add_u64(self.offset, from.offset.0);
        document.add_text(self.tenant, tenant.as_str());
        document.add_text(self.subject, subject_key(tenant, from.subject));
        document.add_u64(self.audience, if from.audience == Audience::Everyone { EVERYONE } else { OPERATORS });
        document.add_u64(self.conversation_high, high);
        document.add_u64(self.conversation_low, low);
        document
    }

    pub(super) fn checkpoint(&self, tenant: &TenantId, at: SearchCheckpoint) -> Document {
        let mut document = Document::new();
        document.add_text(self.checkpoint, tenant.as_str());
        document.add_u64(self.epoch, at.epoch.0);
        document.add_u64(self.offset, at.offset.0);
        document
    }

    pub(super) fn checkpoint_of(&self, tenant: &TenantId) -> Term {
        Term::from_field_text(self.checkpoint, tenant.as_str())
    }

    pub(super) fn tenant_of(&self, tenant: &TenantId) -> Term {
        Term::from_field_text(self.tenant, tenant.as_str())
    }

    pub(super) fn subject_of(&self, tenant: &TenantId, subject: ContactId) -> Term {
        Term::from_field_text(self.subject, &subject_key(tenant, subject))
    }

    pub(super) fn operators_only(&self) -> Term {
        Term::from_field_u64(self.audience, OPERATORS)
    }
}

fn subject_key(tenant: &TenantId, subject: ContactId) -> String {
    format!("{tenant}/{subject}")
}

pub(super) fn conversation(high: u64, low: u64) -> ConversationId {
    ConversationId(Uuid::from_u64_pair(high, low))
}
