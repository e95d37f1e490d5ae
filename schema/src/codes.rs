//! The protocol codes of the operators stream.
