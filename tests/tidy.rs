//! The edges of the house: who may import whom, and what must be absent where.
//! Each rule names the place and the fix when it breaks.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its input is missing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may import (host/ARCHITECTURE.md argues each arrow).
const ARROWS: [(&str, &[&str]); 16] = [
    ("qiao-model", &[]),
    ("qiao-manifest", &[]),
    ("qiao-sdk", &[]),
    ("qiao-db", &[]),
    ("qiao-ledger", &["db"]),
    ("qiao-auth", &["db"]),
    ("qiao-catalog", &["db", "auth"]),
    ("qiao-events", &["db", "auth"]),
    ("qiao-payments", &["db", "auth", "ledger", "events"]),
    (
        "qiao-banks",
        &["db", "auth", "ledger", "events", "payments"],
    ),
    (
        "qiao-settlement",
        &["db", "auth", "ledger", "events", "payments", "banks"],
    ),
    (
        "qiao-registry",
        &["db", "auth", "catalog", "events", "manifest"],
    ),
    (
        "qiao-runtime",
        &[
            "db", "auth", "catalog", "events", "payments", "registry", "manifest",
        ],
    ),
    (
        "qiao-orders",
        &[
            "db", "auth", "ledger", "catalog", "events", "payments", "registry", "runtime",
            "manifest",
        ],
    ),
    (
        "qiao-web",
        &[
            "db",
            "auth",
            "ledger",
            "catalog",
            "events",
            "payments",
            "registry",
            "runtime",
            "orders",
            "banks",
            "settlement",
            "manifest",
        ],
    ),
    (
        "qiao",
        &[
            "db",
            "auth",
            "ledger",
            "catalog",
            "events",
            "payments",
            "registry",
            "runtime",
            "orders",
            "banks",
            "settlement",
            "web",
            "manifest",
        ],
    ),
];

/// Part, and the only rooms that may know it.
const KNOWN_BY: [(&str, &[&str]); 7] = [
    // jiff is the calendar here; chrono comes in with oauth2.
    ("chrono", &[]),
    ("wasmtime", &["qiao-runtime", "qiao-bench"]),
    (
        "axum",
        &[
            "qiao-web",
            "qiao",
            "biller",
            "sandbox-bank",
            "qiao-bench",
            "qiao-tests",
        ],
    ),
    (
        "reqwest",
        &[
            "qiao-events",
            "qiao",
            "sandbox-bank",
            "qiao-bench",
            "qiao-tests",
        ],
    ),
    ("argon2", &["qiao-auth"]),
    ("askama", &["qiao-web"]),
    ("wit-bindgen", &["qiao-sdk"]),
];

/// A room without IO may not even depend on these.
const IO: [&str; 4] = ["sqlx", "tokio", "reqwest", "axum"];

/// Words that say nothing about what is in a file.
const EMPTY_WORDS: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "manager"];

/// Past this a file has a seam.
const FILE_LINES_MAX: usize = 800;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--locked",
            "--no-deps",
            "--format-version",
            "1",
        ])
        .current_dir(workspace())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().unwrap().to_owned();
            let normal = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
                .collect();
            (name, normal)
        })
        .collect()
}

/// Every tracked or new file that git does not ignore.
fn files() -> Vec<String> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let files: Vec<String> = listed.lines().map(str::to_owned).collect();
    assert!(files.len() > 50, "git lists the files of the checkout");
    files
        .into_iter()
        .filter(|file| workspace().join(file).is_file())
        .collect()
}

fn sources(prefix: &str) -> Vec<(String, String)> {
    files()
        .into_iter()
        .filter(|file| file.starts_with(prefix) && file.ends_with(".rs"))
        .map(|file| {
            let text = std::fs::read_to_string(workspace().join(&file)).unwrap();
            (file, text)
        })
        .collect()
}

/// The part of a source file above its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or(text)
}

fn refuse(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn rooms_import_only_what_their_arrows_allow() {
    let packages = packages();
    let mut broken = Vec::new();
    for (room, allowed) in ARROWS {
        let imports = &packages[room];
        let ours = imports.iter().filter(|name| packages.contains_key(*name));
        for import in ours {
            let short = import.trim_start_matches("qiao-");
            if short != "model" && !allowed.contains(&short) {
                broken.push(format!("{room} imports {import}"));
            }
        }
    }
    refuse(&broken, "an arrow that ARCHITECTURE.md does not draw");
}

#[test]
fn the_sdk_never_imports_the_host() {
    let host: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    let packages = packages();
    let mut broken = Vec::new();
    for guest in [
        "qiao-sdk",
        "qiao-manifest",
        "money-fund",
        "bond-fund",
        "traffic-fines",
        "hello-plugin",
    ] {
        let allowed = ["qiao-sdk", "qiao-manifest"];
        for import in &packages[guest] {
            if host.contains(import.as_str()) && !allowed.contains(&import.as_str()) {
                broken.push(format!("{guest} imports {import}"));
            }
        }
    }
    refuse(&broken, "guests and the SDK stand on sdk/ alone");
}

#[test]
fn each_part_is_known_by_its_room_alone() {
    let mut broken = Vec::new();
    for (room, imports) in packages() {
        for (part, rooms) in KNOWN_BY {
            if imports.contains(part) && !rooms.contains(&room.as_str()) {
                broken.push(format!("{room} knows {part}; only {rooms:?} may"));
            }
        }
        if room == "qiao-model" {
            let io = imports
                .iter()
                .filter(|import| IO.contains(&import.as_str()));
            broken.extend(io.map(|import| format!("{room} does IO through {import}")));
        }
    }
    refuse(&broken, "a part is in the wrong room");
}

#[test]
fn sql_lives_in_private_stores() {
    let mut broken = Vec::new();
    for (file, text) in sources("host/") {
        let in_store = file.contains("/src/store") || file.ends_with("/store.rs");
        let is_source = file.contains("/src/");
        let in_db = file.starts_with("host/db/");
        let has_sql =
            without_tests(&text).contains("sqlx::query") || text.contains("sqlx::raw_sql");
        if is_source && has_sql && !in_store && !in_db {
            broken.push(format!("{file} has SQL: move it to store.rs"));
        }
        if text.contains("pub mod store") {
            broken.push(format!("{file} makes its store public"));
        }
    }
    refuse(&broken, "SQL outside a private store");
}

#[test]
fn the_pure_rules_do_no_io() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for (file, text) in sources("host/") {
        let pure = file.starts_with("host/model/src/")
            || file.starts_with("host/catalog/src/fee")
            || file.starts_with("host/ledger/src/rules")
            || file.starts_with("host/settlement/src/compare");
        if !pure {
            continue;
        }
        seen += 1;
        for word in [
            "async fn",
            "sqlx",
            "tokio",
            "std::fs",
            "std::net",
            "SystemTime",
            "f64",
            "f32",
        ] {
            if without_tests(&text).contains(word) {
                broken.push(format!("{file} says {word}"));
            }
        }
    }
    assert!(seen > 8, "the pure rules were found, {seen} files");
    refuse(
        &broken,
        "the model, the fee engine and the ledger's rules do no IO and no floats",
    );
}

#[test]
fn whoever_begins_a_transaction_commits_it() {
    let mut broken = Vec::new();
    for (file, text) in sources("host/") {
        let text = without_tests(&text);
        let begun = text.matches(".begin().await").count();
        let ended = text.matches(".commit().await").count();
        if file.contains("/src/") && begun > 0 && ended == 0 {
            broken.push(format!(
                "{file} begins {begun} transactions and commits none"
            ));
        }
    }
    refuse(&broken, "a transaction is committed where it is begun");
}

#[test]
fn events_never_call_a_plugin() {
    let mut broken = Vec::new();
    for (file, text) in sources("host/events/src/") {
        if text.contains("qiao_runtime") || text.contains("qiao_registry") {
            broken.push(file);
        }
    }
    refuse(
        &broken,
        "events hands deliveries out; the worker in qiao matches them",
    );
}

#[test]
fn only_auth_makes_a_permit() {
    let mut broken = Vec::new();
    for (file, text) in sources("host/") {
        let forged = text.contains("Permit {") && text.contains("actor:");
        if forged && !file.starts_with("host/auth/src/") {
            broken.push(file);
        }
    }
    refuse(&broken, "a Permit is made in host/auth alone");
}

#[test]
fn the_auditor_shares_no_code_with_what_it_audits() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for (file, text) in sources("tests/simulation/src/") {
        if !file.contains("/auditor") && !file.ends_with("/ask.rs") {
            continue;
        }
        seen += 1;
        for word in [
            "qiao_payments",
            "qiao_ledger",
            "qiao_banks",
            "qiao_settlement",
            "largest_remainder(",
            "Rounding",
        ] {
            if text.contains(word) {
                broken.push(format!("{file} says {word}"));
            }
        }
    }
    assert!(seen > 3, "the auditor was found, {seen} files");
    refuse(
        &broken,
        "the simulator's auditor keeps books by arithmetic of its own",
    );
}

#[test]
fn names_say_what_is_inside() {
    let mut broken = Vec::new();
    for file in files() {
        let parts = file
            .split('/')
            .map(|part| part.split('.').next().unwrap_or(part));
        for part in parts {
            if EMPTY_WORDS.contains(&part) {
                broken.push(file.clone());
            }
        }
    }
    refuse(
        &broken,
        "nothing is called utils, helpers, common or manager",
    );
}

#[test]
fn the_top_level_holds_the_five_folders() {
    let folders: BTreeSet<String> = files()
        .iter()
        .filter_map(|file| file.split_once('/').map(|(folder, _)| folder.to_owned()))
        .filter(|folder| !folder.starts_with('.'))
        .collect();
    let expected = ["examples", "host", "plugins", "sdk", "tests"];
    assert_eq!(folders.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn nothing_is_unfinished_or_skipped() {
    let mut broken = Vec::new();
    let words = [
        ["to", "do!("].concat(),
        ["unimpl", "emented!("].concat(),
        ["#[ig", "nore"].concat(),
    ];
    for (file, text) in sources("") {
        for word in &words {
            if text.contains(word.as_str()) {
                broken.push(format!("{file} says {word}"));
            }
        }
    }
    refuse(&broken, "finish it or take it out");
}

#[test]
fn files_are_not_drawers() {
    let mut broken = Vec::new();
    for (file, text) in sources("") {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{file} has {lines} lines"));
        }
    }
    refuse(&broken, "find the seam of the file");
}

#[test]
fn every_room_says_what_it_is() {
    let mut broken = Vec::new();
    for (file, text) in sources("") {
        let root = file.ends_with("/src/lib.rs") || file.ends_with("/src/main.rs");
        if root && !text.starts_with("//!") && !text.starts_with("#!") {
            broken.push(file);
        }
    }
    refuse(
        &broken,
        "a crate's root opens with what it does and does not do",
    );
}

#[test]
fn every_hostile_guest_has_a_test_on_the_host() {
    let guests: BTreeSet<String> = files()
        .iter()
        .filter_map(|file| file.strip_prefix("tests/guests/"))
        .filter(|file| file.ends_with("/Cargo.toml"))
        .map(|file| {
            format!(
                "guest-{}",
                file.trim_end_matches("/Cargo.toml")
                    .trim_start_matches("guest-")
            )
        })
        .collect();
    assert!(guests.len() >= 3, "{guests:?}");
    let tests: String = sources("")
        .into_iter()
        .filter(|(file, _)| {
            let of_room = file.starts_with("host/") && file.contains("/tests/");
            of_room || file.starts_with("tests/e2e/")
        })
        .map(|(_, text)| text)
        .collect();
    let missing: Vec<String> = guests
        .into_iter()
        .filter(|guest| !tests.contains(&format!("\"{guest}\"")))
        .collect();
    refuse(&missing, "a guest without a host test proves nothing");
}
