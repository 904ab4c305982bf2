use qiao_auth::{AuditEntry, Permit};
use qiao_model::is_plain_text;

use crate::review::REASON_CHARS_MAX;
use crate::{Error, Registry};

impl Registry {
    /// Keeps a row in the audit when the caller was refused: its own transaction
    /// did not commit.
    pub(crate) async fn audit_refusal<T>(
        &self,
        permit: &Permit,
        action: &'static str,
        subject: impl ToString + Send,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        if let Err(error) = &outcome
            && error.is_refusal()
        {
            let entry = AuditEntry::refused(permit.actor(), action, subject, error);
            self.inner().auth.audit(entry).await?;
        }
        outcome
    }
}

/// Why an operator decided so.
pub(crate) fn reason(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let chars = text.chars().count();
    if !(1..=REASON_CHARS_MAX).contains(&chars) || !is_plain_text(text) {
        return Err(Error::InvalidReason);
    }
    Ok(text.to_owned())
}
