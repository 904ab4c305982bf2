//! A headless Chromium, driven as a person would use it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use thirtyfour::prelude::*;

/// A phone's screen.
const WIDTH: u32 = 390;
const HEIGHT: u32 = 844;
/// How long an element may take to appear.
const WAIT: Duration = Duration::from_secs(20);
/// A busy machine shows the next page later than the click that leads there returns.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOKS_MAX: u32 = 50;

/// A browser window and the driver that moves it; both end with it.
pub(crate) struct Browser {
    pub(crate) window: WebDriver,
    driver: Child,
    _profile: TempDir,
    shots: u32,
}

impl Browser {
    /// Starts chromedriver and a window of a phone's size, with scripts switched
    /// off: no page may need them.
    pub(crate) async fn open() -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver runs; `.ci/prepare chromium` installs it");
        let profile = tempfile::tempdir().unwrap();
        let mut chrome = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--lang=en",
            &format!("--window-size={WIDTH},{HEIGHT}"),
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            chrome.add_arg(argument).unwrap();
        }
        let no_scripts =
            serde_json::json!({ "profile.managed_default_content_settings.javascript": 2 });
        chrome.add_experimental_option("prefs", no_scripts).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let window = connect(&url, chrome).await;
        window.set_implicit_wait_timeout(WAIT).await.unwrap();
        Self {
            window,
            driver,
            _profile: profile,
            shots: 0,
        }
    }

    /// Opens an address.
    pub(crate) async fn go(&self, url: &str) {
        self.window.goto(url).await.unwrap();
    }

    /// Types into the field of this name.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let field = self
            .one(&format!("input[name='{name}']:not([type='hidden'])"))
            .await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks what the selector finds.
    pub(crate) async fn click(&self, selector: &str) {
        let element = self.one(selector).await;
        element.scroll_into_view().await.ok();
        element
            .click()
            .await
            .unwrap_or_else(|error| panic!("clicking {selector}: {error}"));
    }

    /// The one element that the selector finds.
    pub(crate) async fn one(&self, selector: &str) -> WebElement {
        match self.window.find(By::Css(selector)).await {
            Ok(element) => element,
            Err(error) => {
                let url = self
                    .window
                    .current_url()
                    .await
                    .map(|url| url.to_string())
                    .unwrap_or_default();
                panic!("{url} has no {selector}: {error}\n{}", self.text().await)
            }
        }
    }

    /// All that a person can read on the page.
    pub(crate) async fn text(&self) -> String {
        let mut tries = 0;
        loop {
            match self.body().await {
                Ok(text) => return text,
                // The page that was found has just given way to the next.
                Err(_) if tries < LOOKS_MAX => tries += 1,
                Err(error) => panic!("the page cannot be read: {error}"),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn body(&self) -> WebDriverResult<String> {
        self.window.find(By::Css("body")).await?.text().await
    }

    /// Asserts that the page says all of this, or that the one it gives way to does.
    pub(crate) async fn says(&self, words: &[&str]) {
        let mut tries = 0;
        loop {
            let text = self.text().await;
            let Some(missing) = words.iter().find(|word| !text.contains(**word)) else {
                return;
            };
            assert!(
                tries < LOOKS_MAX,
                "the page does not say `{missing}`:\n{text}"
            );
            tries += 1;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Keeps a picture of the page under target/screenshots, out of git.
    pub(crate) async fn shoot(&mut self, name: &str) {
        self.shots += 1;
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{:02}-{name}.png", self.shots));
        self.window.screenshot(&file).await.unwrap();
    }

    /// Closes the window.
    pub(crate) async fn close(self) {
        self.window.clone().quit().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

async fn connect(url: &str, chrome: thirtyfour::ChromeCapabilities) -> WebDriver {
    let mut tries = 0;
    loop {
        match WebDriver::new(url, chrome.clone()).await {
            Ok(window) => return window,
            Err(error) if tries >= 50 => panic!("no browser: {error}"),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
