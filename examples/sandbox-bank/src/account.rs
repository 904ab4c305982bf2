use serde::Deserialize;

/// The one currency of the bank.
pub const CURRENCY: &str = "CNY";

/// How many digits of an account number are shown.
const DIGITS_SHOWN: usize = 4;

/// An account that the bank keeps for a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The bank's name for it in its interface.
    pub id: String,
    /// The number that people write on forms.
    pub number: String,
    /// The customer that it belongs to.
    pub customer: String,
    /// What is on it, in fen.
    pub balance_minor: i64,
    /// Nothing moves on a closed account.
    pub closed: bool,
    /// Whether its holder lets the platform debit it by its own token.
    pub is_debitable: bool,
}

impl Account {
    /// `**** 8801`.
    #[must_use]
    pub fn number_masked(&self) -> String {
        let hidden = self.number.chars().count().saturating_sub(DIGITS_SHOWN);
        let shown: String = self.number.chars().skip(hidden).collect();
        format!("**** {shown}")
    }
}

/// Somebody who banks here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Customer {
    /// The name to log in with.
    pub name: String,
    /// The password to log in with.
    pub password: String,
    /// A first account.
    pub account: NewAccount,
}

impl Customer {
    /// A customer with one account.
    #[must_use]
    pub fn new(name: &str, password: &str, number: &str, balance_minor: i64) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            account: NewAccount {
                number: number.to_owned(),
                balance_minor,
                is_debitable: false,
            },
        }
    }

    /// The same customer, who lets the platform debit the account: an institution
    /// that puts money into custody.
    #[must_use]
    pub fn debitable(mut self) -> Self {
        self.account.is_debitable = true;
        self
    }
}

/// An account to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NewAccount {
    /// Its number.
    pub number: String,
    /// What is on it at first, in fen.
    pub balance_minor: i64,
    /// Whether its holder lets the platform debit it by its own token.
    #[serde(default)]
    pub is_debitable: bool,
}
