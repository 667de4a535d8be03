use crate::event::EventKind;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most patterns that one endpoint has: more than there are kinds of events.
const MOST: usize = 50;

/// Which events an endpoint is told of: `invoice.paid`, `invoice.*` or `*`, any of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventFilter(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    #[error("must have 1 to {MOST} entries")]
    Count,
    /// With the place of the entry. What matches nothing is a typing error, and would go unnoticed until it mattered.
    #[error("must be an event such as invoice.paid, a group such as invoice.*, or *")]
    MatchesNothing(usize),
}

impl EventFilter {
    pub fn parse<T: AsRef<str>>(patterns: &[T]) -> Result<Self, FilterError> {
        if patterns.is_empty() || patterns.len() > MOST {
            return Err(FilterError::Count);
        }
        let parsed = patterns.iter().enumerate().map(|(index, text)| {
            let pattern = Pattern::from(text.as_ref().to_owned());
            let is_known = EventKind::ALL.into_iter().any(|kind| pattern.accepts(kind));
            is_known.then_some(pattern).ok_or(FilterError::MatchesNothing(index))
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    pub fn accepts(&self, kind: EventKind) -> bool {
        self.0.iter().any(|pattern| pattern.accepts(kind))
    }

    pub fn patterns(&self) -> impl Iterator<Item = String> {
        self.0.iter().cloned().map(String::from)
    }
}

/// Read from the table it may name what isn't told any more; then it matches nothing, and the endpoint goes on with the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
enum Pattern {
    All,
    /// What stands before `.*`.
    Group(String),
    Kind(String),
}

impl Pattern {
    fn accepts(&self, kind: EventKind) -> bool {
        let kind = kind.as_str();
        match self {
            Self::All => true,
            Self::Group(group) => kind.strip_prefix(group.as_str()).is_some_and(|rest| rest.starts_with('.')),
            Self::Kind(name) => name == kind,
        }
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        match text.strip_suffix(".*") {
            _ if text == "*" => Self::All,
            Some(group) => Self::Group(group.to_owned()),
            None => Self::Kind(text),
        }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        match pattern {
            Pattern::All => "*".to_owned(),
            Pattern::Group(group) => format!("{group}.*"),
            Pattern::Kind(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_kinds_groups_and_all() {
        let both = [EventKind::InvoicePaid, EventKind::InvoiceRefunded];
        for (patterns, accepted) in [
            (vec!["invoice.paid"], [true, false]),
            (vec!["invoice.refunded", "invoice.created"], [false, true]),
            (vec!["invoice.*"], [true, true]),
            (vec!["*"], [true, true]),
        ] {
            let filter = EventFilter::parse(&patterns).unwrap();
            assert_eq!(both.map(|kind| filter.accepts(kind)), accepted, "{patterns:?}");
            assert_eq!(filter.patterns().collect::<Vec<_>>(), patterns);
        }
    }

    #[test]
    fn what_matches_nothing_is_refused_with_its_place() {
        for wrong in [
            "",
            "invoice",
            "invoice.",
            "inv*",
            "inv.*",
            ".*",
            "**",
            "invoice.payed",
            "INVOICE.PAID",
            "invoice.paid.*",
        ] {
            assert_eq!(
                EventFilter::parse(&["invoice.paid", wrong]),
                Err(FilterError::MatchesNothing(1)),
                "{wrong}"
            );
        }
        assert_eq!(EventFilter::parse::<&str>(&[]), Err(FilterError::Count));
        assert_eq!(EventFilter::parse(&["*"; MOST + 1]), Err(FilterError::Count));
    }

    #[test]
    fn a_kind_that_is_told_no_more_harms_nobody() {
        let stored: EventFilter = serde_json::from_str(r#"["invoice.forgotten","invoice.paid"]"#).unwrap();
        assert!(stored.accepts(EventKind::InvoicePaid));
        assert!(!stored.accepts(EventKind::InvoiceCreated));
        assert_eq!(serde_json::to_string(&stored).unwrap(), r#"["invoice.forgotten","invoice.paid"]"#);
    }

    #[test]
    fn every_kind_is_in_the_list_once_and_belongs_to_a_group() {
        for kind in EventKind::ALL {
            let same = EventKind::ALL.into_iter().filter(|other| *other == kind).count();
            assert_eq!((same, kind.as_str().split('.').count()), (1, 2), "{kind:?}");
        }
    }
}
