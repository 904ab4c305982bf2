//! From the written document to a valid [`Manifest`].

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use toml::Spanned;
use url::Url;

use crate::document::{self, Document, Text};
use crate::error::{ManifestError, Refusal};
use crate::limits::{
    EGRESS_RULES_MAX, EGRESS_URL_BYTES_MAX, JOBS_MAX, MANIFEST_BYTES_MAX, MENU_ENTRIES_MAX,
    MENU_ITEMS_MAX, MENU_TITLE_CHARS_MAX, REASON_CHARS_MAX, SERVICES_MAX, SUMMARY_CHARS_MAX,
    TITLE_CHARS_MAX, VERSION_CHARS_MAX,
};
use crate::manifest::{
    EgressMethod, EgressRule, Job, Manifest, MenuEntry, MenuItem, Service, TimeOfDay,
};
use crate::scope::Scope;
use crate::source::Source;

/// The versions of the contract that this crate knows.
const WIT_VERSIONS: [&str; 1] = ["0.1.0"];
/// Digits of an id behind its prefix.
const ID_DIGITS: usize = 26;

pub(crate) fn manifest(text: &str) -> Result<Manifest, ManifestError> {
    let source = Source(text);
    if text.len() > MANIFEST_BYTES_MAX {
        let refusal = Refusal::ManifestTooLarge {
            bytes: text.len(),
            max: MANIFEST_BYTES_MAX,
        };
        return Err(source.error(0..0, "syntax", refusal));
    }
    let document: Document = toml::from_str(text).map_err(|error| {
        let cause = error.message().replace('\n', "; ");
        source.error(
            error.span().unwrap_or(0..0),
            "syntax",
            Refusal::Syntax(cause),
        )
    })?;
    let plugin = document.plugin;
    let services = services(&source, document.services)?;
    let manifest = Manifest {
        name: source.name("plugin.name", plugin.name)?,
        version: version(&source, plugin.version)?,
        wit: wit(&source, plugin.wit)?,
        title: source.title("plugin", plugin.title, plugin.title_zh, TITLE_CHARS_MAX)?,
        summary: source.line("plugin.summary", plugin.summary, SUMMARY_CHARS_MAX)?,
        developer: plugin
            .developer
            .map(|id| developer(&source, id))
            .transpose()?,
        scopes: scopes(&source, document.scopes)?,
        egress: egress(&source, document.egress)?,
        menu: menu(&source, document.menu, &services)?,
        services,
        jobs: jobs(&source, document.jobs)?,
    };
    match (manifest.requests(Scope::Egress), manifest.egress.is_empty()) {
        (true, true) => Err(source.error(
            0..0,
            "scopes.egress",
            Refusal::EgressMismatch("add an [[egress]] rule or remove the scope".into()),
        )),
        (false, false) => Err(source.error(
            0..0,
            "egress",
            Refusal::EgressMismatch("add the scope egress with its reason to [scopes]".into()),
        )),
        (true, false) | (false, true) => Ok(manifest),
    }
}

fn version(source: &Source<'_>, value: Text) -> Result<Version, ManifestError> {
    let text = source.line("plugin.version", value.clone(), VERSION_CHARS_MAX)?;
    Version::parse(&text)
        .map_err(|_| source.invalid("plugin.version", &value, "write a version such as 1.2.0"))
}

fn developer(source: &Source<'_>, value: Text) -> Result<String, ManifestError> {
    let digits = value.get_ref().strip_prefix("ins_");
    let is_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if digits.is_some_and(|digits| digits.len() == ID_DIGITS && digits.bytes().all(is_digit)) {
        return Ok(value.into_inner());
    }
    let fix = "write the id of the developing institution, as its console shows it: ins_…";
    Err(source.invalid("plugin.developer", &value, fix))
}

fn wit(source: &Source<'_>, value: Text) -> Result<String, ManifestError> {
    if !WIT_VERSIONS.contains(&value.get_ref().as_str()) {
        let fix = format!(
            "write the version of the SDK's contract: {}",
            WIT_VERSIONS.join(", ")
        );
        return Err(source.invalid("plugin.wit", &value, &fix));
    }
    Ok(value.into_inner())
}

fn scopes(
    source: &Source<'_>,
    written: BTreeMap<String, Text>,
) -> Result<BTreeMap<Scope, String>, ManifestError> {
    let mut scopes = BTreeMap::new();
    for (name, reason) in written {
        let key = format!("scopes.{name:?}");
        let Some(scope) = Scope::from_name(&name) else {
            let known = Scope::ALL.map(Scope::as_str).join(", ");
            let fix = format!("the scopes are {known}").as_str().into();
            return Err(source.error(reason.span(), &key, Refusal::Invalid { value: name, fix }));
        };
        scopes.insert(scope, source.line(&key, reason, REASON_CHARS_MAX)?);
    }
    Ok(scopes)
}

fn egress(
    source: &Source<'_>,
    written: Vec<Spanned<document::EgressRule>>,
) -> Result<Vec<EgressRule>, ManifestError> {
    source.at_most("egress", &written, EGRESS_RULES_MAX)?;
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for (index, rule) in written.into_iter().map(Spanned::into_inner).enumerate() {
        let at = format!("egress[{index}]");
        rules.push(EgressRule {
            name: source.unique(&format!("{at}.name"), rule.name, &mut names)?,
            url: address(source, &format!("{at}.url"), &rule.url)?,
            methods: methods(source, &format!("{at}.methods"), &rule.methods)?,
            reason: source.line(&format!("{at}.reason"), rule.reason, REASON_CHARS_MAX)?,
        });
    }
    Ok(rules)
}

fn address(source: &Source<'_>, key: &str, value: &Text) -> Result<Url, ManifestError> {
    let text = value.get_ref();
    if text.len() > EGRESS_URL_BYTES_MAX {
        let refusal = Refusal::TooLong {
            chars: text.len(),
            max: EGRESS_URL_BYTES_MAX,
        };
        return Err(source.error(value.span(), key, refusal));
    }
    let refuse = |fix| Err(source.invalid(key, value, fix));
    let Ok(url) = Url::parse(text) else {
        return refuse("write scheme, host, port and path prefix: https://api.example.com/v1/");
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return refuse("write an address that begins with https:// or http:// and names a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("remove user and password; the host attaches secrets itself");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("remove what follows ? or #; a rule is a path prefix");
    }
    if !url.path().ends_with('/') {
        return refuse("end the path prefix with /, so that it matches whole segments");
    }
    Ok(url)
}

fn methods(
    source: &Source<'_>,
    key: &str,
    written: &Spanned<Vec<Text>>,
) -> Result<BTreeSet<EgressMethod>, ManifestError> {
    let mut methods = BTreeSet::new();
    for text in written.get_ref() {
        let method = EgressMethod::ALL
            .into_iter()
            .find(|method| method.as_str() == text.get_ref());
        let Some(method) = method else {
            return Err(source.invalid(key, text, "the methods are get, post, put and delete"));
        };
        if !methods.insert(method) {
            let refusal = Refusal::Duplicate(text.get_ref().clone());
            return Err(source.error(text.span(), key, refusal));
        }
    }
    if methods.is_empty() {
        let refusal = Refusal::NoElement("write the methods it may use: [\"get\"]".into());
        return Err(source.error(written.span(), key, refusal));
    }
    Ok(methods)
}

fn services(
    source: &Source<'_>,
    written: Vec<Spanned<document::Service>>,
) -> Result<Vec<Service>, ManifestError> {
    source.at_most("services", &written, SERVICES_MAX)?;
    let mut names = BTreeSet::new();
    let mut services = Vec::new();
    for (index, service) in written.into_iter().map(Spanned::into_inner).enumerate() {
        let at = format!("services[{index}]");
        services.push(Service {
            name: source.unique(&format!("{at}.name"), service.name, &mut names)?,
            title: source.title(&at, service.title, service.title_zh, TITLE_CHARS_MAX)?,
        });
    }
    Ok(services)
}

fn menu(
    source: &Source<'_>,
    written: Vec<Spanned<document::MenuEntry>>,
    services: &[Service],
) -> Result<Vec<MenuEntry>, ManifestError> {
    source.at_most("menu", &written, MENU_ENTRIES_MAX)?;
    let mut menu = Vec::new();
    for (index, entry) in written.into_iter().map(Spanned::into_inner).enumerate() {
        let at = format!("menu[{index}]");
        let count = entry.items.get_ref().len();
        let key = format!("{at}.items");
        if count == 0 {
            let refusal = Refusal::NoElement("give the entry an item that opens a service".into());
            return Err(source.error(entry.items.span(), &key, refusal));
        }
        if count > MENU_ITEMS_MAX {
            let refusal = Refusal::TooMany {
                count,
                max: MENU_ITEMS_MAX,
            };
            return Err(source.error(entry.items.span(), &key, refusal));
        }
        let mut items = Vec::new();
        for (index, item) in entry.items.into_inner().into_iter().enumerate() {
            items.push(menu_item(
                source,
                &format!("{key}[{index}]"),
                item,
                services,
            )?);
        }
        let title = source.title(&at, entry.title, entry.title_zh, MENU_TITLE_CHARS_MAX)?;
        menu.push(MenuEntry { title, items });
    }
    Ok(menu)
}

fn menu_item(
    source: &Source<'_>,
    at: &str,
    item: document::MenuItem,
    services: &[Service],
) -> Result<MenuItem, ManifestError> {
    if !services
        .iter()
        .any(|service| service.name == *item.service.get_ref())
    {
        let names: Vec<_> = services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        let refusal = Refusal::UnknownService {
            service: item.service.get_ref().clone(),
            known: if names.is_empty() {
                "none yet".to_owned()
            } else {
                names.join(", ")
            },
        };
        return Err(source.error(item.service.span(), &format!("{at}.service"), refusal));
    }
    Ok(MenuItem {
        title: source.title(at, item.title, item.title_zh, MENU_TITLE_CHARS_MAX)?,
        service: item.service.into_inner(),
    })
}

fn jobs(
    source: &Source<'_>,
    written: Vec<Spanned<document::Job>>,
) -> Result<Vec<Job>, ManifestError> {
    source.at_most("jobs", &written, JOBS_MAX)?;
    let mut names = BTreeSet::new();
    let mut jobs = Vec::new();
    for (index, job) in written.into_iter().map(Spanned::into_inner).enumerate() {
        let at = format!("jobs[{index}]");
        jobs.push(Job {
            name: source.unique(&format!("{at}.name"), job.name, &mut names)?,
            at: time_of_day(job.at.get_ref()).ok_or_else(|| {
                let fix = "write hour and minute in Asia/Shanghai: 16:00";
                source.invalid(&format!("{at}.at"), &job.at, fix)
            })?,
        });
    }
    Ok(jobs)
}

fn time_of_day(text: &str) -> Option<TimeOfDay> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let time = TimeOfDay {
        hour: hour.parse().ok()?,
        minute: minute.parse().ok()?,
    };
    (time.hour < 24 && time.minute < 60).then_some(time)
}
