use std::io;
use std::sync::Arc;

use jiff::civil::Date;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::account::{Account, Customer};
use crate::door;
use crate::fault::Fault;
use crate::office::Office;
use crate::options::Options;
use crate::payment::Payment;
use crate::statement::Misprint;

/// A bank that is open. It closes when this is dropped.
pub struct Bank {
    /// Where it answers, also its OAuth issuer: `http://127.0.0.1:40123`.
    pub url: String,
    office: Arc<Office>,
    task: JoinHandle<io::Result<()>>,
}

impl Bank {
    /// Opens a bank on the address that the options name.
    ///
    /// # Errors
    /// When the address is taken or the webhook secret is not base64.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let office = Arc::new(Office::open(options, url.clone())?);
        let router = door::router(Arc::clone(&office));
        #[expect(clippy::disallowed_methods, reason = "the bank is its own process")]
        let task = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, office, task })
    }

    /// Answers until the listener fails.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(mut self) -> io::Result<()> {
        (&mut self.task).await.map_err(io::Error::other)?
    }

    /// Opens an account for a customer; who is known already gets one more.
    pub fn add_customer(&self, customer: &Customer) -> Account {
        self.office.desk().books.add_customer(customer)
    }

    /// Lets payments fail, behind the faults that wait already.
    pub fn plan(&self, fault: Fault) {
        self.office.desk().faults.plan(fault);
    }

    /// Prints the statement of a day wrong from now on. `None` prints it right again.
    pub fn misprint(&self, day: Date, misprint: Option<Misprint>) {
        let misprints = &mut self.office.desk().misprints;
        match misprint {
            Some(misprint) => misprints.entry(day).or_default().push(misprint),
            None => {
                misprints.remove(&day);
            }
        }
    }

    /// Sends callbacks here from now on.
    pub fn call_back(&self, url: &str) {
        self.office.desk().callback_url = Some(url.to_owned());
    }

    /// Ends every access token before its time; refresh tokens live on.
    pub fn expire_tokens(&self) {
        self.office.desk().grants.expire_access();
    }

    /// Takes every customer's grant back, as if each had revoked it at the bank.
    pub fn revoke_grants(&self) {
        self.office.desk().grants.revoke_all();
    }

    /// Closes the account with this number or opens it again.
    pub fn set_closed(&self, number: &str, closed: bool) {
        self.office.desk().books.set_closed(number, closed);
    }

    /// The account with this number.
    #[must_use]
    pub fn account(&self, number: &str) -> Option<Account> {
        self.office.desk().books.by_number(number).cloned()
    }

    /// Every payment that reached the bank, by id.
    #[must_use]
    pub fn payments(&self) -> Vec<Payment> {
        self.office.settle();
        self.office.desk().books.payments()
    }

    /// What the custody account holds, in fen.
    #[must_use]
    pub fn custody_minor(&self) -> i64 {
        self.office.settle();
        self.office.desk().books.custody_minor()
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.task.abort();
    }
}
