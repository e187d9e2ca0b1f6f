//! Every edit that an administrator makes, one after the other: no sequence of them gives budget back.

use super::*;

/// A declared dataset, as `name`, `name@table` or `name@table:group`; the table is `t` by default.
fn dataset(text: &str) -> DeclaredMember {
    let (rest, group) = text.split_once(':').map_or((text, None), |(rest, group)| (rest, Some(group)));
    let (name, table) = rest.split_once('@').unwrap_or((rest, "t"));
    DeclaredMember {
        member: PoolMember {
            pool: group.unwrap_or(name).to_owned(),
            dataset: name.to_owned(),
            rows_from: format!("register/{table}"),
        },
        has_group: group.is_some(),
    }
}

fn policy(text: &str) -> Vec<DeclaredMember> {
    text.split_whitespace().map(dataset).collect()
}

/// A ledger in small: charges by pool, and what is known of pools.
#[derive(Default)]
struct Ledger {
    charges: BTreeMap<String, u32>,
    members: BTreeSet<PoolMember>,
}

impl Ledger {
    fn start(&mut self, policy: &[DeclaredMember]) -> Result<(), PoolsError> {
        let charges = &self.charges;
        let known = |member: &PoolMember| KnownMember {
            member: member.clone(),
            is_charged: charges.contains_key(&member.pool),
        };
        let known: Vec<KnownMember> = self.members.iter().map(known).collect();
        let Pools { moves, members } = follow(&known, policy)?;
        for (from, to) in moves {
            let moved = self.charges.remove(&from).unwrap();
            *self.charges.entry(to).or_default() += moved;
        }
        self.members = members;
        Ok(())
    }

    fn charge_all(&mut self, policy: &[DeclaredMember]) {
        for declared in policy {
            *self.charges.entry(declared.member.pool.clone()).or_default() += 1;
        }
    }

    fn of(&self, policy: &[DeclaredMember]) -> String {
        let mut charges: Vec<String> = policy
            .iter()
            .map(|declared| {
                let PoolMember { pool, dataset, .. } = &declared.member;
                format!("{dataset} {}", self.charges.get(pool).copied().unwrap_or_default())
            })
            .collect();
        charges.sort();
        charges.join(", ")
    }
}

/// Runs policies one after the other, each dataset charged 1 at each start. Returns what is charged against each dataset of the
/// last one before it is charged itself, or the first refusal.
fn run(policies: &[&str]) -> String {
    let mut ledger = Ledger::default();
    let mut last = String::new();
    for text in policies {
        let policy = policy(text);
        if let Err(error) = ledger.start(&policy) {
            let (code, datasets) = match error {
                PoolsError::Leaves { dataset, would, pool } => {
                    ("leaves", format!("{dataset} {pool} {would}"))
                }
                PoolsError::Split { pool, datasets } => ("split", format!("{pool} {}", datasets.join(" "))),
                PoolsError::Unclear { dataset, pool } => ("unclear", format!("{dataset} {pool}")),
            };
            return format!("{code}: {datasets}");
        }
        last = ledger.of(&policy);
        ledger.charge_all(&policy);
    }
    last
}

#[test]
fn no_edit_of_a_policy_gives_budget_back() {
    for (edit, policies, expected) in [
        ("nothing", &["a", "a", "a"][..], "a 2"),
        ("rename the dataset", &["a", "b"], "b 1"),
        ("rename it, and back", &["a", "b", "a"], "a 2"),
        ("rename the table for a new year", &["a@t24", "a@t25"], "a 1"),
        ("rename the table, then the dataset", &["a@t24", "a@t25", "b@t25"], "b 2"),
        ("rename the dataset, then back to the old table", &["a@t24", "a@t25", "b@t24"], "b 2"),
        ("rename both at once", &["a@t24", "b@t25"], "unclear: b a"),
        ("rename both at once, in two starts", &["a@t24", "", "b@t25"], "unclear: b a"),
        ("rename both at once, and say that it is the same", &["a@t24", "b@t25:a"], "b 1"),
        ("a dataset of other persons instead, and say so", &["a@t", "v@v:v"], "v 0"),
        ("the same, and leave the group out later", &["a@t", "v@v:v", "v@v"], "v 1"),
        ("drop it, and bring it back", &["a", "", "a"], "a 1"),
        ("drop it, and bring its table back by another name", &["a", "", "b"], "b 1"),
        ("another dataset beside it", &["a@t", "a@t v@v"], "a 1, v 0"),
        ("last year's table beside this year's", &["a@t24", "a@t25 old@t24"], "leaves: old a old"),
        ("the same in one group", &["a@t24", "a@t25 old@t24:a"], "a 1, old 1"),
        ("add a group", &["a", "a:g"], "a 1"),
        ("add a group with another table", &["a@t24", "a@t25:g"], "a 1"),
        ("add a group to two", &["a@t v@v", "a@t:g v@v:g"], "a 2, v 2"),
        ("join another's pool", &["a@t v@v", "a@t:v v@v"], "a 2, v 2"),
        ("remove the group of one", &["a:g", "a"], "a 1"),
        ("rename a group", &["a@t:g v@v:g", "a@t:h v@v:h"], "a 2, v 2"),
        ("remove the group of two", &["a@t:g v@v:g", "a@t v@v"], "split: g a v"),
        ("leave a group", &["a@t:g v@v:g", "a@t:g v@v"], "leaves: v g v"),
        ("leave a group, and say that others are meant", &["a@t:g v@v:g", "a@t:g v@v:v"], "leaves: v g v"),
        ("leave a group with another table", &["a@t:g v@v:g", "a@t:g v@w:v"], "leaves: v g v"),
        ("leave a group by another name and table", &["a@t:g v@v:g", "a@t:g w@w:w"], "a 2, w 0"),
        ("swap names", &["a@t v@v", "a@v v@t"], "leaves: v a v"),
        ("swap names, each with its pool", &["a@t v@v", "a@v:v v@t:a"], "a 1, v 1"),
        ("swap names, with groups that are wrong", &["a@t v@v", "a@v:a v@t:v"], "leaves: v a v"),
        ("swap names in one pool", &["a@t:g v@v:g", "a@v:g v@t:g"], "a 2, v 2"),
        ("swap tables in two starts", &["a@t v@v", "a@t", "a@v", "a@v"], "a 4"),
        ("move a name to another's table", &["a@t v@v", "v@t"], "v 2"),
        ("two over one table, apart from the beginning", &["a@t:a b@t:b", "a@t:a b@t:b"], "a 1, b 1"),
        ("one more over a charged table", &["a@t", "a@t:a b@t:b"], "leaves: b a b"),
        ("one more over a charged table, in its pool", &["a@t", "a@t:a b@t:a"], "a 1, b 1"),
        ("two apart, then a third", &["a@t:a b@t:b", "a@t:a b@t:b c@t:c"], "leaves: c a c"),
    ] {
        assert_eq!(run(policies), expected, "{edit}: {policies:?}");
    }
}

#[test]
fn what_was_never_charged_binds_nobody() {
    let mut ledger = Ledger::default();
    for text in ["a@t:g v@v:g", "a@t v@v", "a@v v@t", "b@x", "v@t"] {
        ledger.start(&policy(text)).unwrap();
    }
    assert!(ledger.charges.is_empty());
}

#[test]
fn charges_whose_table_was_not_recorded_follow_the_name_and_then_the_table_that_it_has_now() {
    let old = PoolMember { pool: "a".into(), dataset: "a".into(), rows_from: String::new() };
    let old = |charge| Ledger {
        charges: BTreeMap::from([("a".to_owned(), charge)]),
        members: BTreeSet::from([old.clone()]),
    };
    for (policies, expected) in [
        (&["a@t"][..], Ok("a 5")),
        (&["a@t:g"], Ok("a 5")),
        (&["a@t", "b@t"], Ok("b 5")),
        (&["a@t:g", "b@t"], Ok("b 5")),
        (&["a@t v@v", "a@v:v v@t:a"], Ok("a 0, v 5")),
        (&["b@t"], Err("unclear")),
        (&["b@t:a"], Ok("b 5")),
    ] {
        let mut ledger = old(5);
        let mut found = Ok(());
        for text in policies {
            found = found.and_then(|()| ledger.start(&policy(text)));
        }
        let last = policy(policies.last().unwrap());
        let found = found.map(|()| ledger.of(&last));
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{policies:?}"),
            (Err(PoolsError::Unclear { .. }), Err("unclear")) => {}
            other => panic!("{policies:?}: {other:?}"),
        }
    }
}

#[test]
fn a_dataset_that_moves_to_other_rows_is_asked_for_its_group_while_charges_wait() {
    let member = |name: &str, rows: &str| PoolMember {
        pool: name.to_owned(),
        dataset: name.to_owned(),
        rows_from: format!("register/{rows}"),
    };
    let known = [
        KnownMember { member: member("d", "residents"), is_charged: true },
        KnownMember { member: member("e", "flow"), is_charged: false },
    ];
    let follows = |rows: &str, has_group: bool| {
        let declared = [DeclaredMember { member: member("e", rows), has_group }];
        follow(&known, &declared).map(|pools| pools.members.len())
    };
    let unclear = PoolsError::Unclear { dataset: "e".to_owned(), pool: "d".to_owned() };
    assert_eq!(follows("flow", false), Ok(2), "over the rows that it was always over");
    assert_eq!(follows("copy_of_residents", false), Err(unclear));
    assert_eq!(follows("copy_of_residents", true), Ok(2), "the office says that they are other persons");
}
