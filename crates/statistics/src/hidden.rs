//! Which integers of a release its office does not show.

/// The integers of a release that its office does not show: a bit for each, the lowest of the first byte first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    bits: Vec<u8>,
}

impl Hidden {
    /// Reads the bits of this number of integers; `None` where there are more or fewer, or one is set beyond them.
    pub fn read(bits: &[u8], integers: usize) -> Option<Self> {
        let beyond = bits.last().map_or(0, |last| match integers % 8 {
            0 => 0,
            used => last >> used,
        });
        (bits.len() == integers.div_ceil(8) && beyond == 0).then(|| Self { bits: bits.to_vec() })
    }

    /// The bits.
    pub fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Whether the integer at a place is hidden.
    pub fn contains(&self, place: usize) -> bool {
        self.bits.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1)
    }

    /// How many are hidden.
    pub fn count(&self) -> usize {
        self.bits.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Puts 0 in the place of each hidden integer.
    pub fn cover(&self, integers: &mut [i64]) {
        let hidden = integers.iter_mut().enumerate().filter(|(place, _)| self.contains(*place));
        hidden.for_each(|(_, integer)| *integer = 0);
    }

    /// Whether these are its release's integers: as many, and 0 where one is hidden.
    pub fn is_of(&self, integers: &[i64]) -> bool {
        self.bits.len() == integers.len().div_ceil(8)
            && integers.iter().enumerate().all(|(place, integer)| *integer == 0 || !self.contains(place))
    }

    /// Shows all of this number of integers.
    pub(crate) fn none_of(integers: usize) -> Self {
        Self { bits: vec![0; integers.div_ceil(8)] }
    }

    /// Hides the integer at a place.
    pub(crate) fn add(&mut self, place: usize) {
        if let Some(byte) = self.bits.get_mut(place / 8) {
            *byte |= 1 << (place % 8);
        }
    }
}
