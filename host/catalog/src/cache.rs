use std::hash::Hash;

use qiao_model::Timestamp;
use quick_cache::sync::Cache;

/// Values that another host may replace: each is believed for a while.
pub(crate) struct Fresh<K, V> {
    cache: Cache<K, (Timestamp, V)>,
    millis: i64,
}

impl<K: Eq + Hash, V: Clone> Fresh<K, V> {
    /// At most so many values, each believed for so long.
    pub(crate) fn new(values_max: usize, millis: i64) -> Self {
        Self {
            cache: Cache::new(values_max),
            millis,
        }
    }

    /// The value, if it was read less than the time ago.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let (read_at, value) = self.cache.get(key)?;
        let age = now.as_millis() - read_at.as_millis();
        (0..self.millis).contains(&age).then_some(value)
    }

    /// Keeps a value that was asked for at this time.
    pub(crate) fn put(&self, key: K, read_at: Timestamp, value: V) {
        self.cache.insert(key, (read_at, value));
    }

    /// Forgets a value that this host has just replaced.
    pub(crate) fn remove(&self, key: &K) {
        self.cache.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_believed_until_its_time_is_up_and_not_before_it_was_read() {
        let fresh = Fresh::new(10, 1_000);
        let at = |millis| fresh.get(&1, Timestamp::from_millis(millis));
        fresh.put(1, Timestamp::from_millis(5_000), "value");
        assert_eq!(at(5_000), Some("value"));
        assert_eq!(at(5_999), Some("value"));
        assert_eq!(at(6_000), None);
        assert_eq!(at(4_999), None);
        fresh.remove(&1);
        assert_eq!(at(5_000), None);
    }
}
