use askama::Template;

use super::FeeLine;
use crate::pages::view::{
    Badge, Empty, Facts, Figure, Icon, Link, Paging, Shell, Table, Timeline, When,
};

/// `GET /orders/{id}`: one order with all that happened to its money.
#[derive(Clone, Debug, Template)]
#[template(path = "user/order.html")]
pub(crate) struct Order {
    /// Around it.
    pub(crate) shell: Shell,
    /// What was ordered.
    pub(crate) title: String,
    /// The order's id.
    pub(crate) id: String,
    /// Its state in a word.
    pub(crate) state: Badge,
    /// Its state in a sentence.
    pub(crate) explanation: String,
    /// Whether looking again may show more.
    pub(crate) under_way: bool,
    /// What left or entered the wallet.
    pub(crate) total: Figure,
    /// How it came here.
    pub(crate) timeline: Timeline,
    /// What the institution gave for it.
    pub(crate) receipt: Facts,
    /// What the order is of.
    pub(crate) facts: Facts,
    /// The principal and its label.
    pub(crate) principal: (String, Figure),
    /// The fees.
    pub(crate) fees: Vec<FeeLine>,
    /// The payment, its refunds and their transfers.
    pub(crate) money: Vec<MoneyStory>,
}

/// A payment or a refund, and the ledger's transfers for it.
#[derive(Clone, Debug)]
pub(crate) struct MoneyStory {
    /// `Payment` or `Refund`.
    pub(crate) title: String,
    /// Its id.
    pub(crate) id: String,
    /// Its state.
    pub(crate) state: Badge,
    /// How much.
    pub(crate) amount: Figure,
    /// Its transfers.
    pub(crate) transfers: Table,
}

/// `GET /orders`: the visitor's orders, newest first.
#[derive(Clone, Debug, Template)]
#[template(path = "user/orders.html")]
pub(crate) struct Orders {
    /// Around it.
    pub(crate) shell: Shell,
    /// The orders.
    pub(crate) orders: Vec<OrderRow>,
    /// What stands there when there is none.
    pub(crate) empty: Empty,
    /// The way to older ones.
    pub(crate) paging: Paging,
}

/// An order in a list.
#[derive(Clone, Debug)]
pub(crate) struct OrderRow {
    /// Title and address.
    pub(crate) link: Link,
    /// Who sells it.
    pub(crate) institution: String,
    /// When.
    pub(crate) at: When,
    /// Its state.
    pub(crate) state: Badge,
    /// What left or entered the wallet.
    pub(crate) total: Figure,
}
