//! A small chart of how something has grown.

use maud::{Markup, html};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 120.0;

/// A line through these points, at least two, `(stories, count)` by stories, with what it is and how much it is at last.
pub(super) fn chart(what: &str, points: &[(u64, usize)]) -> Markup {
    let [(first, lowest), .., (stories, last)] = *points else { return html! {} };
    let most = points.iter().map(|(_, count)| *count).max().unwrap_or(last);
    let across = stories.saturating_sub(first).max(1) as f64;
    let up = most.saturating_sub(lowest).max(1) as f64;
    let places = points.iter().map(|(at, count)| {
        let x = (at - first) as f64 / across * WIDTH;
        let y = HEIGHT - count.saturating_sub(lowest) as f64 / up * (HEIGHT - 8.0) - 4.0;
        format!("{x:.1},{y:.1}")
    });
    let places: Vec<String> = places.collect();
    html! {
        figure {
            figcaption { (what) ": " b { (last) } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (what) ": from " (lowest) " to " (last) } {
                polyline points=(places.join(" ")) fill="none" stroke="currentColor" stroke-width="2" {}
            }
            small { "from " (lowest) ", over " (first) " to " (stories) " stories" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::chart;

    #[test]
    fn a_line_rises_from_the_lower_left_to_the_upper_right() {
        let text = chart("blocks", &[(16, 700), (32, 750), (48, 800)]).into_string();
        assert!(text.contains("0.0,116.0 210.0,60.0 420.0,4.0"), "{text}");
        assert!(text.contains("blocks: <b>800</b>"), "{text}");
        assert_eq!(chart("blocks", &[(16, 700)]).into_string(), "");
    }
}
