//! Datasets over one table, and the pools that they draw on.

use super::*;

/// The good policy with a second dataset, with these lines about groups and budgets in it.
fn two(table: &str, first: &str, second: &str, budgets: &str) -> String {
    let dataset = |name: &str, table: &str, group: &str| {
        format!(
            "[dataset.{name}]\ntitle = \"x\"\nkind = \"stock\"\nsource = \"register\"\ntable = \"{table}\"\nversion = \"1\"\n{group}\n\
             unit = {{ column = \"id\", noun = \"person\", rows_at_most = 1 }}\n\
             [dataset.{name}.column]\nsex = {{ codes = [\"F\", \"M\"] }}\n"
        )
    };
    let budgets = budgets
        .split_whitespace()
        .map(|name| format!("[budget.{name}]\naccounting = \"pure\"\nepsilon = 2\nrenews = \"never\"\n"));
    let grant = |name: &str| {
        format!(
            "[[grant]]\nid = \"{name}\"\nto = [\"spiffe://e.example/analyst/a\"]\npurpose = [\"p\"]\ndataset = \"{name}\"\n\
             measures = [\"persons\"]\nby = [\"sex\"]\nby_at_most = 1\nepsilon_per_query = 1\nepsilon_total = 1\n\
             publish = \"office\"\n"
        )
    };
    let parts = [dataset("one", "t", first), dataset("two", table, second)];
    let head = "policy = 2\noffice = \"GHA\"\n".to_owned();
    [head].into_iter().chain(parts).chain(budgets).chain(["one", "two"].map(grant)).collect()
}

#[test]
fn datasets_draw_on_the_pool_of_their_group_and_those_over_one_table_name_it() {
    let over_one_table = "datasets `one` and `two` are both drawn from";
    for (table, first, second, budgets, expected) in [
        ("u", "", "", "one two", Ok(["one", "two"])),
        ("u", "group = \"g\"", "group = \"g\"", "g", Ok(["g", "g"])),
        ("u", "group = \"g\"", "", "g two", Ok(["g", "two"])),
        ("u", "", "group = \"one\"", "one", Ok(["one", "one"])),
        ("u", "group = \"two\"", "group = \"one\"", "one two", Ok(["two", "one"])),
        ("t", "group = \"g\"", "group = \"g\"", "g", Ok(["g", "g"])),
        ("t", "group = \"g\"", "group = \"h\"", "g h", Ok(["g", "h"])),
        ("t", "", "", "one two", Err(over_one_table)),
        ("T", "", "", "one two", Err(over_one_table)),
        ("t", "group = \"g\"", "", "g two", Err(over_one_table)),
        ("t", "", "group = \"one\"", "one", Err(over_one_table)),
        ("u", "group = \"g\"", "", "one two", Err("dataset `one` is of group `g`: write `[budget.g]`")),
        ("u", "group = \"g\"", "", "two", Err("dataset `one` has no budget: add `[budget.g]`")),
        ("u", "group = \"g\"", "", "gg two", Err("dataset or group `gg` is not declared: did you mean `g`?")),
        ("u", "group = \"G\"", "", "two", Err("`G`")),
    ] {
        let found = read(&two(table, first, second, budgets));
        let what = format!("{table} {first} {second} {budgets}");
        match (found, expected) {
            (Ok(set), Ok(pools)) => {
                assert_eq!(
                    set.pools.values().map(|pool| pool.name.as_str()).collect::<Vec<_>>(),
                    pools,
                    "{what}"
                );
                assert!(set.datasets.keys().all(|name| set.budget(name).is_some()), "{what}");
            }
            (Err(errors), Err(expected)) => {
                assert!(errors.len() == 1 && errors[0].contains(expected), "{what}: {errors:#?}");
            }
            (found, _) => panic!("{what}: {:?}", found.map(drop)),
        }
    }
}
