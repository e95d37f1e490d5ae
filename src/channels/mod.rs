//! Carriers' adapters: each keeps its carrier's JSON, forms and signatures to itself.
