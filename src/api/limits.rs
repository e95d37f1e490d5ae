//! Limits of REST, and the rate of each operator.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::HashMapStateStore,
};
use schema::{
    ids::{OperatorId, TenantId},
    page::{PAGE_DEFAULT, PAGE_MAX},
};

/// Operators whose rates are remembered before those at rest are forgotten.
const REMEMBERED: usize = 16_384;

/// Every limit of REST; what happens at each is said beside it.
#[derive(Debug, Clone)]
pub struct ApiLimits {
    /// Rows of a page when the client does not say.
    pub page_default: usize,
    /// More rows than this: 400.
    pub page_max: usize,
    /// Queued texts that one request takes back; the answer says how to go on.
    pub cancel_step: usize,
    /// Requests of one operator, a second, over all connections: 429 beyond.
    pub requests_per_s: NonZeroU32,
    /// Requests of one operator at once: 429 beyond.
    pub requests_burst: NonZeroU32,
    /// A larger body: 413.
    pub body_bytes: usize,
    /// A body that takes longer to arrive: 408.
    pub body_within: Duration,
    /// An answer that takes longer: 503.
    pub answer_within: Duration,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            page_default: PAGE_DEFAULT,
            page_max: 200.min(PAGE_MAX),
            cancel_step: 500,
            requests_per_s: NonZeroU32::new(50).expect("50 is not 0"),
            requests_burst: NonZeroU32::new(100).expect("100 is not 0"),
            body_bytes: 128 << 10,
            body_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(10),
        }
    }
}

type Operator = (TenantId, OperatorId);

/// How fast each operator asks.
pub(super) struct Rates(RateLimiter<Operator, HashMapStateStore<Operator>, DefaultClock>);

impl Rates {
    pub(super) fn new(limits: &ApiLimits) -> Self {
        Self(RateLimiter::hashmap(Quota::per_second(limits.requests_per_s).allow_burst(limits.requests_burst)))
    }

    /// Takes one request; else how long to wait.
    pub(super) fn take(&self, tenant: &TenantId, operator: &OperatorId) -> Result<(), Duration> {
        if self.0.len() > REMEMBERED {
            self.0.retain_recent();
        }
        let until = self.0.check_key(&(tenant.clone(), operator.clone()));
        until.map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}
