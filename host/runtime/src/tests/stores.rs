use qiao_model::{PluginId, Scope};

use super::fixture::Host;
use crate::limits::{STORAGE_BYTES_MAX, STORAGE_KEYS_PAGE};
use crate::ports::{StoragePort, StoragePortError};
use crate::storage::DbStorage;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugins_store_keeps_its_quota_and_its_order_on_both_engines() {
    let host = Host::start().await;
    qiao_tests::each_database(|database| {
        let permit = host.auth.permit_system("test", Scope::Storage);
        async move {
            database.db.migrate(&[crate::MIGRATIONS]).await.unwrap();
            let store = DbStorage(database.db.clone());
            let plugin = PluginId::from_u128(1);
            let other = PluginId::from_u128(2);

            assert_eq!(store.get(&permit, plugin, "k").await, Ok(None));
            store.set(&permit, plugin, "k", b"one").await.unwrap();
            store.set(&permit, plugin, "k", b"two\0\xff").await.unwrap();
            let value = store.get(&permit, plugin, "k").await.unwrap();
            assert_eq!(value.as_deref(), Some(&b"two\0\xff"[..]));
            assert_eq!(store.get(&permit, other, "k").await, Ok(None));

            for key in ["b/2", "b/10", "a", "b/\u{e9}", "c"] {
                store.set(&permit, plugin, key, b"").await.unwrap();
            }
            let keys = |prefix, after| store.keys(&permit, plugin, prefix, after);
            assert_eq!(keys("b/", None).await.unwrap(), ["b/10", "b/2", "b/\u{e9}"]);
            assert_eq!(keys("b/", Some("b/10")).await.unwrap(), ["b/2", "b/\u{e9}"]);
            assert_eq!(keys("", None).await.unwrap().len(), 6);

            // The quota counts keys and values, to the byte, and gives back what is freed.
            let used: usize = 1 + 5 + [3, 4, 1, 4, 1].iter().sum::<usize>();
            let full = vec![7; STORAGE_BYTES_MAX - used - "full".len()];
            store.set(&permit, plugin, "full", &full).await.unwrap();
            let past = store.set(&permit, plugin, "x", b"").await;
            assert_eq!(past, Err(StoragePortError::QuotaExceeded));
            store.set(&permit, other, "x", b"").await.unwrap();
            store.delete(&permit, plugin, "c").await.unwrap();
            store.set(&permit, plugin, "x", b"").await.unwrap();
            let past = store.set(&permit, plugin, "y", b"").await;
            assert_eq!(past, Err(StoragePortError::QuotaExceeded));
            store.delete(&permit, plugin, "nothing").await.unwrap();
            store.delete(&permit, plugin, "full").await.unwrap();
            store.set(&permit, plugin, "y", b"").await.unwrap();

            let many = PluginId::from_u128(3);
            for index in 0..=STORAGE_KEYS_PAGE {
                let key = format!("{index:04}");
                store.set(&permit, many, &key, b"").await.unwrap();
            }
            let page = store.keys(&permit, many, "", None).await.unwrap();
            assert_eq!(page.len(), STORAGE_KEYS_PAGE);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_once_cannot_pass_the_quota_together() {
    qiao_tests::each_database(|database| async move {
        database.db.migrate(&[crate::MIGRATIONS]).await.unwrap();
        let host = Host::start().await;
        let permit = host.auth.permit_system("test", Scope::Storage);
        let plugin = PluginId::from_u128(1);
        let third = vec![0; STORAGE_BYTES_MAX / 3];
        let mut calls = tokio::task::JoinSet::new();
        for index in 0..8 {
            let store = DbStorage(database.db.clone());
            let (permit, third) = (permit.clone(), third.clone());
            calls.spawn(async move {
                let key = format!("{index}");
                store.set(&permit, plugin, &key, &third).await.is_ok()
            });
        }
        let kept = calls.join_all().await;
        assert_eq!(kept.into_iter().filter(|kept| *kept).count(), 2);
    })
    .await;
}
