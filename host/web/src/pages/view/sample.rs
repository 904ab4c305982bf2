//! A sample of every page in every state that looks different, rendered and
//! read by the tests. `QIAO_SAMPLES=<folder> cargo test -p qiao-web samples`
//! also writes them there, to be looked at in a browser.

mod bank;
mod console;
mod mandate;
mod operator;
mod user;

use std::collections::BTreeSet;
use std::path::Path;

use askama::Template;
use qiao_model::{Money, Timestamp};
use scraper::{Html, Selector};

use super::{
    Cell, Confirm, Face, Facts, Failure, Figure, Form, Link, Locale, Shell, Tone, Visitor, When,
};
use crate::pages::assets;

/// A page, the case that it shows, and what it renders to.
pub(super) struct Sample {
    template: &'static str,
    case: &'static str,
    html: String,
}

pub(super) fn sample(template: &'static str, case: &'static str, view: &impl Template) -> Sample {
    let html = view.render().unwrap();
    Sample {
        template,
        case,
        html,
    }
}

pub(super) const CSRF: &str = "c5RfT0kEn";

pub(super) fn when(minutes: i64) -> When {
    When(Timestamp::from_millis(1_795_334_400_000 + minutes * 60_000))
}

pub(super) fn cny(fen: i64) -> Figure {
    Figure::money(Money::cny(fen))
}

pub(super) fn visitor(is_staff: bool, is_operator: bool) -> Visitor {
    Visitor {
        name: "Lin Wei".to_owned(),
        is_staff,
        is_operator,
    }
}

pub(super) const ORDER: &str = "ord_01kgb7m3c8f7q9s2x4v6w8y0za";
pub(super) const PAYMENT: &str = "pay_01kgb7m3c8f7q9s2x4v6w8y0zb";

fn around() -> Vec<Sample> {
    let shell = |title: &str| {
        Shell::new(Face::User, Locale::En, title).seen_by(Some(visitor(false, false)))
    };
    vec![
        sample(
            "confirm.html",
            "roll_back",
            &Confirm {
                shell: shell("Roll back to 1.2.0?"),
                text: "Every new visit is served by 1.2.0 from then on. Open orders keep the release they were quoted on.".to_owned(),
                facts: Facts::new()
                    .with("Plugin", Cell::text("money-fund"))
                    .with("Active now", Cell::text("1.3.0")),
                form: Form::new("confirm", "/console/x", CSRF, "Roll back")
                    .tone(Tone::Bad)
                    .cancel("/console", "Cancel"),
            },
        ),
        sample(
            "failure.html",
            "not_found",
            &Failure {
                shell: shell("There is no such page"),
                text: "The address is wrong, or what was here is gone.".to_owned(),
                status: 404,
                link: Link::new("/", "Go home"),
            },
        ),
    ]
}

fn samples() -> Vec<Sample> {
    let mut all = around();
    all.extend(user::samples());
    all.extend(mandate::samples());
    all.extend(bank::samples());
    all.extend(console::samples());
    all.extend(operator::samples());
    all
}

fn templates() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut found = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn every_template_has_a_sample() {
    let sampled: BTreeSet<String> = samples().iter().map(|s| s.template.to_owned()).collect();
    let pages: BTreeSet<String> = templates()
        .into_iter()
        .filter(|name| !name.starts_with("part/") && name != "shell.html")
        .collect();
    assert_eq!(pages, sampled);
}

#[test]
fn only_the_form_part_writes_a_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for name in templates() {
        let text = std::fs::read_to_string(root.join(&name)).unwrap();
        assert_eq!(text.contains("<form"), name == "part/form.html", "{name}");
        assert!(!text.contains("|safe"), "{name} trusts a text");
    }
}

#[test]
fn every_sample_is_a_page_that_anybody_can_use() {
    for Sample {
        template,
        case,
        html,
    } in samples()
    {
        let page = format!("{template} {case}");
        let document = Html::parse_document(&html);
        assert!(document.errors.is_empty(), "{page}: {:?}", document.errors);
        let all = |selector: &str| Selector::parse(selector).unwrap();
        let count = |selector: &str| document.select(&all(selector)).count();
        assert_eq!(count("html[lang]"), 1, "{page}: a language");
        assert_eq!(count("title"), 1, "{page}: a title");
        assert_eq!(count("h1"), 1, "{page}: one heading of the first rank");
        assert_eq!(
            count("script, [style], [onclick]"),
            0,
            "{page}: no script, no inline style"
        );
        assert_eq!(count("main#main"), 1, "{page}: a main part");
        let mut ids = BTreeSet::new();
        for element in document.select(&all("[id]")) {
            let id = element.value().attr("id").unwrap();
            assert!(ids.insert(id.to_owned()), "{page}: two elements are `{id}`");
        }
        for form in document.select(&all("form")) {
            assert_eq!(form.value().attr("method"), Some("post"), "{page}");
            let tokens = form.select(&all("input[name=csrf]")).count();
            assert_eq!(tokens, 1, "{page}: a CSRF token");
        }
        for input in document.select(&all("input:not([type=hidden]), select, textarea")) {
            let id = input.value().attr("id").unwrap();
            assert_eq!(
                count(&format!("label[for='{id}']")),
                1,
                "{page}: a label for {id}"
            );
            for described in input
                .value()
                .attr("aria-describedby")
                .unwrap_or("")
                .split_whitespace()
            {
                assert!(ids.contains(described), "{page}: {described}");
            }
        }
        for labelled in document.select(&all("[aria-labelledby]")) {
            let by = labelled.value().attr("aria-labelledby").unwrap();
            assert!(ids.contains(by), "{page}: {by}");
        }
        for link in document.select(&all("a")) {
            let href = link.value().attr("href").unwrap();
            assert!(
                href.starts_with(['/', '?', '#']),
                "{page}: {href} leaves the host"
            );
            assert!(
                link.text().any(|text| !text.trim().is_empty()),
                "{page}: {href} says where it goes"
            );
        }
    }
}

#[test]
fn samples_can_be_looked_at() {
    let Some(folder) = std::env::var_os("QIAO_SAMPLES") else {
        return;
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for asset in [&*assets::STYLE, &*assets::MARK] {
        std::fs::write(folder.join("assets").join(&asset.name), asset.bytes).unwrap();
    }
    for sample in samples() {
        let name = sample.template.replace('/', "-").replace(".html", "");
        let file = folder.join(format!("{name}-{}.html", sample.case));
        std::fs::write(file, sample.html).unwrap();
    }
}
