//! Who but their owner may read the files that Lango makes and the secrets that it is given? Nobody. And what is read is a file.
//!
//! Architecture invariant: knows paths and modes, never what a file holds. The one place that asks whether others may read a
//! file, and the one that makes files and folders which they may not.

mod error;
mod make;
mod open;
mod secret;

pub use error::{FileError, NotRegular, shell_quoted};
pub use make::{
    create, exchange, keep_from_others, make_filled_folder, make_folder, make_or_open, may_fill, move_over,
    options, own_user, replace, settle, write_over,
};
pub use open::open;
pub use secret::{exposure, read, read_secret};

#[cfg(test)]
mod tests;
