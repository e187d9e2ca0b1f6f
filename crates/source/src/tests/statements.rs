//! The text of what servers are sent: readable samples of each dialect, and no value of a question in it but whole numbers.

use std::collections::BTreeMap;

use lango_privacy::{Column, Dataset, Domain, Grid, Name, Plan, Span};

use super::fixture::{dataset, plan, secret};
use crate::{
    count::UnitType,
    field::used,
    mariadb::dialect::MariaDbDialect,
    postgres::dialect::PostgresDialect,
    sql::{
        AccessPath, Bind, Binds, CatalogueTable, ColumnType, Dialect, TableColumn, bounded, ranks, statements,
    },
};

const TEXT: ColumnType = ColumnType::Text { bytewise: false, utf8: false };

fn table(dialect: &dyn Dialect, dataset: &Dataset, unit: ColumnType, shards: &[&str]) -> CatalogueTable {
    let kind = |(name, column): (&Name, &Column)| {
        let numbers = column.range().is_some() || matches!(column.domain, Domain::Integer { .. });
        let kind = if numbers { ColumnType::Integer } else { TEXT };
        let plain = dialect.quoted(name.as_str());
        (name.clone(), TableColumn { name: name.to_string(), plain, kind, is_short: true })
    };
    let (name, plain) = (dataset.unit.column.clone(), dialect.quoted(&dataset.unit.column));
    CatalogueTable {
        from: dialect.quoted(&dataset.table),
        unit_type: if unit == TEXT { UnitType::Text } else { UnitType::Integer },
        unit: TableColumn { name, plain, kind: unit, is_short: false },
        unit_not_null: false,
        one_row_per_unit: true,
        columns: dataset.columns.iter().map(kind).collect::<BTreeMap<_, _>>(),
        shards: shards.iter().map(|shard| dialect.quoted(shard)).collect(),
        fingerprint: String::new(),
    }
}

/// The statements of a plan by the three access paths, with the texts that are bound beside them.
fn sent(dialect: &dyn Dialect, plan: &Plan, unit: ColumnType) -> Vec<(String, Vec<String>)> {
    let table = table(dialect, &plan.dataset, unit, &[]);
    let sharded = self::table(dialect, &plan.dataset, unit, &["part 1", "part 2"]);
    let mut binds = Binds::default();
    let ranked = format!(
        "({}) AS bounded",
        bounded(dialect, &plan.dataset, &table, &used(plan), ranks(plan), &secret(7), &mut binds)
    );
    let none = Binds::default();
    let accesses = [
        (AccessPath::Direct(&table), &none),
        (AccessPath::Direct(&sharded), &none),
        (AccessPath::Bounded { table: &table, from: "prepared", ranked: false }, &none),
        (AccessPath::Bounded { table: &table, from: &ranked, ranked: true }, &binds),
    ];
    let text = |bind: Bind| match bind {
        Bind::Text(text) => Some(text),
        _ => None,
    };
    let accesses = accesses.into_iter().flat_map(|(access, binds)| statements(dialect, plan, access, binds));
    accesses
        .map(|statement| (statement.sql.text, statement.sql.binds.into_iter().filter_map(text).collect()))
        .collect()
}

fn one(dialect: &dyn Dialect, asked: (&str, &[&str]), filters: &[&str]) -> String {
    sent(dialect, &plan(&dataset(2, 2), &[asked], filters), ColumnType::Integer).remove(0).0
}

#[test]
fn a_table_whose_key_is_vouched_for_is_grouped_as_it_stands() {
    let cells: (&str, &[&str]) = ("persons", &["age,sex"]);
    assert_eq!(
        one(&PostgresDialect, cells, &["sex in F"]),
        "SELECT (\"age\"::bigint)::bigint, \"sex\"::text, (count(*))::bigint FROM \"residents\" WHERE \"person_id\" IS NOT NULL AND \
         CASE WHEN ascii(SEX) > 32 AND ascii(SEX) <> 160 AND (abs(ascii(right(SEX, 1)) - 80) < 47 OR ascii(right(SEX, 1)) > 160) THEN SEX \
         ELSE btrim(SEX, E' \\t\\n\\013\\f\\r\\u00A0') END IN ($1) GROUP BY \"age\", \"sex\""
            .replace("SEX", "\"sex\"::text")
    );
    assert_eq!(
        one(&MariaDbDialect, cells, &["sex in F"]),
        "SELECT CAST(`age` AS SIGNED), CAST(CONVERT(`sex` USING utf8mb4) AS BINARY), CAST(count(*) AS SIGNED) FROM `residents` WHERE \
         `person_id` IS NOT NULL AND CASE WHEN ASCII(SEX) > 32 AND ASCII(SEX) <> 194 AND ASCII(RIGHT(SEX, 1)) NOT IN (9, 10, 11, 12, 13, 32, 160) \
         THEN SEX ELSE REVERSE(REGEXP_REPLACE(REVERSE(REGEXP_REPLACE(SEX, '^(?:[\\x09-\\x0D ]|\\xC2\\xA0)++', '')), \
         '^(?:[\\x09-\\x0D ]|\\xA0\\xC2)++', '')) END IN (?) GROUP BY `age`, SEX"
            .replace("SEX", "CAST(CONVERT(`sex` USING utf8mb4) AS BINARY)")
    );
    let sum: (&str, &[&str]) = ("sum(income)", &[""]);
    assert_eq!(
        one(&PostgresDialect, sum, &[]),
        "SELECT (count(CASE WHEN \"income\"::bigint IS NOT NULL THEN 1 END))::bigint, (sum(CASE WHEN \"income\"::bigint < -20 THEN -20 WHEN \
         \"income\"::bigint > 50 THEN 50 ELSE \"income\"::bigint END))::text FROM \"residents\" WHERE \"person_id\" IS NOT NULL"
    );
    assert_eq!(
        one(&MariaDbDialect, sum, &[]),
        "SELECT CAST(count(CASE WHEN `income` IS NOT NULL THEN 1 END) AS SIGNED), CAST(sum(CASE WHEN `income` < -20 THEN -20 WHEN \
         `income` > 50 THEN 50 ELSE `income` END) AS CHAR) FROM `residents` WHERE `person_id` IS NOT NULL"
    );
}

#[test]
fn every_shard_groups_and_the_output_is_cast_in_front_of_them() {
    let plan = plan(&dataset(1, 1), &[("persons", &["sex"])], &[]);
    assert_eq!(
        sent(&PostgresDialect, &plan, ColumnType::Integer)[1].0,
        "SELECT _0::text, (_1)::bigint FROM (SELECT \"sex\" AS _0, count(*) AS _1 FROM \"part 1\" WHERE \"person_id\" IS NOT NULL GROUP BY \
         \"sex\" UNION ALL SELECT \"sex\" AS _0, count(*) AS _1 FROM \"part 2\" WHERE \"person_id\" IS NOT NULL GROUP BY \"sex\") AS parts"
    );
}

/// Ranked rows are grouped by their texts as they stand, which are read afterwards; in the row order one that stands as declared
/// is taken as it is, and any other is trimmed. A text of any length is grouped, and left out where it is too long.
#[test]
fn codes_are_trimmed_only_where_they_do_not_stand_as_declared() {
    let plan = plan(&dataset(2, 1), &[("rows", &["sex"])], &[]);
    let ranked = sent(&PostgresDialect, &plan, ColumnType::Integer).remove(3);
    let as_declared =
        "CASE WHEN \"sex\"::text COLLATE \"C\" IN ($2, $3, $4) THEN \"sex\"::text ELSE CASE WHEN ";
    assert!(ranked.0.contains(as_declared), "{}", ranked.0);
    assert_eq!(ranked.1[..3], ["1", "F", "M"]);
    assert!(ranked.0.contains("\"sex\"::text AS \"_text_3\""), "{}", ranked.0);
    assert!(ranked.0.ends_with(" GROUP BY \"_text_3\""), "{}", ranked.0);
    let mut long = table(&PostgresDialect, &plan.dataset, ColumnType::Integer, &[]);
    long.columns.get_mut(&"sex".parse().unwrap()).unwrap().is_short = false;
    let direct = statements(&PostgresDialect, &plan, AccessPath::Direct(&long), &Binds::default()).remove(0);
    // It would be what a policy says of such a text.
    assert!(!direct.sql.text.contains("_O"), "{}", direct.sql.text);
    assert_eq!(
        direct.sql.text,
        "SELECT (CASE WHEN octet_length(\"sex\") > 8192 THEN repeat('_', 8193) ELSE \"sex\"::text END), (count(*))::bigint FROM \
         \"residents\" WHERE \"person_id\" IS NOT NULL GROUP BY \"sex\""
    );
}

#[test]
fn prepared_rows_are_grouped_by_their_keys_positions() {
    let plan = plan(&dataset(2, 2), &[("persons", &["sex"])], &["sex in F"]);
    assert_eq!(
        sent(&PostgresDialect, &plan, ColumnType::Integer)[2].0,
        "SELECT (\"sex\")::bigint, (count(DISTINCT _unit))::bigint FROM prepared WHERE (\"sex\" IN (0)) AND _rank <= 2 GROUP BY \"sex\""
    );
}

#[test]
fn where_ranking_is_dear_only_units_of_too_many_rows_are_ranked() {
    let ranked = |plan: &Plan, unit| sent(&MariaDbDialect, plan, unit).pop().unwrap().0;
    let crowded = |most: u32| {
        format!(
            "(SELECT SQL_BIG_RESULT `person_id` FROM `residents` WHERE `person_id` IS NOT NULL GROUP BY `person_id` \
             HAVING count(*) > {most})"
        )
    };
    let of = |measure: &'static str| -> (&str, &[&str]) { (measure, &["sex"]) };
    let (rows, persons) = (of("rows"), of("persons"));
    for (asked, most) in [(&[rows][..], 5), (&[persons], 2), (&[persons, rows], 2)] {
        let text = ranked(&plan(&dataset(5, 2), asked, &[]), ColumnType::Integer);
        let [others, crowd] = ["NOT IN", "IN"].map(|is| format!("`person_id` {is} {}", crowded(most)));
        assert!(text.contains(&others) && text.contains(&crowd), "{text}");
    }
    // One row of each unit: that is almost every unit. And texts.
    let whole = [
        ranked(&plan(&dataset(5, 1), &[persons], &[]), ColumnType::Integer),
        ranked(&plan(&dataset(5, 2), &[rows], &[]), TEXT),
        sent(&PostgresDialect, &plan(&dataset(5, 2), &[rows], &[]), ColumnType::Integer).pop().unwrap().0,
    ];
    for text in whole {
        assert!(text.contains("row_number()") && !text.contains("HAVING"), "{text}");
    }
}

/// A question whose every text could end a literal or an identifier, if one of them came to stand in a statement.
#[test]
fn no_statement_holds_a_text_of_a_question_and_every_name_is_quoted() {
    let odd = ["a.b", "a-b", "%27", "%22", "%60", "%3B", "_T1", "--"];
    let sex = Domain::codes(odd.iter().filter_map(|code| code.parse().ok()).collect()).unwrap();
    let born = Domain::date("2023-12-30".into(), "2024-03-01".into(), Span::Month).unwrap();
    let income =
        Column::from(Domain::amount(-20, 50, 0, None).unwrap()).with_candidates(Grid::Every(7)).unwrap();
    let columns: [(&str, Column); 4] =
        [("born", born.into()), ("income", income), ("select", sex.into()), ("village", Domain::Open.into())];
    let columns = columns.into_iter().map(|(name, column)| (name.parse().unwrap(), column)).collect();
    let mut dataset = Dataset { columns, table: "r`e\"s.x'; DROP é北".into(), ..dataset(2, 2) };
    dataset.unit.column = "p`e\"r.s'?$1 é".into();
    let asked: [(&str, &[&str]); 5] = [
        ("keys(village)", &[""]),
        ("persons", &["born,select"]),
        ("quantile(income,0.5)", &[""]),
        ("rows(village)", &["select"]),
        ("sum(income)", &["born"]),
    ];
    let filters = ["select in a.b,%27,--", "born from 2024-01-01 to 2024-02-29"];
    let plan = plan(&dataset, &asked, &filters);
    let dialects: [(&dyn Dialect, &str, &str); 2] = [
        (&PostgresDialect, "\"p`e\"\"r.s'?$1 é\"", "\"r`e\"\"s.x'; DROP é北\""),
        (&MariaDbDialect, "`p``e\"r.s'?$1 é`", "`r``e\"s.x'; DROP é北`"),
    ];
    for (dialect, unit, from) in dialects {
        for kind in [ColumnType::Integer, TEXT] {
            let mut bound = 0;
            for (text, texts) in sent(dialect, &plan, kind) {
                bound += texts.len();
                assert!(!text.contains('\u{1}'), "{text}");
                // Without the names, nothing of them is left; and of the question's texts nothing either.
                let rest = text
                    .replace(unit, "")
                    .replace(from, "")
                    .replace("\"select\"", "")
                    .replace("`select`", "");
                for word in ["p`e", "r`e", "DROP", "é", "--", "%2", "a.b", "2024-", "2023-"] {
                    assert!(!rest.contains(word), "{word}: {text}");
                }
            }
            assert!(bound > 20, "{bound}");
        }
    }
}
