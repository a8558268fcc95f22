//! What kibosh promises, shown on the built binary.

#[cfg(test)]
mod above;
#[cfg(test)]
mod agent;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod broker;
#[cfg(test)]
mod broker_attacks;
#[cfg(test)]
mod broker_same;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod bypasses;
#[cfg(test)]
mod calm;
#[cfg(test)]
mod compat;
#[cfg(test)]
mod day;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod details;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod environments;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod exec_forms;
#[cfg(test)]
mod external;
#[cfg(test)]
mod fail_closed;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod hook;
#[cfg(test)]
mod incidents;
#[cfg(test)]
mod init;
#[cfg(test)]
mod install;
#[cfg(test)]
mod launcher;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod loss;
#[cfg(test)]
mod loss_doubts;
#[cfg(test)]
mod loss_forms;
#[cfg(test)]
mod loss_holes;
#[cfg(test)]
mod loss_overwritten;
#[cfg(test)]
mod loss_sqlite;
#[cfg(test)]
mod loss_terraform;
#[cfg(test)]
mod metamorphic;
#[cfg(test)]
mod normalise;
#[cfg(test)]
mod on_disk;
#[cfg(test)]
mod panel;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod policy_blocks;
#[cfg(test)]
mod policy_layers;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod preview;
#[cfg(test)]
mod prompt;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod record;
#[cfg(test)]
mod refusal;
#[cfg(test)]
mod refused_command;
#[cfg(test)]
mod registered;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod self_approval;
#[cfg(test)]
mod session;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod stays_a_shell;
#[cfg(test)]
mod support;
#[cfg(test)]
mod two_people;
#[cfg(test)]
mod typed;
#[cfg(test)]
mod watch;
#[cfg(test)]
mod ways;
