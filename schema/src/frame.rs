//! Frames of the operators stream.
