//! The ways to pay at the checkout: the balance and each linked account. Each is a
//! link to the price that is quoted for it, so a choice needs no script.

use qiao_banks::routing::Choice;
use qiao_banks::{BankChannel, BankLink, ChannelState, LinkState};
use qiao_model::Money;
use qiao_orders::Quote;
use qiao_payments::Method;

use super::bank::{bank_name, standing_text};
use super::bank_transfer::refusal;
use super::checkout::{Desk, pays};
use crate::checkout::PaidFrom;
use crate::pages::failed::Failed;
use crate::pages::text::{Text, fill};
use crate::pages::view::Figure;
use crate::pages::view::user::{Debited, MethodRow};

/// How a link and a form name the balance; an account goes by its id.
const BALANCE: &str = "balance";

/// What a link or a form chose; none where it says nothing.
pub(super) fn chosen(text: &str) -> Result<Option<PaidFrom>, Failed> {
    match text {
        "" => Ok(None),
        BALANCE => Ok(Some(PaidFrom::Balance)),
        link => {
            let link = link.parse().map_err(Failed::not_found)?;
            Ok(Some(PaidFrom::Link(link)))
        }
    }
}

/// The text that chooses a method.
pub(super) fn text(method: Method) -> String {
    match PaidFrom::of(method) {
        PaidFrom::Balance => BALANCE.to_owned(),
        PaidFrom::Link(link) => link.to_string(),
    }
}

/// What a person can pay from.
pub(super) struct Purse {
    /// What is free in the balance.
    pub(super) balance: Money,
    links: Vec<BankLink>,
    channels: Vec<BankChannel>,
}

/// What an order asks of a bank.
pub(super) enum Debit {
    /// Nothing: the balance pays.
    No,
    /// To move so much.
    Of(Choice),
    /// Why it cannot, in a sentence.
    Refused(String),
}

impl Purse {
    pub(super) async fn of(desk: &Desk<'_>) -> Result<Self, Failed> {
        let (app, permit) = (desk.app, &desk.person.permit);
        let balance = app
            .payments
            .balance(permit, desk.person.user, desk.currency)
            .await?;
        let mut links = app.banks.links(permit).await?;
        links.retain(|link| link.state == LinkState::Active);
        Ok(Self {
            balance: Money::new(balance.available(), desk.currency),
            links,
            channels: app.banks.channels().await?,
        })
    }

    /// The first account whose bank is there.
    pub(super) fn first_account(&self) -> Option<Method> {
        let works = |link: &&BankLink| {
            let channel = self.channels.iter().find(|c| c.code == link.channel);
            channel.is_some_and(|channel| channel.state == ChannelState::Active)
        };
        self.links.iter().find(works).map(method_of)
    }

    /// What a quote asks of its bank.
    pub(super) async fn debit(&self, desk: &Desk<'_>, quote: &Quote) -> Result<Debit, Failed> {
        let PaidFrom::Link(link) = PaidFrom::of(quote.method) else {
            return Ok(Debit::No);
        };
        let banks = &desk.app.banks;
        let debit = banks.expected_pay_in(&desk.person.permit, link, quote.amount);
        match debit.await {
            Ok(choice) => Ok(Debit::Of(choice)),
            Err(error) => match refusal(&error, desk.person.visit.t()) {
                Some(sentence) => Ok(Debit::Refused(sentence)),
                None => Err(error.into()),
            },
        }
    }

    /// The lines of the bill that say what leaves the account.
    pub(super) fn debited(&self, debit: &Debit, t: &Text) -> Option<Debited> {
        let Debit::Of(choice) = debit else {
            return None;
        };
        let link = self
            .links
            .iter()
            .find(|link| choice.link == Some(link.id))?;
        let bank = bank_name(&self.channels, link);
        Some(Debited {
            fee: Figure::money(choice.fee),
            label: fill(t.taken_from, &[&bank, &link.number_masked]),
            amount: Figure::money(choice.amount),
        })
    }

    /// Every way to pay the order, the quoted one ticked; for a redemption, where
    /// its money goes.
    pub(super) fn rows(&self, desk: &Desk<'_>, quote: &Quote) -> Vec<MethodRow> {
        let t = desk.person.visit.t();
        let row = |method: Method, name: String, told: String| MethodRow {
            is_bank: PaidFrom::of(method) != PaidFrom::Balance,
            href: (method != quote.method).then(|| desk.path_for(method)),
            name,
            told,
        };
        let available = format!("{} {}", t.available, Figure::money(self.balance).text());
        let mut rows = vec![row(Method::Balance, t.balance.to_owned(), available)];
        if pays(quote.kind) {
            rows.extend(self.links.iter().map(|link| {
                let channel = self.channels.iter().find(|c| c.code == link.channel);
                let bank = bank_name(&self.channels, link);
                let cost = channel.map_or_else(String::new, |c| standing_text(c, t));
                row(
                    method_of(link),
                    format!("{bank} {}", link.number_masked),
                    cost,
                )
            }));
        }
        rows
    }
}

const fn method_of(link: &BankLink) -> Method {
    Method::Bank {
        link: link.id,
        channel: link.channel,
    }
}
