use std::collections::BTreeMap;

use anyhow::{Context, bail};
use reqwest::header::ACCEPT_LANGUAGE;
use scraper::{ElementRef, Html, Selector};

/// Somebody at a browser without scripts: opens pages and sends their forms.
#[derive(Debug)]
pub struct Person {
    http: reqwest::Client,
    host: String,
}

/// A page as the person sees it.
#[derive(Debug)]
pub struct Page {
    /// Where it came from, after redirects.
    pub path: String,
    /// Its HTML.
    html: String,
}

impl Person {
    /// Somebody with an empty cookie jar, who reads English.
    ///
    /// # Errors
    /// The host does not answer, refuses, or the page is not as expected.
    pub fn new(host: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .build()
            .context("starting a client")?;
        Ok(Self {
            http,
            host: host.to_owned(),
        })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The host does not answer, refuses, or the page is not as expected.
    pub async fn open(&self, path: &str) -> anyhow::Result<Page> {
        let request = self.http.get(format!("{}{path}", self.host));
        page(request, path).await
    }

    /// Fills the form of this id on a page and sends it; hidden fields go back as they came.
    ///
    /// # Errors
    /// The host does not answer, refuses, or the page is not as expected.
    pub async fn send(
        &self,
        page: &Page,
        form: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let (action, mut values) = page.form(form)?;
        for (name, value) in fields {
            if values
                .insert((*name).to_owned(), (*value).to_owned())
                .is_none()
            {
                bail!("the form {form} of {} has no field {name}", page.path);
            }
        }
        let request = self
            .http
            .post(format!("{}{action}", self.host))
            .form(&values);
        self::page(request, &action).await
    }

    /// Goes where a path leads outside the host, fills the one form there, and
    /// comes back.
    ///
    /// # Errors
    /// Somebody does not answer, refuses, or the page is not as expected.
    pub async fn answer_outside(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let response = self.http.get(format!("{}{path}", self.host)).send().await?;
        let url = response.url().clone();
        let there = Page {
            path: url.path().to_owned(),
            html: response.text().await?,
        };
        let (action, mut values) = there.form_of("form")?;
        for (name, value) in fields {
            values.insert((*name).to_owned(), (*value).to_owned());
        }
        let request = self.http.post(url.join(&action)?).form(&values);
        self::page(request, &action).await
    }

    /// Opens a page and sends a form of it.
    ///
    /// # Errors
    /// The host does not answer, refuses, or the page is not as expected.
    pub async fn fill(
        &self,
        path: &str,
        form: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let page = self.open(path).await?;
        self.send(&page, form, fields).await
    }
}

async fn page(request: reqwest::RequestBuilder, asked: &str) -> anyhow::Result<Page> {
    let response = request.header(ACCEPT_LANGUAGE, "en").send().await;
    let response = response.with_context(|| format!("the host does not answer at {asked}"))?;
    let status = response.status();
    let path = response.url().path().to_owned();
    let page = Page {
        path,
        html: response.text().await?,
    };
    if !status.is_success() {
        bail!("{asked} answered {status}: {}", page.complaint());
    }
    Ok(page)
}

impl Page {
    /// All that a person can read on it, with single spaces.
    #[must_use]
    pub fn text(&self) -> String {
        let html = Html::parse_document(&self.html);
        let body = Selector::parse("main")
            .ok()
            .and_then(|main| html.select(&main).next());
        let words = body.map_or_else(String::new, |main| {
            main.text().collect::<Vec<_>>().join(" ")
        });
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Fails when the page does not say these words.
    ///
    /// # Errors
    /// The host does not answer, refuses, or the page is not as expected.
    pub fn says(&self, words: &[&str]) -> anyhow::Result<()> {
        let text = self.text();
        for word in words {
            if !text.contains(word) {
                bail!("{} does not say `{word}`: {text}", self.path);
            }
        }
        Ok(())
    }

    /// The first id of this prefix on the page, such as `cli_…`, in text or address.
    ///
    /// # Errors
    /// The host does not answer, refuses, or the page is not as expected.
    pub fn id(&self, prefix: &str) -> anyhow::Result<String> {
        let found = self.html.match_indices(prefix).find_map(|(at, _)| {
            let rest = &self.html[at..];
            let end = prefix.len() + 26;
            let id = rest.get(..end)?;
            let digits = &id[prefix.len()..];
            digits
                .chars()
                .all(|c| c.is_ascii_alphanumeric())
                .then(|| id.to_owned())
        });
        found.with_context(|| format!("{} names no {prefix}…", self.path))
    }

    /// The first of these forms that is on the page and whose hidden field has the value.
    ///
    /// # Errors
    /// The host does not answer, refuses, or the page is not as expected.
    pub fn form_with(&self, field: &str, value: &str) -> anyhow::Result<String> {
        let html = Html::parse_document(&self.html);
        let inputs = selector(&format!("form input[name='{field}'][value='{value}']"))?;
        html.select(&inputs)
            .find_map(|input| {
                let form = input
                    .ancestors()
                    .filter_map(ElementRef::wrap)
                    .find(|e| e.value().name() == "form")?;
                form.value().id().map(str::to_owned)
            })
            .with_context(|| {
                format!(
                    "{} has no form with {field}={value}: {}",
                    self.path,
                    self.text()
                )
            })
    }

    /// Where a form goes and what it holds.
    fn form(&self, id: &str) -> anyhow::Result<(String, BTreeMap<String, String>)> {
        self.form_of(&format!("form#{id}"))
    }

    fn form_of(&self, which: &str) -> anyhow::Result<(String, BTreeMap<String, String>)> {
        let html = Html::parse_document(&self.html);
        let form = html.select(&selector(which)?).next();
        let form =
            form.with_context(|| format!("{} has no {which}: {}", self.path, self.text()))?;
        let action = form.value().attr("action").unwrap_or(&self.path).to_owned();
        let mut values = BTreeMap::new();
        for input in form.select(&selector("input[name], select[name], textarea[name]")?) {
            let name = input.value().attr("name").unwrap_or_default();
            let value = input.value().attr("value").unwrap_or_default();
            values.insert(name.to_owned(), value.to_owned());
        }
        Ok((action, values))
    }

    /// What the page says is wrong.
    fn complaint(&self) -> String {
        let html = Html::parse_document(&self.html);
        let errors = selector(".error, .field-error, [role=alert]").ok();
        let said: Vec<String> = errors
            .iter()
            .flat_map(|errors| html.select(errors))
            .map(|error| error.text().collect::<String>().trim().to_owned())
            .collect();
        if said.is_empty() {
            self.text()
        } else {
            said.join("; ")
        }
    }
}

fn selector(text: &str) -> anyhow::Result<Selector> {
    Selector::parse(text).map_err(|error| anyhow::anyhow!("{text}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page {
            path: "/x".to_owned(),
            html: r#"<main><p>Hello  <b>there</b></p>
                <form id="action-2" action="/pay"><input type="hidden" name="csrf" value="t">
                <input type="hidden" name="f_fine" value="F-1"></form>
                <a href="/o/cli_0123456789abcdefghjkmnpqrs">x</a></main>"#
                .to_owned(),
        }
    }

    #[test]
    fn a_form_goes_back_with_its_hidden_fields() {
        let (action, values) = page().form("action-2").unwrap();
        assert_eq!(action, "/pay");
        assert_eq!(values["csrf"], "t");
        assert_eq!(page().form_with("f_fine", "F-1").unwrap(), "action-2");
        assert!(page().form("other").is_err());
    }

    #[test]
    fn words_and_ids_are_read_from_a_page() {
        assert!(page().says(&["Hello there"]).is_ok());
        assert!(page().says(&["Bye"]).is_err());
        assert_eq!(page().id("cli_").unwrap(), "cli_0123456789abcdefghjkmnpqrs");
        assert!(page().id("ord_").is_err());
    }
}
