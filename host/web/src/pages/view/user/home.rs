use askama::Template;

use crate::pages::view::{Empty, Figure, Icon, Notice, Paging, Shell};

/// `GET /`: what the visitor follows, and what there is to discover.
#[derive(Clone, Debug, Template)]
#[template(path = "user/home.html")]
pub(crate) struct Home {
    /// Around it.
    pub(crate) shell: Shell,
    /// The visitor's own corner; none when nobody is signed in.
    pub(crate) greeting: Option<Greeting>,
    /// The accounts that the visitor follows.
    pub(crate) followed: Vec<AccountCard>,
    /// What stands there when there is none.
    pub(crate) nothing_followed: Empty,
    /// The other accounts.
    pub(crate) discover: Vec<AccountCard>,
    /// What stands there when there is none.
    pub(crate) nothing_to_discover: Empty,
    /// The way to more of them.
    pub(crate) paging: Paging,
}

/// Who is here and what they have.
#[derive(Clone, Debug)]
pub(crate) struct Greeting {
    /// The sentence.
    pub(crate) hello: String,
    /// What can be spent.
    pub(crate) available: Figure,
    /// What they should do first, such as set a PIN.
    pub(crate) advice: Option<Notice>,
}

/// A public account in a list.
#[derive(Clone, Debug)]
pub(crate) struct AccountCard {
    /// Its handle.
    pub(crate) handle: String,
    /// Its name.
    pub(crate) name: String,
    /// A line about it.
    pub(crate) summary: String,
    /// What kind of institution it is.
    pub(crate) kind: String,
}

impl AccountCard {
    /// The letter of its seal.
    pub(crate) fn letter(&self) -> String {
        seal(&self.name)
    }
}

/// The first letter of a name.
pub(super) fn seal(name: &str) -> String {
    name.chars()
        .find(|character| character.is_alphanumeric())
        .map_or_else(String::new, |letter| letter.to_uppercase().collect())
}
