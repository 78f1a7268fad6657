//! The table that a run prints: each figure of the bare server beside the real one's, their ratio, and the
//! goal where there is one.
//!
//! It never judges a run: noise on a shared machine is not a failure, so a missed goal is only said.

use std::fmt;

/// What a ratio, or a figure of the real server, should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    None,
    RatioAtLeast(f64),
    RatioAtMost(f64),
    AtMost(f64),
}

/// One figure in rounds: `samples[i]` of both sides were taken one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) bare: Vec<f64>,
    pub(crate) real: Vec<f64>,
    pub(crate) goal: Goal,
}

/// What stands above the rows, in their columns.
pub(crate) fn heading() -> String {
    format!(
        "{:<52} {:>12} {:>12}  {:>6} {:<13}  goal",
        "median of the rounds", "bare relay", "mock-server", "ratio", "(of rounds)"
    )
}

/// As [`heading`], for figures of a world beside those of one ten times as large.
pub(crate) fn heading_of_growth() -> String {
    format!(
        "{:<52} {:>12} {:>12}  {:>6} {:<13}  goal",
        "the world that is named, beside one a tenth of it", "a tenth", "as named", "growth", "(of rounds)"
    )
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = format!("{}, {}", self.what, self.unit);
        write!(f, "{what:<52} {:>12} {:>12}", figure(median(&self.bare)), figure(median(&self.real)))?;
        let ratios = self.ratios();
        let (Some(ratio), Some(least), Some(most)) = (
            median(&ratios),
            ratios.iter().copied().reduce(f64::min),
            ratios.iter().copied().reduce(f64::max),
        ) else {
            return Ok(());
        };
        write!(f, "  {ratio:>6.2} {:<13}", format!("({least:.2} to {most:.2})"))?;
        let (wanted, met) = match (self.goal, median(&self.real)) {
            (Goal::None, _) | (_, None) => return Ok(()),
            (Goal::RatioAtLeast(goal), _) => (format!("ratio ≥ {goal:.2}"), ratio >= goal),
            (Goal::RatioAtMost(goal), _) => (format!("ratio ≤ {goal:.2}"), ratio <= goal),
            (Goal::AtMost(goal), Some(real)) => (format!("≤ {goal} {}", self.unit), real <= goal),
        };
        write!(f, "  {wanted}: {}", if met { "met" } else { "MISSED" })
    }
}

impl Row {
    fn ratios(&self) -> Vec<f64> {
        self.real.iter().zip(&self.bare).map(|(real, bare)| real / bare).collect()
    }
}

/// The middle value, or the mean of the two middle ones.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some((lower + upper) / 2.0)
}

/// Three or four digits that count, with thousands apart.
fn figure(value: Option<f64>) -> String {
    let Some(value) = value else { return "not measured".to_owned() };
    if value < 100.0 {
        return format!("{value:.2}");
    }
    if value < 1_000.0 {
        return format!("{value:.0}");
    }
    let thousands = (value / 1_000.0).trunc();
    format!("{thousands:.0},{:03.0}", (value - thousands * 1_000.0).trunc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], None)]
    #[case(&[3.0], Some(3.0))]
    #[case(&[9.0, 1.0, 3.0], Some(3.0))]
    #[case(&[4.0, 1.0, 3.0, 9.0], Some(3.5))]
    fn a_median_is_in_the_middle(#[case] values: &[f64], #[case] middle: Option<f64>) {
        assert_eq!(median(values), middle);
    }

    #[rstest]
    #[case(None, "not measured")]
    #[case(Some(7.004), "7.00")]
    #[case(Some(141.2), "141")]
    #[case(Some(36_042.9), "36,042")]
    #[case(Some(1_999.99), "1,999")]
    fn figures_are_short(#[case] value: Option<f64>, #[case] text: &str) {
        assert_eq!(figure(value), text);
    }

    #[test]
    fn a_row_says_whether_its_goal_is_met() {
        let row = |goal| Row {
            what: "messages".to_owned(),
            unit: "1/s",
            bare: vec![100.0, 100.0, 100.0],
            real: vec![90.0, 80.0, 85.0],
            goal,
        };
        assert!(
            row(Goal::RatioAtLeast(0.85)).to_string().ends_with("0.85 (0.80 to 0.90)  ratio ≥ 0.85: met")
        );
        assert!(row(Goal::RatioAtMost(0.8)).to_string().ends_with("ratio ≤ 0.80: MISSED"));
        assert!(row(Goal::AtMost(85.0)).to_string().ends_with("≤ 85 1/s: met"));
    }

    #[test]
    fn a_figure_that_is_not_to_be_had_is_said_so() {
        let row = Row {
            what: "CPU".to_owned(),
            unit: "µs",
            bare: vec![],
            real: vec![],
            goal: Goal::RatioAtMost(1.25),
        };
        assert!(row.to_string().ends_with("not measured not measured"));
    }
}
