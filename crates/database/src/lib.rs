//! How is a database server reached: where it is, with which password, over which TLS?
//!
//! Architecture invariant: knows no table and sends no statement. The one place where a server's password is held; nothing
//! here prints it.

mod password;
mod protection;
mod server;

pub use password::{Password, PasswordError};
pub use protection::protection_fault;
pub use server::{Server, ServerError, Tls};
