use askama::Template;

use crate::pages::view::{Badge, Facts, Form, Icon, Link, Shell};

/// `GET /signup`.
#[derive(Clone, Debug, Template)]
#[template(path = "user/sign_up.html")]
pub(crate) struct SignUp {
    /// Around it.
    pub(crate) shell: Shell,
    /// Name, login, password.
    pub(crate) form: Form,
    /// Where those who have an account log in.
    pub(crate) log_in: String,
}

/// `GET /login`: the one door of people, staff and operators.
#[derive(Clone, Debug, Template)]
#[template(path = "user/log_in.html")]
pub(crate) struct LogIn {
    /// Around it.
    pub(crate) shell: Shell,
    /// Login and password.
    pub(crate) form: Form,
    /// Where those who have no account sign up.
    pub(crate) sign_up: String,
}

/// `GET /pin`: the payment PIN.
#[derive(Clone, Debug, Template)]
#[template(path = "user/pin.html")]
pub(crate) struct Pin {
    /// Around it.
    pub(crate) shell: Shell,
    /// The PIN, twice; the current one first when there is one.
    pub(crate) form: Form,
}

/// `GET /me`: the visitor's own account.
#[derive(Clone, Debug, Template)]
#[template(path = "user/me.html")]
pub(crate) struct Me {
    /// Around it.
    pub(crate) shell: Shell,
    /// Name and id.
    pub(crate) facts: Facts,
    /// Whether there is a PIN.
    pub(crate) pin: Badge,
    /// The linked bank accounts, when the host has banks.
    pub(crate) banks: Option<Link>,
    /// The other faces that are open to the visitor.
    pub(crate) faces: Vec<Link>,
    /// The way out.
    pub(crate) log_out: Form,
}
