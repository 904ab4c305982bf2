//! `plugin.toml` as it is written: strings with the places they stand at.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(crate) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) plugin: Plugin,
    #[serde(default)]
    pub(crate) scopes: BTreeMap<String, Text>,
    #[serde(default)]
    pub(crate) egress: Vec<Spanned<EgressRule>>,
    #[serde(default)]
    pub(crate) services: Vec<Spanned<Service>>,
    #[serde(default)]
    pub(crate) menu: Vec<Spanned<MenuEntry>>,
    #[serde(default)]
    pub(crate) jobs: Vec<Spanned<Job>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Plugin {
    pub(crate) name: Text,
    pub(crate) version: Text,
    pub(crate) wit: Text,
    pub(crate) title: Text,
    pub(crate) title_zh: Option<Text>,
    pub(crate) summary: Text,
    pub(crate) developer: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EgressRule {
    pub(crate) name: Text,
    pub(crate) url: Text,
    pub(crate) methods: Spanned<Vec<Text>>,
    pub(crate) reason: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Service {
    pub(crate) name: Text,
    pub(crate) title: Text,
    pub(crate) title_zh: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct MenuEntry {
    pub(crate) title: Text,
    pub(crate) title_zh: Option<Text>,
    pub(crate) items: Spanned<Vec<MenuItem>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct MenuItem {
    pub(crate) title: Text,
    pub(crate) title_zh: Option<Text>,
    pub(crate) service: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) name: Text,
    pub(crate) at: Text,
}
