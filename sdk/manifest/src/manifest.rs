use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use semver::Version;
use url::Url;

use crate::error::ManifestError;
use crate::scope::Scope;
use crate::validation;

/// What a plugin says about itself in `plugin.toml`. One that exists is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The plugin's name, unique on a host.
    pub name: String,
    /// The release's version.
    pub version: Version,
    /// The version of the WIT contract: `0.1.0`.
    pub wit: String,
    /// What people read.
    pub title: Title,
    /// What it does, in a sentence.
    pub summary: String,
    /// The institution that developed it, `ins_…`, which gets the developer's share of
    /// its fees; none where its owner did.
    pub developer: Option<String>,
    /// The scopes it asks for, each with its reason.
    pub scopes: BTreeMap<Scope, String>,
    /// Where it may send requests to.
    pub egress: Vec<EgressRule>,
    /// Its entry points.
    pub services: Vec<Service>,
    /// The menu of the public account.
    pub menu: Vec<MenuEntry>,
    /// What it does by the clock.
    pub jobs: Vec<Job>,
}

impl Manifest {
    /// Reads `plugin.toml`.
    ///
    /// # Errors
    /// [`ManifestError`] names the line, the key and what to write instead.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        validation::manifest(text)
    }

    /// Whether it asks for a scope.
    #[must_use]
    pub fn requests(&self, scope: Scope) -> bool {
        self.scopes.contains_key(&scope)
    }

    /// The service of that name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The egress rule of that name.
    #[must_use]
    pub fn egress_rule(&self, name: &str) -> Option<&EgressRule> {
        self.egress.iter().find(|rule| rule.name == name)
    }

    /// The job of that name.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == name)
    }
}

impl FromStr for Manifest {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, ManifestError> {
        Self::parse(text)
    }
}

/// A text that people read, with an optional Chinese form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// For everybody.
    pub text: String,
    /// For readers of zh-CN.
    pub zh_cn: Option<String>,
}

impl Title {
    /// The form for a locale (a BCP 47 tag).
    #[must_use]
    pub fn for_locale(&self, locale: &str) -> &str {
        match &self.zh_cn {
            Some(chinese) if locale.starts_with("zh") => chinese,
            Some(_) | None => &self.text,
        }
    }
}

/// An address below which a plugin may send requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRule {
    /// What the plugin calls it.
    pub name: String,
    /// Scheme (http or https), host, port and path prefix; the path ends with `/`.
    pub url: Url,
    /// The methods it may use; at least one.
    pub methods: BTreeSet<EgressMethod>,
    /// Why.
    pub reason: String,
}

/// A method that an egress rule allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EgressMethod {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl EgressMethod {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::Get, Self::Post, Self::Put, Self::Delete];

    /// As the manifest writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for EgressMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entry point of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What `open` is called with.
    pub name: String,
    /// What people read.
    pub title: Title,
}

/// A title of the public account's menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    /// What people read.
    pub title: Title,
    /// What opens below it; at least one.
    pub items: Vec<MenuItem>,
}

/// A choice of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// What people read.
    pub title: Title,
    /// The name of the service that it opens; there is one.
    pub service: String,
}

/// Something that a plugin does every day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What `run` is called with.
    pub name: String,
    /// When, in Asia/Shanghai.
    pub at: TimeOfDay,
}

/// A minute of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}
