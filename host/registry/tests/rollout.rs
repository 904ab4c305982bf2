//! Review and rollout: decisions, activation, roll-back, and how fast they are seen.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

mod platform;

use platform::{Compiler, Guest, component};
use qiao_model::PluginId;
use qiao_registry::{Error, REASON_CHARS_MAX, ROLLOUT_STALE_MS_MAX, Registry, ReleaseState};
use qiao_tests::each_database;

async fn version_on(node: &Registry, plugin: PluginId) -> Option<String> {
    let release = node.active_release(plugin).await.unwrap();
    release.map(|release| release.version.clone())
}

#[tokio::test]
async fn an_approved_release_serves_once_activated_and_every_node_sees_it_within_a_second() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let release = platform.approved(&tenant, "money-fund", "1.0.0").await;
        let plugin = release.plugin;
        for node in [&platform.registry, &platform.other_node] {
            assert_eq!(version_on(node, plugin).await, None);
        }
        let guest = Guest::willing();
        let registry = &platform.registry;
        registry
            .activate(&tenant.staff, release.id, &guest)
            .await
            .unwrap();
        assert_eq!(*guest.activated.lock(), ["1.0.0"]);
        assert_eq!(version_on(registry, plugin).await.unwrap(), "1.0.0");
        platform.clock.advance_millis(ROLLOUT_STALE_MS_MAX);
        assert_eq!(
            version_on(&platform.other_node, plugin).await.unwrap(),
            "1.0.0"
        );
        let second = platform.active(&tenant, "money-fund", "2.0.0").await;
        platform.clock.advance_millis(ROLLOUT_STALE_MS_MAX);
        for node in [registry, &platform.other_node] {
            assert_eq!(version_on(node, plugin).await.unwrap(), "2.0.0");
        }
        let states: Vec<_> = registry.releases_of(plugin).await.unwrap();
        let states: Vec<_> = states
            .iter()
            .map(|r| (r.version.as_str(), &r.state))
            .collect();
        assert_eq!(
            states,
            [
                ("2.0.0", &ReleaseState::Active),
                ("1.0.0", &ReleaseState::Superseded)
            ]
        );
        let plugin = registry.plugin(plugin).await.unwrap().unwrap();
        assert_eq!(plugin.active, Some(second.id));
        let all = registry.active_releases().await.unwrap();
        assert_eq!((all.len(), all[0].id), (1, second.id));
    })
    .await;
}

#[tokio::test]
async fn each_step_is_refused_in_the_wrong_state() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let (registry, operator, staff) = (&platform.registry, &platform.operator, &tenant.staff);
        let guest = Guest::willing();
        let compiler = Compiler::willing();
        let upload = tenant.sign(&component::good("money-fund", "1.0.0"));
        let waiting = registry.upload(staff, &upload, &compiler).await.unwrap();
        let state = |outcome: Result<(), Error>| match outcome {
            Err(Error::ReleaseState { state, .. }) => state.name(),
            other => panic!("not refused for its state: {other:?}"),
        };
        let id = waiting.id;
        assert_eq!(
            state(registry.activate(staff, id, &guest).await),
            "in_review"
        );
        let plugin = waiting.plugin;
        assert_eq!(
            state(registry.roll_back(staff, plugin, id, &guest).await),
            "in_review"
        );
        let long = "r".repeat(REASON_CHARS_MAX + 1);
        for reason in ["", "  ", long.as_str()] {
            let refused = registry.reject(operator, id, reason).await;
            assert!(matches!(refused, Err(Error::InvalidReason)));
        }
        registry
            .reject(operator, id, "asks for too much")
            .await
            .unwrap();
        let rejected = registry.release(id).await.unwrap().unwrap();
        assert_eq!(
            rejected.state,
            ReleaseState::Rejected {
                reason: "asks for too much".to_owned()
            }
        );
        assert_eq!(rejected.decided_at, Some(platform.env.now()));
        assert_eq!(state(registry.approve(operator, id).await), "rejected");
        assert_eq!(
            state(registry.activate(staff, id, &guest).await),
            "rejected"
        );
        assert_eq!(
            state(registry.roll_back(staff, plugin, id, &guest).await),
            "rejected"
        );
        let active = platform.active(&tenant, "money-fund", "2.0.0").await;
        assert_eq!(
            state(registry.reject(operator, active.id, "late").await),
            "active"
        );
        assert_eq!(
            state(registry.activate(staff, active.id, &guest).await),
            "active"
        );
        assert!(
            guest.activated.lock().is_empty(),
            "a refused release is not even run"
        );
        let nothing = platform.env.id();
        let unknown = registry.approve(operator, nothing).await;
        assert!(matches!(unknown, Err(Error::UnknownRelease(_))));
        let audit = platform.audit_of(id).await;
        assert!(audit.contains(&"release.reject allowed asks for too much".to_owned()));
        let refused = audit.iter().filter(|row| row.contains(" refused ")).count();
        assert_eq!(refused, 8, "{audit:?}");
    })
    .await;
}

#[tokio::test]
async fn a_failed_activation_leaves_what_was_active() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let first = platform.active(&tenant, "money-fund", "1.0.0").await;
        let second = platform.approved(&tenant, "money-fund", "2.0.0").await;
        let guest = Guest::failing("the fee schedule has a gap");
        let registry = &platform.registry;
        let events = platform.count("event").await;
        let failed = registry.activate(&tenant.staff, second.id, &guest).await;
        let Err(Error::ActivationFailed { cause, .. }) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!(cause, "the fee schedule has a gap");
        assert_eq!(version_on(registry, first.plugin).await.unwrap(), "1.0.0");
        let stored = registry.release(second.id).await.unwrap().unwrap();
        assert_eq!(stored.state, ReleaseState::Approved);
        assert_eq!(platform.count("event").await, events);
        let audit = platform.audit_of(second.id).await;
        assert!(
            audit[0].contains("refused") && audit[0].contains("gap"),
            "{audit:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn any_earlier_approved_release_can_be_rolled_back_to() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let (registry, staff) = (&platform.registry, &tenant.staff);
        let mut releases = Vec::new();
        for version in ["1.0.0", "2.0.0", "3.0.0"] {
            releases.push(platform.active(&tenant, "money-fund", version).await);
        }
        let plugin = releases[0].plugin;
        let guest = Guest::willing();
        for to in [0, 1, 2, 0] {
            let to = &releases[to];
            registry
                .roll_back(staff, plugin, to.id, &guest)
                .await
                .unwrap();
            assert_eq!(version_on(registry, plugin).await.unwrap(), to.version);
        }
        assert_eq!(
            *guest.activated.lock(),
            ["1.0.0", "2.0.0", "3.0.0", "1.0.0"]
        );
        let current = registry
            .roll_back(staff, plugin, releases[0].id, &guest)
            .await;
        assert!(matches!(current, Err(Error::ReleaseState { .. })));
        let other = platform.active(&tenant, "other-plugin", "1.0.0").await;
        let foreign = registry.roll_back(staff, plugin, other.id, &guest).await;
        assert!(matches!(foreign, Err(Error::UnknownRelease(_))));
        let events = platform.events().await;
        let rolled = events
            .iter()
            .filter(|kind| *kind == "release.rolled_back")
            .count();
        assert_eq!(rolled, 4);
    })
    .await;
}

#[tokio::test]
async fn operators_decide_and_the_institution_rolls_out() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let stranger = platform.tenant("stranger").await;
        let (_, account) = platform.user("li.wei").await;
        let registry = &platform.registry;
        let compiler = Compiler::willing();
        let upload = tenant.sign(&component::good("money-fund", "1.0.0"));
        let release = registry
            .upload(&tenant.staff, &upload, &compiler)
            .await
            .unwrap();
        let (id, plugin) = (release.id, release.plugin);
        for permit in [&tenant.staff, &stranger.staff, &account] {
            assert!(matches!(
                registry.approve(permit, id).await,
                Err(Error::Denied(_))
            ));
            assert!(matches!(
                registry.reject(permit, id, "no").await,
                Err(Error::Denied(_))
            ));
            assert!(matches!(
                registry.in_review(permit).await,
                Err(Error::Denied(_))
            ));
            let stop = registry.stop_plugin(permit, plugin, "no").await;
            assert!(matches!(stop, Err(Error::Denied(_))));
            let approve = registry.approve_institution(permit, tenant.id).await;
            assert!(matches!(approve, Err(Error::Denied(_))));
            let suspend = registry.suspend_institution(permit, tenant.id, "no").await;
            assert!(matches!(suspend, Err(Error::Denied(_))));
            assert!(matches!(
                registry.institutions(permit).await,
                Err(Error::Denied(_))
            ));
        }
        registry.approve(&platform.operator, id).await.unwrap();
        let guest = Guest::willing();
        let denied = registry.activate(&account, id, &guest).await;
        assert!(matches!(denied, Err(Error::Denied(_))));
        // To another institution it does not exist.
        let unknown = registry.activate(&stranger.staff, id, &guest).await;
        assert!(matches!(unknown, Err(Error::UnknownRelease(_))));
        let unknown = registry
            .roll_back(&stranger.staff, plugin, id, &guest)
            .await;
        assert!(matches!(unknown, Err(Error::UnknownRelease(_))));
        assert!(guest.activated.lock().is_empty());
        registry
            .activate(&platform.operator, id, &guest)
            .await
            .unwrap();
        let audit = platform.audit_of(id).await;
        let refused = audit.iter().filter(|row| row.contains(" refused ")).count();
        assert_eq!(refused, 3 * 2 + 3, "{audit:?}");
    })
    .await;
}

#[tokio::test]
async fn an_operator_stops_a_plugin_and_it_can_be_rolled_back_to() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let release = platform.active(&tenant, "money-fund", "1.0.0").await;
        let (registry, operator) = (&platform.registry, &platform.operator);
        let plugin = release.plugin;
        let unexplained = registry.stop_plugin(operator, plugin, " ").await;
        assert!(matches!(unexplained, Err(Error::InvalidReason)));
        assert!(version_on(&platform.other_node, plugin).await.is_some());
        registry
            .stop_plugin(operator, plugin, "it overcharges")
            .await
            .unwrap();
        assert_eq!(version_on(registry, plugin).await, None);
        platform.clock.advance_millis(ROLLOUT_STALE_MS_MAX);
        assert_eq!(version_on(&platform.other_node, plugin).await, None);
        let again = registry.stop_plugin(operator, plugin, "again").await;
        assert!(matches!(again, Err(Error::UnknownPlugin(_))));
        let guest = Guest::willing();
        registry
            .roll_back(&tenant.staff, plugin, release.id, &guest)
            .await
            .unwrap();
        assert!(version_on(registry, plugin).await.is_some());
        assert!(
            platform
                .events()
                .await
                .contains(&"plugin.stopped".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_suspended_institution_serves() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let (registry, operator) = (&platform.registry, &platform.operator);
        let release = platform.active(&tenant, "money-fund", "1.0.0").await;
        let next = platform.approved(&tenant, "money-fund", "2.0.0").await;
        let plugin = release.plugin;
        assert!(version_on(&platform.other_node, plugin).await.is_some());
        let unexplained = registry.suspend_institution(operator, tenant.id, "").await;
        assert!(matches!(unexplained, Err(Error::InvalidReason)));
        registry
            .suspend_institution(operator, tenant.id, "fraud")
            .await
            .unwrap();
        platform.clock.advance_millis(ROLLOUT_STALE_MS_MAX);
        for node in [registry, &platform.other_node] {
            assert_eq!(version_on(node, plugin).await, None);
            assert!(node.public_accounts().await.unwrap().is_empty());
        }
        let guest = Guest::willing();
        let refused = registry.activate(operator, next.id, &guest).await;
        assert!(matches!(refused, Err(Error::InstitutionState { .. })));
        let again = registry
            .suspend_institution(operator, tenant.id, "again")
            .await;
        assert!(matches!(again, Err(Error::InstitutionState { .. })));
        registry
            .approve_institution(operator, tenant.id)
            .await
            .unwrap();
        platform.clock.advance_millis(ROLLOUT_STALE_MS_MAX);
        assert_eq!(
            version_on(&platform.other_node, plugin).await.unwrap(),
            "1.0.0"
        );
        let nobody = platform.env.id();
        let unknown = registry.suspend_institution(operator, nobody, "why").await;
        assert!(matches!(unknown, Err(Error::UnknownInstitution(_))));
    })
    .await;
}

#[tokio::test]
async fn activations_at_once_leave_one_active() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        let first = platform.approved(&tenant, "money-fund", "1.0.0").await;
        let second = platform.approved(&tenant, "money-fund", "2.0.0").await;
        let guest = Guest::willing();
        let (a, b, c) = tokio::join!(
            platform.registry.activate(&tenant.staff, first.id, &guest),
            platform
                .other_node
                .activate(&tenant.staff, second.id, &guest),
            platform.registry.activate(&tenant.staff, first.id, &guest),
        );
        assert!(b.is_ok() && (a.is_ok() != c.is_ok()), "{a:?} {b:?} {c:?}");
        let releases = platform.registry.releases_of(first.plugin).await.unwrap();
        let active = releases.iter().filter(|r| r.state == ReleaseState::Active);
        assert_eq!(active.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn each_decision_is_told() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        platform.active(&tenant, "money-fund", "1.0.0").await;
        let told = [
            "institution.approved",
            "release.uploaded",
            "release.approved",
            "release.activated",
        ];
        assert_eq!(platform.events().await, told);
    })
    .await;
}

#[tokio::test]
async fn a_release_never_changes_or_goes() {
    each_database(|database| async move {
        let platform = platform::open(database).await;
        let tenant = platform.tenant("harvest").await;
        platform.active(&tenant, "money-fund", "1.0.0").await;
        for statement in [
            "update release set digest = 'other'",
            "update release set manifest = 'other'",
            "update release set report = '{}'",
            "update release set version = '9.9.9'",
            "delete from release",
            "update release_component set bytes = bytes",
            "delete from release_component",
        ] {
            let mut tx = platform.database.db.begin().await.unwrap();
            let error = sqlx::query(statement).execute(tx.conn()).await.unwrap_err();
            assert!(
                error.to_string().contains("a release never"),
                "{statement}: {error}"
            );
            tx.rollback().await.unwrap();
        }
    })
    .await;
}
