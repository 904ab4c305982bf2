mod autopay;
mod fines;
mod payment;

use qiao_sdk::egress::{EgressError, Method};
use qiao_sdk::testing::{FakeHost, order, quote_request, submission, visit, with_host};
use qiao_sdk::{
    Answer, Block, Capture, Entry, FeeForm, FulfilError, Fulfilment, Item, Money, Offer, Order,
    Page, PageError, Payer, Plugin, QuoteError, Tone, Units,
};
use serde_json::{Value, json};

use crate::{FINE, TrafficFines};

#[test]
fn activation_registers_fines_with_a_convenience_fee() {
    with_host(|host| {
        TrafficFines::activate().unwrap();
        TrafficFines::activate().unwrap();
        let products = host.products();
        assert_eq!(products.len(), 1);
        assert_eq!(products[0].capture, Capture::BeforeFulfilment);
        assert!(!products[0].in_units);
        let fee = &products[0].fees.lines[0];
        assert_eq!((&fee.form, fee.payer), (&FeeForm::Flat(100), Payer::User));
        host.deny("catalog");
        assert!(TrafficFines::activate().is_err());
    });
}
