//! Carriers' webhooks: raw bytes in, verified and parsed by the channel, one command to the tenant. An edge.
