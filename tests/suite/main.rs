//! What kibosh promises, shown on the built binary.

#[cfg(test)]
mod policy;
#[cfg(test)]
mod policy_layers;
#[cfg(test)]
mod shell;
