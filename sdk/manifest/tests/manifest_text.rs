//! What `plugin.toml` may say: every limit at the limit and one past it, every refusal
//! with its line, its key and what to write instead.

use qiao_manifest::{EgressMethod, Manifest, ManifestError, Refusal, Scope, TimeOfDay, limits};

const FULL: &str = r#"[plugin]
name = "money-fund"
version = "0.1.0"
wit = "0.1.0"
title = "Steady Money Fund"
title-zh = "稳健货币基金"
summary = "A money fund."

[scopes]
"catalog:write" = "registers the fund"
egress = "asks the biller"

[[egress]]
name = "biller"
url = "http://127.0.0.1:9601/v1/"
methods = ["get", "post"]
reason = "looks up fines"

[[services]]
name = "invest"
title = "Invest"
title-zh = "投资"

[[menu]]
title = "Fund"
items = [{ title = "Buy", title-zh = "买入", service = "invest" }]

[[jobs]]
name = "daily-yield"
at = "16:00"
"#;

fn refusal(text: &str) -> ManifestError {
    match Manifest::parse(text) {
        Ok(manifest) => panic!("accepted: {manifest:?}\n{text}"),
        Err(error) => error,
    }
}

/// The refusal of the full manifest with one text replaced.
fn refusal_with(from: &str, to: &str) -> String {
    assert!(FULL.contains(from), "{from}");
    refusal(&FULL.replacen(from, to, 1)).to_string()
}

fn accepted_with(from: &str, to: &str) -> Manifest {
    assert!(FULL.contains(from), "{from}");
    Manifest::parse(&FULL.replacen(from, to, 1)).expect("the change is allowed")
}

#[test]
fn a_full_manifest_is_read() {
    let manifest = Manifest::parse(FULL).unwrap();
    assert_eq!(manifest.name, "money-fund");
    assert_eq!(manifest.version.to_string(), "0.1.0");
    assert_eq!(manifest.title.for_locale("zh-CN"), "稳健货币基金");
    assert_eq!(manifest.title.for_locale("en"), "Steady Money Fund");
    assert_eq!(manifest.scopes[&Scope::CatalogWrite], "registers the fund");
    let rule = manifest.egress_rule("biller").unwrap();
    assert_eq!(rule.url.as_str(), "http://127.0.0.1:9601/v1/");
    assert_eq!(
        rule.methods.iter().copied().collect::<Vec<_>>(),
        [EgressMethod::Get, EgressMethod::Post]
    );
    assert_eq!(
        manifest
            .service("invest")
            .unwrap()
            .title
            .for_locale("zh-CN"),
        "投资"
    );
    assert_eq!(manifest.menu[0].title.for_locale("zh-CN"), "Fund");
    assert_eq!(manifest.menu[0].items[0].service, "invest");
    assert_eq!(
        manifest.job("daily-yield").unwrap().at,
        TimeOfDay {
            hour: 16,
            minute: 0
        }
    );
}

#[test]
fn a_manifest_needs_no_more_than_its_plugin_table() {
    let text = FULL.split("[scopes]").next().unwrap();
    let manifest = Manifest::parse(text).unwrap();
    assert!(manifest.scopes.is_empty() && manifest.services.is_empty());
}

#[test]
fn a_key_that_is_unknown_or_missing_is_named_with_its_line() {
    let unknown = refusal_with("summary =", "sumary =");
    assert!(
        unknown.starts_with("plugin.toml line 7: syntax: unknown field `sumary`"),
        "{unknown}"
    );
    let missing = refusal_with("name = \"biller\"\n", "");
    assert!(missing.contains("missing field `name`"), "{missing}");
    let table = refusal_with("[[jobs]]", "[[job]]");
    assert!(
        table.starts_with("plugin.toml line 28: syntax: unknown field `job`"),
        "{table}"
    );
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    assert!(
        refusal_with("wit = \"0.1.0\"", "wit = 0.1.0").starts_with("plugin.toml line 4: syntax:")
    );
    assert!(matches!(refusal("").refusal, Refusal::Syntax(_)));
}

#[test]
fn names_are_short_and_plain() {
    let longest = "a".repeat(limits::NAME_CHARS_MAX);
    assert_eq!(accepted_with("money-fund", &longest).name, longest);
    for name in [
        "",
        "Money",
        "money fund",
        "money_fund",
        "-a",
        "a-",
        "基金",
        &format!("{longest}a"),
    ] {
        assert_eq!(
            refusal_with("money-fund", name),
            format!(
                "plugin.toml line 2: plugin.name: {name:?} is not valid; \
                 write 1 to 32 characters a-z, 0-9 and -, with no - at either end"
            )
        );
    }
}

#[test]
fn versions_are_semantic() {
    assert_eq!(
        accepted_with("\"0.1.0\"", "\"1.2.3-rc.1\"")
            .version
            .to_string(),
        "1.2.3-rc.1"
    );
    assert_eq!(
        refusal_with("\"0.1.0\"", "\"1.2\""),
        "plugin.toml line 3: plugin.version: \"1.2\" is not valid; write a version such as 1.2.0"
    );
    let long = format!("1.0.0-{}", "a".repeat(limits::VERSION_CHARS_MAX - 6));
    assert_eq!(
        accepted_with("\"0.1.0\"", &format!("{long:?}"))
            .version
            .to_string(),
        long
    );
    assert!(refusal_with("\"0.1.0\"", &format!("\"{long}a\"")).contains("keep it to 64"));
}

#[test]
fn a_contract_that_nobody_knows_is_refused() {
    assert_eq!(
        refusal_with("wit = \"0.1.0\"", "wit = \"9.0.0\""),
        "plugin.toml line 4: plugin.wit: \"9.0.0\" is not valid; \
         write the version of the SDK's contract: 0.1.0"
    );
}

#[test]
fn texts_keep_their_limits() {
    for (text, key, max) in [
        ("Steady Money Fund", "plugin.title", limits::TITLE_CHARS_MAX),
        ("稳健货币基金", "plugin.title-zh", limits::TITLE_CHARS_MAX),
        ("A money fund.", "plugin.summary", limits::SUMMARY_CHARS_MAX),
        (
            "registers the fund",
            "scopes.\"catalog:write\"",
            limits::REASON_CHARS_MAX,
        ),
        (
            "looks up fines",
            "egress[0].reason",
            limits::REASON_CHARS_MAX,
        ),
        ("Invest", "services[0].title", limits::TITLE_CHARS_MAX),
        (
            "Fund\"\nitems",
            "menu[0].title",
            limits::MENU_TITLE_CHARS_MAX,
        ),
        (
            "Buy",
            "menu[0].items[0].title",
            limits::MENU_TITLE_CHARS_MAX,
        ),
    ] {
        let rest = text.split_once('"').map_or("", |(_, rest)| rest);
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!("\"{rest}")
        };
        accepted_with(text, &format!("{}{rest}", "基".repeat(max)));
        for (bad, cause) in [
            (
                "基".repeat(max + 1),
                format!("has {} characters; keep it to {max}", max + 1),
            ),
            (
                String::new(),
                format!("is empty; write 1 to {max} characters"),
            ),
            (
                "  ".to_owned(),
                format!("is empty; write 1 to {max} characters"),
            ),
            ("a\\nb".to_owned(), "control character".to_owned()),
        ] {
            let refusal = refusal_with(text, &format!("{bad}{rest}"));
            assert!(
                refusal.contains(key) && refusal.contains(&cause),
                "{refusal}"
            );
        }
    }
}

#[test]
fn a_scope_that_nobody_knows_is_refused_with_those_there_are() {
    let refusal = refusal_with("catalog:write", "catalog:read");
    assert!(
        refusal.starts_with("plugin.toml line 10: scopes.\"catalog:read\": "),
        "{refusal}"
    );
    assert!(
        refusal.contains("the scopes are catalog:write, payments:read"),
        "{refusal}"
    );
}

#[test]
fn every_scope_can_be_asked_for() {
    for scope in Scope::ALL
        .into_iter()
        .filter(|scope| *scope != Scope::Egress)
    {
        assert!(accepted_with("catalog:write", scope.as_str()).requests(scope));
    }
}

#[test]
fn egress_rules_and_the_scope_egress_come_together() {
    let refusal = refusal_with("egress = \"asks the biller\"\n", "");
    assert!(
        refusal.contains("add the scope egress with its reason to [scopes]"),
        "{refusal}"
    );
    let rule = &FULL[FULL.find("[[egress]]").unwrap()..FULL.find("[[services]]").unwrap()];
    let refusal = refusal_with(rule, "");
    assert!(
        refusal.contains("add an [[egress]] rule or remove the scope"),
        "{refusal}"
    );
}

#[test]
fn egress_addresses_are_plain_prefixes() {
    for (url, fix) in [
        ("127.0.0.1/v1/", "write scheme, host, port and path prefix"),
        ("ftp://127.0.0.1/", "begins with https:// or http://"),
        ("file:///etc/", "begins with https:// or http://"),
        ("http://ann:secret@127.0.0.1/", "remove user and password"),
        ("http://127.0.0.1/?a=b", "remove what follows ?"),
        ("http://127.0.0.1/#a", "remove what follows ?"),
        ("http://127.0.0.1:9601/v1", "end the path prefix with /"),
    ] {
        let refusal = refusal_with("http://127.0.0.1:9601/v1/", url);
        assert!(
            refusal.starts_with("plugin.toml line 15: egress[0].url: "),
            "{refusal}"
        );
        assert!(refusal.contains(fix), "{refusal}");
    }
    let longest = format!(
        "http://a/{}/",
        "b".repeat(limits::EGRESS_URL_BYTES_MAX - 10)
    );
    accepted_with("http://127.0.0.1:9601/v1/", &longest);
    let refusal = refusal_with("http://127.0.0.1:9601/v1/", &format!("{longest}b/"));
    assert!(refusal.contains("keep it to 512"), "{refusal}");
}

#[test]
fn egress_methods_are_known_single_and_at_least_one() {
    assert!(refusal_with("\"post\"", "\"patch\"").contains("the methods are get, post, put"));
    assert!(refusal_with("\"post\"", "\"get\"").contains("taken by an earlier element"));
    assert!(refusal_with("\"get\", \"post\"", "").contains("write the methods it may use"));
}

/// `count` tables, each made from its index.
fn tables(count: usize, table: impl Fn(usize) -> String) -> String {
    (0..count).map(table).collect()
}

#[test]
fn lists_keep_their_limits() {
    let bare = FULL.split("[scopes]").next().unwrap();
    let check = |key: &str, max: usize, with: &dyn Fn(usize) -> String| {
        Manifest::parse(&format!("{bare}{}", with(max))).unwrap();
        let refusal = refusal(&format!("{bare}{}", with(max + 1)));
        assert_eq!(refusal.key, key);
        assert_eq!(
            refusal.refusal,
            Refusal::TooMany {
                count: max + 1,
                max
            }
        );
    };
    check("services", limits::SERVICES_MAX, &|count| {
        tables(count, |i| {
            format!("[[services]]\nname = \"s{i}\"\ntitle = \"S\"\n")
        })
    });
    check("jobs", limits::JOBS_MAX, &|count| {
        tables(count, |i| {
            format!("[[jobs]]\nname = \"j{i}\"\nat = \"00:00\"\n")
        })
    });
    check("egress", limits::EGRESS_RULES_MAX, &|count| {
        let scope = "[scopes]\negress = \"why\"\n".to_owned();
        let rule = |i| {
            format!(
                "[[egress]]\nname = \"e{i}\"\nurl = \"https://a/\"\nmethods = [\"get\"]\nreason = \"r\"\n"
            )
        };
        scope + &tables(count, rule)
    });
    let service = "[[services]]\nname = \"s\"\ntitle = \"S\"\n";
    let item = "{ title = \"I\", service = \"s\" },";
    check("menu", limits::MENU_ENTRIES_MAX, &|count| {
        service.to_owned()
            + &tables(count, |_| {
                format!("[[menu]]\ntitle = \"M\"\nitems = [{item}]\n")
            })
    });
    check("menu[0].items", limits::MENU_ITEMS_MAX, &|count| {
        format!(
            "{service}[[menu]]\ntitle = \"M\"\nitems = [{}]\n",
            item.repeat(count)
        )
    });
}

#[test]
fn a_manifest_keeps_its_size() {
    let padding = limits::MANIFEST_BYTES_MAX - FULL.len() - 2;
    let largest = format!("{FULL}#{}\n", "x".repeat(padding));
    assert_eq!(largest.len(), limits::MANIFEST_BYTES_MAX);
    Manifest::parse(&largest).unwrap();
    let refusal = refusal(&format!("{largest}#"));
    let bytes = limits::MANIFEST_BYTES_MAX + 1;
    let max = limits::MANIFEST_BYTES_MAX;
    assert_eq!(refusal.refusal, Refusal::ManifestTooLarge { bytes, max });
}

#[test]
fn names_are_unique_in_their_list() {
    for (table, key) in [
        (
            "[[services]]\nname = \"invest\"\ntitle = \"Again\"\n",
            "services[1].name",
        ),
        (
            "[[jobs]]\nname = \"daily-yield\"\nat = \"17:00\"\n",
            "jobs[1].name",
        ),
        (
            "[[egress]]\nname = \"biller\"\nurl = \"https://a/\"\nmethods = [\"get\"]\nreason = \"r\"\n",
            "egress[1].name",
        ),
    ] {
        let refusal = refusal(&format!("{FULL}{table}"));
        assert_eq!(refusal.key, key);
        assert!(matches!(refusal.refusal, Refusal::Duplicate(_)));
    }
    let twice = refusal_with(
        "egress = \"asks",
        "\"catalog:write\" = \"again\"\negress = \"asks",
    );
    assert!(twice.contains("duplicate key"), "{twice}");
}

#[test]
fn a_menu_opens_services_that_there_are() {
    assert_eq!(
        refusal_with("service = \"invest\"", "service = \"sell\""),
        "plugin.toml line 26: menu[0].items[0].service: no service has the name \"sell\"; \
         the services are invest"
    );
    let empty = refusal_with(
        "{ title = \"Buy\", title-zh = \"买入\", service = \"invest\" }",
        "",
    );
    assert!(
        empty.contains("give the entry an item that opens a service"),
        "{empty}"
    );
}

#[test]
fn times_are_minutes_of_a_day() {
    for at in ["00:00", "23:59"] {
        assert_eq!(accepted_with("16:00", at).jobs[0].at.to_string(), at);
    }
    for at in [
        "24:00",
        "23:60",
        "9:00",
        "0900",
        "16:00:00",
        "",
        "+1:00",
        "１６:00",
    ] {
        let refusal = refusal_with("16:00", at);
        assert!(
            refusal.contains("write hour and minute in Asia/Shanghai: 16:00"),
            "{refusal}"
        );
    }
}

#[test]
fn a_developer_is_named_by_the_id_of_an_institution() {
    let summary = "summary = \"A money fund.\"\n";
    let with = |id: &str| format!("{summary}developer = \"{id}\"\n");
    let id = format!("ins_{}", "0".repeat(26));
    let manifest = accepted_with(summary, &with(&id));
    assert_eq!(manifest.developer, Some(id.clone()));
    assert_eq!(Manifest::parse(FULL).unwrap().developer, None);
    for wrong in [
        "",
        "harvest",
        &id[..29],
        &format!("{id}0"),
        &id.to_uppercase(),
    ] {
        let refusal = refusal_with(summary, &with(wrong));
        assert!(refusal.contains("plugin.developer"), "{refusal}");
    }
}
