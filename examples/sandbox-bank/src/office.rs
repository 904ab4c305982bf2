use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;

use crate::books::{Books, Paid, Refusal};
use crate::callback::{Callback, CallbackKey};
use crate::fault::{Fault, FaultKind, Faults};
use crate::grant::{Grants, Term};
use crate::options::Options;
use crate::payment::{Booking, NewPayment, Payment};
use crate::statement::{Misprint, Statement};

/// What changes while the bank is open.
pub(crate) struct Desk {
    pub(crate) books: Books,
    pub(crate) grants: Grants,
    pub(crate) faults: Faults,
    pub(crate) misprints: BTreeMap<Date, Vec<Misprint>>,
    pub(crate) callback_url: Option<String>,
}

/// The bank behind its doors.
pub(crate) struct Office {
    pub(crate) options: Options,
    pub(crate) url: String,
    key: CallbackKey,
    http: reqwest::Client,
    desk: Mutex<Desk>,
}

impl Office {
    pub(crate) fn open(options: Options, url: String) -> io::Result<Self> {
        let key = CallbackKey::parse(&options.webhook_secret)
            .ok_or_else(|| io::Error::other("the webhook secret is not whsec_ and base64"))?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(io::Error::other)?;
        let mut books = Books::new(options.custody_opening_minor);
        for customer in &options.customers {
            books.add_customer(customer);
        }
        let desk = Desk {
            books,
            grants: Grants::default(),
            faults: Faults::default(),
            misprints: BTreeMap::new(),
            callback_url: options.callback_url.clone(),
        };
        Ok(Self {
            options,
            url,
            key,
            http,
            desk: Mutex::new(desk),
        })
    }

    /// A panic leaves the desk as it was after the last whole change.
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.options.clock.now_ms()
    }

    /// From now on for as long as tokens live.
    pub(crate) fn token_term(&self) -> Term {
        let lifetime_ms = self.options.token_lifetime.as_millis();
        Term {
            now_ms: self.now_ms(),
            lifetime_ms: i64::try_from(lifetime_ms).unwrap_or(i64::MAX),
        }
    }

    /// Takes a payment on under a fault, and tells the platform when it is final.
    pub(crate) fn pay(
        self: &Arc<Self>,
        id: &str,
        new: NewPayment,
        fault: Option<&Fault>,
    ) -> Result<Paid, Refusal> {
        let booking = fault.map_or(Booking::AtOnce, Fault::booking);
        let paid = self.desk().books.pay(id, new, booking, self.now_ms())?;
        if !paid.is_new {
            return Ok(paid);
        }
        match paid.payment.pending {
            Some(pending) => self.settle_after(pending.delay_ms),
            None => self.tell(&paid.payment),
        }
        if fault.is_some_and(|fault| fault.kind == FaultKind::DuplicateCallback) {
            self.tell(&paid.payment);
        }
        Ok(paid)
    }

    /// Books what is due, and tells the platform.
    pub(crate) fn settle(self: &Arc<Self>) {
        let settled = self.desk().books.settle(self.now_ms());
        for payment in &settled {
            self.tell(payment);
        }
    }

    /// A day's statement as it is printed.
    pub(crate) fn statement(self: &Arc<Self>, day: Date) -> Statement {
        self.settle();
        let desk = self.desk();
        let mut statement = desk.books.statement(day);
        for misprint in desk.misprints.get(&day).into_iter().flatten() {
            statement.misprint(misprint);
        }
        statement
    }

    #[expect(clippy::disallowed_methods, reason = "the bank is its own process")]
    fn settle_after(self: &Arc<Self>, delay_ms: i64) {
        let office = Arc::clone(self);
        let delay = Duration::from_millis(u64::try_from(delay_ms).unwrap_or(0));
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            office.settle();
        });
    }

    #[expect(clippy::disallowed_methods, reason = "the bank is its own process")]
    fn tell(&self, payment: &Payment) {
        let Some(url) = self.desk().callback_url.clone() else {
            return;
        };
        let callback = Callback {
            url,
            key: self.key.clone(),
            payment: payment.clone(),
        };
        let clock = self.options.clock.clone();
        tokio::spawn(callback.deliver(self.http.clone(), move || clock.now_ms()));
    }
}
