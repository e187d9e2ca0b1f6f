//! Plain SQL that ranks the rows of each person: by the same SHA-256, without any other step.

use lango_testkit::Engine;
use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};
use sha2::{Digest, Sha256};

/// Declared columns, in name order.
const FIELDS: [&str; 5] = ["person_id", "age", "country", "income", "sex"];
const NUMBERS: [&str; 3] = ["person_id", "age", "income"];

/// The first rows of each person, in a `FROM`.
pub(crate) fn ranked(engine: Engine, bound: u32) -> String {
    let order = match engine {
        Engine::Sqlite => format!("naive_order({})", FIELDS.join(", ")),
        Engine::Postgres => postgres(),
        Engine::MariaDb => mariadb(),
    };
    format!(
        "(SELECT person_id, country, sex, age, income, rank_in FROM (SELECT person_id, country, sex, age, income, \
         row_number() OVER (PARTITION BY person_id ORDER BY {order}) AS rank_in FROM visits) AS placed \
         WHERE rank_in <= {bound}) AS ranked"
    )
}

fn postgres() -> String {
    let field = |name: &&str| {
        let text = format!("{name}::text");
        format!(
            "coalesce(int4send(octet_length({text})) || convert_to({text}, 'UTF8'), '\\xffffffff'::bytea)"
        )
    };
    let fields: Vec<String> = FIELDS.iter().map(field).collect();
    format!("sha256('\\x{}'::bytea || {})", "01".repeat(32), fields.join(" || "))
}

fn mariadb() -> String {
    let field = |name: &&str| {
        let text = match NUMBERS.contains(name) {
            true => format!("CAST(CAST({name} AS CHAR) AS BINARY)"),
            false => format!("CAST({name} AS BINARY)"),
        };
        format!("COALESCE(CONCAT(LPAD(CHAR(LENGTH({text})), 4, X'00'), {text}), X'FFFFFFFF')")
    };
    let fields: Vec<String> = FIELDS.iter().map(field).collect();
    format!("SHA2(CONCAT(X'{}', {}), 256)", "01".repeat(32), fields.join(", "))
}

/// SQLite has no SHA-256 of its own.
pub(crate) fn define(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("naive_order", -1, flags, |arguments| {
        let mut digest = Sha256::new_with_prefix([1; 32]);
        let mut field = |bytes: &[u8]| {
            digest.update((bytes.len() as u32).to_be_bytes());
            digest.update(bytes);
        };
        for position in 0..arguments.len() {
            match arguments.get_raw(position) {
                ValueRef::Integer(number) => field(number.to_string().as_bytes()),
                ValueRef::Text(text) => field(text),
                _ => field(&[]),
            }
        }
        Ok(digest.finalize().to_vec())
    })
}
