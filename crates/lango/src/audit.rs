//! The auditor's side: fetches an office's log, keeps it in a folder, and verifies it there.

pub mod certificates;
pub mod fetch;
pub mod folder;
pub mod office;
pub mod prove;
pub mod read;
pub mod verify;

mod gateway;
mod head;
mod store;
