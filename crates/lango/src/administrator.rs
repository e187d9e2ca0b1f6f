//! The administrator's side: works on the office's files, or signs what the office's gateway then does.

pub mod desk;
pub mod gateway;
