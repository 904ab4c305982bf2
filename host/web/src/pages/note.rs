use serde::Deserialize;

use super::text::Text;
use super::view::{Notice, Tone};

/// What just happened, told on the page that a form leads to. It travels as a
/// code of this list, so that no link can put words in the host's mouth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Note {
    /// Signed up.
    Welcome,
    /// Logged out.
    LoggedOut,
    /// A form came without a session: nothing of it was done.
    LogInAgain,
    /// The PIN is set.
    PinSaved,
    /// The sandbox credited the wallet.
    ToppedUp,
    /// A bank account is linked.
    BankLinked,
    /// A bank account is unlinked.
    BankUnlinked,
    /// A bank channel is paused.
    BankPaused,
    /// A bank channel is active again.
    BankResumed,
    /// The worker asks the bank again.
    BankAsked,
    /// A stuck bank transfer has ended.
    BankDecided,
    /// Follows.
    Followed,
    /// Follows no longer.
    Unfollowed,
    /// A mandate is given.
    MandateGiven,
    /// A mandate is revoked.
    MandateRevoked,
    /// An institution waits for its approval.
    Registered,
    /// A release waits for its review.
    Uploaded,
    /// A release serves.
    Activated,
    /// An endpoint is gone.
    EndpointDeleted,
    /// A delivery is sent again.
    Redelivered,
    /// An institution may serve people.
    InstitutionApproved,
    /// An institution may not.
    InstitutionSuspended,
    /// A client has a scope.
    ScopeGranted,
    /// A client does not get a scope.
    ScopeRefused,
    /// A release may be activated.
    ReleaseApproved,
    /// A release may not.
    ReleaseRejected,
    /// The worker asks the plugin again.
    AskedAgain,
    /// The clock is moved.
    ClockMoved,
    /// A day was held against the bank's statement again.
    Compared,
    /// A case has ended.
    CaseEnded,
    /// An institution's terms wait for an operator.
    TermsProposed,
    /// An institution's terms hold.
    TermsApproved,
    /// A payout that waited is given up.
    PayoutGivenUp,
}

impl Note {
    /// The boxed sentence.
    pub(crate) fn notice(self, t: &Text) -> Notice {
        let sentence = match self {
            Self::Welcome => t.welcome,
            Self::LoggedOut => t.logged_out,
            Self::LogInAgain => return Notice::new(Tone::Warning, t.log_in_again),
            Self::PinSaved => t.pin_saved,
            Self::ToppedUp => t.topped_up,
            Self::BankLinked => t.bank_linked,
            Self::BankUnlinked => t.bank_unlinked,
            Self::BankPaused => "The channel is paused; what is under way is still asked for.",
            Self::BankResumed => "The channel is active again.",
            Self::BankAsked => "The worker asks the bank again.",
            Self::BankDecided => "The transfer has ended, and the money with it.",
            Self::Followed => t.followed,
            Self::Unfollowed => t.unfollowed,
            Self::MandateGiven => t.mandate_given,
            Self::MandateRevoked => t.mandate_was_revoked,
            Self::Registered => "The institution is registered. An operator checks it next.",
            Self::Uploaded => "The release passed the upload checks. An operator reviews it next.",
            Self::Activated => "This release serves people from now on.",
            Self::EndpointDeleted => "The endpoint is deleted.",
            Self::Redelivered => "The delivery is sent again.",
            Self::InstitutionApproved => "The institution is approved.",
            Self::InstitutionSuspended => "The institution is suspended.",
            Self::ScopeGranted => "The client's next token may carry the scope.",
            Self::ScopeRefused => "The client does not get the scope.",
            Self::ReleaseApproved => "The release is approved; its institution can activate it.",
            Self::ReleaseRejected => "The release is rejected.",
            Self::AskedAgain => "The worker asks the plugin again.",
            Self::ClockMoved => "The clock is moved.",
            Self::Compared => "The day was compared again.",
            Self::CaseEnded => "The case has ended.",
            Self::TermsProposed => "The terms are proposed. An operator approves them next.",
            Self::TermsApproved => "The terms hold from now on.",
            Self::PayoutGivenUp => "The payout is given up; its money is part of a later one.",
        };
        Notice::new(Tone::Good, sentence)
    }
}
