//! A message to the user when an order is complete, once.

use qiao_sdk::messages::{self, MessagesError};
use qiao_sdk::{EventError, OrderChanged, OrderKind, log, orders, storage};

/// Where the ids of announced orders are kept, one a line.
const ANNOUNCED_KEY: &str = "announced";
/// How many are kept; an event comes again within minutes, not after so many others.
const ANNOUNCED_MAX: usize = 64;

/// Tells the user that an order is complete, unless it was told.
pub(crate) fn order_completed(change: &OrderChanged) -> Result<(), EventError> {
    let announced = announced()?;
    if announced.contains(&change.order) {
        return Ok(());
    }
    let order = orders::get(&change.order)?;
    let text = match order.kind {
        OrderKind::Purchase => format!(
            "You bought Steady Money Fund for {0}. / 您已买入稳健货币基金 {0}。",
            order.principal
        ),
        OrderKind::Redeem => format!(
            "You redeemed {0} of Steady Money Fund. / 您已赎回稳健货币基金 {0}。",
            order.principal
        ),
        OrderKind::Pay => return Ok(()),
    };
    match messages::send(&change.user, &text) {
        Ok(()) => remember(announced, &change.order),
        // The user can do without the message, and asking again would not change it.
        Err(error @ (MessagesError::NotFollower | MessagesError::QuotaExceeded)) => {
            log::info(&format!("no message for {}: {error}", change.order));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn announced() -> Result<Vec<String>, EventError> {
    let stored = storage::get(ANNOUNCED_KEY)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&stored)
        .lines()
        .map(str::to_owned)
        .collect())
}

fn remember(mut announced: Vec<String>, order: &str) -> Result<(), EventError> {
    announced.push(order.to_owned());
    let first_kept = announced.len().saturating_sub(ANNOUNCED_MAX);
    Ok(storage::set(
        ANNOUNCED_KEY,
        announced[first_kept..].join("\n"),
    )?)
}
