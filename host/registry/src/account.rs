use std::sync::Arc;

use qiao_auth::Permit;
use qiao_manifest::Title;
use qiao_model::{InstitutionId, PluginId, PublicAccountId, Scope};

use crate::release::Release;
use crate::store::account as store;
use crate::{Error, Registry};

/// The shortest handle.
pub const HANDLE_CHARS_MIN: usize = 3;
/// The longest handle.
pub const HANDLE_CHARS_MAX: usize = 32;
/// Words of the platform's own: nobody can pose as it.
pub const RESERVED_HANDLES: [&str; 12] = [
    "about", "account", "admin", "api", "console", "help", "login", "oauth", "operator",
    "platform", "qiao", "support",
];

/// An institution's face towards people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAccount {
    /// Which.
    pub id: PublicAccountId,
    /// Whose.
    pub institution: InstitutionId,
    /// How people find it: `harvest-fund`.
    pub handle: String,
    /// What people read.
    pub name: String,
    /// A sentence about it.
    pub summary: String,
    /// The menus of the institution's active releases, at most 3 x 5.
    pub menu: Vec<MenuEntry>,
    /// How many people follow it.
    pub followers: i64,
}

/// A title of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuEntry {
    /// What people read.
    pub title: Title,
    /// What opens below it.
    pub items: Vec<MenuItem>,
}

/// A choice of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// What people read.
    pub title: Title,
    /// The plugin that serves it.
    pub plugin: PluginId,
    /// The name of the service.
    pub service: String,
}

/// A service of a public account, and the release that serves it.
#[derive(Clone, Debug)]
pub struct ServiceEntry {
    /// The account.
    pub account: PublicAccount,
    /// The release.
    pub release: Arc<Release>,
    /// The service's name in the manifest.
    pub service: String,
}

impl Registry {
    /// The public accounts of active institutions, by name.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn public_accounts(&self) -> Result<Vec<PublicAccount>, Error> {
        let accounts = store::list_visible(&self.inner().db).await?;
        self.with_menus(accounts).await
    }

    /// The public account of an active institution by its handle.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn public_account_by_handle(
        &self,
        handle: &str,
    ) -> Result<Option<PublicAccount>, Error> {
        // Whoever asks wrote it: what is no handle names nobody, and no database is asked.
        if check_handle(handle).is_err() {
            return Ok(None);
        }
        let found = store::find_visible_by_handle(&self.inner().db, handle).await?;
        let mut found = self.with_menus(found.into_iter().collect()).await?;
        Ok(found.pop())
    }

    /// The public account of an institution in any state, for its own staff and
    /// for the rooms behind the gate.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn account_of(
        &self,
        institution: InstitutionId,
    ) -> Result<Option<PublicAccount>, Error> {
        let found = store::find_for_institution(&self.inner().db, institution).await?;
        let mut found = self.with_menus(found.into_iter().collect()).await?;
        Ok(found.pop())
    }

    /// The public accounts that the permit's person follows, newest first. Scope `account`.
    ///
    /// # Errors
    /// The permit is no person's, or the database does not answer.
    pub async fn followed_by(&self, permit: &Permit) -> Result<Vec<PublicAccount>, Error> {
        permit.covers(Scope::Account)?;
        let user = permit.demand_user()?;
        let accounts = store::list_followed_by(&self.inner().db, user).await?;
        self.with_menus(accounts).await
    }

    /// The service of a public account, and the active release that has it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn service(
        &self,
        handle: &str,
        service: &str,
    ) -> Result<Option<ServiceEntry>, Error> {
        let Some(account) = self.public_account_by_handle(handle).await? else {
            return Ok(None);
        };
        for release in self.active_releases_of(account.institution).await? {
            if release.manifest.service(service).is_some() {
                let service = service.to_owned();
                return Ok(Some(ServiceEntry {
                    account,
                    release,
                    service,
                }));
            }
        }
        Ok(None)
    }

    async fn with_menus(
        &self,
        mut accounts: Vec<PublicAccount>,
    ) -> Result<Vec<PublicAccount>, Error> {
        for account in &mut accounts {
            let releases = self.active_releases_of(account.institution).await?;
            account.menu = menu_of(&releases);
        }
        Ok(accounts)
    }
}

/// The menus of several plugins one after the other, as many titles as fit.
fn menu_of(releases: &[Arc<Release>]) -> Vec<MenuEntry> {
    let entries = releases.iter().flat_map(|release| {
        release.manifest.menu.iter().map(|entry| MenuEntry {
            title: entry.title.clone(),
            items: entry
                .items
                .iter()
                .map(|item| MenuItem {
                    title: item.title.clone(),
                    plugin: release.plugin,
                    service: item.service.clone(),
                })
                .collect(),
        })
    });
    entries
        .take(qiao_manifest::limits::MENU_ENTRIES_MAX)
        .collect()
}

pub(crate) fn check_handle(handle: &str) -> Result<(), Error> {
    let is_form = (HANDLE_CHARS_MIN..=HANDLE_CHARS_MAX).contains(&handle.len())
        && handle.starts_with(|c: char| c.is_ascii_lowercase())
        && handle
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !handle.contains("--")
        && !handle.ends_with('-');
    if is_form && !RESERVED_HANDLES.contains(&handle) {
        Ok(())
    } else {
        Err(Error::InvalidHandle(handle.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_short_plain_and_not_the_platforms() {
        let longest = "a".repeat(HANDLE_CHARS_MAX);
        for handle in ["abc", "harvest-fund", "police122", longest.as_str()] {
            assert!(check_handle(handle).is_ok(), "{handle}");
        }
        let longer = "a".repeat(HANDLE_CHARS_MAX + 1);
        for handle in [
            "",
            "ab",
            "1ab",
            "-ab",
            "ab-",
            "a--b",
            "Abc",
            "a b",
            "a_b",
            "基金基金",
            "qiao",
            "operator",
            longer.as_str(),
        ] {
            assert!(check_handle(handle).is_err(), "{handle}");
        }
    }
}
