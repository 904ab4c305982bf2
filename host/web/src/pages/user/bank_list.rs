use qiao_banks::{BankTransfer, TransferPage};

use super::bank_transfer::{named, state_word};
use crate::App;
use crate::pages::failed::Failed;
use crate::pages::text::Text;
use crate::pages::view::user::TransferRow;
use crate::pages::view::{Badge, Figure, Link, When};
use crate::pages::visit::Person;

/// Transfers that the page of bank accounts lists, and among which the wallet
/// looks for those under way.
const TRANSFERS_SHOWN: usize = 20;

/// The person's newest transfers to and from banks.
pub(super) async fn newest(app: &App, person: &Person) -> Result<Vec<BankTransfer>, Failed> {
    let page = TransferPage {
        before: None,
        limit: TRANSFERS_SHOWN,
    };
    Ok(app.banks.transfers(&person.permit, page).await?)
}

/// Those that have not ended, so that nobody has to remember an address.
pub(super) fn under_way(transfers: &[BankTransfer], t: &'static Text) -> Vec<TransferRow> {
    let open = transfers
        .iter()
        .filter(|transfer| !transfer.standing.state.is_final());
    open.map(|transfer| row(transfer, t)).collect()
}

/// A transfer in a list.
pub(super) fn row(transfer: &BankTransfer, t: &'static Text) -> TransferRow {
    let (tone, word) = state_word(transfer.standing.state, t);
    TransferRow {
        link: Link::new(
            format!("/banks/transfers/{}", transfer.id),
            named(transfer, t),
        ),
        at: When(transfer.requested_at),
        amount: Figure::money(transfer.route.amount),
        state: Badge::new(tone, word),
    }
}
