use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use scraper::{Html, Selector};
use tower::ServiceExt;

const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
const REDIRECTS_MAX: usize = 5;

/// A browser without scripts: keeps cookies, follows redirects, sends forms.
pub(crate) struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

/// A page as a browser has it.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    pub(crate) async fn open(&mut self, path: &str) -> Page {
        self.go(Method::GET, path, None).await
    }

    /// Fills the fields of a page's form and sends it with its hidden ones.
    pub(crate) async fn send(&mut self, page: &Page, form: &str, fields: &[(&str, &str)]) -> Page {
        let (action, mut values) = page.form(form);
        for (name, value) in fields {
            let known = values.insert((*name).to_owned(), (*value).to_owned());
            assert!(known.is_some(), "the form {form} has no field {name}");
        }
        self.post(&action, &values).await
    }

    pub(crate) async fn fill(&mut self, path: &str, form: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.open(path).await;
        self.send(&page, form, fields).await
    }

    pub(crate) async fn post(&mut self, path: &str, values: &BTreeMap<String, String>) -> Page {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(values);
        let form = "application/x-www-form-urlencoded".to_owned();
        self.go(Method::POST, path, Some((form, body.finish().into_bytes())))
            .await
    }

    /// Sends a form with one file.
    pub(crate) async fn upload(&mut self, page: &Page, form: &str, file: &[u8]) -> Page {
        let (action, _) = page.form(form);
        let body = upload_body(page, form, file);
        let media_type = "multipart/form-data; boundary=edge".to_owned();
        self.go(Method::POST, &action, Some((media_type, body)))
            .await
    }

    async fn go(&mut self, method: Method, path: &str, body: Option<(String, Vec<u8>)>) -> Page {
        let mut method = method;
        let mut path = path.to_owned();
        let mut body = body;
        for _ in 0..REDIRECTS_MAX {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            let mut request = Request::builder()
                .method(method)
                .uri(&path)
                .header(header::COOKIE, cookies.join("; "))
                .header(header::ACCEPT, "text/html,*/*;q=0.8")
                .header(header::ACCEPT_LANGUAGE, "en");
            let mut bytes = Vec::new();
            if let Some((media_type, sent)) = body.take() {
                request = request.header(header::CONTENT_TYPE, media_type);
                bytes = sent;
            }
            let request = request.body(Body::from(bytes)).unwrap();
            let response = self.router.clone().oneshot(request).await.unwrap();
            for cookie in response.headers().get_all(header::SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if let Some(next) = response.headers().get(header::LOCATION) {
                assert_eq!(response.status().as_u16(), 303, "a form leads on by 303");
                path = next.to_str().unwrap().to_owned();
                method = Method::GET;
                continue;
            }
            let status = response.status().as_u16();
            let bytes = to_bytes(response.into_body(), PAGE_BYTES_MAX)
                .await
                .unwrap();
            return Page {
                path,
                status,
                html: String::from_utf8(bytes.to_vec()).unwrap(),
            };
        }
        panic!("{path} leads around in a circle");
    }
}

fn upload_body(page: &Page, form: &str, file: &[u8]) -> Vec<u8> {
    let (_, values) = page.form(form);
    let mut body = Vec::new();
    let part = |name: &str| format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"");
    body.extend(format!("{}\r\n\r\n{}\r\n", part("csrf"), values["csrf"]).bytes());
    body.extend(format!("{}; filename=\"a.wasm\"\r\n\r\n", part("component")).bytes());
    body.extend_from_slice(file);
    body.extend(b"\r\n--edge--\r\n");
    body
}

impl Page {
    /// Bytes of what [`Browser::upload`] sends around a file.
    pub(crate) fn bytes_around_a_file(&self, form: &str) -> usize {
        upload_body(self, form, &[]).len()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.path, self.text());
        self
    }

    /// What a person reads in the page's main part, with single spaces.
    pub(crate) fn text(&self) -> String {
        let html = Html::parse_document(&self.html);
        let main = Selector::parse("main").unwrap();
        let words: String = html
            .select(&main)
            .flat_map(|main| main.text())
            .collect::<Vec<_>>()
            .join(" ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Self {
        let text = self.text();
        assert!(
            text.contains(words),
            "{} does not say `{words}`: {text}",
            self.path
        );
        self
    }

    /// The error beside a field.
    pub(crate) fn error(&self, id: &str) -> String {
        self.text_of(&format!("#{id}-error"))
    }

    pub(crate) fn text_of(&self, selector: &str) -> String {
        let html = Html::parse_document(&self.html);
        let selector = Selector::parse(selector).unwrap();
        let text: Vec<&str> = html
            .select(&selector)
            .flat_map(|found| found.text())
            .collect();
        text.join("").trim().to_owned()
    }

    /// What a field holds.
    pub(crate) fn value(&self, id: &str) -> String {
        let html = Html::parse_document(&self.html);
        let selector = Selector::parse(&format!("#{id}")).unwrap();
        let found = html.select(&selector).next();
        found
            .and_then(|field| field.value().attr("value"))
            .unwrap_or_default()
            .to_owned()
    }

    /// The first address on the page that begins so.
    pub(crate) fn link(&self, prefix: &str) -> String {
        let html = Html::parse_document(&self.html);
        let links = Selector::parse("a[href]").unwrap();
        let mut hrefs = html
            .select(&links)
            .filter_map(|link| link.value().attr("href"));
        let found = hrefs.find(|href| href.starts_with(prefix));
        found
            .unwrap_or_else(|| panic!("{} leads nowhere at {prefix}", self.path))
            .to_owned()
    }

    /// Where a form goes, and what it holds.
    #[track_caller]
    pub(crate) fn form(&self, id: &str) -> (String, BTreeMap<String, String>) {
        let html = Html::parse_document(&self.html);
        let selector = Selector::parse(&format!("form#{id}")).unwrap();
        let form = html.select(&selector).next();
        let form =
            form.unwrap_or_else(|| panic!("{} has no form {id}: {}", self.path, self.text()));
        let inputs = Selector::parse("input[name], select[name], textarea[name]").unwrap();
        let values = form.select(&inputs).map(|input| {
            let attr = |name| input.value().attr(name).unwrap_or_default().to_owned();
            (attr("name"), attr("value"))
        });
        (
            form.value().attr("action").unwrap().to_owned(),
            values.collect(),
        )
    }

    /// The form with this hidden field.
    pub(crate) fn form_with(&self, name: &str, value: &str) -> String {
        let html = Html::parse_document(&self.html);
        let forms = Selector::parse("form").unwrap();
        let field = Selector::parse(&format!("input[name='{name}'][value='{value}']")).unwrap();
        let found = html
            .select(&forms)
            .find(|form| form.select(&field).next().is_some());
        found
            .unwrap_or_else(|| panic!("no form with {name}={value}"))
            .value()
            .id()
            .unwrap()
            .to_owned()
    }
}
