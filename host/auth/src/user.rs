use qiao_model::{Scope, Secret, Timestamp, UserId};

use crate::audit::AuditEntry;
use crate::permit::{Actor, Permit};
use crate::store::{revision, user as store};
use crate::{Auth, Error};

/// The shortest password (NIST SP 800-63B).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// The longest password: longer ones gain nothing and cost time.
pub const PASSWORD_CHARS_MAX: usize = 128;
const LOGIN_CHARS_MIN: usize = 3;
const LOGIN_CHARS_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 64;

/// Somebody who signs up.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The log-in name; upper case counts as lower case.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// Their password.
    pub password: Secret<String>,
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// The log-in name.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// Whether they operate the platform.
    pub is_operator: bool,
    /// When they signed up.
    pub created_at: Timestamp,
}

impl Auth {
    /// Signs a person up.
    ///
    /// # Errors
    /// The log-in name, the name or the password is not acceptable, or the
    /// log-in name is taken.
    pub async fn sign_up(&self, new: NewUser) -> Result<UserId, Error> {
        let (user, hash) = self.prepare(&new).await?;
        let inner = self.inner();
        let stored = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                store::insert(&mut tx, &user, &hash).await?;
                let entry = AuditEntry::allowed(&Actor::User(user.id), "user.sign_up", &user.login);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok::<(), Error>(())
            })
            .await;
        stored.map_err(|error| taken(error, &user.login))?;
        Ok(user.id)
    }

    /// Makes the first operator of a platform that has none.
    ///
    /// # Errors
    /// There is one already; else as [`Auth::sign_up`].
    pub async fn bootstrap_operator(&self, new: NewUser) -> Result<UserId, Error> {
        let (mut user, hash) = self.prepare(&new).await?;
        user.is_operator = true;
        let inner = self.inner();
        let stored = inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                // The one row of the revision is the lock between two bootstraps.
                revision::raise_sessions(&mut tx).await?;
                if store::count_operators(&mut tx).await? > 0 {
                    return Err(Error::OperatorExists);
                }
                store::insert(&mut tx, &user, &hash).await?;
                let actor = Actor::System("bootstrap");
                let entry = AuditEntry::allowed(&actor, "operator.add", user.id);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await;
        stored.map_err(|error| taken(error, &user.login))?;
        Ok(user.id)
    }

    /// Makes a person an operator. Scope `operate`.
    ///
    /// # Errors
    /// The caller is no operator, or there is no such person.
    pub async fn add_operator(&self, permit: &Permit, user: UserId) -> Result<(), Error> {
        permit.covers(Scope::Operate)?;
        let inner = self.inner();
        inner
            .db
            .write(|| async {
                let mut tx = inner.db.begin().await?;
                if !store::make_operator(&mut tx, user).await? {
                    return Err(Error::UnknownUser(user));
                }
                revision::raise_sessions(&mut tx).await?;
                let entry = AuditEntry::allowed(permit.actor(), "operator.add", user);
                self.audit_in(&mut tx, &entry).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    /// Whether anybody operates this platform yet.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn has_operator(&self) -> Result<bool, Error> {
        Ok(store::has_operator(&self.inner().db).await?)
    }

    /// A person by id.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, Error> {
        Ok(store::find(&self.inner().db, id).await?)
    }

    /// A person by log-in name, for whoever adds staff or operators.
    ///
    /// # Errors
    /// The permit is neither `institution` nor `operate`, or the database does not answer.
    pub async fn user_by_login(&self, permit: &Permit, login: &str) -> Result<Option<User>, Error> {
        permit
            .covers(Scope::Institution)
            .or_else(|_| permit.covers(Scope::Operate))?;
        let login = normal_login(login);
        if !is_login(&login) {
            return Ok(None);
        }
        Ok(store::find_by_login(&self.inner().db, &login).await?)
    }

    async fn prepare(&self, new: &NewUser) -> Result<(User, String), Error> {
        let inner = self.inner();
        let login = normal_login(&new.login);
        if !is_login(&login) {
            return Err(Error::InvalidLogin);
        }
        let name = new.name.trim().to_owned();
        if name.is_empty()
            || name.chars().count() > NAME_CHARS_MAX
            || name.chars().any(char::is_control)
        {
            return Err(Error::InvalidName);
        }
        if !is_password(new.password.expose(), &login) {
            return Err(Error::WeakPassword);
        }
        // Asked before the hash is paid for; the unique key decides.
        if store::find_by_login(&inner.db, &login).await?.is_some() {
            return Err(Error::LoginTaken(login));
        }
        let hash = inner.hasher.hash(&new.password).await?;
        let user = User {
            id: inner.env.id(),
            login,
            name,
            is_operator: false,
            created_at: inner.env.now(),
        };
        Ok((user, hash))
    }
}

fn taken(error: Error, login: &str) -> Error {
    match error {
        Error::Storage(source) if source.is_unique_violation() => {
            Error::LoginTaken(login.to_owned())
        }
        other => other,
    }
}

pub(crate) fn normal_login(login: &str) -> String {
    login.trim().to_ascii_lowercase()
}

/// Whether somebody can be called so.
pub(crate) fn is_login(login: &str) -> bool {
    (LOGIN_CHARS_MIN..=LOGIN_CHARS_MAX).contains(&login.len())
        && login.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@+".contains(&byte)
        })
}

fn is_password(password: &str, login: &str) -> bool {
    let chars = password.chars().count();
    let mut rest = password.chars();
    let first = rest.next();
    (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars)
        && rest.any(|char| Some(char) != first)
        && !password.eq_ignore_ascii_case(login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_in_names_and_passwords_are_bounded() {
        for login in ["li.wei", "a-1", "li+fund@example.com"] {
            assert!(is_login(login), "{login}");
        }
        let long = "a".repeat(LOGIN_CHARS_MAX + 1);
        for login in [
            "",
            "ab",
            "Li",
            "li wei",
            "li/wei",
            "李伟李伟",
            long.as_str(),
        ] {
            assert!(!is_login(login), "{login}");
        }
        let longest = "ab".repeat(PASSWORD_CHARS_MAX / 2);
        assert!(is_password("12345678", "li.wei") && is_password(&longest, "li.wei"));
        let longer = format!("{longest}c");
        for password in ["1234567", "aaaaaaaa", "LI.WEI.1", longer.as_str()] {
            assert!(!is_password(password, "li.wei.1"), "{password}");
        }
    }
}
