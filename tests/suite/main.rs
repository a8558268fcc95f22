//! What kibosh promises, shown on the built binary.

mod shell;
