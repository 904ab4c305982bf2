//! The pages at `/`, mobile first.

mod account;
mod bank;
mod checkout;
mod home;
mod mandate;
mod order;
mod service;
mod session;
mod wallet;

pub(crate) use account::{Account, FollowButton, MenuGroup, Message};
pub(crate) use bank::{BankTransferPage, Banks, LinkedAccount, TransferRow};
pub(crate) use checkout::{Checkout, CheckoutState, Debited, FeeLine, MethodRow, Payable};
pub(crate) use home::{AccountCard, Greeting, Home};
pub(crate) use mandate::{Consent, ConsentState, Mandate, MandateRow, Mandates, ProposalRow};
pub(crate) use order::{MoneyStory, Order, OrderRow, Orders};
pub(crate) use service::{Block, Item, Metric, Service};
pub(crate) use session::{LogIn, Me, Pin, SignUp};
pub(crate) use wallet::{Holding, Holdings, Movement, Wallet};
