//! Configuration: the annotated default file, the environment, and their check. Only this module reads the environment.
