//! Which database a test is about, and how its statements are written there.

use std::{env, fmt::Write};

/// The engines and the list of them all, so that no test leaves one out.
macro_rules! engines {
    ($($(#[$meta:meta])* $engine:ident,)+) => {
        /// An engine that offices keep their registers in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Engine {
            $($(#[$meta])* $engine,)+
        }

        impl Engine {
            /// Every engine there is.
            pub const ALL: [Self; [$(Self::$engine),+].len()] = [$(Self::$engine),+];
        }
    };
}

engines! {
    /// The file that a gateway reads by itself.
    Sqlite,
    /// The private server that `tests/servers` starts.
    Postgres,
    /// The other one.
    MariaDb,
}

/// A value of a row that a test writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Engine {
    /// The engine of this run: `LANGO_TEST_ENGINE`, one of `sqlite` (also where it is not set), `postgres` and `mariadb`.
    pub fn under_test() -> Self {
        match env::var("LANGO_TEST_ENGINE").as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok("mariadb") => Self::MariaDb,
            Ok(other) => panic!("LANGO_TEST_ENGINE is `{other}`, not `sqlite`, `postgres` or `mariadb`"),
        }
    }

    /// Whether a column holds values of its declared type alone.
    pub fn is_typed(self) -> bool {
        self != Self::Sqlite
    }

    /// The statement that makes a table. Columns are declared with the words that all engines know: `TEXT`, `INTEGER`,
    /// `BIGINT`, `PRIMARY KEY`, `NOT NULL`, `UNIQUE`.
    pub fn create(self, table: &str, columns: &[(&str, &str)]) -> String {
        // MariaDB's TEXT cannot be a key.
        let declared = |words: &str| match self {
            Self::MariaDb if words.starts_with("TEXT") => words.replacen("TEXT", "VARCHAR(64)", 1),
            _ => words.to_owned(),
        };
        let columns: Vec<_> =
            columns.iter().map(|(name, words)| format!("{name} {}", declared(words))).collect();
        format!("CREATE TABLE {table} ({})", columns.join(", "))
    }

    /// The statement that adds rows to a table.
    pub(crate) fn insert(self, table: &str, rows: &[Vec<Value>]) -> String {
        let mut sql = format!("INSERT INTO {table} VALUES");
        for (number, row) in rows.iter().enumerate() {
            sql += if number == 0 { " (" } else { ", (" };
            for (place, value) in row.iter().enumerate() {
                sql += if place == 0 { "" } else { ", " };
                match value {
                    Value::Null => sql += "NULL",
                    Value::Integer(value) => write!(sql, "{value}").unwrap(),
                    Value::Text(text) => sql += &self.quoted(text),
                }
            }
            sql += ")";
        }
        sql
    }

    /// A text as a literal.
    pub fn quoted(self, text: &str) -> String {
        assert!(!text.contains('\0'), "no server keeps a NUL in a text");
        let text = text.replace('\'', "''");
        let text = if self == Self::MariaDb { text.replace('\\', r"\\") } else { text };
        format!("'{text}'")
    }
}
