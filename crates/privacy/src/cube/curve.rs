//! How much information a margin gives as its share grows: computed once, then known cheaply and smoothly.

/// A value with its first and second derivative.
pub(super) type Jet = [f64; 3];

/// A function of the share, by cubic pieces: four for each power of 2, found by the bits of the share.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    /// Where a piece begins, and its coefficients from there.
    pieces: Vec<(f64, [f64; 4])>,
    /// The place of the first piece.
    first: u64,
    floor: f64,
    at_floor: Jet,
    /// The largest power of the share that it grows like.
    pub(super) power: f64,
}

/// The bits of a float behind those that say which piece it is in: its exponent, and two binary digits.
const BITS_WITHIN: u32 = 50;

fn place(share: f64) -> u64 {
    share.to_bits() >> BITS_WITHIN
}

impl Curve {
    /// The curve of `information`, which is asked for shares from `floor` to 1.
    pub(super) fn new(floor: f64, information: impl Fn(f64) -> f64) -> Self {
        let first = place(floor);
        // One node before the first and one after the last piece, for their slopes.
        let nodes: Vec<(f64, f64)> = (first - 1..=place(1.0) + 1)
            .map(|place| f64::from_bits(place << BITS_WITHIN))
            .map(|share| (share, information(share.clamp(floor, 1.0)).ln()))
            .collect();
        let secant = |(x, f): (f64, f64), (y, g): (f64, f64)| (g - f) / (y / x).ln();
        let power = nodes
            .windows(2)
            .map(|two| match *two {
                [a, b] => secant(a, b),
                _ => 0.0,
            })
            .fold(0.0, f64::max);
        let slope = |three: &[(f64, f64)]| match *three {
            [a, b, c] if a.0 < floor => (b, secant(b, c)),
            [a, b, c] if c.0 > 1.0 => (b, secant(a, b)),
            [a, b, c] => {
                let (left, right) = ((b.0 / a.0).ln(), (c.0 / b.0).ln());
                (b, (secant(a, b) * right + secant(b, c) * left) / (left + right))
            }
            _ => ((1.0, 0.0), 0.0),
        };
        let slopes: Vec<_> = nodes.windows(3).map(slope).collect();
        let piece = |two: &[((f64, f64), f64)]| match *two {
            [((x, f), m), ((y, g), n)] => {
                let (from, to, wide) = (f.exp(), g.exp(), y - x);
                let (m, n, mean) = (from * m / x, to * n / y, (to - from) / wide);
                (x, [from, m, (3.0 * mean - 2.0 * m - n) / wide, (m + n - 2.0 * mean) / (wide * wide)])
            }
            _ => (0.0, [0.0; 4]),
        };
        let pieces = slopes.windows(2).map(piece).collect();
        let mut curve = Self { pieces, first, floor: 0.0, at_floor: [0.0; 3], power };
        curve.at_floor = curve.at(floor);
        curve.floor = floor;
        curve
    }

    /// The value at a share, with derivatives by it.
    pub(super) fn at(&self, share: f64) -> Jet {
        if share <= self.floor {
            return self.at_floor;
        }
        let piece = (place(share) - self.first).min(self.pieces.len() as u64 - 1);
        let (start, [a, b, c, d]) = self.pieces.get(piece as usize).copied().unwrap_or_default();
        let r = share - start;
        [a + r * (b + r * (c + r * d)), b + r * (2.0 * c + 3.0 * r * d), 2.0 * c + 6.0 * r * d]
    }
}
