//! How wide a cell's interval is: computed once per distinct sum of noises.

use std::collections::HashMap;

use lango_privacy::{Level, QuantileNoise, RatioNoise, RatioTerm, Term, WeightedSum};

use crate::noises::{Carried, Noises};

/// The intervals that occur.
#[derive(Debug)]
pub(crate) struct Intervals {
    level: Level,
    pub noises: Noises,
    widths: HashMap<Carried, (f64, f64)>,
    ratios: HashMap<(Carried, [u64; 2]), RatioNoise>,
    shares: HashMap<(Carried, Carried), RatioNoise>,
    quantiles: HashMap<(Carried, usize, u64), QuantileNoise>,
}

impl Intervals {
    pub fn new(level: Level) -> Self {
        Self {
            level,
            noises: Noises::new(),
            widths: HashMap::new(),
            ratios: HashMap::new(),
            shares: HashMap::new(),
            quantiles: HashMap::new(),
        }
    }

    /// The confidence.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The standard error of a plain sum, and the half-width of its interval.
    pub fn width(&mut self, carried: Carried) -> (f64, f64) {
        *self.widths.entry(carried).or_insert_with(|| {
            let sum = WeightedSum::of(self.noises.plain_terms(carried));
            (sum.std_err(), sum.half_width(self.level))
        })
    }

    /// The noise of a ratio between these bounds.
    pub fn ratio(&mut self, carried: Carried, [lowest, highest]: [f64; 2]) -> &RatioNoise {
        let key = (carried, [lowest.to_bits(), highest.to_bits()]);
        let noise = || RatioNoise::new(self.noises.terms(carried), lowest, highest, self.level);
        self.ratios.entry(key).or_insert_with(noise)
    }

    /// The noise of the share of a plain sum in a greater one of which it is a part.
    pub fn share(&mut self, part: Carried, all: Carried) -> &RatioNoise {
        self.shares.entry((part, all)).or_insert_with(|| {
            let rest = self.noises.rest(part, all);
            let of =
                |term: RatioTerm, numerator| RatioTerm { numerator, denominator: term.numerator, ..term };
            let own = self.noises.terms(part).map(|term| of(term, term.numerator));
            let terms = own.chain(self.noises.terms(rest).map(|term| of(term, 0.0)));
            RatioNoise::new(terms, 0.0, 1.0, self.level)
        })
    }

    /// The noise of a quantile of a histogram of `bins` bins that each carry this.
    pub fn quantile(&mut self, carried: Carried, bins: usize, share: f64) -> &QuantileNoise {
        self.quantiles.entry((carried, bins, share.to_bits())).or_insert_with(|| {
            let terms: Vec<Term> = self.noises.plain_terms(carried).collect();
            QuantileNoise::new(bins, &terms, share, self.level)
        })
    }
}
