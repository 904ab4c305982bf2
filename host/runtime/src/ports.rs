use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use qiao_auth::{Denied, Permit, PluginCaller};
use qiao_catalog::{NewProduct, OrderKind, Price, Problem};
use qiao_manifest::EgressMethod;
use qiao_model::{InstitutionId, Money, OrderId, PluginId, Scope, Timestamp, UserId};

use crate::{ChargePortError, ChargeRequest, ChargedOrder, OrderState};

/// What a port answers with: a future, since most answers come from a database.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What guests reach of the host, one port per WIT interface. The real rooms
/// implement them ([`Ports::rooms`](crate::RoomPorts)) and so does the in-memory
/// [`sandbox`](crate::sandbox).
#[derive(Clone)]
pub struct Ports {
    /// The one gate: no port is called without a permit from here.
    pub gate: Arc<dyn GatePort>,
    /// Products, fee schedules, prices.
    pub catalog: Arc<dyn CatalogPort>,
    /// The money of the plugin's own orders.
    pub payments: Arc<dyn PaymentsPort>,
    /// The plugin's own orders, what users hold, charges; connected when the orders room is open.
    pub orders: Arc<OnceLock<Arc<dyn OrdersPort>>>,
    /// The person that a call is for.
    pub users: Arc<dyn UsersPort>,
    /// Messages to followers.
    pub messages: Arc<dyn MessagesPort>,
    /// The plugin's own small store.
    pub storage: Arc<dyn StoragePort>,
    /// HTTP to the addresses of the manifest.
    pub egress: Arc<dyn EgressPort>,
}

/// The host could not answer; try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host cannot answer at the moment")]
pub struct PortUnavailable;

impl PortUnavailable {
    /// The guest learns no more than that; the cause goes to the log.
    pub(crate) fn because(what: &'static str, cause: &dyn std::error::Error) -> Self {
        tracing::error!(error = %cause, "{what}");
        Self
    }
}

/// Who may, and how an institution knows its users.
pub trait GatePort: Send + Sync {
    /// A permit for one scope of one call.
    ///
    /// # Errors
    /// The plugin was not granted the scope.
    fn permit(&self, caller: &PluginCaller, scope: Scope) -> Result<Permit, Denied>;

    /// The institution's pseudonym of a user.
    fn subject(&self, institution: InstitutionId, user: UserId) -> String;

    /// The user behind a pseudonym of this institution.
    fn user_of_subject<'a>(
        &'a self,
        institution: InstitutionId,
        subject: &'a str,
    ) -> Answering<'a, Result<Option<UserId>, PortUnavailable>>;
}

/// Products, their fee schedules and their prices.
pub trait CatalogPort: Send + Sync {
    /// Registers or replaces a product.
    fn register_product<'a>(
        &'a self,
        permit: &'a Permit,
        product: NewProduct,
    ) -> Answering<'a, Result<(), CatalogPortError>>;

    /// Publishes the price of a day, once.
    fn publish_price<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        product: &'a str,
        price: Price,
    ) -> Answering<'a, Result<(), CatalogPortError>>;

    /// The newest published price.
    fn latest_price<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        product: &'a str,
    ) -> Answering<'a, Result<Option<Price>, CatalogPortError>>;
}

/// Why the catalog refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogPortError {
    /// A field of the product.
    #[error("{0}")]
    InvalidProduct(Problem),
    /// A part of the fee schedule.
    #[error("{0}")]
    InvalidFeeSchedule(Problem),
    /// The price.
    #[error("{0}")]
    InvalidPrice(Problem),
    /// No product of this plugin has that code.
    #[error("there is no product `{0}`")]
    UnknownProduct(String),
    /// The permit does not cover it.
    #[error("denied: {0}")]
    Denied(String),
    /// The host failed.
    #[error("the catalog is not available")]
    Unavailable,
}

/// What was paid for a plugin's own orders. The host has checked that the order is the plugin's.
pub trait PaymentsPort: Send + Sync {
    /// The payment of an order.
    fn payment<'a>(
        &'a self,
        permit: &'a Permit,
        order: OrderId,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>>;
}

/// What a plugin asks to give back.
#[derive(Clone, Copy, Debug)]
pub struct RefundRequest<'a> {
    /// Whose plugin asks.
    pub plugin: PluginId,
    /// Of which order.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// Why, for the user.
    pub reason: &'a str,
    /// Makes it happen once.
    pub key: &'a str,
}

/// What was paid and given back for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentView {
    /// `pay_…`.
    pub id: String,
    /// What the payer paid in all.
    pub paid: Money,
    /// What went back so far.
    pub refunded: Money,
}

/// Why the payment API refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentsPortError {
    /// Nothing was paid for such an order.
    #[error("there is no paid order {0}")]
    UnknownOrder(OrderId),
    /// More than what is left to refund, in minor units.
    #[error("only {0} minor units are left to refund")]
    ExceedsRefundable(u64),
    /// The order is not in a state that allows it.
    #[error("the payment's state does not allow it: {0}")]
    WrongState(String),
    /// The permit does not cover it.
    #[error("denied: {0}")]
    Denied(String),
    /// The host failed.
    #[error("payments are not available")]
    Unavailable,
}

/// What a guest reaches of the orders room. The permit is of the host call's own scope
/// (`orders:read`, `payments:read`, `payments:refund`, `payments:charge` or `holdings:read`),
/// so it proves who asks; which orders are theirs is for the implementation to narrow by
/// plugin.
pub trait OrdersPort: Send + Sync {
    /// One order of this plugin.
    fn order<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        order: OrderId,
    ) -> Answering<'a, Result<Option<PluginOrder>, PortUnavailable>>;

    /// The newest orders of this plugin with a reference, newest first, at most
    /// [`ORDERS_PAGE`](crate::limits::ORDERS_PAGE).
    fn orders_by_reference<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        reference: &'a str,
    ) -> Answering<'a, Result<Vec<PluginOrder>, PortUnavailable>>;

    /// What a user holds of a product of this plugin; none when it has no such product.
    fn holding<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        user: UserId,
        product: &'a str,
    ) -> Answering<'a, Result<Option<UserHolding>, PortUnavailable>>;

    /// Places an order that a mandate of this plugin pays for, once per key.
    fn charge<'a>(
        &'a self,
        permit: &'a Permit,
        request: ChargeRequest<'a>,
    ) -> Answering<'a, Result<ChargedOrder, ChargePortError>>;

    /// Gives back a part or all of an order's payment, once per key. The host has
    /// checked that the order is the plugin's.
    fn refund<'a>(
        &'a self,
        permit: &'a Permit,
        refund: RefundRequest<'a>,
    ) -> Answering<'a, Result<PaymentView, PaymentsPortError>>;
}

/// An order as its plugin may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginOrder {
    /// Which.
    pub id: OrderId,
    /// What it does.
    pub kind: OrderKind,
    /// Where it stands.
    pub state: OrderState,
    /// The product's code.
    pub product: String,
    /// The offer's reference.
    pub reference: String,
    /// Who ordered; the guest sees the pseudonym.
    pub user: UserId,
    /// The principal.
    pub principal: Money,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
}

/// Units of a product that a user holds, in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserHolding {
    /// Free to redeem.
    pub available_minor: i64,
    /// Held by open orders.
    pub held_minor: i64,
    /// Income credited so far.
    pub income_minor: i64,
}

/// The person that a call is for.
pub trait UsersPort: Send + Sync {
    /// The name that the user goes by.
    fn display_name<'a>(
        &'a self,
        permit: &'a Permit,
        user: UserId,
    ) -> Answering<'a, Result<Option<String>, PortUnavailable>>;
}

/// Messages of the public account to a follower.
pub trait MessagesPort: Send + Sync {
    /// Sends plain text; the host has checked its length.
    fn send<'a>(
        &'a self,
        permit: &'a Permit,
        user: UserId,
        text: &'a str,
    ) -> Answering<'a, Result<(), MessagesPortError>>;
}

/// Why the message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessagesPortError {
    /// The user does not follow the public account.
    #[error("the user does not follow the public account")]
    NotFollower,
    /// The quota of messages to this user is used up.
    #[error("the quota of messages to this user is used up")]
    QuotaExceeded,
    /// The text is empty or too long.
    #[error("the text is not acceptable")]
    InvalidText,
    /// The permit does not cover it.
    #[error("denied: {0}")]
    Denied(String),
    /// The host failed.
    #[error("messages are not available")]
    Unavailable,
}

/// A plugin's own store; the host has checked the sizes of keys and values.
pub trait StoragePort: Send + Sync {
    /// The value of a key.
    fn get<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        key: &'a str,
    ) -> Answering<'a, Result<Option<Vec<u8>>, StoragePortError>>;

    /// Sets the value of a key, inside the quota.
    fn set<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        key: &'a str,
        value: &'a [u8],
    ) -> Answering<'a, Result<(), StoragePortError>>;

    /// Removes a key.
    fn delete<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        key: &'a str,
    ) -> Answering<'a, Result<(), StoragePortError>>;

    /// Keys that begin with a prefix, in byte order, after `after`, at most
    /// [`STORAGE_KEYS_PAGE`](crate::limits::STORAGE_KEYS_PAGE).
    fn keys<'a>(
        &'a self,
        permit: &'a Permit,
        plugin: PluginId,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> Answering<'a, Result<Vec<String>, StoragePortError>>;
}

/// Why the store refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoragePortError {
    /// The plugin's keys and values would pass the quota.
    #[error("the plugin's storage quota is used up")]
    QuotaExceeded,
    /// The host failed.
    #[error("the plugin's storage is not available")]
    Unavailable,
}

/// HTTP out of the host; the host has checked the manifest's rule.
pub trait EgressPort: Send + Sync {
    /// Sends one request and waits for the response.
    fn send<'a>(
        &'a self,
        permit: &'a Permit,
        request: HttpRequest,
    ) -> Answering<'a, Result<HttpResponse, EgressPortError>>;
}

/// A request below an egress rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: EgressMethod,
    /// The whole address.
    pub url: url::Url,
    /// Lower-case names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A response of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressPortError {
    /// The address resolves to a network that plugins may not reach.
    #[error("the address is of a private network")]
    PrivateNetwork,
    /// The path, a header or the body is malformed or too large.
    #[error("the request is not acceptable: {0}")]
    InvalidRequest(String),
    /// The response was larger than the limit.
    #[error("the response is too large")]
    ResponseTooLarge,
    /// No answer in time: the effect is unknown.
    #[error("no answer in time")]
    TimedOut,
    /// No connection: nothing was sent.
    #[error("no connection")]
    Unreachable,
}
