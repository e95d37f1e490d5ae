//! Stores: implementations of the Log, Views and Keys ports, side by side.
