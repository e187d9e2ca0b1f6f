//! The shape of a policy file, before anything is checked. Tables whose parts are checked one by one hold nothing where a part is
//! wrong; the others are there whole or not at all.

use std::collections::BTreeMap;

use lango_document::{table, table_in_parts};
use lango_privacy::{DatasetKind, Objective};
use toml::Spanned;

use self::value::words;
use crate::budget::Renewal;

pub(crate) use column::{Bands, CodeListTable, Codes, ColumnTable, DerivedTable, Points, Recode};
pub(crate) use value::{Day, Number, Quantity};

mod column;
mod value;

/// Tables by the names that the author chose.
pub(crate) type Named<T> = BTreeMap<Spanned<String>, Option<T>>;

/// A policy file.
#[derive(Debug)]
pub(crate) struct File {
    pub policy: Option<Spanned<u32>>,
    pub office: Option<Spanned<String>>,
    pub code_list: Named<CodeListTable>,
    pub dataset: Named<DatasetTable>,
    pub budget: Named<BudgetTable>,
    pub grant: Vec<Spanned<GrantTable>>,
    pub refusal: Vec<Spanned<RefusalTable>>,
    pub test: Vec<Spanned<TestTable>>,
}

table_in_parts!(File => "a policy file" {
    required_as("2") policy "policy": "The version of this format: 2.",
    required office "office": "The office whose policy this is: ISO 3166-1 alpha-3, the same in all files of a folder.",
    or_empty code_list "code_list": "Lists of codes, by the names under which datasets use them.",
    or_empty dataset "dataset": "What may be asked of, by the names that questions use.",
    or_empty budget "budget": "What everyone together may learn, by dataset or group.",
    or_empty grant "grant": "What is allowed. The first grant that allows all of a question decides.",
    or_empty refusal "refusal": "What no grant allows.",
    or_empty test "test": "Questions with the decision that the policy's author expects; run at every start.",
});

/// A key that may be left out: nothing where it is wrong.
pub(crate) type Optional<T> = Option<Option<T>>;

#[derive(Debug)]
pub(crate) struct DatasetTable {
    pub title: Option<String>,
    pub kind: Option<KindWord>,
    pub source: Option<Spanned<String>>,
    pub table: Option<String>,
    pub version: Option<Spanned<String>>,
    pub group: Optional<Spanned<String>>,
    pub unit: Option<Spanned<UnitTable>>,
    pub rows_below: Optional<Spanned<u64>>,
    pub answer_grid_ms: Optional<Spanned<u64>>,
    pub split: Optional<SplitWord>,
    pub bounds_drop: Optional<String>,
    pub missing: Option<Vec<Spanned<String>>>,
    pub derived: Option<Named<Spanned<DerivedTable>>>,
    pub column: Option<Named<Spanned<ColumnTable>>>,
}

table_in_parts!(DatasetTable => "a dataset" {
    required title "title": "For people.",
    required kind "kind": "How many there are at a moment, or how many moved during a period.",
    required source "source": "A connection of this name in the gateway's configuration.",
    required table "table": "The table there, or a view.",
    required version "version": "A new version brings new answers, which are charged anew. Change it when the data is \
                                 replaced.",
    optional group "group": "Datasets of one group hold the same persons, and share the pool `[budget.GROUP]`. The dataset's \
                             own name by default.",
    required unit "unit": "Whose presence is hidden.",
    optional rows_below "rows_below": "The table has fewer rows than this; 2^38 by default. Bounds what sums can grow to.",
    optional answer_grid_ms "answer_grid_ms": "Answers leave on a time grid of this step, 1 to 120,000 milliseconds from each \
                                               request on. None by default.",
    optional split "split": "What the split of a price among margins makes small: the errors of all cells together, or the \
                             largest. `total` by default.",
    optional bounds_drop "bounds_drop": "In words, how much of the data the bounds are expected to drop. Estimates repeat it.",
    or_default missing "missing": "Texts that say in every declared column that a value is missing.",
    or_default derived "derived": "Dimensions made of another column's codes, by their names.",
    required column "column": "The columns that questions may use, by their names. Others cannot be asked for.",
});

#[derive(Debug, Clone, Copy)]
pub(crate) struct KindWord(pub DatasetKind);

words!(KindWord { "stock" => KindWord(DatasetKind::Stock), "flow" => KindWord(DatasetKind::Flow) });

#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitWord(pub Objective);

words!(SplitWord { "total" => SplitWord(Objective::Sum), "largest" => SplitWord(Objective::Largest) });

#[derive(Debug)]
pub(crate) struct UnitTable {
    pub column: String,
    pub from: Option<String>,
    pub noun: Spanned<String>,
    pub plural: Option<Spanned<String>>,
    pub rows_at_most: Spanned<u32>,
    pub cells_at_most: Option<Spanned<u32>>,
}

table!(UnitTable => "a unit" {
    required column "column": "The column that identifies the unit.",
    optional from "from": "Its name in the table, where that is no word; `column` by default.",
    required noun "noun": "What the unit is: `person`, `household`.",
    optional plural "plural": "The measure that counts units; the noun with an `s` by default.",
    required rows_at_most "rows_at_most": "The most rows of a unit that are read.",
    optional cells_at_most "cells_at_most": "The most of those rows that count where units are counted; `rows_at_most` by \
                                             default.",
});

#[derive(Debug)]
pub(crate) struct BudgetTable {
    pub accounting: Option<Spanned<AccountingWord>>,
    pub delta: Optional<Spanned<Quantity>>,
    pub epsilon: Option<Spanned<Quantity>>,
    pub renews: Option<Renewal>,
}

table_in_parts!(BudgetTable => "a budget" {
    required accounting "accounting": "How losses add up. Pure suits few questions, zCDP many.",
    optional delta "delta": "zCDP only, and needed there: above 0 and at most 0.001, usually 1e-6 or smaller.",
    required epsilon "epsilon": "What everyone together may learn in a period; above 0, at most 100.",
    required renews "renews": "Full again on the first day of the calendar period, UTC.",
});

#[derive(Debug, Clone, Copy)]
pub(crate) enum AccountingWord {
    Pure,
    Zcdp,
}

words!(AccountingWord { "pure" => AccountingWord::Pure, "zcdp" => AccountingWord::Zcdp });

words!(Renewal {
    "never" => Renewal::Never,
    "monthly" => Renewal::Monthly,
    "quarterly" => Renewal::Quarterly,
    "yearly" => Renewal::Yearly,
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReviewWord {
    Required,
}

words!(ReviewWord { "required" => ReviewWord::Required });

#[derive(Debug)]
pub(crate) struct GrantTable {
    pub id: Option<Spanned<String>>,
    pub to: Option<Spanned<Vec<Spanned<String>>>>,
    pub purpose: Option<Spanned<Vec<String>>>,
    pub dataset: Option<Spanned<String>>,
    pub measures: Option<Spanned<Vec<Spanned<String>>>>,
    pub by: Option<Spanned<Vec<Spanned<String>>>>,
    pub by_at_most: Option<Spanned<u32>>,
    pub filters: Optional<Spanned<Vec<Spanned<String>>>>,
    pub epsilon_per_query: Option<Spanned<Quantity>>,
    pub epsilon_total: Option<Spanned<Quantity>>,
    pub delta_per_query: Optional<Spanned<Quantity>>,
    pub review: Optional<Spanned<ReviewWord>>,
    pub review_above: Optional<Spanned<Quantity>>,
    pub hold: Optional<bool>,
    pub shown_if: Optional<Spanned<ShownIfTable>>,
    pub valid: Optional<Spanned<ValidTable>>,
    pub agreement: Optional<Spanned<String>>,
    pub publish: Option<Spanned<Publish>>,
}

table_in_parts!(GrantTable => "a grant" {
    required id "id": "The rule's name. Its share of the pool is kept under this name: a grant that is renamed begins anew.",
    required to "to": "Principals: `spiffe://REGION/ROLE/NAME`, or `spiffe://REGION/ROLE/*` for everybody of the role.",
    required purpose "purpose": "What the answers may be for.",
    required dataset "dataset": "One dataset.",
    required measures "measures": "What may be computed: `persons`, `rows`, `rows(C)`, `sum(C)`, `mean(C)`, `share(D)`, \
                                   `quantile(C)`, `median(C)`, `histogram(C)`, `keys(C)`.",
    required by "by": "Columns that may be grouped by, and used in conditions.",
    required by_at_most "by_at_most": "The most columns at once in one margin, counting conditions.",
    optional filters "where": "Further columns that may be used in conditions only.",
    required epsilon_per_query "epsilon_per_query": "The most that one question may cost.",
    required epsilon_total "epsilon_total": "The most that all questions under this grant may cost in a period of the budget.",
    optional delta_per_query "delta_per_query": "zCDP only: what a question for `keys(C)` spends of delta. None by default.",
    optional review "review": "`\"required\"`: each question waits until the office has approved it.",
    optional review_above "review_above": "The same, for questions that cost more than this epsilon alone.",
    optional hold "hold": "`true`: each noisy answer waits until the office has approved it. It is charged when it is drawn.",
    optional shown_if "shown_if": "Which figures of an answer are shown, once the noise is in them. The others are hidden (`Q`), \
                                   and the answer costs the same. All are shown by default.",
    optional valid "valid": "First and last day, UTC, both included. Always by default.",
    optional agreement "agreement": "The agreement that the grant carries out, such as `MoU-2026-14`: signed with every \
                                     answer, and recorded.",
    required publish "publish": "Whether the office's own figure may be shown. `region` is refused by this version.",
});

#[derive(Debug)]
pub(crate) struct RefusalTable {
    pub id: Option<Spanned<String>>,
    pub to: Optional<Spanned<Vec<Spanned<String>>>>,
    pub purpose: Optional<Spanned<Vec<String>>>,
    pub dataset: Optional<Spanned<String>>,
    pub columns: Optional<Spanned<Vec<Spanned<String>>>>,
    pub codes: Optional<Spanned<Named<Vec<Spanned<String>>>>>,
}

table_in_parts!(RefusalTable => "a refusal" {
    required id "id": "The rule's name. No grant and no other refusal has it.",
    optional to "to": "Whom it refuses, as in a grant; everybody by default.",
    optional purpose "purpose": "For which purposes; for all by default.",
    optional dataset "dataset": "Of which dataset; of all by default.",
    optional columns "columns": "Columns that no table of an answer uses together.",
    optional codes "codes": "Codes that no table shows, by column.",
});

#[derive(Debug)]
pub(crate) struct ShownIfTable {
    pub count: Optional<Spanned<u32>>,
    pub relative_error: Optional<Spanned<Quantity>>,
}

table_in_parts!(ShownIfTable => "`shown_if`" {
    optional count "count": "The least noisy count that a figure is made of: of persons, of rows, or of what a mean is divided \
                             by. Shares and bins are shown or hidden together, by all that they count.",
    optional relative_error "relative_error": "The greatest standard error, as a share of the figure: 0.3 is 30 %.",
});

#[derive(Debug)]
pub(crate) struct ValidTable {
    pub from: Day,
    pub until: Day,
}

table!(ValidTable => "`valid`" {
    required from "from": "The first day, UTC.",
    required until "until": "The last day, UTC.",
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publish {
    Office,
    Region,
}

words!(Publish { "office" => Publish::Office, "region" => Publish::Region });

#[derive(Debug)]
pub(crate) struct TestTable {
    pub query: Spanned<String>,
    pub principal: Spanned<String>,
    pub dataset: Option<Spanned<String>>,
    pub purpose: Option<String>,
    pub epsilon: Option<Quantity>,
    pub on: Option<Day>,
    pub expect: Spanned<String>,
}

table!(TestTable => "a test" {
    required query "query": "`MEASURE by D1, D2 where CONDITION and CONDITION`; `by` and `where` may be absent.",
    required principal "as": "Who asks.",
    optional dataset "dataset": "Which dataset; may be absent where there is one only.",
    optional purpose "purpose": "What for. Every purpose fits by default.",
    optional epsilon "epsilon": "At what price; a billionth by default.",
    optional on "on": "On which day. Every day fits by default.",
    required expect "expect": "`allow`, `allow: GRANT`, `deny` or `deny: CODE`.",
});
