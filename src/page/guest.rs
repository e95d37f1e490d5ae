//! Demo mode's way in: a short-lived token for the page itself, on this machine, and for nobody else.

use schema::{
    ids::{OperatorId, TenantId},
    person::PageToken,
    problem::{Code, Problem},
    role::Role,
};

use super::{PageState, sign_in::VALID, visit::Visit};
use crate::auth::Claims;

/// Who the page is in demo mode.
pub struct Guest {
    /// Whose data.
    pub tenant: TenantId,
    /// Who, if the page does not say.
    pub operator: OperatorId,
    /// What they may.
    pub role: Role,
    /// The page of the telephone that callers have.
    pub phone: String,
}

/// A token for the page, in demo mode.
pub(super) fn token(state: &PageState, visit: &Visit, operator: Option<OperatorId>) -> Result<PageToken, Box<Problem>> {
    let parts = &state.0.parts;
    let Some(guest) = &parts.guest else { return Err(Box::new(Problem::new(Code::Unauthorized))) };
    if !visit.is_near() || !visit.is_our_page_here() {
        return Err(Box::new(Problem::new(Code::Forbidden).detail("only the page itself, on this machine, is let in")));
    }
    let claims = Claims {
        tenant: guest.tenant.clone(),
        operator: operator.unwrap_or_else(|| guest.operator.clone()),
        role: guest.role,
        expires: parts.engine.ports().clock.now().plus(VALID),
    };
    let token = parts.auth.mint(&claims).map_err(|_| Box::new(Problem::new(Code::Internal)))?;
    let Claims { tenant, operator, role, .. } = claims;
    let phone = Some(guest.phone.clone());
    Ok(PageToken { token, valid_s: VALID.as_secs(), tenant, operator, role, demo: true, phone })
}
