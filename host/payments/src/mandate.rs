use qiao_model::{InstitutionId, MandateId, PluginId, ProductId, Timestamp, UserId, is_plain_text};

use crate::grant::{GrantRefusal, InvalidLimits, Spend, SpendGrant, SpendLimits, SpendUsage};
use crate::party::Party;
use crate::payment::NewPayment;

/// Characters of a mandate's title at most.
pub const MANDATE_TITLE_CHARS_MAX: usize = 80;
/// Characters of a mandate's purpose at most.
pub const MANDATE_PURPOSE_CHARS_MAX: usize = 200;
/// Characters of a mandate's reference at most.
pub const MANDATE_REFERENCE_CHARS_MAX: usize = 64;
/// Mandates that one listing gives at most.
pub const MANDATES_PAGE_MAX: usize = 100;

/// A permission that a person is about to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMandate {
    /// Its id; the same id again gives the mandate that is there.
    pub id: MandateId,
    /// Who gives it.
    pub user: UserId,
    /// The institution that may debit.
    pub institution: InstitutionId,
    /// Its one plugin that may; none means the institution's servers.
    pub plugin: Option<PluginId>,
    /// What people call it.
    pub title: String,
    /// What it is for, in a sentence for the person.
    pub purpose: String,
    /// The plugin's own key for it.
    pub reference: String,
    /// What it allows.
    pub limits: SpendLimits,
}

impl NewMandate {
    /// Checks a mandate that is given now.
    ///
    /// # Errors
    /// A text is empty, too long or not plain, or the limits are none.
    pub fn check(&self, now: Timestamp) -> Result<(), InvalidMandate> {
        let fits = |text: &str, most| text.chars().count() <= most && is_plain_text(text);
        if self.title.is_empty() || !fits(&self.title, MANDATE_TITLE_CHARS_MAX) {
            return Err(InvalidMandate::Title);
        }
        if self.purpose.is_empty() || !fits(&self.purpose, MANDATE_PURPOSE_CHARS_MAX) {
            return Err(InvalidMandate::Purpose);
        }
        if !fits(&self.reference, MANDATE_REFERENCE_CHARS_MAX) {
            return Err(InvalidMandate::Reference);
        }
        Ok(self.limits.check(now)?)
    }
}

/// What is wrong with a new mandate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMandate {
    /// The title is empty, too long or not plain text.
    #[error("the title of a mandate has 1 to {MANDATE_TITLE_CHARS_MAX} characters of plain text")]
    Title,
    /// The purpose is empty, too long or not plain text.
    #[error(
        "the purpose of a mandate has 1 to {MANDATE_PURPOSE_CHARS_MAX} characters of plain text"
    )]
    Purpose,
    /// The reference is too long or not plain text.
    #[error(
        "the reference of a mandate has at most {MANDATE_REFERENCE_CHARS_MAX} characters of plain text"
    )]
    Reference,
    /// The limits are none.
    #[error(transparent)]
    Limits(#[from] InvalidLimits),
}

/// A person's standing permission for an institution to take money from their
/// balance, within limits. It never changes but for what is spent of it, and
/// that the person can revoke it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mandate {
    /// Which.
    pub id: MandateId,
    /// Who gave it.
    pub user: UserId,
    /// The institution that may debit.
    pub institution: InstitutionId,
    /// Its one plugin that may; none means the institution's servers.
    pub plugin: Option<PluginId>,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub purpose: String,
    /// The plugin's own key for it.
    pub reference: String,
    /// What it allows, and what was spent.
    pub grant: SpendGrant,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// How often what was spent has changed.
    pub(crate) changes: u32,
}

/// Where a mandate stands at a time. Only a void can take it back from used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MandateState {
    /// It can be charged.
    Active,
    /// The person took it back.
    Revoked,
    /// Its time is over.
    Expired,
    /// Its count of payments is reached.
    UsedUp,
}

impl MandateState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Active, Self::Revoked, Self::Expired, Self::UsedUp];

    /// The wire name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::UsedUp => "used-up",
        }
    }
}

impl std::fmt::Display for MandateState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Mandate {
    /// The mandate that a person gives now.
    pub(crate) fn given(new: NewMandate, now: Timestamp) -> Self {
        Self {
            id: new.id,
            user: new.user,
            institution: new.institution,
            plugin: new.plugin,
            title: new.title,
            purpose: new.purpose,
            reference: new.reference,
            grant: SpendGrant {
                limits: new.limits,
                usage: SpendUsage::none(now.day()),
            },
            created_at: now,
            revoked_at: None,
            changes: 0,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> MandateState {
        let limits = &self.grant.limits;
        if self.revoked_at.is_some() {
            MandateState::Revoked
        } else if now >= limits.expires_at {
            MandateState::Expired
        } else if limits
            .count
            .is_some_and(|most| self.grant.usage.count >= most)
        {
            MandateState::UsedUp
        } else {
            MandateState::Active
        }
    }

    /// What is spent of it once this payment is made too.
    pub(crate) fn consume(
        &self,
        payment: &NewPayment,
        product: Option<ProductId>,
        now: Timestamp,
    ) -> Result<SpendUsage, GrantRefusal> {
        if self.revoked_at.is_some() {
            return Err(GrantRefusal::Revoked);
        }
        if payment.payer != Party::User(self.user) {
            return Err(GrantRefusal::Payer);
        }
        let payee = payment.institution.ok_or(GrantRefusal::Payee)?;
        let spend = Spend {
            amount: payment.amount,
            payee,
            product,
        };
        self.grant.consume(&spend, now)
    }
}

/// A payment whose method is a mandate: nobody is asked when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What is bought, if it is a product.
    pub product: Option<ProductId>,
    /// When the money moves.
    pub capture: ChargeCapture,
    /// The payment; its payer gave the mandate.
    pub payment: NewPayment,
}

/// When the money of a charge moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeCapture {
    /// It is held, to be posted or voided.
    Later,
    /// At once.
    Now,
}

#[cfg(test)]
mod tests {
    use qiao_model::{Currency, Day};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn new_mandate() -> NewMandate {
        NewMandate {
            id: MandateId::from_u128(1),
            user: UserId::from_u128(2),
            institution: InstitutionId::from_u128(3),
            plugin: None,
            title: "Auto-invest".to_owned(),
            purpose: "Buys units every Monday.".to_owned(),
            reference: "weekly".to_owned(),
            limits: SpendLimits {
                currency: Currency::CNY,
                per_payment: 1_000,
                per_day: None,
                per_month: None,
                count: Some(1),
                payees: vec![InstitutionId::from_u128(3)],
                products: Vec::new(),
                expires_at: NOW.plus_secs(1),
            },
        }
    }

    #[test]
    fn texts_at_their_limits_are_accepted_and_one_more_character_is_not() {
        let check = |change: &dyn Fn(&mut NewMandate)| {
            let mut changed = new_mandate();
            change(&mut changed);
            changed.check(NOW)
        };
        let text = |chars: usize| "桥".repeat(chars);
        type Field = fn(&mut NewMandate) -> &mut String;
        let fields: [(Field, usize, InvalidMandate); 3] = [
            (
                |m| &mut m.title,
                MANDATE_TITLE_CHARS_MAX,
                InvalidMandate::Title,
            ),
            (
                |m| &mut m.purpose,
                MANDATE_PURPOSE_CHARS_MAX,
                InvalidMandate::Purpose,
            ),
            (
                |m| &mut m.reference,
                MANDATE_REFERENCE_CHARS_MAX,
                InvalidMandate::Reference,
            ),
        ];
        for (field, most, invalid) in fields {
            assert_eq!(check(&|m| *field(m) = text(most)), Ok(()));
            let over = most.saturating_add(1);
            assert_eq!(check(&|m| *field(m) = text(over)), Err(invalid));
        }
        assert_eq!(check(&|m| m.title.clear()), Err(InvalidMandate::Title));
        let garbled = "a\0b".to_owned();
        assert_eq!(
            check(&|m| m.title.clone_from(&garbled)),
            Err(InvalidMandate::Title)
        );
        assert_eq!(check(&|m| m.purpose.clear()), Err(InvalidMandate::Purpose));
    }

    #[test]
    fn a_mandate_is_active_until_it_is_spent_over_or_revoked() {
        let mut mandate = Mandate::given(new_mandate(), NOW);
        assert_eq!(mandate.state(NOW), MandateState::Active);
        assert_eq!(mandate.state(NOW.plus_secs(1)), MandateState::Expired);
        mandate.grant.usage = SpendUsage {
            count: 1,
            ..SpendUsage::none(Day::new(2026, 11, 27).unwrap())
        };
        assert_eq!(mandate.state(NOW), MandateState::UsedUp);
        mandate.revoked_at = Some(NOW);
        assert_eq!(mandate.state(NOW), MandateState::Revoked);
    }
}
