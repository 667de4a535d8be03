use std::fmt;

/// A figure, and what the design asks of it.
#[derive(Debug)]
struct Row {
    measure: String,
    value: u64,
    unit: &'static str,
    goal: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Row>);

impl Report {
    pub(crate) fn add(
        &mut self,
        measure: impl Into<String>,
        value: u64,
        unit: &'static str,
        goal: Option<u64>,
    ) {
        self.0.push(Row { measure: measure.into(), value, unit, goal });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<52} {:>12} {:<14} {:>12}", "measure", "measured", "", "goal")?;
        for row in &self.0 {
            let goal = row.goal.map_or_else(|| "-".to_owned(), |goal| format!("≤ {goal}"));
            let verdict = match row.goal {
                Some(goal) if row.value > goal => "  MISSED",
                _ => "",
            };
            writeln!(f, "{:<52} {:>12} {:<14} {goal:>12}{verdict}", row.measure, row.value, row.unit)?;
        }
        Ok(())
    }
}
