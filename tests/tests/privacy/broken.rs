//! Mechanisms that are broken on purpose, each with the audit that finds it out.

use std::collections::BTreeMap;

use lango_privacy::{Counted, Fetch, Keyset, Layout, Measured, Measurement, NoiseError, Plan};

use crate::{
    audit::{Claim, Neighbours, Release, found, product},
    audits::{
        Audit,
        Price::{self, Delta, Pure, Zcdp},
        with_noise,
    },
    report::{each, print},
    seeds::times,
};

/// What is wrong, the audit that finds it out, and how it comes about.
type Broken = (&'static str, &'static str, Price, fn(&Audit) -> (Neighbours, &'static Release<'static>));

const BROKEN: &[Broken] = &[
    ("noise for half a unit", "persons", Pure, |audit| scaled(audit, 0.5)),
    ("noise for half a pair", "mean at the lower bound", Pure, |audit| scaled(audit, 0.5)),
    ("each margin's noise at the whole price", "cube of persons", Pure, |audit| scaled(audit, 0.25)),
    ("a row more read than declared", "rows in one cell", Pure, |audit| {
        (audit.counted_by(|plan| plan.dataset.unit.rows_at_most += 2), &product)
    }),
    ("a row more read than declared", "rows in one cell", Zcdp, |audit| {
        (audit.counted_by(|plan| plan.dataset.unit.rows_at_most += 2), &product)
    }),
    ("persons in more cells than declared", "persons of three rows", Pure, |audit| {
        (audit.counted_by(|plan| plan.dataset.unit.cells_at_most = 3), &product)
    }),
    ("rows in the place of persons", "persons of three rows", Pure, |audit| {
        (audit.counted_by(|plan| plan.margins[0].fetch = Fetch::Rows), &product)
    }),
    ("a sum that is not clamped", "sum above the upper bound", Zcdp, |audit| {
        (audit.counted_by(|plan| unclamped(&mut plan.margins[0].fetch)), &product)
    }),
    ("cells that are told if they are not empty", "persons in three cells", Pure, |audit| {
        (audit.neighbours(), &without_empty_cells)
    }),
    ("a threshold half as high", "a key that nobody else has", Delta, |audit| {
        let mut neighbours = audit.neighbours();
        let Measurement::Discovery(discovery) = &mut neighbours.plan.margins[0].text.measurement else {
            panic!()
        };
        discovery.threshold /= 2;
        (neighbours, &product)
    }),
];

fn scaled(audit: &Audit, times: f64) -> (Neighbours, &'static Release<'static>) {
    let mut neighbours = audit.neighbours();
    with_noise(&mut neighbours.plan, times);
    (neighbours, &product)
}

fn unclamped(fetch: &mut Fetch) {
    if let Fetch::Sum { range, .. } = fetch {
        range.high = i64::MAX;
    }
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
    let integers = filled.map(|(told, _)| *told).collect();
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
