//! What each holding was credited so far.

use qiao_db::{Error, Tx};
use qiao_model::ProductId;

use super::row::AsText;
use super::write::{ADD_INCOME, IncomeRow};
use crate::income::IncomeLine;

/// Adds a page's income to what its holdings were credited before.
pub(crate) async fn add(
    tx: &mut Tx,
    product: ProductId,
    lines: &[IncomeLine],
) -> Result<(), Error> {
    let rows: Vec<IncomeRow> = lines
        .iter()
        .map(|line| IncomeRow {
            account: AsText(line.account),
            user: AsText(line.user),
            product: AsText(product),
            minor: line.minor,
        })
        .collect();
    tx.write_rows(&ADD_INCOME, &rows).await?;
    Ok(())
}
