use wasmtime::ResourceLimiter;

use crate::fault::Stop;
use crate::limits;

/// Counts what an instance has over all its memories and tables: `wasmtime` asks for
/// each alone.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    memory_bytes: usize,
    memory_bytes_asked: usize,
    table_elements: usize,
    table_elements_asked: usize,
}

impl Limiter {
    /// Bytes of all linear memories. A fresh instance lives for one call and memory never
    /// shrinks, so this is the high-water mark too.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = desired.saturating_sub(current);
        let total = self.memory_bytes.saturating_add(asked);
        if total > limits::MEMORY_BYTES_MAX {
            return Err(Stop::Memory(total).into());
        }
        self.memory_bytes = total;
        self.memory_bytes_asked = asked;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_bytes = self.memory_bytes.saturating_sub(self.memory_bytes_asked);
        self.memory_bytes_asked = 0;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = desired.saturating_sub(current);
        let total = self.table_elements.saturating_add(asked);
        if total > limits::TABLE_ELEMENTS_MAX {
            return Err(Stop::Table(total).into());
        }
        self.table_elements = total;
        self.table_elements_asked = asked;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_elements = self
            .table_elements
            .saturating_sub(self.table_elements_asked);
        self.table_elements_asked = 0;
        Ok(())
    }

    fn instances(&self) -> usize {
        limits::CORE_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        limits::TABLES_MAX
    }

    fn memories(&self) -> usize {
        limits::MEMORIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MEMORY_BYTES_MAX, TABLE_ELEMENTS_MAX};

    #[test]
    fn the_memories_of_an_instance_share_one_limit() {
        let mut limiter = Limiter::default();
        assert!(
            limiter
                .memory_growing(0, MEMORY_BYTES_MAX / 2, None)
                .is_ok()
        );
        assert!(
            limiter
                .memory_growing(0, MEMORY_BYTES_MAX / 2, None)
                .is_ok()
        );
        let past = limiter.memory_growing(0, 1, None).unwrap_err();
        assert!(matches!(past.downcast_ref(), Some(Stop::Memory(_))));
        assert_eq!(limiter.memory_bytes(), MEMORY_BYTES_MAX);
    }

    #[test]
    fn memory_that_was_not_given_does_not_count() {
        let mut limiter = Limiter::default();
        assert!(limiter.memory_growing(0, 65_536, None).is_ok());
        assert!(limiter.memory_growing(65_536, 131_072, None).is_ok());
        let refused = wasmtime::Error::msg("the system has none");
        assert!(limiter.memory_grow_failed(refused).is_ok());
        assert_eq!(limiter.memory_bytes(), 65_536);
    }

    #[test]
    fn the_tables_of_an_instance_share_one_limit() {
        let mut limiter = Limiter::default();
        assert!(
            limiter
                .table_growing(0, TABLE_ELEMENTS_MAX - 1, None)
                .is_ok()
        );
        assert!(limiter.table_growing(0, 1, None).is_ok());
        let past = limiter.table_growing(1, 2, None).unwrap_err();
        assert!(matches!(past.downcast_ref(), Some(Stop::Table(_))));
    }
}
