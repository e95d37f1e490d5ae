//! Who calls: the operator of a verified token, in the role the tenant gives them.

use actors::tenant::TenantHandle;
use axum::{extract::FromRequestParts, http::request::Parts};
use schema::{
    event::{Author, Origin, Via},
    ids::{OperatorId, RequestId, TenantId},
    problem::Code,
    role::Role,
};

use super::answer::Failure;

/// An operator who was let in.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) tenant: TenantHandle,
    pub(super) operator: OperatorId,
    pub(super) role: Role,
    pub(super) request: RequestId,
}

impl Caller {
    /// The only tenant this request can reach.
    pub(super) fn tenant_id(&self) -> &TenantId {
        self.tenant.id()
    }

    /// Who, from where and by which request: what the log keeps.
    pub(super) fn origin(&self) -> Origin {
        Origin { by: Author::Operator(self.operator.clone()), via: Via::Rest, request: self.request }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    /// Put there by the door; a route without a door has no caller.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Failure::new(Code::Unauthorized))
    }
}
