use std::ops::Deref;

use qiao_model::{InstitutionId, OfferId, PluginId, ProductId, Timestamp, UserId};
use sha2::{Digest, Sha256};

/// How long an offer can be quoted and ordered.
pub const OFFER_LIFETIME_SECS: i64 = 30 * 60;

/// An offer as the host keeps it: what a plugin proposed to one user. It never
/// changes, and every quote is made from it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub id: OfferId,
    /// To whom it was made; nobody else sees it.
    pub user: UserId,
    /// The plugin that made it.
    pub plugin: PluginId,
    /// The plugin's institution.
    pub institution: InstitutionId,
    /// What it sells.
    pub product: ProductId,
    /// The institution through whose door the user came; none where it was the
    /// plugin's own.
    pub scene: Option<InstitutionId>,
    /// What the plugin proposed.
    pub terms: qiao_runtime::Offer,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

impl Offer {
    /// SHA-256 of all that the offer says, so that a quote can hold it in 32 bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let terms = &self.terms;
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            // The length goes first, so that no two offers hash the same text.
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        add(&self.id.to_string());
        add(&self.user.to_string());
        add(&self.plugin.to_string());
        add(&self.product.to_string());
        add(&self.scene.map_or_else(String::new, |id| id.to_string()));
        add(&terms.product);
        add(terms.kind.name());
        add(&terms.title);
        add(&terms.amount.map_or_else(String::new, |m| m.to_string()));
        add(&terms
            .units_minor
            .map_or_else(String::new, |u| u.to_string()));
        add(&terms.reference);
        for fact in &terms.facts {
            add(&fact.label);
            add(&fact.value);
        }
        hash.finalize().into()
    }
}

/// An offer and its digest, which every quote of it holds: hashed once.
#[derive(Debug)]
pub(crate) struct Sealed {
    offer: Offer,
    /// [`Offer::digest`] of it.
    pub(crate) digest: [u8; 32],
}

impl From<Offer> for Sealed {
    fn from(offer: Offer) -> Self {
        Self {
            digest: offer.digest(),
            offer,
        }
    }
}

impl Deref for Sealed {
    type Target = Offer;

    fn deref(&self) -> &Offer {
        &self.offer
    }
}

/// What a form of a page led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Another page.
    Page(qiao_runtime::Page),
    /// A stored offer: the host's checkout is next.
    Offer(Box<Offer>),
    /// A stored offer of a mandate: the host's consent page is next.
    Mandate(Box<crate::mandate::MandateOffer>),
}
