//! How do the files that an office exports become a table of the gateway's embedded SQLite?
