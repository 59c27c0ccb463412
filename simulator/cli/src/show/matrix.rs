//! The table of verdicts by scenario and image.

use std::fmt::Write;

use console::style;
use sansim_report::matrix::{Matrix, Row};

use super::result::paint;

/// One row per scenario, one column per image; a star marks rows whose verdicts differ.
pub(crate) fn print_matrix(matrix: &Matrix) {
    out!("{}", text(matrix));
}

fn text(matrix: &Matrix) -> String {
    let longest = matrix.rows.iter().map(|row| row.scenario.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = matrix
        .images
        .iter()
        .map(|(image, kernel)| image.len().max(kernel.len()).max("skipped".len()))
        .collect();
    let line = |star: &str, name: &str, cells: &mut dyn Iterator<Item = String>| {
        let mut line = format!("{star} {name:<longest$}");
        cells.for_each(|cell| line.push_str(&format!("  {cell}")));
        format!("{}\n", line.trim_end())
    };
    let column = |text: &str, width: usize| format!("{text:<width$}");
    let head = |of: fn(&(String, String)) -> &str| {
        let cells = matrix.images.iter().zip(&widths);
        line(" ", "", &mut cells.map(|(image, width)| column(of(image), *width)))
    };
    let mut text = format!("\n{}{}", head(|image| &image.0), head(|image| &image.1));
    for row in &matrix.rows {
        let cells = row.verdicts.iter().zip(&widths).map(|(verdict, width)| match verdict {
            None => column("", *width),
            Some(verdict) => {
                let cell = column(&verdict.to_string(), *width);
                paint(*verdict).apply_to(cell).to_string()
            }
        });
        let star = if row.differs() { style("*").bold().to_string() } else { " ".to_owned() };
        text.push_str(&line(&star, &row.scenario, &mut { cells }));
    }
    let differ = matrix.rows.iter().filter(|row| Row::differs(row)).count();
    let _ = writeln!(text, "* {differ} of {} differ between images", matrix.rows.len());
    text
}

#[cfg(test)]
mod tests {
    use sansim_report::verdict::Verdict;

    use super::*;

    #[test]
    fn what_differs_has_a_star() {
        console::set_colors_enabled(false);
        let row = |scenario: &str, verdicts| Row { scenario: scenario.to_owned(), verdicts };
        let images = [("old", "5.10.0"), ("new", "7.3.4-amd64")];
        let matrix = Matrix {
            images: images.map(|(image, kernel)| (image.to_owned(), kernel.to_owned())).into(),
            rows: vec![
                row("rdac/a.toml", vec![Some(Verdict::Known), Some(Verdict::Pass)]),
                row("b.toml", vec![Some(Verdict::Pass), Some(Verdict::Pass)]),
            ],
        };
        let expected = "
               old      new
               5.10.0   7.3.4-amd64
* rdac/a.toml  known    pass
  b.toml       pass     pass
* 1 of 2 differ between images
";
        assert_eq!(text(&matrix), expected);
    }
}
