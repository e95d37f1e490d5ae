//! REST: history, search, admin. An edge: sees handles, ports, schema, config and auth.
