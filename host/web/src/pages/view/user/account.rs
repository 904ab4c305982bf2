use askama::Template;

use super::home::seal;
use crate::pages::view::{Empty, Form, Icon, Link, Paging, Shell, When};

/// `GET /a/{handle}`: a public account with its menu and its messages.
#[derive(Clone, Debug, Template)]
#[template(path = "user/account.html")]
pub(crate) struct Account {
    /// Around it.
    pub(crate) shell: Shell,
    /// Its name.
    pub(crate) name: String,
    /// Its handle.
    pub(crate) handle: String,
    /// The institution behind it, checked by the operator.
    pub(crate) institution: String,
    /// What kind of institution it is.
    pub(crate) kind: String,
    /// A line about it.
    pub(crate) summary: String,
    /// How many follow it, in words.
    pub(crate) followers: String,
    /// Follow, or ask to unfollow.
    pub(crate) follow: FollowButton,
    /// At most three groups of at most five services.
    pub(crate) menu: Vec<MenuGroup>,
    /// What stands there when there is none.
    pub(crate) no_service: Empty,
    /// What it wrote to the visitor, newest first; none when nobody is signed in.
    pub(crate) messages: Option<Vec<Message>>,
    /// What stands there when there is none.
    pub(crate) no_message: Empty,
    /// The way to older messages.
    pub(crate) paging: Paging,
}

/// How the visitor begins or ends to follow.
#[derive(Clone, Debug)]
pub(crate) enum FollowButton {
    /// One press.
    Follow(Form),
    /// To the question first.
    Unfollow(Link),
}

/// One column of the menu.
#[derive(Clone, Debug)]
pub(crate) struct MenuGroup {
    /// What it is called.
    pub(crate) title: String,
    /// Its services.
    pub(crate) services: Vec<Link>,
}

/// A message to the visitor.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// When.
    pub(crate) at: When,
    /// Plain text.
    pub(crate) text: String,
}

impl Account {
    fn letter(&self) -> String {
        seal(&self.name)
    }
}
