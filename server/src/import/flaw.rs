//! A record that cannot be imported, and where it stands.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A record that cannot be imported: `FILE:LINE:COLUMN: FIELD: PROBLEM`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The file as the user named it.
    #[serde(serialize_with = "text")]
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1, in bytes; `None` where fields are named instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The field as the file calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong.
    pub problem: String,
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl std::error::Error for Flaw {}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ": {field}")?;
        }
        write!(f, ": {}", self.problem)
    }
}
