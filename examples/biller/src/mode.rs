use serde::{Deserialize, Serialize};

/// How payments are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Paid at once.
    #[default]
    Ok,
    /// Refused with status 422.
    Fail,
    /// Paid, but the answer takes long.
    Slow,
    /// Paid, but the connection is dropped without an answer.
    Drop,
    /// Accepted with status 202; paid when it is asked again in the mode `ok`.
    Pending,
}
