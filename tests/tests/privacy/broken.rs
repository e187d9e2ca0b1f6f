//! Mechanisms that are broken on purpose, each with the audit that finds it out.

use std::collections::BTreeMap;

use lango_privacy::{
    Column, Counted, Domain, Fetch, Keyset, Layout, Measured, Measurement, NoiseError, Plan,
};

use crate::{
    audit::{Claim, Neighbours, Release, found, product},
    audits::{
        Audit,
        Price::{self, Delta, Pure, Zcdp},
    },
    report::{each, print},
    seeds::times,
};

/// What is wrong, the audit that finds it out, and how it comes about.
type Broken = (&'static str, &'static str, Price, fn(&Audit) -> (Neighbours, &'static Release<'static>));

const BROKEN: &[Broken] = &[
    ("noise for half a unit", "persons", Pure, |audit| (audit.neighbours().with_noise(|_| 0.5), &product)),
    ("an average charged for half", "mean at a bound", Pure, |audit| {
        (audit.neighbours().with_noise(|_| 0.5), &product)
    }),
    ("each margin at the whole price", "cube of persons", Pure, |audit| {
        let neighbours = audit.neighbours();
        let whole = neighbours.plan.loss.pure_nano.unwrap() as f64;
        (neighbours.with_noise(|margin| margin.text.price_nano as f64 / whole), &product)
    }),
    ("more rows than declared", "rows in one cell", Pure, |audit| {
        (audit.counted_by(|plan| plan.dataset.unit.rows_at_most += 2), &product)
    }),
    ("more rows than declared", "rows in one cell", Zcdp, |audit| {
        (audit.counted_by(|plan| plan.dataset.unit.rows_at_most += 2), &product)
    }),
    ("more cells than declared", "persons of three rows", Pure, |audit| {
        (audit.counted_by(|plan| plan.dataset.unit.cells_at_most = 3), &product)
    }),
    ("rows in the place of persons", "persons of three rows", Pure, |audit| {
        (audit.counted_by(|plan| plan.margins[0].fetch = Fetch::Rows), &product)
    }),
    ("a sum that is not clamped", "sum above the bounds", Zcdp, |audit| {
        (audit.counted_by(unclamped), &product)
    }),
    ("empty cells left out", "persons in three cells", Pure, |audit| {
        (audit.neighbours(), &without_empty_cells)
    }),
    ("a threshold half as high", "a key of nobody else", Delta, |audit| {
        let mut neighbours = audit.neighbours();
        let Measurement::Discovery(discovery) = &mut neighbours.plan.margins[0].text.measurement else {
            panic!()
        };
        discovery.threshold /= 2;
        (neighbours, &product)
    }),
];

/// A plan whose bounds on incomes, wherever a source reads them, are far beyond what it was priced for.
fn unclamped(plan: &mut Plan) {
    const BEYOND: i64 = 1_000_000_000;
    let income = Column::from(Domain::amount(0, BEYOND, 0, None).unwrap());
    plan.dataset.columns.insert("income".parse().unwrap(), income);
    let Fetch::Sum { range, .. } = &mut plan.margins[0].fetch else { panic!("incomes are summed") };
    range.high = BEYOND;
}

/// A release that leaves out the cells of a lone margin in which nobody is.
fn without_empty_cells(plan: &Plan, counted: Vec<Counted>) -> Result<Measured, NoiseError> {
    let Some(Counted::Cells(cells)) = counted.first().cloned() else { return Err(NoiseError::Noise) };
    let measured = product(plan, counted)?;
    let (margin, mut keysets) = (&measured.layout.margins()[0], BTreeMap::new());
    for (dimension, keyset) in measured.layout.axes(&margin.by) {
        let filled = keyset.codes().iter().zip(&cells).filter(|(_, units)| **units > 0);
        keysets.insert(dimension.clone(), Keyset::new(filled.map(|(code, _)| code.clone()).collect()));
    }
    let filled = measured.integers.iter().zip(&cells).filter(|(_, units)| **units > 0);
    let integers = filled.map(|(noisy, _)| *noisy).collect();
    let layout = Layout::new(keysets, vec![margin.clone()]).map_err(|_| NoiseError::Noise)?;
    Ok(Measured { layout, integers })
}

#[test]
fn what_is_broken_is_found_out_by_the_audit_named_for_it() {
    let results = each(BROKEN, |(what, name, price, of)| {
        let audit = Audit::named(name, *price);
        let (neighbours, release) = of(audit);
        let claim = audit.claim(&neighbours.plan);
        (what, audit, claim, found(&neighbours, &claim, release, times(5_000)))
    });
    let line = |(what, audit, claim, found): &(&&str, &Audit, Claim, f64)| {
        let verdict = if *found > claim.figure() { "caught" } else { "MISSED" };
        let (claimed, found) = (claim.write(claim.figure()), claim.write(*found));
        [what.to_string(), audit.name.to_owned(), claimed, found, verdict.to_owned()]
    };
    let lines: Vec<_> = results.iter().map(line).collect();
    print(["broken", "caught by the audit of", "claimed", "found", ""], &lines);
    for (what, audit, claim, found) in results {
        assert!(found > claim.figure(), "{what}: not seen by the audit of {}", audit.name);
    }
}
