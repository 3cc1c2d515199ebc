//! Medians and spreads over the rounds.

/// The middle of some figures, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) median: f64,
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

impl Spread {
    /// Of these figures; `None` where there is none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let upper = sorted.get(sorted.len() / 2)?;
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
        let (least, most) = (sorted.first()?, sorted.last()?);
        Some(Self { median: f64::midpoint(*lower, *upper), least: *least, most: *most })
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_two_in_the_middle() {
        for (figures, median, least, most) in [
            (&[3.0][..], 3.0, 3.0, 3.0),
            (&[9.0, 1.0, 2.0], 2.0, 1.0, 9.0),
            (&[4.0, -1.0, 2.0, 3.0], 2.5, -1.0, 4.0),
        ] {
            let spread = Spread::of(figures.iter().copied());
            assert_eq!(spread, Some(Spread { median, least, most }), "{figures:?}");
        }
        assert_eq!(Spread::of([]), None);
    }
}
