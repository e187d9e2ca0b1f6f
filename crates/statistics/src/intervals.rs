//! Which noises lie on a cell, and how wide its interval therefore is: computed once per distinct sum of noises.

use std::collections::{BTreeMap, HashMap};

use lango_privacy::{Level, Noise, NoiseSum};

use crate::Figure;

/// A sum of noises that some cell carries. The default is no noise at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Carried(u32);

/// Each distinct noise by its place in the list, with how often it occurs.
type Bag = BTreeMap<usize, u32>;

/// The sums of noises that occur.
#[derive(Debug)]
pub(crate) struct Intervals {
    noises: Vec<Noise>,
    bags: Vec<Bag>,
    known: HashMap<Bag, Carried>,
    steps: HashMap<(Carried, usize), Carried>,
    widths: HashMap<Carried, (f64, u64)>,
    level: Level,
}

impl Intervals {
    pub(crate) fn new(level: Level) -> Self {
        Self {
            noises: Vec::new(),
            bags: vec![Bag::new()],
            known: HashMap::from([(Bag::new(), Carried(0))]),
            steps: HashMap::new(),
            widths: HashMap::new(),
            level,
        }
    }

    /// A handle of the noise; equal noises have one.
    pub(crate) fn noise(&mut self, noise: Noise) -> usize {
        let at = self.noises.iter().position(|known| *known == noise);
        at.unwrap_or_else(|| {
            self.noises.push(noise);
            self.noises.len() - 1
        })
    }

    /// What a cell carries that carried `before` and has a further, independent noise.
    pub(crate) fn with(&mut self, before: Carried, noise: usize) -> Carried {
        if let Some(after) = self.steps.get(&(before, noise)) {
            return *after;
        }
        let mut bag = self.bags.get(before.0 as usize).cloned().unwrap_or_default();
        *bag.entry(noise).or_default() += 1;
        // Fewer sums than cells, and fewer cells than 2^32.
        let next = Carried(u32::try_from(self.bags.len()).unwrap_or(u32::MAX));
        let after = *self.known.entry(bag.clone()).or_insert(next);
        if after == next {
            self.bags.push(bag);
        }
        self.steps.insert((before, noise), after);
        after
    }

    /// The figure of a value that carries such a sum.
    pub(crate) fn figure(&mut self, value: i64, carried: Carried) -> Figure {
        let (std_err, half_width) = self.width(carried);
        Figure {
            value,
            std_err,
            lower: value.saturating_sub_unsigned(half_width),
            upper: value.saturating_add_unsigned(half_width),
        }
    }

    /// The standard error, and the smallest half-width of the level.
    fn width(&mut self, carried: Carried) -> (f64, u64) {
        let (noises, bags, level) = (&self.noises, &self.bags, self.level);
        *self.widths.entry(carried).or_insert_with(|| {
            let each = bags.get(carried.0 as usize).into_iter().flatten();
            let noises = each.flat_map(|(at, times)| {
                noises.get(*at).into_iter().flat_map(|noise| std::iter::repeat_n(*noise, *times as usize))
            });
            let sum = NoiseSum::of(noises);
            (sum.std_err(), sum.half_width(level).0)
        })
    }
}
