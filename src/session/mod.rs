//! The operators' stream: one session per WebSocket, a pipe. An edge.
