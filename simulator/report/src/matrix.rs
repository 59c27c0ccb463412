//! The matrix of scenarios and images: where a verdict depends on the guest.

use std::fmt::Write;

use crate::{
    library::cell,
    verdict::{Summary, Verdict},
};

/// The verdicts of scenarios on several images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// Label and kernel release of each image, in the order of the command line.
    pub images: Vec<(String, String)>,
    /// One row per scenario, in the order of the runs.
    pub rows: Vec<Row>,
}

/// The verdicts of one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The scenario's file.
    pub scenario: String,
    /// The verdict on each image; `None` if it was not run there. With several runs on an image, the worst.
    pub verdicts: Vec<Option<Verdict>>,
}

impl Row {
    /// Whether the verdict is not the same on all images.
    pub fn differs(&self) -> bool {
        self.verdicts.windows(2).any(|pair| pair[0] != pair[1])
    }
}

impl Matrix {
    /// The matrix of these runs; `None` if there is only one image.
    pub fn of(summaries: &[Summary]) -> Option<Matrix> {
        let mut matrix = Matrix { images: Vec::new(), rows: Vec::new() };
        for summary in summaries {
            let image = (summary.base_image().to_owned(), summary.kernel.clone());
            matrix.add(&summary.scenario, image, summary.verdict);
        }
        (matrix.images.len() > 1).then_some(matrix)
    }

    fn add(&mut self, scenario: &str, image: (String, String), verdict: Verdict) {
        let column = self.images.iter().position(|known| known.0 == image.0);
        let column = column.unwrap_or_else(|| {
            self.images.push(image);
            self.rows.iter_mut().for_each(|row| row.verdicts.push(None));
            self.images.len() - 1
        });
        let row = self.rows.iter().position(|row| row.scenario == scenario);
        let row = row.unwrap_or_else(|| {
            let verdicts = vec![None; self.images.len()];
            self.rows.push(Row { scenario: scenario.to_owned(), verdicts });
            self.rows.len() - 1
        });
        let cell = &mut self.rows[row].verdicts[column];
        *cell = worse(*cell, verdict);
    }

    /// The matrix in Markdown: every scenario whose verdicts differ, and the number of each verdict per image.
    pub fn markdown(&self) -> String {
        let mut page = "| scenario |".to_owned();
        for (image, kernel) in &self.images {
            let _ = write!(page, " {image}<br>{kernel} |");
        }
        let _ = writeln!(page, "\n|---|{}", "---|".repeat(self.images.len()));
        for row in self.rows.iter().filter(|row| row.differs()) {
            let _ = write!(page, "| {} |", cell(&row.scenario));
            for verdict in &row.verdicts {
                let _ = write!(page, " {} |", verdict.map_or(String::new(), |v| v.to_string()));
            }
            page.push('\n');
        }
        let same = self.rows.iter().filter(|row| !row.differs()).count();
        let _ = writeln!(page, "\n{same} more have the same verdict on all of them.");
        page
    }
}

fn worse(before: Option<Verdict>, verdict: Verdict) -> Option<Verdict> {
    const FROM_BAD_TO_GOOD: [Verdict; 5] =
        [Verdict::Error, Verdict::Fail, Verdict::Known, Verdict::Skipped, Verdict::Pass];
    FROM_BAD_TO_GOOD.into_iter().find(|v| *v == verdict || Some(*v) == before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(runs: &[(&str, &str, Verdict)]) -> Matrix {
        let mut matrix = Matrix { images: Vec::new(), rows: Vec::new() };
        for (scenario, image, verdict) in runs {
            matrix.add(scenario, ((*image).to_owned(), "6.1".to_owned()), *verdict);
        }
        matrix
    }

    #[test]
    fn verdicts_that_differ_stand_out() {
        let matrix = matrix(&[
            ("a", "old", Verdict::Known),
            ("a", "new", Verdict::Pass),
            ("b", "old", Verdict::Pass),
            ("b", "new", Verdict::Pass),
        ]);
        assert_eq!(matrix.rows.iter().map(Row::differs).collect::<Vec<_>>(), [true, false]);
        let page = matrix.markdown();
        assert!(page.contains("| a | known | pass |\n\n1 more"), "{page}");
    }

    #[test]
    fn of_several_runs_the_worst_counts() {
        let matrix = matrix(&[
            ("a", "old", Verdict::Pass),
            ("a", "old", Verdict::Fail),
            ("a", "old", Verdict::Pass),
            ("b", "new", Verdict::Pass),
        ]);
        assert_eq!(matrix.rows[0].verdicts, [Some(Verdict::Fail), None]);
        assert_eq!(Matrix::of(&[]), None);
    }
}
