//! How what is known has grown, story by story, for the page.

use serde::{Deserialize, Serialize};

/// The most points that are kept.
const MOST: usize = 400;

/// What was known at some times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Growth {
    points: Vec<Point>,
    /// Points that are noted for each that is kept; 0 for 1.
    each: u64,
    /// Points that were noted.
    noted: u64,
}

/// What was known after so many stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) stories: u64,
    pub(crate) behaviours: usize,
    pub(crate) blocks: usize,
}

impl Growth {
    /// Adds what is known now. When there are too many points, every second one is forgotten.
    pub(crate) fn note(&mut self, point: Point) {
        let each = self.each.max(1);
        self.noted += 1;
        if !(self.noted - 1).is_multiple_of(each) {
            return;
        }
        self.points.push(point);
        if self.points.len() > MOST {
            let mut number = 0;
            self.points.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.each = each * 2;
        }
    }

    /// The points, by time.
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_search_keeps_its_beginning_and_its_end_with_few_points() {
        let mut growth = Growth::default();
        for stories in 0..100_000 {
            growth.note(Point { stories, behaviours: 0, blocks: 0 });
            assert!(growth.points().len() <= MOST);
        }
        let points = growth.points();
        assert!(points.len() > MOST / 4 && points.is_sorted_by_key(|point| point.stories));
        assert!(points[0].stories == 0 && points[points.len() - 1].stories > 99_000);
        let gaps: std::collections::BTreeSet<u64> =
            points.windows(2).map(|two| two[1].stories - two[0].stories).collect();
        assert_eq!(gaps.len(), 1, "{gaps:?}");
    }
}
